"""One address for everything that counts by address, and none that a client can choose."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.adapter import get_adapter
from axes.helpers import get_client_ip_address
from django.test import RequestFactory
from rest_framework.request import Request

from registry.api.throttling import AnonymousRateThrottle, RefusedRateThrottle
from registry.client_address import client_address


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "203.0.113.7", "10.0.0.1"),
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        (2, "198.51.100.1, 203.0.113.7, 10.0.0.9", "203.0.113.7"),
        (2, "203.0.113.7", "203.0.113.7"),
        (1, "2001:DB8::7", "2001:db8::7"),
        (1, None, "10.0.0.1"),
        (1, "", "10.0.0.1"),
        (1, "'; DROP TABLE", "10.0.0.1"),
    ],
)
def test_everything_counts_by_the_address_that_the_proxy_saw(
    settings: Any, proxies: int, forwarded: str | None, expected: str
) -> None:
    settings.PROXY_COUNT = proxies
    given = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", **given)
    assert client_address(request) == expected
    assert get_client_ip_address(request) == expected
    assert get_adapter().get_client_ip(request) == expected
    for throttle in (AnonymousRateThrottle(), RefusedRateThrottle()):
        assert throttle.get_ident(Request(request)) == expected
