"""MRI studies, operations and complications of a case."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext as _

from cases import actions, verification
from cases.forms import ComplicationForm, MriForm, OperationForm
from cases.models import Complication, MriStudy, Operation
from cases.permissions import check_can_add, check_can_edit
from cases.views.entry import EntryView
from cases.views.finding import find_part
from registry.duplicates import rows_alike
from registry.forms import RecordForm
from registry.models import ClinicalQuerySet


class PartView(EntryView):
    """A part of a case: new without, corrected with its own code in the address."""

    model: ClassVar[Any]
    part = ""
    edit_page = ""

    def find(self) -> None:
        super().find()
        if self.part in self.kwargs:
            self.record = find_part(
                self.model, self.kwargs[self.part], **self.part_of()
            )

    def part_of(self) -> dict[str, Any]:
        return {"case": self.case}

    def check(self) -> None:
        if self.record:
            check_can_edit(self.by, self.record)
        else:
            check_can_add(self.by, self.case, follow_up=self.may_follow())

    def may_follow(self) -> bool:
        """Whether such a row may be added to a verified case; the action looks again."""
        return True

    def update(self, version: int) -> None:
        actions.update_record(
            by=self.by,
            record=self.record,
            values=self.form.values(),
            missing=self.form.missing(),
            version=version,
        )

    def rows_alike(self, made: str = "") -> ClinicalQuerySet:
        values = {**self.form.values(), **self.part_of()}
        return rows_alike(self.model, values, self.record).exclude(code=made)

    def url_of(self, code: str) -> str:
        return reverse(self.edit_page, args=[self.case.code, code])

    def entered(self) -> dict[str, Any]:
        """What every create action takes."""
        return {
            "by": self.by,
            "values": self.form.values(),
            "missing": self.form.missing(),
        }


class EditMri(PartView):
    model, part, section = MriStudy, "mri", "mri"
    edit_page = "cases:mri-edit"

    def make_form(self, posted: Any = None) -> RecordForm:
        first = None if self.case.mri_studies.current().exists() else "preop"
        first = self.request.GET.get("purpose") or first
        return MriForm(posted, record=self.record, initial=self.suggest(purpose=first))

    def suggest(self, **values: Any) -> dict[str, Any]:
        return {} if self.record else values

    def create(self) -> str:
        return str(actions.create_mri_study(case=self.case, **self.entered()).code)

    @property
    def title(self) -> str:
        return _("MRI study") if self.record else _("New MRI study")


class EditOperation(PartView):
    model, part, section = Operation, "operation", "operations"
    edit_page = "cases:operation-edit"

    def make_form(self, posted: Any = None) -> RecordForm:
        return OperationForm(posted, record=self.record, case=self.case)

    def create(self) -> str:
        operation = actions.create_operation(
            case=self.case,
            index_operation=self.case.index_operation is None,
            **self.entered(),
        )
        return str(operation.code)

    @property
    def title(self) -> str:
        if self.record:
            return _("Operation")
        index = self.case.index_operation
        return _("Later operation") if index else _("Index operation")


class EditComplication(PartView):
    model, part, section = Complication, "complication", "operations"
    edit_page = "cases:complication-edit"

    def find(self) -> None:
        EntryView.find(self)
        self.operation = find_part(Operation, self.kwargs["operation"], case=self.case)
        if self.part in self.kwargs:
            self.record = find_part(
                Complication, self.kwargs[self.part], **self.part_of()
            )

    def part_of(self) -> dict[str, Any]:
        return {"operation": self.operation}

    def url_of(self, code: str) -> str:
        return reverse(self.edit_page, args=[self.case.code, self.operation.code, code])

    def make_form(self, posted: Any = None) -> RecordForm:
        return ComplicationForm(posted, record=self.record)

    def create(self) -> str:
        complication = actions.create_complication(
            operation=self.operation, **self.entered()
        )
        return str(complication.code)

    def may_follow(self) -> bool:
        return not verification.covers(self.case, self.operation)

    @property
    def title(self) -> str:
        return _("Complication") if self.record else _("New complication")
