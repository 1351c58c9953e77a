"""Loads drawn columns by ``COPY``: constraints hold, triggers write the history."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from django.db import connection, models, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from cases.models import (
    Case,
    Complication,
    MriStudy,
    Operation,
    Patient,
    PatientIdentity,
)
from outcomes.models import Recurrence, Visit, VitalStatus
from outcomes.synthetic import follow_up, parameters
from outcomes.synthetic.draw import (
    Array,
    Columns,
    draw_course,
    draw_patients,
    draw_tumours,
    where,
)
from registry.fields import WordsField
from registry.history import sign_history
from registry.models.clinical import CODE_ALPHABET, ClinicalRecord

BATCH = 20_000
# A larger registry is loaded without triggers: no history of rows that nobody changed,
# and foreign keys checked once at the end instead of row by row.
MOST_WITH_TRIGGERS = 20_000
LETTERS = np.array(list(CODE_ALPHABET), dtype=object)
# Cells that may go missing, with their companions that then go too.
MAY_BE_MISSING: dict[type[models.Model], dict[str, tuple[str, ...]]] = {
    Patient: {"nf_status": ("nf_basis",), "asa_class": ()},
    Case: {
        "symptom_duration_months": (),
        "size_tr_mm": ("volume_cm3", "volume_method"),
    },
    MriStudy: {
        "t1_signal": (),
        "t2_signal": (),
        "border": (),
        "haemosiderin": (),
        "cord_displacement": (),
    },
    Operation: {"blood_loss_ml": (), "dissection_plane": (), "eor_percent": ()},
    Visit: {
        "mmcs": ("mmcs_version",),
        "gait": (),
        "joa_bladder": (),
        "pain_present": (
            "pain_distribution",
            "pain_nrs_kind",
            "pain_segmental_nrs",
            "pain_local_nrs",
        ),
    },
}
NOTHING: dict[str, tuple[str, ...]] = {}


TABLES: tuple[type[models.Model], ...] = (
    Patient,
    PatientIdentity,
    Case,
    Operation,
    MriStudy,
    Complication,
    Visit,
    Recurrence,
    VitalStatus,
)


@dataclass(frozen=True)
class Loaded:
    """How many rows of each table were written."""

    rows: dict[str, int]


def unique_codes(model: type[ClinicalRecord], first: int, count: int) -> Array:
    """Codes that look random and never repeat within a seed: a full-period walk."""
    length = model.CODE_LENGTH
    modulus = 32**length
    step = 0x9E3779B1 | 1
    numbers = np.arange(first, first + count, dtype=np.uint64)
    walked = (numbers * np.uint64(step) + np.uint64(0x51ED27)) % np.uint64(modulus)
    codes = np.full(count, f"{model.CODE_PREFIX}-", dtype=object)
    for place in range(length):
        digits = (walked >> np.uint64(5 * place)) & np.uint64(31)
        codes += LETTERS[digits.astype(int)]
    return codes


def reserve(model: type[models.Model], count: int) -> Array:
    """Primary keys for ``count`` new rows, taken from the table's sequence."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(s, nextval(s) + %s - 1) FROM (SELECT pg_get_serial_sequence"
            "(%s, 'id')::regclass AS s) AS q",
            [count, table],
        )
        last = cursor.fetchone()[0]
    return np.arange(last - count + 1, last + 1)


# By row of a table: reasons that stand before any cell is blanked.
Reasons = dict[int, dict[str, str]]


def absent_rows(count: int, visits: Columns, later_mri: Columns) -> Reasons:
    """Why a case has no visit at discharge, or no MRI after the operation."""
    seen = visits["case"][visits["visit_type"] == "discharge"]
    absent: Reasons = {}
    for name, there in (("discharge_visit", seen), ("postop_mri", later_mri["case"])):
        for row in np.setdiff1d(np.arange(count), there).tolist():
            absent.setdefault(row, {})[name] = "not_done"
    return absent


def make_missing(
    rng: np.random.Generator,
    columns: Columns,
    model: type[models.Model],
    absent: Reasons,
) -> None:
    """Blank a few cells, each with its reason in the row's ``missing`` map.

    ``absent``: reasons of the cases for rows that they do not have.
    """
    names = [n for n in MAY_BE_MISSING.get(model, NOTHING) if n in columns]
    count = len(next(iter(columns.values())))
    missing = absent if model is Case else {}
    for name in names:
        here = ~is_missing(columns[name])
        for reason, share in parameters.MISSING.items():
            chosen = np.nonzero((rng.random(count) < share) & here)[0]
            here[chosen] = False
            for each in (name, *MAY_BE_MISSING[model][name]):
                columns[each] = blanked(columns[each], chosen)
            for row in chosen.tolist():
                missing.setdefault(row, {})[name] = reason
    maps = np.full(count, "{}", dtype=object)
    for row, reasons in missing.items():
        maps[row] = json.dumps(reasons)
    columns["missing"] = maps


