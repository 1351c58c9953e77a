"""API routes of the record."""

from rest_framework.routers import SimpleRouter

from cases import api

router = SimpleRouter()
router.register("patients", api.PatientViewSet)
router.register("cases", api.CaseViewSet)
router.register("mri-studies", api.MriStudyViewSet)
router.register("operations", api.OperationViewSet)
router.register("complications", api.ComplicationViewSet)

app_name = "cases-api"
urlpatterns = router.urls
