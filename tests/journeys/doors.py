"""Browser form and API as two doors to one record: what is sent, and what is refused."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from cases.models import Case, Complication, MriStudy, Operation
from outcomes.forms import item_name
from outcomes.models import Recurrence, Visit, VitalStatus
from outcomes.models.joa import ALL_JOA_ITEMS
from registry.models import User
from tests.pages import form_data, signed_in
from tests.registry.api_client import Api

MODELS: dict[str, Any] = {
    "operation": Operation,
    "later_operation": Operation,
    "mri": MriStudy,
    "early_mri": MriStudy,
    "complication": Complication,
    "visit": Visit,
    "later_visit": Visit,
    "recurrence": Recurrence,
    "vital": VitalStatus,
}
ROUTES = {
    "patient": "patients",
    "case": "cases",
    "operation": "operations",
    "later_operation": "operations",
    "mri": "mri-studies",
    "early_mri": "mri-studies",
    "complication": "complications",
    "visit": "visits",
    "later_visit": "visits",
    "recurrence": "recurrences",
    "vital": "vital-statuses",
}
PAGES = {
    "patient": "cases:edit-patient",
    "case": "cases:edit-tumour",
    "identity": "cases:edit-identity",
    "operation": "cases:operation",
    "later_operation": "cases:operation",
    "mri": "cases:mri",
    "early_mri": "cases:mri",
    "complication": "cases:complication",
    "visit": "outcomes:visit",
    "later_visit": "outcomes:visit",
    "recurrence": "outcomes:recurrence",
    "vital": "outcomes:vital",
}
EARLY = "early_postop"
EXISTING = {"patient", "case", "identity", "vital"}


class NotAsked(Exception):
    """The form has no control for a value."""


class Door:
    """Enters and changes rows of one case. Methods answer the codes of the refusal."""

    def __init__(self, case: Case, by: User) -> None:
        self.case, self.by = case, by
        # Where the last refusal stood.
        self.fields: set[str] = set()

    def find(self, kind: str) -> Any:
        """The row of a kind, voided or not, as it is stored now; None without one."""
        if kind == "patient":
            return type(self.case.patient).objects.get(pk=self.case.patient_id)
        if kind == "case":
            return Case.objects.get(pk=self.case.pk)
        rows = MODELS[kind].objects.all()
        if MODELS[kind] is Operation:
            rows = rows.filter(index_operation=kind == "operation")
        if MODELS[kind] is MriStudy and rows.filter(purpose=EARLY).exists():
            early = rows.filter(purpose=EARLY)
            rows = early if kind == "early_mri" else rows.exclude(purpose=EARLY)
        if MODELS[kind] is Visit:
            rows = rows.order_by("pk" if kind == "visit" else "-pk")
        return rows.first()


class ApiDoor(Door):
    def __init__(self, case: Case, by: User) -> None:
        super().__init__(case, by)
        self.api = Api(by)

    def enter(self, kind: str, values: dict[str, Any]) -> set[str]:
        if kind in {"patient", "case", "identity"}:
            return self.change(kind, values)
        body = {**self.above(kind), **values}
        return self.codes(self.api.post(f"{ROUTES[kind]}/", body))

    def above(self, kind: str) -> dict[str, Any]:
        if kind == "complication":
            return {"operation": self.find("operation").code}
        if kind == "vital":
            return {"patient": self.case.patient.code}
        more = {"index_operation": False} if kind == "later_operation" else {}
        return {"case": self.case.code, **more}

    def change(self, kind: str, values: dict[str, Any]) -> set[str]:
        if kind == "identity":
            path = f"patients/{self.case.patient.code}/identity/"
            held = getattr(self.find("patient"), "identity", None)
            return self.codes(self.api.patch(path, values, held.version if held else 0))
        row = self.find(kind)
        path = f"{ROUTES[kind]}/{row.code}/"
        return self.codes(self.api.patch(path, values, row.version))

    def codes(self, answer: Any) -> set[str]:
        if answer.status_code in {200, 201}:
            return set()
        assert answer.status_code in {400, 409}, answer.json()
        self.fields = {str(error["field"]) for error in answer.json()["errors"]}
        return {error["code"] for error in answer.json()["errors"]} or {
            answer.json()["code"]
        }


class FormDoor(Door):
    def __init__(self, case: Case, by: User) -> None:
        super().__init__(case, by)
        self.client: Client = signed_in(by)

    def enter(self, kind: str, values: dict[str, Any]) -> set[str]:
        if kind == "later_operation" and self.find("operation") is None:
            raise NotAsked("the first operation of a form is the index operation")
        return self.send(kind, self.address(kind, None), values)

    def change(self, kind: str, values: dict[str, Any]) -> set[str]:
        row = None if kind in EXISTING else self.find(kind)
        return self.send(kind, self.address(kind, row), values)

    def address(self, kind: str, row: Any) -> str:
        args = [self.case.code]
        if kind == "complication":
            args.append(self.find("operation").code)
        if kind in EXISTING:
            return reverse(PAGES[kind], args=args)
        if row is None:
            return reverse(f"{PAGES[kind]}-new", args=args)
        return reverse(f"{PAGES[kind]}-edit", args=[*args, row.code])

    def send(self, kind: str, address: str, values: dict[str, Any]) -> set[str]:
        page = self.client.get(address)
        form = page.context["forms"][0]
        fields = form.fields
        if kind == "visit":
            values = in_score_card(values, getattr(form.record, "joa_region", None))
        if not set(values) <= set(fields):
            raise NotAsked(sorted(set(values) - set(fields)))
        typed = {name: as_typed(value) for name, value in values.items()}
        answer = self.client.post(address, form_data(page) | typed)
        if answer.status_code == 302:
            return set()
        assert answer.status_code in {409, 422}
        errors = answer.context["forms"][0].errors.as_data()
        self.fields = set(errors)
        return {item.code for items in errors.values() for item in items}


def in_score_card(values: dict[str, Any], joa_form: str | None) -> dict[str, Any]:
    """Each form of the JOA has controls of its own."""
    chosen = values.get("joa_region", joa_form)
    return {
        item_name(chosen, name) if chosen and name in ALL_JOA_ITEMS else name: value
        for name, value in values.items()
    }


def as_typed(value: Any) -> str | list[str]:
    """A JSON value as a browser sends it."""
    if isinstance(value, list):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


DOORS: dict[str, type[ApiDoor] | type[FormDoor]] = {"api": ApiDoor, "form": FormDoor}