def is_missing(column: Array) -> Array:
    """Where a column has no value."""
    if column.dtype.kind == "f":
        return np.isnan(column)
    if column.dtype.kind == "O":
        return np.array([value is None for value in column])
    return np.zeros(len(column), dtype=bool)


def blanked(column: Array, rows: Array) -> Array:
    """The column without values in those rows."""
    numbers = column.dtype.kind in "iuf"
    column = column.astype(float if numbers else object)
    column[rows] = np.nan if numbers else None
    return column


def complete_columns(
    model: type[models.Model], columns: Columns, first: int, by: int
) -> Columns:
    """Bookkeeping columns, and the defaults of those that were not drawn."""
    count = len(next(iter(columns.values())))
    now = timezone.now().isoformat()
    filled = dict(columns)
    names = {field.attname for field in model._meta.local_concrete_fields}
    if issubclass(model, ClinicalRecord):
        filled["code"] = unique_codes(model, first, count)
        filled |= {
            name: np.full(count, value, dtype=object)
            for name, value in {
                "created_at": now,
                "created_by_id": by,
                "updated_at": now,
                "updated_by_id": by,
                "void_reason": "",
                "version": 1,
            }.items()
        }
        filled.setdefault("missing", np.full(count, "{}", dtype=object))
    filled.setdefault("precision", np.full(count, "{}", dtype=object))
    for field in model._meta.local_concrete_fields:
        if isinstance(field, WordsField) and field.attname not in filled:
            filled[field.attname] = np.full(count, "", dtype=object)
    return {name: column for name, column in filled.items() if name in names}


def copy_in(model: type[models.Model], columns: Columns) -> int:
    """Write the columns to the model's table."""
    arrays = {name: arrow(column) for name, column in columns.items()}
    table = pa.table(arrays)
    sink = io.BytesIO()
    options = pa_csv.WriteOptions(include_header=False, quoting_style="all_valid")
    pa_csv.write_csv(table, sink, options)
    sink.seek(0)
    by_attname = {field.attname: field.column for field in model._meta.concrete_fields}
    quoted = ", ".join(f'"{by_attname[name]}"' for name in arrays)
    with connection.cursor() as cursor:
        cursor.copy_expert(
            f'COPY "{model._meta.db_table}" ({quoted}) FROM STDIN WITH (FORMAT csv)',
            sink,
        )
    return int(table.num_rows)


def arrow(column: Array) -> pa.Array:
    """An Arrow array; NaN, NaT and None are null, whole floats lose their point."""
    if column.dtype.kind == "f":
        whole = np.isnan(column) | (column == np.round(column))
        if whole.all():
            mask = np.isnan(column)
            return pa.array(where(mask, 0, column).astype(np.int64), mask=mask)
        return pa.array(column, from_pandas=True)
    return pa.array(column, from_pandas=True)


def load_batch(
    rng: np.random.Generator,
    count: int,
    forced_ims: int,
    first: int,
    centres: Array,
    by: int,
) -> dict[str, int]:
    """Draw and write one batch of cases, in one transaction."""
    course = draw_course(rng, count, forced_ims)
    patient, tumour = draw_patients(rng, course), draw_tumours(rng, course)
    born = patient.pop("birth_date")
    home = centres[rng.integers(0, len(centres), count)]
    patient_id, case_id = reserve(Patient, count), reserve(Case, count)
    operation_id = reserve(Operation, count)
    before = follow_up.draw_preoperative_mri(rng, course, tumour)
    after, events = follow_up.draw_later_mri(rng, course)
    visits = follow_up.draw_visits(rng, course, tumour["region"])
    visits["sensory_level"] = where(
        visits["sensory_deficit"] == "none",
        None,
        tumour["level_rostral"][visits["case"]],
    )
    vital = follow_up.draw_vital_status(course)
    adverse = follow_up.draw_complications(rng, course)
    operation = follow_up.draw_operations(rng, course, tumour)
    patient |= {"id": patient_id, "centre_id": home}
    tumour |= {
        "id": case_id,
        "patient_id": patient_id,
        "centre_id": home,
        "status": np.full(count, "complete", dtype=object),
    }
    tumour.pop("region")
    operation |= {"id": operation_id, "case_id": case_id}
    absent = absent_rows(count, visits, after)
    for rows in (before, after, events, visits):
        rows["case_id"] = case_id[rows.pop("case")]
    vital["patient_id"] = patient_id[vital.pop("case")]
    adverse["operation_id"] = operation_id[adverse.pop("case")]
    tables: list[tuple[type[models.Model], Columns]] = [
        (Patient, patient),
        (PatientIdentity, identities(patient_id, home, born, first, by)),
        (Case, tumour),
        (Operation, operation),
        (MriStudy, before),
        (MriStudy, after),
        (Complication, adverse),
        (Visit, visits),
        (Recurrence, events),
        (VitalStatus, vital),
    ]
    with transaction.atomic():
        sign_history(by)
        return write(rng, tables, first, by, absent)


