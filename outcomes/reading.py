"""Which numbers a person may read, from a stored row or computed for the question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Case as CaseExpression
from django.db.models import CharField, F, Q, Value, When
from django.http import Http404, QueryDict
from django.utils.translation import gettext as _

from cases.filters import strict_filter
from outcomes import claims, disclosure, kept, pool, pool_answers, released, summaries
from outcomes.filters import DeidentifiedFactsFilter, FactsFilter
from outcomes.measures import MEASURES, Measure
from outcomes.measures.events import PROGRESSION, recurred
from outcomes.measures.grouping import MOST_GROUPS_IN_BACKGROUND, parse_by
from outcomes.measures.volume import VOLUME, in_bands
from outcomes.models import CaseFacts, PoolFacts, ReleasedFacts, Summary
from outcomes.models.fact_columns import COLUMN_BY_NAME
from registry.models import Centre, User
from registry.permissions import Permission, can, centres_with, check

POOL = "pool"


@dataclass(frozen=True)
class Question:
    """What is counted, for whom: everything that the numbers depend on but the facts."""

    measure: str
    by: tuple[str, ...]
    window: str
    site: str
    filters: dict[str, Any]
    centre_id: int | None
    as_released: bool


class TooCostly(Exception):
    """A question that a web request should not wait for."""

    def __init__(self, question: Question) -> None:
        super().__init__(question.measure)
        self.question = question


def summary_for(
    user: User,
    measure: str,
    by: str | tuple[str, ...] = (),
    filters: Mapping[str, Any] | None = None,
    scope: str = POOL,
    window: str = "",
    site: str = "",
) -> dict[str, Any]:
    """The numbers of a measure as this person may see them.

    ``scope`` is ``pool`` or the code of a centre. Raises PermissionDenied for roles
    without summaries, Http404 for a centre that the person may not know of, and
    ValidationError, by parameter, for anything else that does not fit.
    """
    check(user, Permission.READ_SUMMARIES)
    filters = filters or {}
    centre = None if scope == POOL else readable_centre(user, scope)
    limited = centre is None and not reads_pool_whole(user)
    if limited and filters:
        message = _("The pool of all centres is shown without filters.")
        raise ValidationError({n: ValidationError(message, "pool") for n in filters})
    if limited:
        payload = copied_numbers(user, measure, by, window, site)
    else:
        payload = numbers(user, measure, by, filters, centre, window, site)
    payload["scope"] = centre.code if centre else POOL
    return payload


def copied_numbers(
    user: User, measure: str, by: str | tuple[str, ...], window: str, site: str
) -> dict[str, Any]:
    """The pool for a person of one centre, as of the copy of the facts.

    The own part is counted in the same copy, or the two would not fit each other.
    """
    asked = summaries.measure_of(measure, site)
    by, window = parse_by(by), summaries.window_of(asked, window)

    kept = {(measure, by) for measure, by, _window in summaries.STORED}
    if len(by) > 1 and (measure, ",".join(by)) not in kept:
        message = _("The pool of all centres is grouped by one column at a time.")
        raise ValidationError({"by": ValidationError(message, "pool")})

    def tell() -> dict[str, Any]:
        rows = operated_pool()
        whole, own = (
            pool_numbers(facts, measure, by, window, site)
            for facts in (rows, own_part(user, rows))
        )
        return limited_numbers(user, whole, own)

    with pool.held() as copy:
        question = (measure, ",".join(by), window, site)
        told = pool_answers.kept_or_told(copy, known_centres(user), question, tell)
    return told | {"as_of": copy.taken_at.isoformat()}


def operated_pool() -> Any:
    """The operated cases of the copy.

    Were others counted by one measure, its numbers less those of another would tell the
    few who were not operated on.
    """
    return PoolFacts.objects.filter(has_operation=True)


def pool_numbers(
    facts: Any,
    measure: str,
    by: tuple[str, ...],
    window: str,
    site: str,
    columns: tuple[str, ...] | None = None,
) -> dict[str, Any]:
    """The numbers, with what the disclosure rule has to know besides."""
    payload = summaries.compute(measure, by, {}, facts, window, columns, site)
    if measure == PROGRESSION.name:
        found = recurred(facts.for_research(), columns or by)
        for group in payload["groups"]:
            key = tuple(group["group"][name] for name in by)
            group["recurred"] = found.get(key, (0, 0))
    return payload


def known_centres(user: User) -> set[int]:
    """The centres whose numbers the person knows exactly."""
    return centres_with(user, Permission.READ_SUMMARIES) or set()


def own_part(user: User, facts: Any) -> Any:
    """The rows of these centres."""
    return facts.filter(centre__in=known_centres(user))


def limited_numbers(
    user: User, payload: dict[str, Any], own: dict[str, Any]
) -> dict[str, Any]:
    """The pool for a person of one centre, small groups hidden or put together.

    The groups that have to go are shown as one if that is safe; it is what the total
    less the shown groups tells anyhow.
    """
    told = disclosed(payload, own)
    hidden = disclosure.hidden_values(told)
    while 0 < len(hidden) < len(payload["groups"]):
        again = disclosed(*merged_numbers(user, payload, hidden))
        more = disclosure.hidden_values(again) - {disclosure.MERGED}
        if not disclosure.hidden_values(again):
            return again
        if not more:
            break
        hidden |= more
    return told


def disclosed(payload: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    if payload["measure"] == VOLUME.name:
        width = COLUMN_BY_NAME["surgery_year"].step
        payload, own = in_bands(payload, width), in_bands(own, width)
    return disclosure.for_other_centres(payload, own)


def merged_numbers(
    user: User, payload: dict[str, Any], values: set[Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The pool's numbers and the own ones, with these groups as one."""
    (name,) = payload["by"]
    other = Q(**{f"{name}__in": values - {None}})
    if None in values:
        other |= Q(**{f"{name}__isnull": True})
    facts = operated_pool().annotate(
        merged=CaseExpression(
            When(other, then=Value(disclosure.MERGED)),
            default=F(name),
            output_field=CharField(),
        )
    )
    whole, part = (
        pool_numbers(
            rows,
            payload["measure"],
            (name,),
            payload["window"] or "",
            payload.get("site") or "",
            ("merged",),
        )
        for rows in (facts, own_part(user, facts))
    )
    return whole, part


