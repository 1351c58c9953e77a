"""The released facts: a table in which nobody is alone, kept up with the facts.

A view over the facts tells each row as finely as its levels allow. The levels are
chosen such that every row shares what may be known of it with ``RELEASE_K`` - 1 others;
they are renewed before somebody reads, whenever a case has changed.
"""

from __future__ import annotations

import hashlib
from functools import cache

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from outcomes.changes import wanted_of
from outcomes.facts import without_time_limit
from outcomes.models import CaseFacts, CommonValue, ReleaseLevel, ReleaseState
from outcomes.models.fact_column import Kind
from outcomes.models.fact_column import Release as Way
from outcomes.models.fact_columns import FACT_COLUMNS
from outcomes.quasi_identifiers import QUASI_IDENTIFIERS, SEPARATOR
from outcomes.released_sql import key_sql, view_sql
from outcomes.stats.k_anonymity import (
    Before,
    Levels,
    Tuple,
    coarsened,
    smallest_class,
)

# Held by the transaction that renews the levels.
RELEASE_LOCK = 5_283_003
VIEW = "outcomes_releasedfacts"
MADE_FROM = ("outcomes_casefacts", "outcomes_releaselevel", "outcomes_commonvalue")
COUNTS = f"""
SELECT {key_sql()}, count(*) FROM outcomes_casefacts AS facts
WHERE facts.consent_research IS DISTINCT FROM 'withdrawn' GROUP BY 1
"""  # noqa: S608
# Values that enough cases share, of one column.
COMMON = """
SELECT "{name}" FROM outcomes_casefacts
WHERE "{name}" IS NOT NULL AND consent_research IS DISTINCT FROM 'withdrawn'
GROUP BY 1 HAVING count(*) >= %s
"""
POOLED = tuple(
    column.name
    for column in FACT_COLUMNS
    if column.release == Way.GROUP_RARE and column.kind == Kind.TEXT
)


def drop_view() -> None:
    """Take the view away, so that a migration can change the columns under it."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP VIEW IF EXISTS {VIEW}")


def make_view() -> None:
    """Make the view by the columns of this version, if the tables have them."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name || '.' || column_name FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND table_name = ANY(%s)",
            [list(MADE_FROM)],
        )
        present = {name for (name,) in cursor.fetchall()}
        needed = {f"{MADE_FROM[0]}.{column.name}" for column in FACT_COLUMNS}
        needed |= {f"{MADE_FROM[1]}.levels", f"{MADE_FROM[2]}.value"}
        cursor.execute(f"DROP VIEW IF EXISTS {VIEW}")
        if needed <= present:
            cursor.execute(f"CREATE VIEW {VIEW} AS {view_sql()}")


def keep_up() -> None:
    """Renew the levels if a case, a limit or the rule changed since."""
    if not is_current():
        with transaction.atomic(), connection.cursor() as cursor:
            without_time_limit()
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [RELEASE_LOCK])
            if not is_current():
                renew()


def is_current() -> bool:
    return ReleaseState.objects.filter(mark=present_mark()).exists()


def present_mark() -> str:
    """Changes with every case, with the limits, and with the rule itself."""
    latest = CaseFacts.objects.order_by("-pk").values_list("pk", flat=True).first()
    limits = f"{settings.RELEASE_K}-{settings.DISCLOSURE_THRESHOLD}"
    return f"{wanted_of(None)}-{latest}-{limits}-{rule()}"


@cache
def rule() -> str:
    """A mark of how rows are coarsened."""
    told = f"{view_sql()}{QUASI_IDENTIFIERS}"
    return hashlib.sha256(told.encode()).hexdigest()[:12]


@transaction.atomic
def renew() -> None:
    """Choose the levels anew for the facts of now; most stay as they were."""
    mark = present_mark()
    renew_common_values()
    counts = counted()
    before: dict[Tuple, tuple[Levels, int]] = {
        tuple(row.values_key.split(SEPARATOR)): (tuple(row.levels), row.n_cases)
        for row in ReleaseLevel.objects.all()
    }
    known = before if same_rule() else {}
    told = coarsened(counts, QUASI_IDENTIFIERS, settings.RELEASE_K, known)
    write_levels(before, {v: (levels, counts[v]) for v, levels in told.items()})
    ReleaseState.objects.update_or_create(
        pk=ReleaseState.ONLY,
        defaults={
            "mark": mark,
            "renewed_at": timezone.now(),
            "n_cases": sum(counts.values()),
            "k": smallest_class(counts, QUASI_IDENTIFIERS, told),
        },
    )


def same_rule() -> bool:
    """Whether the levels were chosen by this rule for this k, so that they can stay."""
    state = ReleaseState.objects.first()
    parts = state.mark.split("-") if state else []
    return bool(parts) and parts[2] == str(settings.RELEASE_K) and parts[-1] == rule()


def counted() -> dict[Tuple, int]:
    """Rows by their quasi-identifiers at the finest level."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTS)
        return {tuple(key.split(SEPARATOR)): n for key, n in cursor.fetchall()}


def renew_common_values() -> None:
    """Count which values are shared by enough cases."""
    found = []
    with connection.cursor() as cursor:
        for name in POOLED:
            statement = COMMON.format(name=name)
            cursor.execute(statement, [settings.DISCLOSURE_THRESHOLD])
            found += [(name, value) for (value,) in cursor.fetchall()]
    if set(found) != set(CommonValue.objects.values_list("column", "value")):
        CommonValue.objects.all().delete()
        CommonValue.objects.bulk_create(
            CommonValue(column=c, value=v) for c, v in found
        )


def write_levels(before: Before, told: Before) -> None:
    """Write what changed."""

    def key(values: Tuple) -> str:
        return SEPARATOR.join(map(str, values))

    gone = [key(values) for values in before if values not in told]
    ReleaseLevel.objects.filter(pk__in=gone).delete()
    ReleaseLevel.objects.bulk_create(
        [
            ReleaseLevel(values_key=key(values), levels=list(levels), n_cases=n)
            for values, (levels, n) in sorted(told.items())
            if before.get(values) != (levels, n)
        ],
        update_conflicts=True,
        unique_fields=["values_key"],
        update_fields=["levels", "n_cases"],
        batch_size=5000,
    )


def common_values(name: str) -> list[str]:
    """Values of a column that rows carry by their name."""
    keep_up()
    found = CommonValue.objects.filter(column=name).order_by("value")
    return list(found.values_list("value", flat=True))
