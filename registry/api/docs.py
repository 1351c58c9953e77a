"""The API describes itself: OpenAPI 3.1, and a page that shows it."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import HttpResponse
from django.utils.translation import get_language, override
from django.views.generic import TemplateView
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from rest_framework.request import Request

from registry.api.permissions import ANYBODY
from registry.api.views import StrictView


class SchemaView(StrictView):
    """The OpenAPI schema. It holds no records and is the same for everybody."""

    needs = {"GET": ANYBODY}
    schema = None  # type: ignore[assignment]
    renderer_classes = (OpenApiJsonRenderer,)

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(
            schema_in(get_language() or "en"),
            content_type=OpenApiJsonRenderer.media_type,
        )


@cache
def schema_in(language: str) -> bytes:
    """The schema with its labels in a language; made once a process."""
    with override(language):
        content: Any = SchemaGenerator().get_schema(request=None, public=True)
        return bytes(OpenApiJsonRenderer().render(content))


class DocsView(TemplateView):
    """The schema for people, with assets of this server only."""

    template_name = "registry/api_docs.html"
