"""Evidence attacked table by table, as the application's role and as a superuser.

The tables come from the database's catalogue, never from the code that protects them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import DatabaseError
from pytest_django.plugin import DjangoDbBlocker

from registry.audit import heads
from registry.audit.evidence import sealed_tables
from registry.audit.sealing import seal_all
from registry.management.commands.prepare_deployment import (
    append_only_tables,
    grant_application_role,
)
from registry.models import AuditEvent, Seal
from tests.registry.evidence import (
    Table,
    all_tables,
    as_application,
    columns,
    evidence_tables,
    found,
    rows,
    rows_of_evidence,
    run,
    sealed_registry,
    something_else,
    tracked_tables,
    triggers_off,
    undone,
)
from tests.registry_in_module import held

pytestmark = pytest.mark.django_db
REFUSALS = ("append-only", "Cannot", "permission denied", "only be updated to DEFAULT")
# Working state: each is written anew all the time, and what matters of it is an event.
NO_EVIDENCE = {
    "the lockout's counters; sign-ins are events": {
        "axes_accessattempt",
        "axes_accessattemptexpiration",
        "axes_accessfailurelog",
        "axes_accesslog",
    },
    "people, rights, sessions and tokens; each change is an event": {
        "account_emailaddress",
        "account_emailconfirmation",
        "auth_group",
        "auth_group_permissions",
        "auth_permission",
        "django_session",
        "knox_authtoken",
        "mfa_authenticator",
        "registry_apitoken",
        "registry_centre",
        "registry_detailgrant",
        "registry_membership",
        "registry_user",
        "registry_user_groups",
        "registry_user_user_permissions",
        "usersessions_usersession",
    },
    "what can be derived again, or is asked for once": {
        "cases_draft",
        "django_cache",
        "django_content_type",
        "django_migrations",
        "outcomes_askedsummary",
        "outcomes_casechange",
        "outcomes_casefacts",
        "outcomes_changecount",
        "outcomes_commonvalue",
        "outcomes_poolanswer",
        "outcomes_poolcopy",
        "outcomes_poolfacts",
        "outcomes_pseudonymkey",
        "outcomes_releaselevel",
        "outcomes_releasestate",
        "outcomes_summary",
        "registry_askedmail",
        "registry_submission",
        "registry_workerheartbeat",
    },
}


@pytest.fixture(scope="module", autouse=True)
def _registry(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    with held(django_db_blocker):
        sealed_registry()
        assert found() == []
        yield


def newest(table: Table) -> int:
    return int(rows(f'SELECT max("{table.key}") FROM "{table.name}"')[0][0])


# --- which tables


def test_every_table_is_clinical_evidence_or_said_to_be_neither() -> None:
    """A new table is a decision: its rows are tracked, are evidence, or neither."""
    neither = set().union(*NO_EVIDENCE.values())
    known = set(evidence_tables()) | set(tracked_tables().values()) | neither
    assert all_tables() - known == set()


def test_the_code_seals_what_the_catalogue_calls_evidence() -> None:
    assert {each.table for each in sealed_tables()} == {
        each.name for each in rows_of_evidence()
    }
    assert set(append_only_tables()) == set(evidence_tables())
    assert len(evidence_tables()) >= 12
    for table in rows_of_evidence():
        assert newest(table), table.name


# --- T1: refused


def refused(statement: str) -> bool:
    try:
        with undone():
            run(statement)
    except DatabaseError as error:
        return any(words in str(error) for words in REFUSALS)
    return False


def attempts(table: str) -> Iterator[str]:
    for column, kind in columns(table).items():
        if kind != "bytea":
            yield f'UPDATE "{table}" SET "{column}" = {something_else(column, kind)}'
    yield f'DELETE FROM "{table}"'
    yield f'TRUNCATE "{table}"'
    yield f'TRUNCATE "{table}" CASCADE'


def test_T1_every_table_of_evidence_refuses_whoever_owns_it() -> None:
    taken = [
        statement
        for table in evidence_tables()
        for statement in attempts(table)
        if not refused(statement)
    ]
    assert taken == []


def test_T1_the_application_s_role_may_only_add() -> None:
    run("CREATE ROLE test_application_role")
    grant_application_role("test_application_role")
    with as_application():
        for table in evidence_tables():
            assert [each for each in attempts(table) if not refused(each)] == []
            assert rights(table) == {"SELECT", "INSERT"}
            assert [each for each in switches(table) if not forbidden(each)] == []


def rights(table: str) -> set[str]:
    names = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER")
    asked = "SELECT has_table_privilege(current_user, %s, %s)"
    return {name for name in names if rows(asked, [f'"{table}"', name]) == [(True,)]}


def switches(table: str) -> list[str]:
    """Ways past the triggers."""
    return [
        "SET session_replication_role = replica",
        f'ALTER TABLE "{table}" DISABLE TRIGGER ALL',
        f'DROP TABLE "{table}"',
        f'CREATE RULE past AS ON INSERT TO "{table}" DO INSTEAD NOTHING',
        "ALTER FUNCTION _pgh_attach_context() RENAME TO nothing",
        "ALTER FUNCTION audit_refuse() RENAME TO nothing",
    ]


def forbidden(statement: str) -> bool:
    try:
        with undone():
            run(statement)
    except DatabaseError as error:
        return "permission denied" in str(error) or "must be owner" in str(error)
    return False


def test_the_application_s_role_writes_and_seals() -> None:
    run("CREATE ROLE test_application_role")
    grant_application_role("test_application_role")
    with as_application():
        by = sealed_registry()
        assert found() == []
    assert by.pk


# --- T2: found


def by_place(tables: dict[Any, list[str]]) -> Iterator[list[tuple[Any, str]]]:
    """The first columns of all tables, then the second ones: few rounds see all."""
    for place in range(max(map(len, tables.values()))):
        yield [
            (table, names[place])
            for table, names in tables.items()
            if place < len(names)
        ]


def test_T2_every_column_of_every_table_is_under_the_seal() -> None:
    tables = {
        table: [name for name in columns(table.name) if name != table.key]
        for table in rows_of_evidence()
    }
    unseen = []
    for attacked in by_place(tables):
        with undone(), triggers_off():
            for table, column in attacked:
                alter(table, column, newest(table))
            lines = found()
        unseen += [
            (table.name, column)
            for table, column in attacked
            if f"{table.name} {newest(table)}: was altered" not in lines
        ]
    assert unseen == []


def alter(table: Table, column: str, number: int) -> None:
    value = something_else(column, columns(table.name)[column])
    run(
        f'UPDATE "{table.name}" SET "{column}" = {value} WHERE "{table.key}" = {number}'
    )


def deleted(table: Table) -> str:
    number = newest(table)
    run(f'DELETE FROM "{table.name}" WHERE "{table.key}" = {number}')
    return f"{table.name} {number}: is missing"


def emptied(table: Table) -> str:
    first = rows(f'SELECT min("{table.key}") FROM "{table.name}"')[0][0]
    run(f'DELETE FROM "{table.name}"')
    return f"{table.name} {first} to"


def inserted_below(table: Table) -> str:
    copy_of_newest(table, -7)
    return f"{table.name} -7: was inserted later"


def inserted_beyond(table: Table) -> str:
    copy_of_newest(table, 2**31 - 1)
    return f"{table.name} {2**31 - 1}: was inserted later"


def copy_of_newest(table: Table, number: int) -> None:
    """A row like the newest one, under a number of the attacker's choice."""
    names = [
        f'"{name}"'
        for name in columns(table.name)
        if name != table.key and not (name == "id" and table.key == "number")
    ]
    more = ('"id", ', "gen_random_uuid(), ") if table.key == "number" else ("", "")
    run(
        f'INSERT INTO "{table.name}" ("{table.key}", {more[0]}{", ".join(names)})'
        f" OVERRIDING SYSTEM VALUE SELECT {number}, {more[1]}{', '.join(names)}"
        f' FROM "{table.name}" WHERE "{table.key}" = {newest(table)}'
    )


