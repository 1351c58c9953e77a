"""The registry's numbers over the API: the same rows that the dashboard shows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from outcomes.api.summary_schema import SummarySerializer
from outcomes.filters import FactsFilter
from outcomes.measures import MEASURES
from outcomes.measures.grouping import GROUPABLE
from outcomes.measures.residual_pain import RESIDUAL_PAIN
from outcomes.reading import POOL, summary_for
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


class SummaryView(StrictView):
    """One measure: its groups with counts, proportions, limits and tests."""

    needs: Mapping[str, Collection[Permission]] = {  # type: ignore[misc]
        "GET": {Permission.READ_SUMMARIES}
    }
    parameters = (*QUESTION, *FILTERS)

    @extend_schema(parameters=PARAMETERS, responses=SummarySerializer)
    def get(self, request: Request, measure: str) -> Response:
        """Numbers with their method, denominator and time; small cells are hidden."""
        given: dict[str, Any] = request.query_params.dict()
        by, window = given.pop("by", ""), given.pop("window", "")
        scope, site = given.pop("scope", POOL), given.pop("site", "")
        person = person_of(request)
        numbers = summary_for(person, measure, by, given, scope, window, site)
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
        return Response(numbers)
