"""All routes under ``/api/v1/``. Apps are included by name: imports run one way."""

from django.urls import URLPattern, URLResolver, include, path, re_path
from rest_framework.routers import SimpleRouter

from registry.api.centres import CentreViewSet
from registry.api.docs import DocsView, SchemaView
from registry.api.views import UnknownRoute

router = SimpleRouter()
router.register("centres", CentreViewSet)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include((router.urls, "registry-api"))),
    path("", include("cases.api.urls")),
    path("", include("outcomes.api.urls")),
    path("schema/", SchemaView.as_view(), name="api-schema"),
    path("docs/", DocsView.as_view(), name="api-docs"),
    re_path(r"", UnknownRoute.as_view(), name="api-unknown"),
]
