"""Figures of a registry of one size, printed as a line of JSON.

Run by ``python -m tests.benchmarks``; arguments are the number of cases and a folder
for the database.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

RUNS = 7


def median_seconds(work: Callable[[], Any], runs: int = RUNS) -> float:
    work()
    durations = []
    for _run in range(runs):
        began = time.perf_counter()
        work()
        durations.append(time.perf_counter() - began)
    return statistics.median(durations)


def figures(cases: int) -> dict[str, Any]:
    """All figures; Django is set up and the database is empty."""
    found: dict[str, Any] = {}
    began = time.perf_counter()
    people = made(cases)
    found["made, s"] = time.perf_counter() - began
    began = time.perf_counter()
    facts.rebuild()
    analyse()
    found["facts, s"] = time.perf_counter() - began
    summaries.ensure_rows()
    summaries.mark_all_wanted()
    for centre_id in [None, *Centre.objects.values_list("pk", flat=True)]:
        summaries.refresh_scope(centre_id)
    found |= ratios(people["analyst"])
    found["summaries"] = summary_seconds(lambda work: median_seconds(work, 3))
    found["facts on save, ms"] = facts_on_save_ms()
    found |= pages(people["surgeon"])
    return found


def made(cases: int) -> dict[str, User]:
    """Synthetic cases of eight centres, a surgeon of the first and an analyst."""
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    seeder = User.objects.create_user("seeder@bench.example", None, name="Seeder")
    centres = [
        Centre.objects.create(code=f"DEMO-{n}", name=f"Demo {n}", is_synthetic=True)
        for n in range(8)
    ]
    load(Size(cases, 8, 7), [centre.pk for centre in centres], seeder.pk)
    analyse()
    surgeon = User.objects.create_user("surgeon@bench.example", None, name="Surgeon")
    grant_role(by=None, person=surgeon, role=Role.SURGEON, centre=centres[0])
    analyst = User.objects.create_user("analyst@bench.example", None, name="Analyst")
    grant_role(by=None, person=analyst, role=Role.ANALYST)
    return {"surgeon": surgeon, "analyst": analyst}


def ratios(analyst: User) -> dict[str, tuple[float, float]]:
    """Each of our ways beside the barest one, in seconds."""
    columns = deidentified_columns()
    keep_up()
    selection = deidentified(ReleasedFacts.objects.all())

    def export() -> None:
        content, _count = written(selection, columns, "csv")
        content.close()

    def coded_export() -> None:
        names = tuple(column.name for column in FACT_COLUMNS)
        rows = Selection(names, CaseFacts.objects.order_by().values_list(*names))
        content, _count = written(rows, FACT_COLUMNS, "csv")
        content.close()

    def raw_copy(copied: Any = None) -> None:
        names = ", ".join(f'"{column.name}"' for column in copied or same_columns)
        statement = f"COPY (SELECT {names} FROM outcomes_casefacts) TO STDOUT CSV"
        with connection.cursor() as cursor, Path(os.devnull).open("wb") as sink:
            cursor.copy_expert(statement, sink)

    same_columns = [c for c in FACT_COLUMNS if c.name in {d.name for d in columns}]
    summary = Summary.objects.filter(
        centre=None, released=False, measure="recurrence"
    ).first()
    client = APIClient()
    client.force_authenticate(analyst)

    def refresh() -> None:
        summaries.refresh(summary, forced=True)

    def group_by() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT compartment, eor_final, rfs_days, rfs_event, count(*) FROM"
                " outcomes_casefacts WHERE has_operation GROUP BY 1, 2, 3, 4"
            )
            cursor.fetchall()

    def api_page() -> None:
        answer = client.get("/api/v1/facts/")
        assert answer.status_code == 200

    def bare_page() -> None:
        rows = CaseFacts.objects.order_by("pk").values(*(c.name for c in same_columns))
        JsonResponse(list(rows[:100]), safe=False)

    return {
        "coded export, CSV / raw COPY": (
            median_seconds(coded_export, 3),
            median_seconds(lambda: raw_copy(FACT_COLUMNS), 3),
        ),
        "de-identified export, CSV / raw COPY": (
            median_seconds(export, 3),
            median_seconds(raw_copy, 3),
        ),
        "summary refresh / one GROUP BY": (
            median_seconds(refresh),
            median_seconds(group_by),
        ),
        "API page of 100 facts / JsonResponse": (
            median_seconds(api_page, 15),
            median_seconds(bare_page, 15),
        ),
    }


def facts_on_save_ms() -> float:
    """Median milliseconds that deriving the facts adds to a save."""
    keys = list(Case.objects.order_by("pk").values_list("pk", flat=True)[:50])
    durations = []
    for key in keys:
        with transaction.atomic():
            began = time.perf_counter()
            facts.refresh([key])
            durations.append((time.perf_counter() - began) * 1000)
    return statistics.median(durations[5:])


def pages(surgeon: User) -> dict[str, tuple[float, int]]:
    """Seconds and number of queries of the pages that people open all day."""
    client = Client()
    client.force_login(
        surgeon, backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    code = Case.objects.visible_to(surgeon).order_by("-pk").first().code
    found = {}
    for name, path in (
        ("dashboard", "/dashboard/"),
        ("case list", "/cases/"),
        ("case page", f"/cases/{code}/"),
    ):

        def visit(path: str = path) -> None:
            answer = client.get(path)
            assert answer.status_code == 200, answer.status_code

        seconds = median_seconds(visit)
        with CaptureQueriesContext(connection) as queries:
            visit()
        found[name] = (seconds, len(queries))
    return found


def main() -> None:
    print(json.dumps(figures(int(sys.argv[1]))))


if __name__ == "__main__":
    from registry.embedded.postgres import THROW_AWAY, EmbeddedPostgres

    server = EmbeddedPostgres(Path(sys.argv[2]) / "postgres", settings=THROW_AWAY)
    server.hold()
    os.environ |= {
        "MYELON_LOCAL": "true",
        "DJANGO_SETTINGS_MODULE": "registry.settings",
        "DATABASE_URL": server.url(),
        "STATEMENT_TIMEOUT_MS": "0",
        "ALLOWED_HOSTS": "testserver",
    }
    import django

    django.setup()
    # Models can be imported once Django knows its settings.
    from django.core.management import call_command
    from django.db import connection, transaction
    from django.http import JsonResponse
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from rest_framework.test import APIClient

    from cases.models import Case
    from outcomes import facts, summaries
    from outcomes.api.fact_files import written
    from outcomes.deidentified import (
        Selection,
        deidentified,
        deidentified_columns,
    )
    from outcomes.models import CaseFacts, ReleasedFacts, Summary
    from outcomes.models.fact_columns import FACT_COLUMNS
    from outcomes.released import keep_up
    from outcomes.synthetic.load import analyse, load
    from outcomes.synthetic.parameters import Size
    from registry.actions import grant_role
    from registry.models import Centre, User
    from registry.permissions import Role
    from tests.benchmarks.summary_figures import summary_seconds

    try:
        main()
    finally:
        server.release()
