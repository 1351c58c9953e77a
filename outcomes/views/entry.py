"""Entering and correcting visits, recurrences and vital status."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from cases.views.entry import EntryView
from cases.views.finding import find_case, find_part
from cases.views.parts import PartView
from cases.views.state import void
from outcomes import actions
from outcomes.choices import JoaForm, VisitType
from outcomes.forms import RecurrenceForm, VisitForm, VitalStatusForm
from outcomes.models import Recurrence, Visit, VitalStatus
from registry.forms import RecordForm


class OutcomeView(PartView):
    """A part of a case that this app's actions write."""

    def update(self, version: int) -> None:
        actions.update_record(version=version, record=self.record, **self.entered())


class EditVisit(OutcomeView):
    model, part, section = Visit, "visit", "follow-up"
    edit_page = "outcomes:visit-edit"

    def make_form(self, posted: Any = None) -> RecordForm:
        return VisitForm(posted, record=self.record, initial=self.suggested())

    @property
    def kind(self) -> str:
        """The kind of visit that a new one was opened for, if the address says."""
        wanted = "" if self.record else self.request.GET.get("type", "")
        return wanted if wanted in VisitType.values else ""

    @property
    def address(self) -> str:
        """Half a visit at two years is not half a visit at five."""
        return f"{self.request.path}?type={self.kind}" if self.kind else super().address

    @property
    def draft_title(self) -> str:
        kind = VisitType(self.kind).label if self.kind else ""
        return f"{self.title}: {kind}" if kind else self.title

    def belongs_here(self, typed: QueryDict) -> bool:
        """A draft begun here that became another visit stands here no more."""
        return not self.kind or typed.get("visit_type", "") in {"", self.kind}

    def suggested(self) -> dict[str, Any]:
        """What a new visit starts with: its window, today, the form of the region."""
        if self.record:
            return {}
        suggested: dict[str, Any] = {"mode": "in_person", "joa_region": self.joa_form()}
        return suggested | ({"visit_type": self.kind} if self.kind else {})

    def joa_form(self) -> str | None:
        """The form used before; else that of the region."""
        visits = self.case.visits.current().exclude(joa_region=None)
        before = visits.order_by("-pk").values_list("joa_region", flat=True).first()
        region = self.case.region or ""
        by_region = {
            "craniocervical": JoaForm.CERVICAL_1975,
            "cervical": JoaForm.CERVICAL_1975,
            "cervicothoracic": JoaForm.CERVICAL_1975,
            "thoracic": JoaForm.THORACIC,
        }
        return before or by_region.get(region)

    def create(self) -> str:
        return str(actions.create_visit(case=self.case, **self.entered()).code)

    @property
    def title(self) -> str:
        return _("Visit") if self.record else _("New visit")

    def saved_text(self) -> str:
        kind = VisitType(self.form.cleaned_data["visit_type"]).label
        return _("Visit “%(kind)s” saved.") % {"kind": kind}


class EditRecurrence(OutcomeView):
    model, part, section = Recurrence, "recurrence", "recurrence"
    edit_page = "outcomes:recurrence-edit"

    def make_form(self, posted: Any = None) -> RecordForm:
        return RecurrenceForm(posted, record=self.record)

    def create(self) -> str:
        return str(actions.create_recurrence(case=self.case, **self.entered()).code)

    @property
    def title(self) -> str:
        return _("Recurrence or regrowth")


class EditVitalStatus(OutcomeView):
    """One page for the first statement and for every later one."""

    model, part, section = VitalStatus, "vital", "vital"

    def find(self) -> None:
        EntryView.find(self)
        self.record = VitalStatus.objects.filter(patient=self.case.patient).first()

    def make_form(self, posted: Any = None) -> RecordForm:
        return VitalStatusForm(posted, record=self.record)

    def create(self) -> str:
        status = actions.create_vital_status(
            patient=self.case.patient,
            **self.entered(),
        )
        return str(status.code)

    @property
    def title(self) -> str:
        return _("Vital status")


@require_POST
def void_visit(request: HttpRequest, code: str, visit: str) -> HttpResponse:
    case = find_case(request, code)
    found = find_part(Visit, visit, case=case)
    return void(request, case, found, actions.void_record, "follow-up")


@require_POST
def void_recurrence(request: HttpRequest, code: str, recurrence: str) -> HttpResponse:
    case = find_case(request, code)
    found = find_part(Recurrence, recurrence, case=case)
    return void(request, case, found, actions.void_record, "recurrence")
