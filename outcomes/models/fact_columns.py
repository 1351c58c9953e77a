"""The columns of the facts: one list for table, SQL, API, codebook and exports.

Most are copied from a field of the record and keep its description; the others say
how they are derived. Their SQL speaks of the row sources that
``outcomes/sql/facts.sql`` builds.
"""

from __future__ import annotations

from outcomes.models.fact_column import FactColumn
from outcomes.models.outcome_columns import ENDPOINT_COLUMNS, WINDOW_COLUMNS
from outcomes.models.record_columns import (
    CODE_COLUMNS,
    MRI_COLUMNS,
    OPERATION_COLUMNS,
    PATIENT_COLUMNS,
    TUMOUR_COLUMNS,
)

FACT_COLUMNS: tuple[FactColumn, ...] = (
    *CODE_COLUMNS,
    *PATIENT_COLUMNS,
    *TUMOUR_COLUMNS,
    *MRI_COLUMNS,
    *OPERATION_COLUMNS,
    *WINDOW_COLUMNS,
    *ENDPOINT_COLUMNS,
)
COLUMN_BY_NAME = {column.name: column for column in FACT_COLUMNS}
