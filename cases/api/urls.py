"""API routes of the record; those of cases stand above, with the follow-up."""

from rest_framework.routers import SimpleRouter

from cases.api import records

router = SimpleRouter()
router.register("patients", records.PatientViewSet)
router.register("mri-studies", records.MriStudyViewSet)
router.register("operations", records.OperationViewSet)
router.register("complications", records.ComplicationViewSet)

app_name = "cases-api"
urlpatterns = router.urls
