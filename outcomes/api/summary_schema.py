"""The shape of the registry's numbers, for the API's own description.

Every member that a measure puts into its answer is named here; a test asks every
measure and finds the one that is not. A group carries the members of its measure only,
and nothing but its name where it is hidden.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from rest_framework import serializers
from rest_framework.serializers import (
    BooleanField,
    CharField,
    ChoiceField,
    DictField,
    FloatField,
    IntegerField,
    ListField,
    Serializer,
)

from outcomes.measures.reasons import CODES, OTHER, WITHOUT_WORDS

REASON_CODES = [*(code for code, _words in CODES), *WITHOUT_WORDS, OTHER]
Number = partial(FloatField, required=False, allow_null=True)
Count = partial(IntegerField, required=False, allow_null=True)
Text = partial(CharField, required=False, allow_null=True)
Code = partial(
    ChoiceField, REASON_CODES, required=False, allow_null=True, allow_blank=False
)
Flag = partial(BooleanField, required=False, allow_null=True)


def counts_by_name() -> DictField:
    return DictField(child=IntegerField(), required=False)


def group_name() -> DictField:
    return DictField(child=CharField(allow_null=True))


def numbers(**more: Any) -> ListField:
    return ListField(child=FloatField(allow_null=True), required=False, **more)


def counts() -> ListField:
    return ListField(child=IntegerField(allow_null=True), required=False)


class EstimateSerializer(Serializer[Any]):
    """A number with its limits; null where it cannot be estimated, with the reason."""

    value = Number()
    lower = Number()
    upper = Number()
    method = Text()
    level = Number()
    estimable = Flag()
    reached = Flag()
    p_value = Number()
    p_is_bound = Flag()
    smallest_p = Number()
    separation = Text()
    reason = Text()
    reason_code = Code()


class RateOfEndpointSerializer(EstimateSerializer):
    """A rate, what it counts, and the years behind it."""

    endpoint = Text()
    person_years = Number()


class EstimateAtSerializer(EstimateSerializer):
    """The same on a day after the operation."""

    day = IntegerField()


class ShareSerializer(Serializer[Any]):
    """How many, and their share of the assessed."""

    n = Count()
    proportion = EstimateSerializer(required=False)


class CurveSerializer(Serializer[Any]):
    """A curve over the days from the operation; the lists are of one length."""

    endpoint = Text()
    days = numbers()
    survival = numbers()
    lower = numbers()
    upper = numbers()
    at_risk = counts()
    events = counts()
    censored = counts()
    n = Count()
    n_events = Count()
    median = EstimateSerializer(required=False)
    method = Text()
    interval = Text()
    level = Number()
    points = Count()
    note = Text()


class IncidenceSerializer(Serializer[Any]):
    """The incidence of an event that death competes with; lists of one length."""

    endpoint = Text()
    competing = Text()
    cause = Count()
    days = numbers()
    incidence = numbers()
    standard_error = numbers()
    lower = numbers()
    upper = numbers()
    at_risk = counts()
    events = counts()
    n = Count()
    n_events = Count()
    method = Text()
    level = Number()
    points = Count()
    note = Text()


class AtRiskSerializer(Serializer[Any]):
    """How many are still followed on each day."""

    days = numbers()
    n = counts()


class StepsSerializer(Serializer[Any]):
    """Events, and cases whose follow-up ended, by half year from the operation."""

    events = counts()
    censored = counts()


class TestSerializer(Serializer[Any]):
    """A test, of which endpoint, or why there is none."""

    endpoint = Text()
    name = Text()
    estimable = Flag()
    suppressed = Flag()
    p_value = Number()
    p_is_bound = Flag()
    smallest_p = Number()
    method = Text()
    statistic = Number()
    df = Number()
    reason = Text()
    reason_code = Code()
    choice = Text()
    separation = Text()
    observed = numbers()
    expected = numbers()
    competing = numbers()
    forward = Count()
    backward = Count()
    unchanged = Count()
    family_size = Count()


class ContrastSerializer(Serializer[Any]):
    """A group against another."""

    category = Text()
    group = group_name()
    reference = group_name()
    difference = EstimateSerializer(required=False)
    rate_ratio = EstimateSerializer(required=False)
    endpoint = Text()
    survival_difference_at = EstimateAtSerializer(many=True, required=False)
    incidence_difference_at = EstimateAtSerializer(many=True, required=False)
    odds_ratio = EstimateSerializer(required=False)


class CompetingRisksSerializer(Serializer[Any]):
    """The event alone, with death competing: its test and its differences."""

    endpoint = Text()
    competing = Text()
    test = TestSerializer(required=False)
    differences = ContrastSerializer(many=True, required=False)


class FeatureTestSerializer(TestSerializer):
    """The test of one MRI feature between the groups."""

    feature = CharField()
    p_holm = Number()
    contrasts = ContrastSerializer(many=True, required=False)


class FeatureSerializer(Serializer[Any]):
    """What was found of one MRI feature."""

    assessed = Count()
    categories = DictField(child=ShareSerializer(), required=False)


class PainSerializer(Serializer[Any]):
    """Pain at one visit."""

    endpoint = Text()
    any = ShareSerializer(required=False)
    assessed = Count()
    events = Count()
    proportion = EstimateSerializer(required=False)
    sites = DictField(child=ShareSerializer(), required=False, allow_null=True)
    at_site = DictField(child=ShareSerializer(), required=False)
    nrs_4_or_more = ShareSerializer(required=False)
    segmental_course = counts_by_name()


class ShiftSerializer(Serializer[Any]):
    """Cases by grade before and after."""

    before = Count()
    after = Count()
    n = Count()


class RecoverySerializer(Serializer[Any]):
    """JOA recovery rate in percent."""

    assessed = Count()
    defined = Count()
    at_ceiling = Count()
    quartile_1 = Number()
    median = Number()
    quartile_3 = Number()
    method = Text()


class YearSerializer(Serializer[Any]):
    """Cases of a year of operation, or from ``year`` to ``to``; null: not known."""

    year = Count()
    to = Count()
    n = Count()
    suppressed = Flag()


class GroupSerializer(PainSerializer):
    """The numbers of one group: the members of the measure that was asked."""

    group = group_name()
    known = BooleanField(required=False)
    suppressed = Flag()
    n = Count()
    # recurrence, progression
    person_years = Number()
    dated_events = Count()
    rate_per_100_person_years = EstimateSerializer(required=False)
    deaths = Count()
    regrowths = Count()
    new_lesions = Count()
    excluded = counts_by_name()
    curve = CurveSerializer(required=False, allow_null=True)
    steps = StepsSerializer(required=False, allow_null=True)
    at_risk = AtRiskSerializer(required=False)
    survival_at = EstimateAtSerializer(many=True, required=False)
    survival_rate_per_100_person_years = RateOfEndpointSerializer(required=False)
    died_first = Count()
    cumulative_incidence = IncidenceSerializer(required=False, allow_null=True)
    incidence_at = EstimateAtSerializer(many=True, required=False)
    median_follow_up_days = Number()
    median_follow_up = EstimateSerializer(required=False)
    note = Text()
    # improvement
    improved = Count()
    unchanged = Count()
    worse = Count()
    proportion_worse = EstimateSerializer(required=False)
    able_to_improve = Count()
    proportion_of_able = EstimateSerializer(required=False)
    shift = ShiftSerializer(many=True, required=False)
    sign_test = TestSerializer(required=False)
    joa_recovery = RecoverySerializer(required=False)
    # residual-pain
    visits = DictField(child=PainSerializer(), required=False)
    # mri-features
    features = DictField(child=FeatureSerializer(), required=False)
    # volume
    operated = Count()
    years = YearSerializer(many=True, required=False)


class LateReasonSerializer(Serializer[Any]):
    """Why numbers lag behind although they were tried."""

    code = CharField()
    reason = CharField()
    attempts = IntegerField()
    next_try_at = serializers.DateTimeField()


class SummarySerializer(Serializer[Any]):
    """One measure in one scope, when it was counted and from what."""

    measure = CharField()
    scope = CharField()
    by = ListField(child=CharField())
    window = CharField(allow_null=True)
    site = CharField(required=False, allow_null=True)
    as_of = serializers.DateTimeField()
    stale = BooleanField()
    problem = LateReasonSerializer(allow_null=True)
    suppressed = Flag()
    n_cases = IntegerField(allow_null=True)
    input_hash = CharField(allow_null=True)
    code_version = CharField()
    filters = DictField(child=CharField())
    groups = GroupSerializer(many=True)
    test = TestSerializer()
    tests = FeatureTestSerializer(many=True, required=False)
    differences = ContrastSerializer(many=True, required=False)
    competing_risks = CompetingRisksSerializer(required=False)


class BeingComputedSerializer(Serializer[Any]):
    """Numbers that come later, at the address of ``Location``."""

    measure = CharField()
    state = serializers.ChoiceField(["queued", "running"])
    asked_at = serializers.DateTimeField()
    detail = CharField()
