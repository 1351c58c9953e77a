"""A local run backs itself up once a day, and thins what it keeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

from registry import tasks
from registry.backup import keeping
from registry.backup.container import MANIFEST, opened
from registry.backup.manifest import read_manifest

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def test_a_year_of_days_leaves_days_weeks_and_months() -> None:
    times = [NOON - timedelta(days=n, hours=h) for n in range(500) for h in (0, 5)]
    left = keeping.kept(times)
    assert set(times[:14:2]) <= left, "the newest of each of seven days"
    assert not set(times[1:14:2]) & left, "and no second one of a day"
    assert {(at.year, at.month) for at in left} == {
        (2026, month) for month in range(1, 12)
    } | {(2025, 12)}
    assert 7 + 3 + 11 - 2 <= len(left) <= 7 + 4 + 12


def test_thinning_day_by_day_comes_to_the_same() -> None:
    """What was dropped yesterday must not be what is missed today."""
    held: set[datetime] = set()
    for day in range(500):
        held = keeping.kept(held | {NOON + timedelta(days=day)})
    assert len({at.date() for at in held}) == len(held) >= 7 + 3 + 10
    assert max(held) - min(held) > timedelta(days=300)


@pytest.mark.django_db(transaction=True)
def test_once_a_day_a_whole_backup_and_nothing_else_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    cache.clear()
    monkeypatch.setenv("MYELON_VAR", str(tmp_path))
    folder = tmp_path / "backups"
    folder.mkdir()
    old = [folder / f"myelon-20200101T0{hour}0000Z.backup" for hour in (1, 2)]
    own = folder / "before the move.backup"
    for path in (*old, own):
        path.write_text("x")
    for _ in range(3):
        tasks.back_up()
    made = set(folder.iterdir()) - {*old, own}
    assert len(made) == 1
    with opened(made.pop(), None) as archive:
        assert read_manifest(archive.read(MANIFEST)).rows["django_migrations"] > 10
    assert own.exists()
    assert [path.exists() for path in old] == [False, True]
    settings.LOCAL = False
    cache.clear()
    tasks.back_up()
    assert len(list(folder.iterdir())) == 3
