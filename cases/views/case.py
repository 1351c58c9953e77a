"""Entering a patient with a tumour, and correcting either."""

from __future__ import annotations

from typing import Any

from django.db.models import Value
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from cases import actions
from cases.forms import (
    CaseForm,
    CentreChoiceForm,
    IdentityForm,
    PatientForm,
    PatientSearchForm,
)
from cases.models import Case, Draft, Patient, PatientIdentity
from cases.permissions import check_can_edit
from cases.same_person import patients_alike
from cases.views.entry import EntryView, once_only
from cases.views.finding import writable_centres
from registry import audit
from registry.duplicates import rows_alike
from registry.forms import RecordForm
from registry.models import ClinicalQuerySet
from registry.permissions import Permission, check
from registry.sql import Folded

NAMED_BY = {"family_name", "given_name", "birth_date"}


class NewCase(EntryView):
    """Patient, identity and tumour on one page; or the tumour of a known patient."""

    template_name = "cases/new.html"
    patient: Patient | None = None
    drafted: Draft | None = None
    created = ""

    def find(self) -> None:
        code = self.request.GET.get("patient")
        if code is None:
            self.drafted = self.draft_named()
            return
        patients = Patient.objects.visible_to(self.request.user).current()
        self.patient = patients.filter(code=code).select_related("centre").first()
        if self.patient is None:
            raise Http404(_("No such patient."))

    def check(self) -> None:
        centre = self.patient.centre if self.patient else None
        check(self.by, Permission.WRITE_CASES, centre)

    def make_forms(self, posted: Any = None) -> list[Any]:
        if self.patient:
            return [CaseForm(posted)]
        centres = writable_centres(self.request)
        self.centre_form = CentreChoiceForm(posted, centres=centres)
        self.extra_forms = [self.centre_form]
        return [IdentityForm(posted), PatientForm(posted), CaseForm(posted)]

    def save(self) -> str:
        self.created, new = once_only(self.request, self.create_asked)
        text = (
            _("Case %(code)s saved as a draft.")
            if new
            else _("Case %(code)s was saved already; there is one of it.")
        )
        return text % {"code": self.created}

    def rows_alike(self, made: str = "") -> ClinicalQuerySet:
        """The same tumour of a known patient; the same person for a new one."""
        if self.patient:
            sought = {**self.forms[-1].values(), "patient": self.patient}
            return rows_alike(Case, sought).exclude(code=made)
        identity, centre = self.forms[0].values(), self.centre_form.centre
        return patients_alike(centre, identity).exclude(cases__code=made)

    def record_found(self, codes: list[str]) -> None:
        if self.patient is None:
            audit.record("identity.searched", actor=self.by, found=codes)

    def url_of(self, code: str) -> str:
        """A case to look at, or the form for a further tumour of a patient."""
        if code.startswith(Case.CODE_PREFIX):
            return reverse("cases:detail", args=[code])
        return f"{reverse('cases:new')}?patient={code}"

    def create(self) -> str:
        form = self.forms[-1]
        case = actions.create_case(
            by=self.by,
            patient=self.patient or self.create_patient(),
            values=form.values(),
            missing=form.missing(),
        )
        return str(case.code)

    def create_patient(self) -> Patient:
        identity, form = self.forms[0], self.forms[1]
        return actions.create_patient(
            by=self.by,
            centre=self.centre_form.centre,
            values=form.values(),
            missing=form.missing(),
            identity=identity.values(),
        )

    def known_patient(self) -> Patient | None:
        """Whom the hospital number belongs to, when it was refused as taken."""
        taken = "hospital_number" in self.forms[0].errors and not self.patient
        number = self.forms[0].data.get("hospital_number", "").strip() if taken else ""
        if not number:
            return None
        patients = Patient.objects.visible_to(self.by, Permission.READ_IDENTITY)
        folded = patients.alias(number=Folded("identity__hospital_number"))
        return folded.filter(number=Folded(Value(number))).first()

    @property
    def title(self) -> str:
        return _("New case")

    def draft_named(self) -> Draft | None:
        """The draft of a patient not yet entered, by its code in the address."""
        own = Draft.objects.visible_to(self.by).filter(place=self.address, patient=None)
        return own.filter(code=self.request.GET.get("draft", "")).first()

    def other_drafts(self) -> int:
        """How many patients the person began to enter elsewhere."""
        if self.patient or self.request.method == "POST" or self.typed:
            return 0
        own = Draft.objects.visible_to(self.by)
        return own.filter(place=self.address, patient=None).count()

    @property
    def address(self) -> str:
        asked = f"?patient={self.patient.code}" if self.patient else ""
        return f"{self.request.path}{asked}"

    @property
    def about(self) -> tuple[Patient | None, None]:
        return self.patient, None

    @property
    def draft_token(self) -> str:
        if self.patient:
            return ""
        if self.request.method == "POST":
            return self.form_token()
        # Nothing was typed under an empty token: a form without a draft opens empty.
        return self.drafted.token if self.drafted else ""

    @property
    def names_person(self) -> bool:
        return self.patient is None

    def done_url(self) -> str:
        if self.created:
            return reverse("cases:detail", args=[self.created])
        return reverse("cases:list")

    def crumbs(self) -> list[dict[str, str]]:
        return [{"label": _("Cases"), "url": reverse("cases:list")}]

    def context(self) -> dict[str, Any]:
        return super().context() | {
            "patient": self.patient,
            "centre_form": getattr(self, "centre_form", None),
            "known": self.known_patient(),
            "other_drafts": self.other_drafts(),
            "search_form": PatientSearchForm(auto_id="search_%s"),
        }


