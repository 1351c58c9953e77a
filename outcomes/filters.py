"""Filters of the facts: the parameters of cases, on the columns of the facts."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

import django_filters
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.choices import ResearchConsent
from cases.filter_inputs import CodesInput
from cases.filters import CaseFilter, Parameter, ParameterFilter, filters_of, touches
from outcomes.models import CaseFacts, ReleasedFacts
from outcomes.models.fact_column import FactColumn, Release
from outcomes.models.fact_columns import COLUMN_BY_NAME
from outcomes.models.outcome_columns import CHANGES, RESIDUAL_PAIN
from outcomes.quasi_identifiers import OLDEST_AGE
from outcomes.released import common_values
from outcomes.released_sql import OTHER
from outcomes.schedule import STATES, cases_in_state

# Whoever may filter by a hidden value can find it out by halving.
HIDDEN_FROM_ANALYSTS = frozenset(
    {
        "q",
        "centre",
        "level",
        "surgery_date_after",
        "surgery_date_before",
        "updated_since",
    }
)


class OfFacts(ParameterFilter):
    """Compares columns of the facts."""

    def narrow(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        parameter = self.parameter
        if parameter.lookup == "touches":
            return qs.filter(touches(value))
        if parameter.name == "q":
            return qs.filter(
                Q(case_code__contains=value) | Q(patient_code__contains=value)
            )
        value = parameter.in_facts(value)
        return qs.filter(**{f"{parameter.fact_name}__{parameter.lookup}": value})


class OfReleasedFacts(ParameterFilter):
    """Compares columns of the released facts; a band counts where all of it does."""

    def narrow(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        parameter = self.parameter
        column = COLUMN_BY_NAME[parameter.fact_name]
        value = parameter.in_facts(value)
        name = column.name
        if column.release == Release.BAND:
            check_edge_of_band(parameter, column, value)
            name = f"{name}_to" if parameter.lookup == "lte" else name
        if column.release == Release.GROUP_RARE:
            check_not_pooled(parameter, value)
        return qs.filter(**{f"{name}__{parameter.lookup}": value})


class OfLimitedSet(ParameterFilter):
    """Compares columns of the facts as a limited set tells them."""

    def narrow(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        parameter = self.parameter
        value = parameter.in_facts(value)
        if parameter.table == "age":
            column = COLUMN_BY_NAME[parameter.fact_name]
            check_not_beyond(parameter, column, value)
        return qs.filter(**{f"{parameter.fact_name}__{parameter.lookup}": value})


def check_not_beyond(parameter: Parameter, column: FactColumn, value: int) -> None:
    """Raise ValidationError for a limit among the ages that are told as one."""
    first = value if parameter.lookup == "gte" else value + 1
    if first > OLDEST_AGE:
        message = _("Ages from %(oldest)s on are told as one.") % {"oldest": OLDEST_AGE}
        raise ValidationError({parameter.name: ValidationError(message, "band")})


def check_edge_of_band(parameter: Parameter, column: FactColumn, value: int) -> None:
    """Raise ValidationError for a limit that would cut a band of the released rows."""
    first = value if parameter.lookup == "gte" else value + 1
    if first % column.step or first > OLDEST_AGE:
        lower = min(first - first % column.step, OLDEST_AGE - column.step)
        near = (lower, lower + column.step)
        if parameter.lookup == "lte":
            near = (near[0] - 1, near[1] - 1)
        message = _(
            "Rows carry bands of %(step)s years or more. Choose %(lower)s or %(upper)s."
        ) % {"step": column.step, "lower": max(near[0], 0), "upper": near[1]}
        raise ValidationError({parameter.name: ValidationError(message, "band")})


def check_not_pooled(parameter: Parameter, codes: list[str]) -> None:
    """Raise ValidationError for a value that rows do not carry by its name.

    Values of few cases and of none are refused alike, so that nobody learns which.
    """
    shared = common_values(parameter.fact_name)
    pooled = [code for code in codes if code not in shared and code != OTHER]
    if pooled:
        message = _(
            "Fewer than %(least)s cases have “%(code)s”, so it is not told apart: such "
            "cases carry “other”. Ask for other, or for a value of more cases."
        ) % {"least": settings.DISCLOSURE_THRESHOLD, "code": pooled[0]}
        raise ValidationError(
            {parameter.name: ValidationError(message, "pooled_value")}
        )


# The state of the appointment to care for, as it is today.
APPOINTMENT = Parameter(
    "appointment",
    gettext_lazy("next visit"),
    CodesInput,
    "case",
    "appointment",
    choices=STATES,
)


class ByAppointment(ParameterFilter):
    """Cases by the appointment to care for; ``key`` is the column of the case's key."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(APPOINTMENT)

    def narrow(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return qs.filter(cases_in_state(qs, self.key, value, timezone.localdate()))


OPERATED = Q(facts__has_operation=True)
RECURRED = Q(facts__recurrence_event=True)
CAME_BACK = RECURRED | Q(facts__regrowth_event=True)


def died_first(survival: str, *events: str) -> Q:
    """Death ended the survival, before the event or without it."""
    ended = {
        f"facts__{survival}_event": True,
        f"facts__{survival}_days__isnull": False,
    }
    by_event = Q()
    for event in events:
        day = F(f"facts__{survival}_days")
        by_event |= Q(**{f"facts__{event}_event": True, f"facts__{event}_days": day})
    return Q(**ended) & ~by_event


# The cases behind the numbers of the dashboard; without those who withdrew, whom no
# number counts. After the operation only, as the measures count.
OUTCOMES: dict[str, tuple[Any, Q]] = {
    "counted": (gettext_lazy("Counted in the numbers"), Q(facts__isnull=False)),
    "operated": (gettext_lazy("Operated"), OPERATED),
    "came_back": (gettext_lazy("Recurred or regrew"), OPERATED & CAME_BACK),
    "came_back_known": (
        gettext_lazy("Known whether it recurred or regrew"),
        OPERATED
        & (
            Q(facts__recurrence_event__isnull=False)
            | Q(facts__regrowth_event__isnull=False)
        ),
    ),
    "died_before_return": (
        gettext_lazy("Died without recurrence or regrowth"),
        OPERATED & died_first("pfs", "recurrence", "regrowth"),
    ),
    "recurred": (gettext_lazy("Recurred"), OPERATED & RECURRED),
    "recurred_known": (
        gettext_lazy("Known whether it recurred"),
        OPERATED & Q(facts__recurrence_event__isnull=False),
    ),
    "died_before_recurrence": (
        gettext_lazy("Died without recurrence"),
        OPERATED & died_first("rfs", "recurrence"),
    ),
    "assessed_m12": (
        gettext_lazy("McCormick before and at 12 months"),
        OPERATED & Q(facts__mmcs_change_m12__isnull=False),
    ),
    **{
        f"{change}_m12": (
            gettext_lazy("%(what)s at 12 months") % {"what": label},
            OPERATED & Q(facts__mmcs_change_m12=change),
        )
        for change, label in CHANGES
    },
    "pain_told_m12": (
        gettext_lazy("Pain known at 12 months"),
        OPERATED & Q(facts__residual_pain_m12__isnull=False),
    ),
    **{
        f"pain_{site}_m12": (
            gettext_lazy("Pain at 12 months: %(what)s") % {"what": label},
            OPERATED & Q(facts__residual_pain_m12=site),
        )
        for site, label in RESIDUAL_PAIN
    },
    "pain_nrs_4_m12": (
        gettext_lazy("Pain of NRS 4 or more at 12 months"),
        OPERATED & Q(facts__residual_pain_nrs_m12__gte=4),
    ),
}
OUTCOME = Parameter(
    "outcome",
    gettext_lazy("outcome"),
    CodesInput,
    "case",
    "outcome",
    choices=tuple((code, label) for code, (label, _q) in OUTCOMES.items()),
)


class ByOutcome(ParameterFilter):
    """Cases that a number counts; of several the union."""

    def __init__(self) -> None:
        super().__init__(OUTCOME)

    def narrow(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        wanted = reduce(or_, (OUTCOMES[code][1] for code in value))
        return qs.filter(wanted).exclude(
            facts__consent_research=ResearchConsent.WITHDRAWN
        )


NOT_KNOWN = "not_known"
# Columns by which the figures of the dashboard tell groups apart.
GROUPED_BY = ("compartment", "eor_final")
GROUP = Parameter(
    "group",
    gettext_lazy("group"),
    CodesInput,
    "case",
    "group",
    choices=tuple(
        (f"{name}:{code}", label)
        for name in GROUPED_BY
        for code, label in (
            *COLUMN_BY_NAME[name].values,
            (NOT_KNOWN, gettext_lazy("not known")),
        )
    ),
)


class ByGroup(ParameterFilter):
    """Cases of a group of the numbers, as their facts tell it; of several the union."""

    def __init__(self) -> None:
        super().__init__(GROUP)

    def narrow(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return qs.filter(reduce(or_, map(in_group, value)))


def in_group(told: str) -> Q:
    name, _colon, code = told.partition(":")
    if code == NOT_KNOWN:
        return Q(**{f"facts__{name}__isnull": True})
    return Q(**{f"facts__{name}": code})


class ListFilter(CaseFilter):
    """The filters of the list of cases: those of cases, next visit, outcome, group."""

    appointment = ByAppointment("pk")
    outcome = ByOutcome()
    group = ByGroup()


class FactsFilter(django_filters.FilterSet):
    """For people who read the cases themselves."""

    class Meta:
        model = CaseFacts
        fields: list[str] = []

    appointment = ByAppointment("case_id")
    vars().update(filters_of(OfFacts))


class DeidentifiedFactsFilter(django_filters.FilterSet):
    """For people who read de-identified rows: nothing that is hidden there."""

    class Meta:
        model = ReleasedFacts
        fields: list[str] = []

    vars().update(filters_of(OfReleasedFacts, leave_out=HIDDEN_FROM_ANALYSTS))


class LimitedSetFilter(django_filters.FilterSet):
    """For people with a grant: nothing that is in no row of theirs."""

    class Meta:
        model = CaseFacts
        fields: list[str] = []

    vars().update(filters_of(OfLimitedSet, leave_out=HIDDEN_FROM_ANALYSTS))