def swapped(table: Table) -> str:
    """The two newest rows change their places."""
    if table.key == "number":
        run(f'ALTER TABLE "{table.name}" ALTER number DROP IDENTITY')
    older, newer = sorted(
        number
        for (number,) in rows(
            f'SELECT "{table.key}" FROM "{table.name}" ORDER BY 1 DESC LIMIT 2'
        )
    )
    for here, there in ((older, -1), (newer, older), (-1, newer)):
        run(
            f'UPDATE "{table.name}" SET "{table.key}" = {there}'
            f' WHERE "{table.key}" = {here}'
        )
    span = f"{older} to {newer}" if newer == older + 1 else str(older)
    return f"{table.name} {span}: was altered"


@pytest.mark.parametrize(
    "attack", [deleted, emptied, inserted_below, inserted_beyond, swapped]
)
def test_T2_a_superuser_s_attack_on_any_table_is_named(
    attack: Callable[[Table], str],
) -> None:
    for table in rows_of_evidence():
        with undone():
            with triggers_off():
                named = attack(table)
            assert any(line.startswith(named) for line in found()), (named, found())
    assert found() == []


def test_T2_another_person_blamed_is_named() -> None:
    with triggers_off():
        run("UPDATE pghistory_context SET metadata = metadata || '{\"user\": -7}'")
    assert any("pghistory_context" in each and "altered" in each for each in found())


