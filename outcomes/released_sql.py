"""The view of the released facts as SQL: each column by its kind of release.

``facts`` is the analysis table, ``told`` the row of levels that belongs to it.
"""

from __future__ import annotations

from outcomes.models.fact_column import FactColumn, Kind, Release
from outcomes.models.fact_columns import COLUMN_BY_NAME, FACT_COLUMNS
from outcomes.quasi_identifiers import (
    OLDEST_AGE,
    PLACE,
    QUASI_IDENTIFIERS,
    SEPARATOR,
    QuasiIdentifier,
)

OTHER = "other"
WITHHELD = "withheld"
TYPES = {
    Kind.TEXT: "varchar",
    Kind.WHOLE: "integer",
    Kind.NUMBER: "double precision",
    Kind.FLAG: "boolean",
    Kind.DATE: "date",
}
# Codes that rows are told by as pseudonyms, whose key must not stand in the database.
INSIDE = ("patient_code",)
OWN = ("case_id", "centre_id", "definition", "refreshed_at", "pseudonym")


def view_sql() -> str:
    """The SELECT of the view: the columns of :class:`ReleasedFacts` by name."""
    columns = [
        *(f'facts."{name}"' for name in OWN),
        *(f'{column_sql(column)} AS "{column.name}"' for column in FACT_COLUMNS),
        *(
            f'{last_of_band_sql(found)} AS "{found.name}_to"'
            for found in QUASI_IDENTIFIERS
            if found.steps
        ),
        f"{withheld_sql()} AS withheld",
    ]
    joined = ",\n  ".join(columns)
    return (
        f"SELECT\n  {joined}\nFROM outcomes_casefacts AS facts\n"
        f"LEFT JOIN outcomes_releaselevel AS told ON told.values_key = {key_sql()}\n"
        "WHERE facts.consent_research IS DISTINCT FROM 'withdrawn'"
    )


def column_sql(column: FactColumn) -> str:
    """The value as it is released; nothing where it would tell a withheld one."""
    if column.release == Release.DROP and column.name not in INSIDE:
        return f"NULL::{TYPES[column.kind]}"
    if column.name in PLACE:
        return value_sql(QUASI_IDENTIFIERS[PLACE[column.name]])
    released = transformed_sql(column)
    for found in QUASI_IDENTIFIERS:
        if found.is_told_with(column.name):
            why = f"'{WITHHELD}'" if column.name.endswith("_missing") else "NULL"
            return f"CASE WHEN {is_told_sql(found)} THEN {released} ELSE {why} END"
    return released


def transformed_sql(column: FactColumn) -> str:
    """As it is, or rounded, or rare values as one."""
    name = f'facts."{column.name}"'
    if column.release == Release.ROUND:
        step = column.step
        return (
            f"(CASE WHEN {name} > 0"
            f" THEN greatest(round({name}::numeric / {step}), 1)"
            f" ELSE round({name}::numeric / {step}) END * {step})"
            f"::{TYPES[column.kind]}"
        )
    if column.release == Release.GROUP_RARE and column.kind == Kind.TEXT:
        return (
            f"CASE WHEN {name} IN (SELECT value FROM outcomes_commonvalue"  # noqa: S608
            f" WHERE \"column\" = '{column.name}') THEN {name}"
            f" WHEN {name} IS NOT NULL THEN '{OTHER}' END"
        )
    return name


def finest_sql(found: QuasiIdentifier) -> str:
    """The value at its finest level: of a band its first number."""
    if not found.steps:
        return transformed_sql(COLUMN_BY_NAME[found.name])
    number = f'facts."{found.name}"'
    if found.name == "age_at_surgery":
        # Not least(), which takes the limit where there is no age.
        number = (
            f"(CASE WHEN {number} > {OLDEST_AGE} THEN {OLDEST_AGE} ELSE {number} END)"
        )
    return band_sql(number, found.steps[0])


def band_sql(number: str, step: int) -> str:
    return f"({number} - mod({number}, {step}))"


def key_sql() -> str:
    """The finest values in one text, as ``ReleaseLevel.values_key`` has them."""
    parts = (f"coalesce({finest_sql(found)}::text, '')" for found in QUASI_IDENTIFIERS)
    return f"concat_ws('{SEPARATOR}', {', '.join(parts)})"


def level_sql(found: QuasiIdentifier) -> str:
    """The level of a row; the last one where its values have no row of levels."""
    place = PLACE[found.name] + 1
    return f"coalesce(told.levels[{place}], {found.withheld})"


def is_told_sql(found: QuasiIdentifier) -> str:
    return f"{level_sql(found)} < {found.withheld}"


def value_sql(found: QuasiIdentifier) -> str:
    finest = finest_sql(found)
    if not found.steps:
        return f"CASE WHEN {is_told_sql(found)} THEN {finest} END"
    branches = " ".join(
        f"WHEN {level} THEN {band_sql(finest, step)}"
        for level, step in enumerate(found.steps)
    )
    return f"CASE {level_sql(found)} {branches} END"


def last_of_band_sql(found: QuasiIdentifier) -> str:
    """The last number of the band; nothing where the band is open or withheld."""
    first = value_sql(found)
    branches = " ".join(
        f"WHEN {level} THEN {step}" for level, step in enumerate(found.steps)
    )
    last = f"({first}) + CASE {level_sql(found)} {branches} END - 1"
    if found.name != "age_at_surgery":
        return last
    return f"CASE WHEN {last} < {OLDEST_AGE} THEN {last} END"


def withheld_sql() -> str:
    """The names of the values that are withheld, with spaces between; else nothing."""
    parts = (
        f"CASE WHEN NOT {is_told_sql(found)} THEN '{found.name}' END"
        for found in QUASI_IDENTIFIERS
    )
    return f"nullif(concat_ws(' ', {', '.join(parts)}), '')"
