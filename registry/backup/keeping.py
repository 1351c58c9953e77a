"""A local run backs itself up once a day, and keeps fewer the older they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils import timezone

from registry.backup.container import written_whole
from registry.backup.database import Database
from registry.backup.making import make_backup
from registry.backup.manifest import marks

NAME = re.compile(r"myelon-(\d{8}T\d{6}Z)\.backup")
STAMP = "%Y%m%dT%H%M%SZ"
# Of each of the last so many days, weeks and months that have one, the newest stays.
KEPT: tuple[tuple[int, Callable[[datetime], object]], ...] = (
    (7, lambda at: at.date()),
    (4, lambda at: at.isocalendar()[:2]),
    (12, lambda at: (at.year, at.month)),
)


def back_up_and_thin(folder: Path) -> Path:
    """The new backup; older ones are thinned once it is whole."""
    file = back_up(folder)
    thin(folder)
    return file


def back_up(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / f"myelon-{timezone.now().astimezone(UTC):{STAMP}}.backup"
    with written_whole(file) as target:
        make_backup(
            Database.of_settings(connection),
            target,
            recipients=settings.BACKUP_RECIPIENTS,
            keys=marks(),
        )
    return file


def thin(folder: Path) -> None:
    """Delete what is not kept; files of other names are nobody's business here."""
    found = {
        datetime.strptime(named[1], STAMP).replace(tzinfo=UTC): path
        for path in folder.iterdir()
        if (named := NAME.fullmatch(path.name))
    }
    for at in set(found) - kept(found):
        found[at].unlink()


def kept(times: Iterable[datetime]) -> set[datetime]:
    """Which of the times stay.

    >>> at = [datetime(2026, 1, 1, hour, tzinfo=UTC) for hour in (3, 9)]
    >>> kept(at) == {at[1]}
    True
    """
    newest_first = sorted(times, reverse=True)
    stay: set[datetime] = set()
    for count, period_of in KEPT:
        newest: dict[object, datetime] = {}
        for at in newest_first:
            newest.setdefault(period_of(at), at)
        stay |= set(list(newest.values())[:count])
    return stay
