"""Opening a form and saving it changes nothing, whatever the row holds.

Rows are made from the declarations: each field with each value that it allows and each
reason, each condition with the ruled field answered and the ruling one empty or at any
value, also such as no rule of today would let in. Each row goes through the real HTML:
what a browser would send for the untouched form is read back, and must set nothing.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from cases.forms import (
    CaseForm,
    ComplicationForm,
    IdentityForm,
    MriForm,
    OperationForm,
    PatientForm,
)
from cases.models import Case, Patient
from outcomes.forms import RecurrenceForm, VisitForm, VitalStatusForm
from outcomes.models.joa import JOA_ITEMS
from registry import records
from registry.constraints import described_fields
from registry.days import PartialDay, precision_of
from registry.fields import (
    ONE_LINE,
    DayField,
    FlagField,
    LevelField,
    MeasureField,
    MissingReason,
    MultiChoiceField,
    WholeNumberField,
)
from registry.form_layout import names_in
from registry.forms import RecordForm
from registry.permissions import Role
from tests.factories import make_case, make_centre, make_user, make_visit
from tests.pages import signed_in
from tests.sent_forms import sent_by

FORMS: tuple[type[RecordForm], ...] = (
    PatientForm,
    IdentityForm,
    CaseForm,
    MriForm,
    OperationForm,
    ComplicationForm,
    VisitForm,
    RecurrenceForm,
    VitalStatusForm,
)
NEEDED: dict[type[RecordForm], dict[str, Any]] = {
    MriForm: {"purpose": "preop"},
    ComplicationForm: {"ae_code": "CSF_leak"},
    VisitForm: {"visit_type": "m12"},
    RecurrenceForm: {"kind": "recurrence"},
    VitalStatusForm: {"vital_status": "alive"},
}


def values_of(field: Any) -> list[Any]:
    """Every value of a closed list, else the ends of the range and odd ones between."""
    if isinstance(field, MultiChoiceField):
        return [[code] for code in field.codes] + [field.codes[1:]]
    if isinstance(field, FlagField):
        return [True, False]
    if field.choices:
        kind = int if isinstance(field, WholeNumberField) else str
        return [kind(code) for code, _label in field.flatchoices]
    if isinstance(field, LevelField):
        return ["C0", "T5", "S5", "Co"]
    if isinstance(field, DayField):
        days = [date(1900, 1, 2), date(2016, 2, 29)]
        return [*days, PartialDay.of(2014, 5), PartialDay.of(2014)]
    if isinstance(field, WholeNumberField | MeasureField):
        return numbers_of(field)
    if field.max_length <= 6:  # codes of a form of their own
        return ["12345"]
    lines = ["one\nand two"] if field.max_length > ONE_LINE else []
    return ["a", "two  words", "山田", *lines]


def numbers_of(field: Any) -> list[Any]:
    least = field.least if field.least is not None else 0
    most = field.most if field.most is not None else least + 1
    if isinstance(field, WholeNumberField):
        return [least, most]
    step = field.step or Decimal(1).scaleb(-field.decimal_places)
    return [Decimal(least), Decimal(most), Decimal(least) + step]


def form_of(form_class: type[RecordForm], record: Any, posted: Any = None) -> Any:
    case = {"case": Case(compartment="intramedullary")}
    extra: Any = case if form_class is OperationForm else {}
    return form_class(posted, record=record, **extra)


def row(form_class: type[RecordForm], values: dict[str, Any], **missing: str) -> Any:
    found = form_class.model(**NEEDED.get(form_class, {}) | values)
    if missing:
        found.missing = missing
    return found


def changed_by_saving(form_class: type[RecordForm], record: Any) -> list[str]:
    """Names that the write path would set when the row is opened and saved."""
    opened = form_of(form_class, record)
    html = "".join(
        render_to_string("components/form_section.html", {"section": view})
        for view in opened.section_views
    )
    form = form_of(form_class, record, sent_by(html))
    assert form.is_valid(), form.errors
    return records.set_values(copy.deepcopy(record), form.values(), form.missing())


def conditions(form_class: type[RecordForm]) -> Iterator[tuple[str, list[str]]]:
    """Each ruling field with the fields that its answer shows."""
    rules: dict[str, list[str]] = {}
    for name, rule in form_class.show_if.items():
        rules.setdefault(rule.split("=")[0], []).append(name)
    for section in form_class.sections:
        if section.show_if:
            names = [*names_in(section.rows), *names_in(section.more)]
            rules.setdefault(section.show_if.split("=")[0], []).extend(names)
    return iter(sorted(rules.items()))


CONDITIONS = [
    pytest.param(form, ruling, ruled, id=f"{form.__name__}-{ruling}")
    for form in FORMS
    for ruling, ruled in conditions(form)
]


@pytest.mark.parametrize(("form_class", "ruling", "ruled"), CONDITIONS)
def test_an_answer_that_another_rules_out_is_kept(
    form_class: type[RecordForm], ruling: str, ruled: list[str]
) -> None:
    meta = form_class.model._meta
    ruling_values = [None, *values_of(meta.get_field(ruling))]
    if not meta.get_field(ruling).null:
        ruling_values = ruling_values[1:]
    for value in ruling_values:
        for pick in (0, -1):
            answers = {name: values_of(meta.get_field(name))[pick] for name in ruled}
            record = row(form_class, {**answers, ruling: value})
            assert changed_by_saving(form_class, record) == [], (value, answers)


@pytest.mark.parametrize(("form_class", "ruling", "ruled"), CONDITIONS)
def test_a_reason_that_another_answer_rules_out_is_kept(
    form_class: type[RecordForm], ruling: str, ruled: list[str]
) -> None:
    meta = form_class.model._meta
    form = form_of(form_class, row(form_class, {}))
    reasons = {name: "unknown" for name in ruled if f"missing__{name}" in form.fields}
    for value in values_of(meta.get_field(ruling)):
        record = row(form_class, {ruling: value}, **reasons)
        assert changed_by_saving(form_class, record) == [], value


@pytest.mark.parametrize("form_class", FORMS, ids=lambda form: form.__name__)
def test_every_value_of_every_field_is_kept(form_class: type[RecordForm]) -> None:
    """All fields at their first value at once, then at their second, and so on."""
    fields = described_fields(form_class.model)
    rounds = max(len(values_of(field)) for field in fields)
    for number in range(rounds):
        values = {
            field.name: (known := values_of(field))[number % len(known)]
            for field in fields
        }
        if form_class is VisitForm:
            only_items_of_its_form(values)
        if form_class is CaseForm:
            values["onset_date_precision"] = precision_of(values["onset_date"])
        assert changed_by_saving(form_class, row(form_class, values)) == []


def only_items_of_its_form(values: dict[str, Any]) -> None:
    """The database has no sub-score of another form."""
    own = JOA_ITEMS[values["joa_region"]]
    for name in {item for items in JOA_ITEMS.values() for item in items} - set(own):
        values[name] = None


@pytest.mark.parametrize("joa_form", JOA_ITEMS)
def test_every_point_of_every_sub_score_is_kept(joa_form: str) -> None:
    for item in JOA_ITEMS[joa_form]:
        field: Any = VisitForm.model._meta.get_field(item)
        step = field.step or Decimal(1)
        for n in range(int((Decimal(field.most) - Decimal(field.least)) / step) + 1):
            points = Decimal(field.least) + n * step
            record = row(VisitForm, {"joa_region": joa_form, item: points})
            assert changed_by_saving(VisitForm, record) == [], (item, points)


@pytest.mark.parametrize("form_class", FORMS, ids=lambda form: form.__name__)
def test_every_reason_is_kept(form_class: type[RecordForm]) -> None:
    if form_class is IdentityForm:
        return
    form = form_of(form_class, row(form_class, {}))
    asked = [name[9:] for name in form.fields if name.startswith("missing__")]
    assert asked
    for reason in MissingReason.values:
        record = row(form_class, {}, **dict.fromkeys(asked, reason))
        assert changed_by_saving(form_class, record) == []


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        ({"level_rostral": "T5", "level_caudal": None}, {}),
        ({"level_rostral": None, "level_caudal": "T5"}, {}),
        ({"level_rostral": "T5"}, {"level_caudal": "unknown"}),
        ({"level_caudal": "T5"}, {"level_rostral": "unknown"}),
        ({}, {"level_rostral": "unknown", "level_caudal": "not_done"}),
    ],
)
def test_half_a_level_range_is_kept(
    values: dict[str, Any], missing: dict[str, str]
) -> None:
    """Rows of the API and of imports know one level alone."""
    assert changed_by_saving(CaseForm, row(CaseForm, values, **missing)) == []


@pytest.mark.django_db
def test_a_browser_that_sends_only_what_it_shows_erases_nothing() -> None:
    """The server takes what was sent and nothing else."""
    centre = make_centre()
    case = make_case(centre, operation=True)
    visit = make_visit(case, joa_region="thoracic11", joa_le_motor=2)
    surgeon = signed_in(make_user(Role.SURGEON, centre))
    address = reverse("outcomes:visit-edit", args=[case.code, visit.code])
    sent = {"version": visit.version, "visit_type": "m12", "mmcs": "3"}
    assert surgeon.post(address, sent).status_code == 302
    visit.refresh_from_db()
    assert (visit.mmcs, visit.gait, visit.joa_le_motor) == (3, "normal", 2)
    cleared = {"version": visit.version, "visit_type": "m12", "gait": ""}
    assert surgeon.post(address, cleared).status_code == 302
    visit.refresh_from_db()
    assert visit.gait is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ({"incidental": None}, ("symptom_duration_months", "first_symptom")),
        ({"compartment": None, "eden_type": "II"}, ("eden_type",)),
    ],
)
def test_a_tumour_opened_and_saved_is_unchanged(
    values: dict[str, Any], kept: tuple[str, ...]
) -> None:
    centre = make_centre()
    case = make_case(centre, **values)
    surgeon: Client = signed_in(make_user(Role.SURGEON, centre))
    address = reverse("cases:edit-tumour", args=[case.code])
    sent = sent_by(surgeon.get(address).content.decode(), "data-draft")
    assert surgeon.post(address, sent).status_code == 302
    saved = Case.objects.get()
    assert saved.version == case.version
    assert all(getattr(saved, name) is not None for name in kept)
    assert Patient.objects.get().version == 1