def write(
    rng: np.random.Generator,
    tables: list[tuple[type[models.Model], Columns]],
    first: int,
    by: int,
    absent: Reasons,
) -> dict[str, int]:
    """COPY the tables in their order; code numbers leave room for every later batch."""
    written: dict[str, int] = {}
    for model, columns in tables:
        name = model._meta.model_name or ""
        if len(next(iter(columns.values()))) == 0:
            continue
        if issubclass(model, ClinicalRecord):
            make_missing(rng, columns, model, absent)
        start = first * 16 + written.get(name, 0)
        rows = copy_in(model, complete_columns(model, columns, start, by))
        written[name] = written.get(name, 0) + rows
    return written


def identities(
    patient_id: Array, where: Array, born: Array, first: int, by: int
) -> Columns:
    """Names that nobody can take for a person's."""
    count = len(patient_id)
    numbers = [f"{number:07d}" for number in range(first, first + count)]
    return {
        "patient_id": patient_id,
        "centre_id": where,
        "family_name": np.full(count, "Synthetic", dtype=object),
        "given_name": np.array([f"Patient {n}" for n in numbers], dtype=object),
        "birth_date": born,
        "hospital_number": np.array([f"SYN-{n}" for n in numbers], dtype=object),
        "version": np.ones(count, dtype=int),
        "updated_at": np.full(count, timezone.now().isoformat(), dtype=object),
        "updated_by_id": np.full(count, by, dtype=int),
    }


def load(
    size: parameters.Size,
    centres: list[int],
    by: int,
    progress: Callable[[int], None] = lambda done: None,
) -> Loaded:
    """Make the registry in batches; the same seed gives the same cases."""
    totals: dict[str, int] = {}
    bare = size.cases > MOST_WITH_TRIGGERS
    if bare:
        set_triggers("replica")
    for number, (first, count) in enumerate(batches(size.cases)):
        rng = np.random.default_rng([size.seed, number])
        forced = min(count, size.least_ims_with_gtr) if number == 0 else 0
        written = load_batch(rng, count, forced, first, np.array(centres), by)
        for name, rows in written.items():
            totals[name] = totals.get(name, 0) + rows
        progress(first + count)
    if bare:
        set_triggers("origin")
        check_foreign_keys()
    return Loaded(totals)


def set_triggers(role: str) -> None:
    """``replica`` loads without triggers, ``origin`` with them, in this connection."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('session_replication_role', %s, false)", [role]
        )


def check_foreign_keys() -> None:
    """Every reference of the loaded tables must exist; raises if one does not."""
    for model in TABLES:
        for field in model._meta.local_concrete_fields:
            if not isinstance(field, models.ForeignKey):
                continue
            referred: Any = field.related_model
            here = referred._default_manager.filter(pk=OuterRef(field.attname))
            lost = model._default_manager.filter(
                ~Exists(here), **{f"{field.attname}__isnull": False}
            )
            if lost.exists():
                raise RuntimeError(f"{model.__name__}.{field.name} refers to nothing")


def analyse() -> None:
    """Tell the planner what was loaded; without it, deriving facts takes minutes."""
    with connection.cursor() as cursor:
        for model in TABLES:
            cursor.execute(f'ANALYZE "{model._meta.db_table}"')


def batches(cases: int) -> Iterator[tuple[int, int]]:
    """(number of the first case, count) of each batch."""
    for first in range(0, cases, BATCH):
        yield first, min(BATCH, cases - first)
