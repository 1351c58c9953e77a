"""API routes of the outcomes."""

from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from outcomes.api import records
from outcomes.api.codebook import CodebookView
from outcomes.api.facts import FactsViewSet

router = SimpleRouter()
router.register("visits", records.VisitViewSet)
router.register("recurrences", records.RecurrenceViewSet)
router.register("vital-statuses", records.VitalStatusViewSet)

app_name = "outcomes-api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", include(router.urls)),
    path("facts/", FactsViewSet.as_view({"get": "list"}), name="facts"),
    path("codebook/", CodebookView.as_view(), name="codebook"),
]
