"""Facts as a file, made by one COPY: as fast as the database, with flat memory.

The file is complete before the first byte is sent. A stream that breaks off after its
"200" would leave a cohort that looks whole.
"""

from __future__ import annotations

import errno
import logging
import tempfile
from dataclasses import dataclass
from typing import IO, Any

import pyarrow
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _
from pyarrow import csv, parquet
from rest_framework.exceptions import APIException

from outcomes.deidentified import Selection
from outcomes.facts import without_time_limit
from outcomes.models.fact_column import FactColumn, Kind

logger = logging.getLogger(__name__)
ROWS_IN_GROUP = 50_000
BYTES_IN_BLOCK = 8 * 1024 * 1024


@dataclass(frozen=True)
class FileForm:
    """A form in which facts are offered."""

    content_type: str
    suffix: str


FORMATS = {
    "csv": FileForm("text/csv", "csv"),
    "ndjson": FileForm("application/x-ndjson", "ndjson"),
    "parquet": FileForm("application/vnd.apache.parquet", "parquet"),
}
YES, NO = "'TRUE'", "'FALSE'"
# Characters that no value holds, so that COPY writes each JSON line as it is.
PLAIN = "FORMAT csv, QUOTE e'\\x01', DELIMITER e'\\x02'"
TYPES = {
    Kind.TEXT: pyarrow.string(),
    Kind.WHOLE: pyarrow.int64(),
    Kind.NUMBER: pyarrow.float64(),
    Kind.FLAG: pyarrow.bool_(),
    Kind.DATE: pyarrow.date32(),
}


class StorageFull(APIException):
    """The server has no room for the file; nothing was sent."""

    status_code = 507
    default_code = "storage_full"
    default_detail = _("The server has no room for this file. Tell the administrator.")


def written(
    selection: Selection, columns: tuple[FactColumn, ...], form: str
) -> tuple[IO[bytes], int]:
    """The file, at its beginning, and its number of rows. It vanishes when closed."""
    try:
        return in_form(selection, columns, form)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        logger.exception("no room for a file of facts")
        raise StorageFull from error


def in_form(
    selection: Selection, columns: tuple[FactColumn, ...], form: str
) -> tuple[IO[bytes], int]:
    if form == "ndjson":
        sql = f"SELECT row_to_json(facts) FROM ({selected(columns)}) AS facts"  # noqa: S608
        return copied(selection, sql, columns, PLAIN)
    content, count = copied(
        selection, selected(columns, texts=True), columns, "FORMAT csv, HEADER"
    )
    if form == "parquet":
        with content:
            return as_parquet(content, columns), count
    return content, count


def selected(columns: tuple[FactColumn, ...], texts: bool = False) -> str:
    """SELECT over ``source``; with ``texts``, flags are TRUE and FALSE.

    So R and pandas read them as logical; "true" stays a text in base R, "t" everywhere.
    """
    names = [
        f'CASE WHEN "{column.name}" THEN {YES} WHEN NOT "{column.name}" THEN {NO} END'
        f' AS "{column.name}"'
        if texts and column.kind == Kind.FLAG
        else f'"{column.name}"'
        for column in columns
    ]
    return f"SELECT {', '.join(names)} FROM source"  # noqa: S608


def copied(
    selection: Selection, sql: str, columns: tuple[FactColumn, ...], options: str
) -> tuple[IO[bytes], int]:
    """COPY the selection into a temporary file."""
    content = tempfile.TemporaryFile()
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            without_time_limit()
            names = ", ".join(f'"{column.name}"' for column in columns)
            inner = cursor.mogrify(*selection.rows.query.sql_with_params()).decode()
            cursor.copy_expert(
                f"COPY (WITH source({names}) AS ({inner}) {sql}) TO STDOUT ({options})",
                content,
            )
            count: int = cursor.rowcount
    except BaseException:
        content.close()
        raise
    content.seek(0)
    return content, count


def as_parquet(content: IO[bytes], columns: tuple[FactColumn, ...]) -> Any:
    """The CSV as Parquet, typed, in row groups."""
    types = {column.name: TYPES[column.kind] for column in columns}
    target = tempfile.TemporaryFile()
    schema = pyarrow.schema(list(types.items()))
    reader = csv.open_csv(
        content,
        read_options=csv.ReadOptions(block_size=BYTES_IN_BLOCK),
        convert_options=csv.ConvertOptions(
            column_types=types,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    with parquet.ParquetWriter(target, schema) as writer:
        for batch in reader:
            writer.write_batch(batch, row_group_size=ROWS_IN_GROUP)
    target.seek(0)
    return target
