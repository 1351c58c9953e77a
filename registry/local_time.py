"""Whose today it is: the clock of the centre, not that of the server.

A surgeon in Tokyo who enters this morning's operation at half past seven is a day ahead
of a server that runs on UTC.
"""

from __future__ import annotations

import os
import zoneinfo
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


@cache
def zone_names() -> tuple[str, ...]:
    """Names of the IANA time zones that stand for places, and UTC."""
    places = (name for name in zoneinfo.available_timezones() if "/" in name)
    kept = (
        name for name in places if not name.startswith(("Etc/", "posix/", "right/"))
    )
    return ("UTC", *sorted(kept))


def check_zone(name: str) -> None:
    if name not in zone_names():
        raise ValidationError(_("Choose a time zone of the list."), "time_zone")


def zone_of_machine() -> str:
    """The zone that this machine is set to, where it says so; else UTC."""
    link = Path("/etc/localtime")
    place = str(link.resolve()).partition("/zoneinfo/")[2] if link.is_symlink() else ""
    name = os.environ.get("TZ", "").removeprefix(":") or place
    return name if name in zone_names() else "UTC"


def zone_of(user: Any) -> zoneinfo.ZoneInfo:
    """The zone of the person's centre, the first by name where there are several;
    that of the registry for people without a centre."""
    centres = (membership.centre for membership in user.current_memberships)
    names = [centre.time_zone for centre in centres if centre and centre.time_zone]
    return zoneinfo.ZoneInfo(names[0] if names else settings.TIME_ZONE)


def use_clock_of(user: Any) -> None:
    """Make "today" and every time shown those of the person, for this request."""
    if user.is_authenticated:
        timezone.activate(zone_of(user))