class EditTumour(EntryView):
    section = "tumour"

    def find(self) -> None:
        super().find()
        self.record = self.case

    def check(self) -> None:
        check_can_edit(self.by, self.record)

    def make_form(self, posted: Any = None) -> RecordForm:
        return CaseForm(posted, record=self.record)

    def rows_alike(self, made: str = "") -> ClinicalQuerySet | None:
        return rows_alike(type(self.record), self.form.values(), self.record)

    def url_of(self, code: str) -> str:
        return reverse("cases:detail", args=[code])

    def update(self, version: int) -> None:
        actions.update_record(
            by=self.by,
            record=self.record,
            values=self.form.values(),
            missing=self.form.missing(),
            version=version,
        )

    @property
    def title(self) -> str:
        return _("Tumour and presentation")


class EditPatient(EditTumour):
    section = "patient"

    def find(self) -> None:
        super().find()
        self.record = self.case.patient

    def make_form(self, posted: Any = None) -> RecordForm:
        return PatientForm(posted, record=self.record)

    @property
    def title(self) -> str:
        return _("Patient")


class EditIdentity(EditTumour):
    """Name, date of birth and number. Opening the page reads them, and is audited."""

    section = "patient"

    @property
    def names_person(self) -> bool:
        return True

    def find(self) -> None:
        super().find()
        self.record = None

    def check(self) -> None:
        check_can_edit(self.by, self.case.patient)
        check(
            self.by,
            Permission.READ_IDENTITY,
            self.case.centre,
        )
        if "keep_draft" in self.request.POST:
            return  # nothing is read for that, and no event may say so
        self.record = actions.read_identity(
            by=self.by,
            patient=self.case.patient,
        ) or PatientIdentity(patient=self.case.patient, version=0)

    def make_form(self, posted: Any = None) -> RecordForm:
        return IdentityForm(posted, record=self.record)

    def rows_alike(self, made: str = "") -> ClinicalQuerySet | None:
        if not set(self.form.changed_data) & NAMED_BY:
            return None
        rows = patients_alike(self.case.centre, self.form.values())
        return rows.exclude(pk=self.case.patient_id)

    def record_found(self, codes: list[str]) -> None:
        audit.record("identity.searched", actor=self.by, found=codes)

    def url_of(self, code: str) -> str:
        case = Case.objects.visible_to(self.by).filter(patient__code=code).first()
        return reverse("cases:detail", args=[case.code]) if case else self.done_url()

    def update(self, version: int) -> None:
        actions.set_identity(
            by=self.by,
            patient=self.case.patient,
            values=self.form.values(),
            version=version,
        )

    @property
    def title(self) -> str:
        return _("Identity")
