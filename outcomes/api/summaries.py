"""The registry's numbers over the API: the same rows that the dashboard shows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from outcomes import asking, claims
from outcomes.api.summary_schema import BeingComputedSerializer, SummarySerializer
from outcomes.filters import FactsFilter
from outcomes.measures import MEASURES
from outcomes.measures.grouping import GROUPABLE
from outcomes.measures.residual_pain import RESIDUAL_PAIN
from outcomes.reading import POOL
from registry import audit
from registry.api.views import StrictView, person_of
from registry.permissions import Permission

QUESTION = ("by", "window", "site", "scope")
FILTERS = tuple(FactsFilter.base_filters)
PARAMETERS = [
    OpenApiParameter(
        "measure", str, OpenApiParameter.PATH, enum=list(MEASURES), required=True
    ),
    OpenApiParameter(
        "by",
        str,
        description="Columns to group by, with commas between: "
        + ", ".join(GROUPABLE)
        + ".",
    ),
    OpenApiParameter(
        "window", str, description="Visit window of improvement and residual pain."
    ),
    OpenApiParameter(
        "site",
        str,
        enum=RESIDUAL_PAIN.sites,
        description="What residual pain is tested: at a site, alone or with others, at "
        "several (mixed), or any; segmental if not given.",
    ),
    OpenApiParameter(
        "scope",
        str,
        default=POOL,
        description="pool, or the code of a centre whose cases you read.",
    ),
    *(
        OpenApiParameter(name, str, description=str(found.label))
        for name, found in FactsFilter.base_filters.items()
    ),
]


RETRY_SECONDS = 3


class NotComputed(APIException):
    """The worker gave up; the operator's log has the reason."""

    status_code = 503
    default_code = "not_computed"
    default_detail = gettext_lazy(
        "These numbers could not be computed. Ask for fewer groups, or again in ten "
        "minutes."
    )


class CountingFails(APIException):
    """No numbers, because computing them fails; says why and when it is tried again."""

    status_code = 503
    default_code = "not_computed"

    def __init__(self, problem: dict[str, Any]) -> None:
        text = _(
            "The numbers cannot be computed (%(reason)s); next try %(next_try_at)s."
        )
        super().__init__(text % problem)


class SummaryView(StrictView):
    """One measure: its groups with counts, proportions, limits and tests."""

    needs: Mapping[str, Collection[Permission]] = {  # type: ignore[misc]
        "GET": {Permission.READ_SUMMARIES}
    }
    parameters = (*QUESTION, *FILTERS)

    @extend_schema(
        parameters=PARAMETERS,
        responses={200: SummarySerializer, 202: BeingComputedSerializer},
    )
    def get(self, request: Request, measure: str) -> Response:
        """Numbers with their method, denominator and time; small cells are hidden.

        202 where they take longer than a request should: ask the same address again
        after ``Retry-After`` seconds.
        """
        given: dict[str, Any] = request.query_params.dict()
        by, window = given.pop("by", ""), given.pop("window", "")
        scope, site = given.pop("scope", POOL), given.pop("site", "")
        person = person_of(request)
        asked = {"scope": scope, "window": window, "site": site}
        waiting: asking.BeingComputed | None = None
        numbers: dict[str, Any] = {}
        try:
            numbers = asking.answer(person, measure, by, given, **asked)
        except asking.BeingComputed as found:
            waiting = found
        except claims.NotComputed as error:
            raise CountingFails(error.problem) from None
        audit.record(
            "summary.read",
            actor=person,
            target=measure,
            by=by[:200],
            window=window[:20],
            site=site[:20],
            scope=scope[:12],
            filters={name: value[:200] for name, value in given.items()},
        )
        return later(request, measure, waiting) if waiting else Response(numbers)


def later(request: Request, measure: str, waiting: asking.BeingComputed) -> Response:
    """Where the answer will stand; 503 where it could not be computed."""
    if waiting.state == asking.FAILED:
        raise NotComputed
    body = {
        "measure": measure,
        "state": waiting.state,
        "asked_at": waiting.row.wanted_at,
        "detail": _("These numbers take a while. Ask the same address again."),
    }
    headers = {"Location": request.get_full_path(), "Retry-After": str(RETRY_SECONDS)}
    return Response(body, status=202, headers=headers)
