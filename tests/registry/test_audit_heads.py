"""The chain's end outside the database, and the commands of the trail."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from registry import audit, tasks
from registry.audit import heads
from registry.audit.sealing import seal_all
from registry.checks import heads_lie_outside
from registry.models import AuditEvent, Seal
from tests.registry.evidence import run, triggers_off

pytestmark = pytest.mark.django_db


@pytest.fixture
def kept(tmp_path: Path, settings: Any) -> Path:
    path = tmp_path / "outside" / "heads.jsonl"
    settings.AUDIT_HEADS = str(path)
    return path


def verify(*arguments: str) -> tuple[str, str]:
    """What the command says, and what it names; raises where the trail is broken."""
    out, err = io.StringIO(), io.StringIO()
    call_command("verify_audit", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def first_bad(*arguments: str) -> str:
    with pytest.raises(CommandError) as broken:
        verify(*arguments)
    return str(broken.value)


def events(count: int) -> None:
    for number in range(count):
        audit.record("case.read", target=f"TUM-{number}")
    seal_all()


def cut_the_end() -> None:
    with triggers_off():
        run("DELETE FROM registry_auditevent WHERE target = 'TUM-4'")
        run("DELETE FROM registry_seal")
    seal_all()


# --- written once a day


def test_the_head_is_written_once_a_day(kept: Path) -> None:
    assert heads.publish_if_due() is None  # nothing is sealed yet
    audit.record("case.read")
    tasks.seal_audit()
    tasks.seal_audit()
    assert heads.publish_if_due() is None
    assert heads.publish_if_due(date(2999, 1, 1)) is not None
    last = Seal.objects.latest("pk")
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    assert [(each["seal"], each["mac"]) for each in lines] == [(last.pk, last.mac)] * 2
    assert lines[0]["rows"] == AuditEvent.objects.count() == 1
    assert datetime.fromisoformat(lines[0]["at"]).date() == datetime.now(UTC).date()


def test_a_folder_that_refuses_does_not_stop_the_sealer(
    kept: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept.parent.write_text("a file, no folder")
    audit.record("case.read")
    tasks.seal_audit()
    assert Seal.objects.count() == 1
    assert "could not be written" in caplog.text


def test_production_without_a_place_for_the_heads_is_told(settings: Any) -> None:
    settings.LOCAL = False
    assert [each.id for each in heads_lie_outside(None)] == ["registry.W001"]
    settings.AUDIT_HEADS = "/var/lib/heads"
    assert heads_lie_outside(None) == []


# --- compared


def test_every_head_of_the_file_is_compared(kept: Path) -> None:
    events(5)
    heads.publish_if_due()
    events(1)
    heads.publish_if_due(date(2999, 1, 1))
    said, named = verify()
    assert said.splitlines()[:2] == [
        "6 rows under 2 seals, chain whole",
        "2 heads kept outside agree",
    ]
    assert named == ""
    cut_the_end()
    assert "known outside since" in first_bad()


def test_a_head_that_was_printed_is_compared() -> None:
    events(5)
    said = verify()[0].splitlines()[-1].removeprefix("head ")
    assert "chain whole" in verify("--head", said)[0]
    cut_the_end()
    assert "chain whole" in verify()[0]
    assert "known outside" in first_bad("--head", said)


def test_a_restored_backup_may_be_older_than_the_last_head(
    kept: Path, tmp_path: Path
) -> None:
    events(5)
    with triggers_off():
        heads.publish_if_due()
        later = heads.present_head()
        assert later
        heads.append(kept, heads.Head(later.at, later.seal + 9, "0" * 64, 99))
    assert f"seal {later.seal + 9}: known outside" in first_bad()
    assert "chain whole" in verify("--restored")[0]


@pytest.mark.parametrize("head", ["7", "x:y", "7:", "１:ab"])
def test_a_head_in_another_form_is_refused(head: str) -> None:
    assert "ID:MAC" in first_bad("--head", head)


def test_a_file_that_holds_no_heads_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "heads"
    file.write_text('{"seal": 1}\n')
    assert "line 1: not a head" in first_bad("--heads", str(file))
    assert "cannot be read" in first_bad("--heads", str(tmp_path / "none"))


def test_an_empty_trail_is_whole_and_says_that_no_head_is_kept() -> None:
    said, named = verify()
    assert said.startswith("0 rows under 0 seals, chain whole")
    assert "cut end would not be seen" in named


# --- sealing anew


def test_a_table_is_sealed_anew_with_a_reason() -> None:
    events(5)
    call_command("seal_anew", "registry_auditevent", "--reason", "texts rewritten")
    assert AuditEvent.objects.filter(action="audit.sealed_anew").count() == 1
    assert verify()[0].startswith("6 rows under 3 seals")
    assert Seal.objects.exclude(reason="").get().reason == "texts rewritten"


@pytest.mark.parametrize("table", ["cases_case", "nothing"])
def test_only_evidence_is_sealed_anew(table: str) -> None:
    with pytest.raises(CommandError, match="no table of evidence"):
        call_command("seal_anew", table, "--reason", "x")
    with pytest.raises(CommandError, match="Give the reason"):
        call_command("seal_anew", "registry_auditevent", "--reason", " ")
