"""API routes of the outcomes."""

from rest_framework.routers import SimpleRouter

from outcomes import api

router = SimpleRouter()
router.register("visits", api.VisitViewSet)
router.register("recurrences", api.RecurrenceViewSet)
router.register("vital-statuses", api.VitalStatusViewSet)

app_name = "outcomes-api"
urlpatterns = router.urls
