"""How the tests speak to the API: real tokens, real requests, JSON in and out."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from rest_framework.test import APIClient

from registry.models import ApiToken, User


def token_of(user: User, *, read_only: bool = False) -> str:
    _row, secret = ApiToken.objects.create(user=user, name="test", read_only=read_only)
    return secret


class Api:
    """The API as one person sees it; ``None`` is a stranger."""

    def __init__(self, user: User | None, *, read_only: bool = False) -> None:
        self.user = user
        self.client = APIClient(raise_request_exception=False)
        if user is not None:
            token = token_of(user, read_only=read_only)
            self.client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """One request; ``headers`` such as ``if_match='"1"'``."""
        content = "" if body is None else json.dumps(body)
        return self.raw(method, path, content.encode(), **headers)

    def raw(self, method: str, path: str, content: bytes, **headers: str) -> Any:
        path = path.removeprefix("http://testserver")
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response: HttpResponse = self.client.generic(
            method,
            path if path.startswith("/") else f"/api/v1/{path}",
            content,
            content_type="application/json",
            headers=named,
        )
        # Files are read whole here, so that none stays open.
        response.body = response.getvalue()  # type: ignore[attr-defined]
        return response

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self.call("POST", path, body, **headers)

    def patch(self, path: str, body: Any, version: int | None = None) -> Any:
        headers = {} if version is None else {"if_match": f'"{version}"'}
        return self.call("PATCH", path, body, **headers)


def codes_of(problem: Any) -> dict[str, str]:
    """Field to code of a problem's errors."""
    return {error["field"]: error["code"] for error in problem.json()["errors"]}
