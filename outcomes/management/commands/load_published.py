from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from outcomes.importing.published import load


class Command(BaseCommand):
    help = "Enter the published cases and report, row by row, what was taken."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--report", type=Path, help="also write the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        reports = load()
        for report in reports:
            state = "already there" if report.already_there else "entered"
            self.stdout.write(f"{report.source_id} {state} as {report.case_code}")
            if report.taken:
                self.stdout.write(f"  taken: {', '.join(report.taken)}")
            for line in report.not_taken:
                self.stdout.write(f"  not taken: {line}")
        entered = sum(not report.already_there for report in reports)
        self.stdout.write(f"{len(reports)} rows, {entered} entered now")
        if options["report"]:
            content = [asdict(report) for report in reports]
            options["report"].write_text(
                json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8"
            )