def readable_centre(user: User, code: str) -> Centre:
    """A centre whose cases the person reads; raises Http404."""
    centre = Centre.objects.filter(code=code).first()
    if centre is None or not can(user, Permission.READ_CASES, centre):
        raise Http404(_("No such centre."))
    return centre


def reads_pool_whole(user: User) -> bool:
    """Whether nothing of the pool is hidden: for roles in the registry as a whole."""
    return centres_with(user, Permission.READ_SUMMARIES) is None


def numbers(
    user: User,
    measure: str,
    by: str | tuple[str, ...],
    filters: Mapping[str, Any],
    centre: Centre | None,
    window: str,
    site: str,
) -> dict[str, Any]:
    """The stored row where there is one for the question, else computed now."""
    asked = summaries.measure_of(measure, site)
    by, window = parse_by(by), summaries.window_of(asked, window)
    as_released = centre is None and reads_rows_as_released(user)
    stored = None if filters else stored_numbers(centre, asked, by, window, as_released)
    centre_id = centre.pk if centre else None
    question = Question(
        measure, by, window, site, dict(filters), centre_id, as_released
    )
    return stored or computed(question)


def computed(question: Question, *, patient: bool = False) -> dict[str, Any]:
    """The numbers counted now, by values as they are released or as they are.

    Raises TooCostly, unless somebody is ``patient``.
    """
    try:
        return counted(question, patient=patient)
    except summaries.TakesLong as error:
        raise TooCostly(question) from error


def counted(question: Question, *, patient: bool) -> dict[str, Any]:
    as_released = question.as_released
    if as_released:
        released.keep_up()
    facts: Any = (ReleasedFacts if as_released else CaseFacts).objects.all()
    if question.centre_id is not None:
        facts = facts.filter(centre=question.centre_id)
    chosen = DeidentifiedFactsFilter if as_released else FactsFilter
    facts = strict_filter(chosen, as_query(question.filters), facts)
    return summaries.compute(
        question.measure,
        question.by,
        question.filters,
        facts,
        question.window,
        site=question.site,
        most_groups=MOST_GROUPS_IN_BACKGROUND,
        patient=patient,
    )


def reads_rows_as_released(user: User) -> bool:
    """Analysts ask by what their rows show only, or the answer would show the rest."""
    reads_cases = centres_with(user, Permission.READ_CASES) is None
    return reads_pool_whole(user) and not reads_cases


def as_query(filters: Mapping[str, Any]) -> QueryDict:
    query = QueryDict(mutable=True)
    for name, value in filters.items():
        query[name] = value
    return query


def stored_numbers(
    centre: Centre | None,
    measure: Measure,
    by: tuple[str, ...],
    window: str,
    as_released: bool,
) -> dict[str, Any] | None:
    """The row's numbers, with whether they lag behind; None if none may be shown.

    Raises NotComputed where there are none because computing fails.
    """
    if measure != MEASURES[measure.name]:
        return None  # rows are kept for the measure's own site only
    summary = Summary.objects.filter(
        centre=centre,
        released=as_released,
        measure=measure.name,
        by=",".join(by),
        window=window,
    ).first()
    if summary is None:
        return None
    problem = claims.problem_of(summary)
    if not kept.is_shown(summary):
        if problem:
            raise claims.NotComputed(problem)
        return None
    payload: Any = summary.payload
    return {**payload, "stale": kept.lags_behind(summary), "problem": problem}
