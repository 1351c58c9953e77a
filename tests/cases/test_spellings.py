"""Form and API read each level and day of the one table alike."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from rest_framework import serializers

from cases.forms import CaseForm
from cases.models import Case, Operation
from registry.api.values import DescribedValue
from registry.days import first_and_last
from registry.reading import text_of_value, value_of_text
from tests.cases.test_forms import posted
from tests.registry.spellings import DAYS, LEVELS

UPPER = Case._meta.get_field("level_rostral")
SURGERY_DATE = Operation._meta.get_field("surgery_date")


@pytest.mark.parametrize(("text", "levels"), LEVELS.items())
def test_the_form_reads_the_table_of_levels(
    text: str, levels: tuple[str, str] | None
) -> None:
    form = CaseForm(posted(level_rostral=text, level_caudal=""))
    form.is_valid()
    if not text:
        assert form.values()["level_rostral"] is None
    elif levels is None:
        assert form.errors.as_data()["level_rostral"][0].code == "level"
    else:
        found = form.values()
        assert (found["level_rostral"], found["level_caudal"]) == levels


@pytest.mark.parametrize(("text", "levels"), LEVELS.items())
def test_the_api_reads_single_levels_as_the_form(
    text: str, levels: tuple[str, str] | None
) -> None:
    """A field of the API holds one level; a range there is refused, not cut."""
    field = DescribedValue(UPPER)
    if levels and levels[0] == levels[1]:
        assert field.to_internal_value(text) == levels[0]
    elif text:
        with pytest.raises(serializers.ValidationError) as refused:
            field.to_internal_value(text)
        assert refused.value.get_codes() == ["level"]


def test_a_range_in_the_lower_field_changes_nothing_above() -> None:
    form = CaseForm(posted(level_rostral="T3", level_caudal="T5-T7"))
    assert not form.is_valid()
    assert form.errors.as_data()["level_caudal"][0].code == "level"
    assert form.cleaned_data["level_rostral"] == "T3"


@pytest.mark.parametrize(("text", "day"), DAYS.items())
def test_the_form_reads_the_table_of_days(text: str, day: str | None) -> None:
    if not text:
        assert value_of_text(SURGERY_DATE, text) is None
    elif day is None:
        with pytest.raises(ValidationError):
            value_of_text(SURGERY_DATE, text)
    else:
        assert text_of_value(value_of_text(SURGERY_DATE, text)) == day


@pytest.mark.parametrize(("text", "day"), DAYS.items())
def test_the_api_takes_iso_days_and_never_another_day(
    text: str, day: str | None
) -> None:
    field = DescribedValue(SURGERY_DATE)
    if day == text:
        assert text_of_value(field.to_internal_value(text)) == text
    else:
        with pytest.raises(serializers.ValidationError):
            field.to_internal_value(text)


@pytest.mark.parametrize("text", ["2014", "2014-05"])
def test_what_is_known_in_part_counts_by_its_middle(text: str) -> None:
    day = value_of_text(SURGERY_DATE, text)
    first, last = first_and_last(day)
    assert abs((day - first) - (last - day)).days <= 2


def test_days_after_today_are_refused_at_both_doors() -> None:
    tomorrow = (timezone.localdate() + timedelta(days=1)).isoformat()
    with pytest.raises(ValidationError) as at_the_form:
        value_of_text(SURGERY_DATE, tomorrow)
    with pytest.raises(serializers.ValidationError) as at_the_api:
        DescribedValue(SURGERY_DATE).to_internal_value(tomorrow)
    assert at_the_form.value.error_list[0].code == "future"
    assert at_the_api.value.get_codes() == ["future"]
