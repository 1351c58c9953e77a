"""API routes of the outcomes."""

from django.urls import URLPattern, URLResolver, include, path, re_path
from rest_framework.routers import SimpleRouter

from outcomes.api import records
from outcomes.api.cases import CaseViewSet
from outcomes.api.codebook import CodebookView
from outcomes.api.facts import FactsViewSet
from outcomes.api.summaries import SummaryView
from outcomes.measures import MEASURES

router = SimpleRouter()
router.register("cases", CaseViewSet)
router.register("visits", records.VisitViewSet)
router.register("recurrences", records.RecurrenceViewSet)
router.register("vital-statuses", records.VitalStatusViewSet)

app_name = "outcomes-api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", include(router.urls)),
    path("facts/", FactsViewSet.as_view({"get": "list"}), name="facts"),
    path("codebook/", CodebookView.as_view(), name="codebook"),
    re_path(
        rf"^summaries/(?P<measure>{'|'.join(MEASURES)})/$",
        SummaryView.as_view(),
        name="summary",
    ),
]
