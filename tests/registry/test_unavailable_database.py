"""A database that is away gives a plain 503, wherever in a request it is noticed."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
)
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings
from psycopg2.errors import DiskFull

from registry.middleware import UnavailableDatabaseMiddleware


@pytest.fixture(autouse=True)
def _no_routes(settings: LazySettings) -> None:
    settings.ROOT_URLCONF = __name__


def failing(error: Exception) -> Callable[[HttpRequest], HttpResponse]:
    """An inner middleware that meets the error, as Django wraps it."""

    def fail(request: HttpRequest) -> HttpResponse:
        raise error

    return convert_exception_to_response(fail)


def respond(path: str, error: Exception) -> HttpResponse:
    return UnavailableDatabaseMiddleware(failing(error))(RequestFactory().get(path))


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("server closed"),
        InterfaceError("already closed"),
        DatabaseError("server closed with half an answer"),
    ],
)
def test_page_says_that_the_database_is_away(error: Exception) -> None:
    response = respond("/cases/", error)
    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    assert response["Cache-Control"] == "no-store"
    assert b"cannot reach its database" in response.content
    assert b"server closed" not in response.content


@pytest.mark.parametrize("path", ["/cases/", "/api/v1/cases/"])
def test_a_full_disk_is_told_as_a_full_disk(path: str) -> None:
    """Trying again would not help, so no Retry-After."""
    error = OperationalError("could not extend file")
    error.__cause__ = DiskFull("could not extend file")
    response = respond(path, error)
    assert response.status_code == 507
    assert "Retry-After" not in response
    assert b"disk of the registry is full" in response.content
    assert b"extend" not in response.content


def test_api_answers_with_a_problem() -> None:
    response = respond("/api/v1/cases/", OperationalError("password authentication"))
    assert response.status_code == 503
    assert response["Content-Type"] == "application/problem+json"
    problem = json.loads(response.content)
    assert problem["code"] == "database_unavailable"
    assert problem["status"] == 503
    assert b"password" not in response.content


def test_error_of_a_view_is_caught_before_it_becomes_a_500() -> None:
    middleware = UnavailableDatabaseMiddleware(lambda request: HttpResponse())
    request = RequestFactory().post("/cases/new/")
    response = middleware.process_exception(request, OperationalError("gone"))
    assert response is not None
    assert response.status_code == 503
    for fault in (
        ValueError("a fault"),
        IntegrityError("a rule"),
        DataError("too long"),
    ):
        assert middleware.process_exception(request, fault) is None


def test_whole_stack_answers_503_from_any_layer() -> None:
    handler = BaseHandler()
    with override_settings(
        MIDDLEWARE=[
            "registry.middleware.UnavailableDatabaseMiddleware",
            f"{__name__}.meets_a_closed_database",
        ]
    ):
        handler.load_middleware()
        response = handler.get_response(RequestFactory().get("/"))
    assert response.status_code == 503


def meets_a_closed_database(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        raise OperationalError("the connection is closed")

    return middleware


def test_other_failures_keep_their_500() -> None:
    def broken(request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=500)

    response = UnavailableDatabaseMiddleware(broken)(RequestFactory().get("/"))
    assert response.status_code == 500


urlpatterns: list[object] = []
