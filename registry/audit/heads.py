"""The end of the chain, kept outside the database once a day.

Whoever cuts the newest seals off leaves a shorter chain that is whole in itself; what
was written here before tells. One line of JSON a day, only ever appended.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from registry.models.audit import Seal

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Head:
    """A seal as it was known outside; ``rows`` were sealed by then."""

    at: str
    seal: int
    mac: str
    rows: int


class HeadError(Exception):
    """A file of heads cannot be read; the message says where."""


def heads_file() -> Path | None:
    return Path(settings.AUDIT_HEADS) if settings.AUDIT_HEADS else None


def present_head() -> Head | None:
    """The end of the chain now; None before the first seal."""
    seal = Seal.objects.defer("marks").order_by("-pk").first()
    if seal is None:
        return None
    at = timezone.now().astimezone(UTC).isoformat(timespec="seconds")
    return Head(at, seal.pk, seal.mac, sealed_rows())


def sealed_rows() -> int:
    """Rows under the chain."""
    latest = Seal.objects.order_by().values("table").annotate(last=Max("pk"))
    last = [each["last"] for each in latest]
    return sum(Seal.objects.filter(pk__in=last).values_list("total", flat=True))


def publish_if_due(today: date | None = None) -> Head | None:
    """Append the head unless the file has one of today; a log line always goes along.

    The file alone decides: a claim in the database could be made by whoever cuts the
    chain there. A disk that refuses is logged: sealing must go on.
    """
    path = heads_file()
    if path is None or written_on(path) == (today or datetime.now(UTC).date()):
        return None
    head = present_head()
    if head is None:
        return None
    logger.info("head of the audit trail: seal %s, mac %s", head.seal, head.mac)
    try:
        append(path, head)
    except OSError:
        logger.exception("the head of the audit trail could not be written")
        return None
    return head


def written_on(path: Path) -> date | None:
    """The day on which the file last grew."""
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC).date()
    except OSError:
        return None


def append(path: Path, head: Head) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(head)) + "\n")


def read_heads(path: Path) -> Iterator[Head]:
    """Every head of a file; raises HeadError for a line that is none."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield Head(**json.loads(line))
            except (ValueError, TypeError):
                raise HeadError(f"{path.name}, line {number}: not a head") from None
