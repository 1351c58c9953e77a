"""Forms are made from the described fields of the models."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from cases.forms import (
    CaseForm,
    ComplicationForm,
    IdentityForm,
    MriForm,
    OperationForm,
    PatientForm,
)
from cases.models import Case, MriStudy, Operation, Patient
from outcomes.forms import RecurrenceForm, VisitForm, VitalStatusForm, item_name
from outcomes.models.joa import ALL_JOA_ITEMS, JOA_ITEMS
from registry.constraints import described_fields
from registry.form_layout import names_in
from registry.forms import RecordForm, missing_name
from registry.reading import text_of_value, value_of_text

FORMS = (
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


def posted(**values: Any) -> QueryDict:
    sent = QueryDict(mutable=True)
    for name, value in values.items():
        sent.setlist(name, value if isinstance(value, list) else [value])
    return sent


@pytest.mark.parametrize("form_class", FORMS, ids=lambda form: form.__name__)
def test_every_described_field_is_asked_once(form_class: type[RecordForm]) -> None:
    asked = [
        name
        for section in form_class.sections
        for name in (*names_in(section.rows), *names_in(section.more))
    ]
    if form_class is VisitForm:
        asked = [name for name in asked if "__" not in name] + list(ALL_JOA_ITEMS)
    # What a date tells by the way it is written is not asked.
    told = {f"{name}_precision" for name in asked}
    wanted = {field.name for field in described_fields(form_class.model)} - told
    assert sorted(asked) == sorted(wanted)


@pytest.mark.parametrize("form_class", FORMS, ids=lambda form: form.__name__)
def test_rules_of_showing_name_fields_and_codes_that_exist(
    form_class: type[RecordForm],
) -> None:
    rules = [*form_class.show_if.values()]
    rules += [section.show_if for section in form_class.sections if section.show_if]
    for rule in rules:
        name, codes = rule.split("=")
        field = form_class.model._meta.get_field(name)
        known = {"true", "false"} | {str(code) for code, _label in field.flatchoices}
        known |= set(getattr(field, "codes", ()))
        assert set(codes.split(",")) <= known, rule


def test_a_thoracic_dumbbell_is_not_asked_for_a_cervical_type() -> None:
    cells = {
        cell.field.name: cell
        for section in CaseForm().section_views
        for row in (*section.rows, *section.more)
        for cell in row.cells
    }
    assert cells["toyama_type"].optional
    assert not cells["eden_type"].optional


def test_up_to_five_choices_are_chips() -> None:
    form = CaseForm()
    assert isinstance(form.fields["side"].widget, forms.RadioSelect)
    assert type(form.fields["compartment"].widget) is forms.Select
    assert isinstance(
        form.fields["axial_position"].widget, forms.CheckboxSelectMultiple
    )
    assert isinstance(form.fields["incidental"].widget, forms.RadioSelect)


def test_a_field_brings_its_unit_range_and_definition() -> None:
    field: Any = OperationForm(case=Case(compartment="extradural")).fields["eor_mri"]
    assert "The analysis variable" in str(field.definition)
    size: Any = CaseForm().fields["size_cc_mm"]
    assert (size.unit, size.plausible) == ("mm", "1 – 400 mm")


def test_only_needed_fields_ask_why_they_are_missing() -> None:
    form = CaseForm()
    assert missing_name("size_cc_mm") in form.fields
    assert missing_name("ki67_pct") not in form.fields
    assert missing_name("purpose") not in MriForm().fields


@pytest.mark.parametrize(
    ("typed", "levels"),
    [
        (("Th5-7", ""), ("T5", "T7")),
        (("C4/5", ""), ("C4", "C5")),
        (("D05", ""), ("T5", "T5")),
        (("T5", "Th 6"), ("T5", "T6")),
        (("", ""), (None, None)),
    ],
)
def test_levels_are_read_in_all_spellings(
    typed: tuple[str, str], levels: tuple[str | None, str | None]
) -> None:
    form = CaseForm(posted(level_rostral=typed[0], level_caudal=typed[1]))
    form.is_valid()
    values = form.values()
    assert (values["level_rostral"], values["level_caudal"]) == levels


def test_a_wrong_level_stays_where_it_was_typed() -> None:
    form = CaseForm(posted(level_rostral="T13-14", level_caudal=""))
    assert not form.is_valid()
    assert form["level_rostral"].value() == "T13-14"
    assert "is not a spinal level" in form.errors["level_rostral"][0]


def test_one_reason_stands_for_both_levels() -> None:
    form = CaseForm(posted(missing__level_rostral="unknown"))
    assert form.is_valid()
    assert (
        form.missing()["level_rostral"] == form.missing()["level_caudal"] == "unknown"
    )


def test_an_unknown_reason_is_an_error_at_the_field() -> None:
    form = CaseForm(posted(missing__size_cc_mm="99"))
    assert not form.is_valid()
    assert "size_cc_mm" in form.errors


def test_flags_are_yes_no_or_unanswered() -> None:
    for typed, value in (("true", True), ("false", False), ("", None)):
        assert value_of_text(Case._meta.get_field("incidental"), typed) is value
    with pytest.raises(ValidationError):
        value_of_text(Case._meta.get_field("incidental"), "on")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size_cc_mm", Decimal("31.5")),
        ("onset_date", date(2014, 2, 28)),
        ("incidental", False),
        ("axial_position", ["central", "dorsal"]),
        ("level_rostral", "T5"),
        ("remark", "first line\nsecond line 𠮷野"),
    ],
)
def test_a_value_survives_the_way_to_text_and_back(name: str, value: Any) -> None:
    field = Case._meta.get_field(name)
    assert value_of_text(field, text_of_value(value)) == value


def test_text_with_control_characters_is_refused() -> None:
    for text in ("a\x00b", "a\u202eb", "a\u200bb"):
        with pytest.raises(ValidationError):
            value_of_text(Case._meta.get_field("remark"), text)


def test_a_question_without_an_unknown_must_be_answered() -> None:
    form = MriForm(posted(purpose=""))
    assert not form.is_valid()
    assert form.errors["purpose"] == ["Answer this question."]


def test_what_the_action_refuses_stands_at_its_field_or_on_top() -> None:
    form = OperationForm(posted(), case=Case(compartment="extradural"))
    form.is_valid()
    form.add_refusal(
        ValidationError({"index_operation": "precedes", "missing": "what is this"})
    )
    assert form.errors["surgery_date"] == ["precedes"]
    assert form.non_field_errors() == ["what is this"]


def test_folded_questions_open_when_they_hold_something() -> None:
    closed = CaseForm(record=Case(patient=Patient()))
    assert not closed.section_views[0].more_open
    opened = CaseForm(record=Case(patient=Patient(), ki67_pct=3))
    assert opened.section_views[0].more_open


def test_a_form_opened_from_a_record_reads_the_same_back() -> None:
    study = MriStudy(purpose="preop", gd_given=True, sequences=["T1"], slice_mm=3)
    study.missing = {"border": "not_done"}
    opened = MriForm(record=study)
    sent = posted(
        **{
            name: value
            for name in opened.fields
            if (value := opened[name].value()) not in (None, "", [])
        }
    )
    form = MriForm(sent)
    assert form.is_valid(), form.errors
    values = form.values()
    assert all(values[name] == getattr(study, name) for name in values)
    assert form.missing()["border"] == "not_done"


def test_each_joa_form_has_its_own_controls() -> None:
    form = VisitForm()
    for name, items in JOA_ITEMS.items():
        for item in items:
            assert item_name(name, item) in form.fields
    half = form.fields[item_name("cervical17_rev", "joa_le_motor")].widget
    assert ("2.5", "2.5") in half.choices
    shoulder = form.fields[item_name("cervical17_rev", "joa_shoulder")].widget
    assert [code for code, _label in shoulder.choices] == ["-2", "-1", "-0.5", "0"]


def test_an_operation_keeps_its_myelotomy_question_when_answered() -> None:
    case = Case(compartment="extradural")
    asked = OperationForm(case=case, record=Operation(myelotomy="none", case=case))
    assert "myelotomy" in asked.fields
    assert "myelotomy" not in OperationForm(case=case).fields
