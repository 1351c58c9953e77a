"""Described fields read values strictly and say what is wrong with the others."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from cases.models import Case, Operation, Patient, PatientIdentity
from outcomes.models import Visit
from registry.fields import (
    WordsField,
    check_day,
    check_record_day,
    clean_words,
    likely_day,
)
from registry.reading import text_of_value, value_of_text

SURGERY_DATE = Operation._meta.get_field("surgery_date")
BLOOD_LOSS = Operation._meta.get_field("blood_loss_ml")
KI67 = Case._meta.get_field("ki67_pct")
POSITION = Case._meta.get_field("axial_position")
MONITORING = Operation._meta.get_field("ionm_modality")
LEVEL = Case._meta.get_field("level_rostral")
REMARK = Case._meta.get_field("remark")


def code_of(field: Any, text: Any) -> str:
    """The code of the first error of a text; fails if the field takes it."""
    with pytest.raises(ValidationError) as refused:
        value_of_text(field, text)
    return str(refused.value.error_list[0].code)


# --- dates


@pytest.mark.parametrize(
    "text",
    [
        "2025-W01-1",
        "02/03/2025",
        "45678",
        "R7.4.1",
        "2025-01-02T00:00",
        "yesterday",
    ],
)
def test_dates_in_other_forms_are_not_guessed(text: str) -> None:
    assert code_of(SURGERY_DATE, text) == "shape"


@pytest.mark.parametrize(
    "text", ["２０２５－０１－０２", "20250102", "2025-1-2", "2.1.2025", "2 Jan 2025"]
)
def test_dates_that_mean_one_day_are_read(text: str) -> None:
    assert value_of_text(SURGERY_DATE, text) == date(2025, 1, 2)


def test_a_day_that_does_not_exist_is_refused() -> None:
    assert code_of(SURGERY_DATE, "2025-02-30") == "invalid_date"


@pytest.mark.parametrize("text", ["0001-01-01", "1899-12-31"])
def test_years_far_back_are_refused(text: str) -> None:
    assert code_of(SURGERY_DATE, text) == "too_early"


@pytest.mark.parametrize("text", ["1900-01-01", "1970-01-01"])
def test_placeholder_dates_are_refused_in_the_record(text: str) -> None:
    assert code_of(SURGERY_DATE, text) == "placeholder"


def test_the_day_of_birth_may_be_one_of_the_placeholder_days() -> None:
    birth_date = PatientIdentity._meta.get_field("birth_date")
    assert value_of_text(birth_date, "1970-01-01") == date(1970, 1, 1)


def test_future_days_are_refused_with_a_guess() -> None:
    assert code_of(SURGERY_DATE, "9999-12-31") == "future"
    tomorrow = timezone.localdate() + timedelta(days=1)
    with pytest.raises(ValidationError, match="Was it"):
        check_record_day(tomorrow)
    check_record_day(timezone.localdate())
    check_day(date(1970, 1, 1))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (date(2031, 2, 1), date(2021, 2, 1)),
        (date(2044, 3, 31), date(2024, 3, 31)),
        (date(2027, 3, 31), date(2026, 3, 31)),
        (date(2026, 12, 24), date(2025, 12, 24)),
        (date(2028, 2, 29), date(2018, 2, 28)),
    ],
)
def test_the_guess_is_another_decade_or_the_year_before(
    typed: date, meant: date
) -> None:
    assert likely_day(typed, today=date(2026, 6, 15)) == meant


# --- numbers


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("１２x", "shape"),
        ("5_0", "shape"),
        ("1e3", "shape"),
        ("NaN", "shape"),
        ("inf", "shape"),
        ("1,5", "decimal_comma"),
        ("1,234.5", "shape"),
        ("9" * 400, "shape"),
        ("-1", "min_value"),
        ("20001", "max_value"),
    ],
)
def test_numbers_are_plain_and_in_range(text: str, code: str) -> None:
    assert code_of(BLOOD_LOSS, text) == code


def test_full_width_digits_and_signs_are_the_plain_ones() -> None:
    assert value_of_text(BLOOD_LOSS, "１２") == 12
    assert code_of(BLOOD_LOSS, "−12") == "min_value"


def test_range_errors_name_value_range_and_unit() -> None:
    with pytest.raises(ValidationError, match=r"101\S* lies outside .*0 – 100 %"):
        value_of_text(KI67, "101")


@pytest.mark.parametrize("text", ["0", "100", " 12.5 ", "+3"])
def test_numbers_at_the_limits_pass(text: str) -> None:
    assert value_of_text(KI67, text) == Decimal(text.strip())


def test_more_decimal_places_than_the_field_has_are_refused() -> None:
    assert code_of(KI67, "1.23") == "max_decimal_places"


def test_sentinel_numbers_are_refused() -> None:
    """Unknown is a reason, not 99."""
    for name in ("mmcs", "joa_ue_motor", "nurick"):
        assert code_of(Visit._meta.get_field(name), "99") in {
            "max_value",
            "invalid_choice",
        }
    assert code_of(Patient._meta.get_field("birth_year"), "9999") == "max_value"


# --- words


@pytest.mark.parametrize(
    "character",
    ["\x00", "\x07", "\x1b", "\x7f", "\u200b", "\u202e", "\u2066", "\ufeff", "\ud800"],
)
def test_invisible_characters_are_refused_not_dropped(character: str) -> None:
    assert code_of(REMARK, f"seen{character}again") == "control_characters"


def test_text_is_stored_composed_and_trimmed() -> None:
    assert clean_words(" か\u3099ん ") == "がん"
    assert clean_words("Mu\u0308ller") == "Müller"
    assert clean_words("line\nbreak\tstays") == "line\nbreak\tstays"
    assert clean_words("👩\u200d⚕️") == "👩\u200d⚕️"


def test_long_text_is_refused_with_a_limit() -> None:
    assert code_of(REMARK, "x" * (REMARK.max_length + 1)) == "max_length"
    assert code_of(REMARK, "x" * 1_000_000) == "max_length"
    assert value_of_text(REMARK, "x" * REMARK.max_length)


@pytest.mark.parametrize(
    "text", ["{{7*7}}", "%s", "{0.__class__}", "'; DROP TABLE", "=cmd|"]
)
def test_text_is_kept_literally(text: str) -> None:
    assert value_of_text(REMARK, text) == text


# --- choices and levels


def test_choices_are_closed() -> None:
    assert code_of(Case._meta.get_field("side"), "everywhere") == "invalid_choice"
    assert code_of(POSITION, ["dorsal", "outside"]) == "invalid_choice"


def test_none_stands_alone() -> None:
    assert code_of(MONITORING, ["none", "SSEP"]) == "none_and_others"
    assert value_of_text(MONITORING, ["none"]) == ["none"]


def test_several_choices_come_in_the_order_of_the_list() -> None:
    ordered = [code for code in POSITION.codes if code in {"ventral", "dorsal"}]
    assert value_of_text(POSITION, ["ventral", "dorsal", "ventral"]) == ordered
    assert value_of_text(POSITION, ["dorsal", "ventral"]) == ordered


@pytest.mark.parametrize("value", ["dorsal", 5, {"dorsal": 1}])
def test_several_choices_need_a_list(value: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        POSITION.clean(value, None)
    assert refused.value.error_list[0].code == "invalid"


def test_levels_are_stored_by_their_code() -> None:
    assert value_of_text(LEVEL, "Th 05") == "T5"
    assert code_of(LEVEL, "T13") == "level"


def test_nothing_typed_is_nothing_known() -> None:
    assert value_of_text(BLOOD_LOSS, "  ") is None
    assert value_of_text(POSITION, []) is None
    assert value_of_text(REMARK, "") == ""


@pytest.mark.parametrize(
    ("field", "text"),
    [(SURGERY_DATE, "2021-02-28"), (KI67, "12.5"), (BLOOD_LOSS, "150")],
)
def test_what_was_read_is_shown_as_it_was_typed(field: Any, text: str) -> None:
    assert str(text_of_value(value_of_text(field, text))) == text


def test_words_are_free_text_by_default() -> None:
    field = WordsField()
    assert (field.null, field.default, str(field.privacy)) == (False, "", "text")
