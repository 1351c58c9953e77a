"""What a case must have, how much of it is answered, and why the rest matters.

The one declaration: the needed fields of every row (marked in the data dictionary), and
the rows that must exist (:data:`REQUIRED_ROWS`). A value or a reason answers a field; a
row, or a reason in the case's ``missing`` map, answers a required row. A reason for the
index operation makes the case one that was not operated on. Apps above add theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from cases.choices import EorMri, MriPurpose
from cases.models import Case, MriStudy, Operation
from registry.constraints import described_fields
from registry.days import surely_before
from registry.fields import Need
from registry.records import BLANK

# Why the registry asks. A field without a line of its own is explained by its definition.
WHY: dict[str, Any] = {
    "birth_year": _("Age at the operation follows from it."),
    "sex": _("Arms of a comparison are balanced by it."),
    "nf_status": _("Syndromic tumours are analysed apart."),
    "consent_research": _("Without it the case stays out of exports."),
    "compartment": _("Every result is grouped by it."),
    "compartment_mri": _("The MRI reading is measured against the operation."),
    "level_rostral": _("Region and extent follow from the levels."),
    "level_caudal": _("Region and extent follow from the levels."),
    "level_basis": _("Segments and vertebrae of one number lie apart."),
    "histology_who2021": _("Decides in which analyses the case counts."),
    "size_cc_mm": _("Size is a covariate of matching."),
    "symptom_duration_months": _("A known predictor of recovery."),
    "surgery_date": _("Time zero: without it no follow-up counts."),
    "eor_mri": _("Recurrence is shown by the extent of resection on MRI."),
    "eor_surgeon": _("Stands in where no early MRI was done."),
    "border": _("One of the features that tell the compartments apart."),
    "enhancement": _("One of the features that tell the compartments apart."),
    "syrinx": _("One of the features that tell the compartments apart."),
    "oedema_present": _("One of the features that tell the compartments apart."),
    "haemosiderin": _("One of the features that tell the compartments apart."),
    "visit_date": _("Decides which window the visit fills."),
    "mmcs": _("Neurological improvement is counted from it."),
    "pain_present": _("Residual pain is counted from it."),
    "last_contact_date": _("Follow-up time ends here."),
    "death_date": _("Follow-up time ends here."),
}


@dataclass(frozen=True)
class RequiredRow:
    """A row that a case must have, or a reason why there is none.

    ``rows``: the rows of the case that answer it; ``blank``: what such a row is like
    before anything is entered, which tells how many answers it stands for.
    """

    name: str  # in the case's ``missing`` map
    label: Any
    why: Any
    section: str  # of the page of a case
    rows: Callable[[Case], Iterable[Any]]
    blank: Callable[[Case], Any]
    asked: Callable[[Case], bool] = lambda _case: True

    def exists(self, case: Case) -> bool:
        return any(True for _row in self.rows(case))


@dataclass(frozen=True)
class Gap:
    """An answer that is missing: a field of a row, or a whole row (``field`` None)."""

    record: Any
    field: Any = None
    row: RequiredRow | None = None

    @property
    def label(self) -> str:
        named: Any = self.row.label if self.row else self.field.verbose_name
        return capfirst(str(named))

    @property
    def why(self) -> Any:
        if self.row:
            return self.row.why
        return WHY.get(self.field.name) or self.field.definition


@dataclass(frozen=True)
class Completeness:
    """Needed answers given (a value or a reason), and those that are not."""

    done: int
    total: int
    gaps: tuple[Gap, ...] = field(default=())

    @property
    def percent(self) -> int:
        return 100 if not self.total else self.done * 100 // self.total

    @property
    def labels(self) -> list[str]:
        return [gap.label for gap in self.gaps]

    def __add__(self, other: Completeness) -> Completeness:
        return Completeness(
            self.done + other.done, self.total + other.total, self.gaps + other.gaps
        )


NOTHING = Completeness(0, 0)


def completeness_of(records: Iterable[Any]) -> Completeness:
    """The completeness of several rows together."""
    total, gaps = 0, []
    for record in records:
        needed = needed_fields(record)
        total += len(needed)
        gaps += [Gap(record, each) for each in needed if not answered(record, each)]
    return Completeness(total - len(gaps), total, tuple(gaps))


def needed_fields(record: Any) -> list[Any]:
    """The fields without which this row counts as incomplete."""
    return [
        field
        for field in described_fields(type(record))
        if field.need != Need.OPTIONAL and record.applicable(field)
    ]


def answered(record: Any, field: Any) -> bool:
    value = getattr(record, field.attname)
    return value not in BLANK or field.name in record.missing


# --- a whole case


def current(rows: Iterable[Any]) -> list[Any]:
    """Those that were not voided."""
    return [row for row in rows if not row.is_void]


def is_operated(case: Case) -> bool:
    """Unless a reason says why there is no index operation."""
    return "index_operation" not in case.missing


def _preoperative_mri(case: Case) -> list[MriStudy]:
    studies = current(case.mri_studies.all())
    return [study for study in studies if study.is_preoperative]


def _postoperative_mri(case: Case) -> list[MriStudy]:
    operated = case.operated_on
    return [
        study
        for study in current(case.mri_studies.all())
        if not study.is_preoperative
        and not (
            operated and study.mri_date and surely_before(study.mri_date, operated)
        )
    ]


def _extent_was_read(case: Case) -> bool:
    index = case.index_operation
    return bool(index and index.eor_mri not in (None, EorMri.NOT_ASSESSED))


def _index_operation(case: Case) -> list[Operation]:
    return [case.index_operation] if case.index_operation else []


REQUIRED_ROWS: list[RequiredRow] = [
    RequiredRow(
        "preop_mri",
        _("pre-operative MRI"),
        _("It tells the compartments apart."),
        "mri",
        _preoperative_mri,
        lambda case: MriStudy(case=case, purpose=MriPurpose.PREOP),
    ),
    RequiredRow(
        "index_operation",
        _("index operation"),
        _("Time zero and extent of resection; a reason makes it a case without one."),
        "operations",
        _index_operation,
        lambda case: Operation(case=case),
    ),
    RequiredRow(
        "postop_mri",
        _("post-operative MRI"),
        _("The extent of resection was read on it."),
        "mri",
        _postoperative_mri,
        lambda case: MriStudy(case=case, purpose=MriPurpose.EARLY_POSTOP),
        _extent_was_read,
    ),
]

# What to read with a case before any of this is asked; apps above add theirs.
READ_WITH: list[str] = ["mri_studies", "operations__complications"]
# The rows of a case by section of its page; apps above add theirs.
SECTIONS: dict[str, Callable[[Case], Sequence[Any]]] = {
    "patient": lambda case: [case.patient],
    "tumour": lambda case: [case],
    "mri": lambda case: current(case.mri_studies.all()),
    "operations": lambda case: [
        row
        for operation in current(case.operations.all())
        for row in (operation, *current(operation.complications.all()))
    ],
}


def loaded(case_id: int) -> Case:
    """The case as it is now, with all its rows in a fixed number of queries."""
    cases = Case.objects.select_related("patient", "centre")
    return cases.prefetch_related(*READ_WITH).get(pk=case_id)


def by_section(case: Case) -> dict[str, Completeness]:
    """Completeness by section of the page of a case."""
    found = {name: completeness_of(rows(case)) for name, rows in SECTIONS.items()}
    for required in REQUIRED_ROWS:
        found[required.section] += _of_row(case, required)
    return found


def of_case(case: Case) -> Completeness:
    """The completeness of everything that a case must have."""
    return sum(by_section(case).values(), NOTHING)


def _of_row(case: Case, required: RequiredRow) -> Completeness:
    """A row that is there is counted by its fields; one that is not, by those it would
    have; a reason answers it as one."""
    if not required.asked(case) or required.exists(case):
        return NOTHING
    if required.name in case.missing:
        return Completeness(1, 1)
    blank = needed_fields(required.blank(case))
    return Completeness(0, max(len(blank), 1), (Gap(case, row=required),))


def stated_reasons(case: Case) -> Mapping[str, str]:
    """Why a required row is missing, by its name."""
    names = {required.name for required in REQUIRED_ROWS}
    return {name: why for name, why in case.missing.items() if name in names}


def row_exists(case: Case, name: str) -> bool:
    """Whether the required row of that name is there."""
    required = next((each for each in REQUIRED_ROWS if each.name == name), None)
    return required is not None and required.exists(case)
