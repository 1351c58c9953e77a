"""Today is the person's: that of the centre's clock, at every door."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from registry import actions
from registry.local_time import check_zone, zone_names, zone_of
from registry.models import Centre
from registry.permissions import Role
from tests.factories import make_case, make_centre, make_user
from tests.pages import form_data, signed_in
from tests.registry.api_client import Api, codes_of

pytestmark = pytest.mark.django_db
# Half past seven in Tokyo; still the day before on a server of UTC.
MORNING_IN_TOKYO = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)
TODAY_IN_TOKYO, TODAY_IN_UTC = "2026-03-03", "2026-03-02"


@pytest.fixture(autouse=True)
def morning(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.TIME_ZONE = "UTC"
    monkeypatch.setattr(timezone, "now", lambda: MORNING_IN_TOKYO)
    yield
    timezone.deactivate()


def surgeon_in(zone: str) -> Any:
    return make_user(Role.SURGEON, make_centre(time_zone=zone))


def change_onset(person: Any, day: str) -> Any:
    case = make_case(person.memberships.get().centre, by=person)
    return Api(person).patch(f"cases/{case.code}/", {"onset_date": day}, version=1)


def test_the_morning_of_today_is_not_the_future_in_tokyo() -> None:
    assert change_onset(surgeon_in("Asia/Tokyo"), TODAY_IN_TOKYO).status_code == 200


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", ""])
def test_west_of_it_the_same_day_is_still_to_come(zone: str) -> None:
    answer = change_onset(surgeon_in(zone), TODAY_IN_TOKYO)
    assert (answer.status_code, codes_of(answer)) == (400, {"onset_date": "future"})


def test_the_form_agrees_with_the_api() -> None:
    statuses = {}
    for zone in ("Asia/Tokyo", "UTC"):
        surgeon = surgeon_in(zone)
        case = make_case(surgeon.memberships.get().centre, by=surgeon)
        client, url = signed_in(surgeon), reverse("cases:edit-tumour", args=[case.code])
        sent = form_data(client.get(url)) | {"onset_date": TODAY_IN_TOKYO}
        statuses[zone] = client.post(url, sent).status_code
    assert statuses == {"Asia/Tokyo": 302, "UTC": 422}


def test_the_clock_of_one_request_does_not_stay_for_the_next() -> None:
    signed_in(surgeon_in("Asia/Tokyo")).get("/")
    assert timezone.localdate().isoformat() == TODAY_IN_UTC


def test_people_without_a_centre_have_the_clock_of_the_registry() -> None:
    assert zone_of(make_user(Role.ANALYST)) == zoneinfo.ZoneInfo("UTC")


def test_every_zone_of_the_list_can_be_used() -> None:
    assert {"Asia/Tokyo", "Europe/Berlin", "UTC"} <= set(zone_names())
    for name in zone_names():
        offset = MORNING_IN_TOKYO.astimezone(zoneinfo.ZoneInfo(name)).utcoffset()
        assert offset is not None and abs(offset) <= timedelta(hours=14)
    with pytest.raises(ValidationError):
        check_zone("Middle-earth/Shire")


def test_a_new_centre_is_asked_for_its_clock() -> None:
    administrator = make_user(Role.ADMINISTRATOR)
    client, url = signed_in(administrator), reverse("administration:centres")
    centre = {"name": "Tokyo", "code": "TKY"}

    refused = client.post(url, centre)
    added = client.post(url, centre | {"time_zone": "Asia/Tokyo"})

    assert (refused.status_code, added.status_code) == (422, 302)
    assert "time_zone" in refused.context["form"].errors
    assert Centre.objects.get(code="TKY").time_zone == "Asia/Tokyo"


def test_an_administrator_may_change_the_clock() -> None:
    centre = make_centre(time_zone="UTC")
    actions.update_centre(
        by=make_user(Role.ADMINISTRATOR),
        centre=centre,
        name=centre.name,
        is_active=True,
        time_zone="Asia/Tokyo",
    )
    centre.refresh_from_db()
    assert centre.time_zone == "Asia/Tokyo"