def key_of(table: str) -> str:
    return "id" if "id" in columns(table) else "patient_id"


def test_T2_a_row_changed_past_its_triggers_is_named() -> None:
    """Table by table: changed, deleted, and inserted without a history."""
    for history, table in tracked_tables().items():
        number = rows(f'SELECT max(pgh_obj_id) FROM "{history}"')[0][0]
        key = key_of(table)
        where = f'WHERE "{key}" = {number}'
        attacks = {
            f'UPDATE "{table}" SET version = version + 1 {where}': (
                f"{table} {number}: is not what its history says"
            ),
            f'DELETE FROM "{table}" {where}': (
                f"{table} {number}: is gone, its history does not say so"
            ),
            f'UPDATE "{table}" SET "{key}" = 987654321 {where}': (
                f"{table} 987654321: has no history"
            ),
        }
        for attack, named in attacks.items():
            with undone():
                with triggers_off():
                    assert run(attack) == 1, attack
                assert named in found()


def test_every_column_of_a_record_is_compared_with_its_history() -> None:
    """The history is what is altered here: it has no checks that refuse a value."""
    tables = {
        history: [name for name in columns(table) if name in columns(history)]
        for history, table in tracked_tables().items()
    }
    compared = {
        history: [name for name in names if name != key_of(tracked_tables()[history])]
        for history, names in tables.items()
    }
    unseen = []
    for attacked in by_place(compared):
        with undone(), triggers_off():
            said = []
            for history, column in attacked:
                number, row = rows(
                    f'SELECT pgh_id, pgh_obj_id FROM "{history}"'
                    " ORDER BY pgh_id DESC LIMIT 1"
                )[0]
                alter(Table(history, "pgh_id"), column, number)
                table = tracked_tables()[history]
                said.append(f"{table} {row}: is not what its history says")
            lines = found()
        unseen += [
            pair for pair, line in zip(attacked, said, strict=True) if line not in lines
        ]
    assert unseen == []


# --- the seals themselves


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE registry_seal SET spans = '[]' WHERE id = {last}",
        "UPDATE registry_seal SET digest = repeat('0', 64) WHERE id = {last}",
        "UPDATE registry_seal SET awaited = '[[1, 99, 1, 1]]' WHERE id = {last}",
        "UPDATE registry_seal SET upto = upto + 1 WHERE id = {last}",
        "UPDATE registry_seal SET mac = repeat('0', 64) WHERE id = {last}",
        "UPDATE registry_seal SET reason = 'as agreed' WHERE id = {last}",
        "DELETE FROM registry_seal WHERE id = {last} - 1",
        "DELETE FROM registry_seal WHERE id = (SELECT min(id) FROM registry_seal)",
    ],
)
def test_T2_an_attacked_seal_is_named(attack: str) -> None:
    last = Seal.objects.latest("pk").pk
    with triggers_off():
        assert run(attack.format(last=last)) == 1
    assert any(each.startswith(f"seal {last}") or "seal" in each for each in found())


def cut_the_end() -> None:
    """The newest event and everything that knew of it."""
    number = AuditEvent.objects.latest("pk").pk
    with triggers_off():
        run(f"DELETE FROM registry_auditevent WHERE id = {number}")
        run(
            "DELETE FROM registry_seal WHERE id >= (SELECT min(id) FROM registry_seal"
            " WHERE \"table\" = 'registry_auditevent')"
        )
    seal_all()


def test_T2_a_cut_end_is_found_by_the_head_kept_outside() -> None:
    head = heads.present_head()
    assert head
    assert found([head]) == []
    cut_the_end()
    assert found() == []  # which is why the head is kept outside
    assert found([head]) == [
        f"seal {head.seal}: known outside since {head.at}, missing or altered here"
    ]


def test_T2_a_trail_written_anew_is_found_by_the_head() -> None:
    head = heads.present_head()
    assert head
    with triggers_off():
        run("TRUNCATE registry_seal RESTART IDENTITY")
    seal_all()
    assert found() == []
    assert len(found([head])) == 1
