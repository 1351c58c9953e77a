"""The columns of the facts: one list for table, SQL, API, codebook and exports.

Most are copied from a field of the record and keep its description; the others say
how they are derived. Their SQL speaks of the row sources that
``outcomes/sql/facts/`` builds.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from outcomes.models.coarseness import coarse
from outcomes.models.course_columns import COURSE_COLUMNS
from outcomes.models.endpoint_columns import ENDPOINT_COLUMNS
from outcomes.models.fact_column import FactColumn, Kind
from outcomes.models.mri_columns import MRI_COLUMNS
from outcomes.models.outcome_columns import score_columns
from outcomes.models.pain_columns import pain_columns
from outcomes.models.record_columns import (
    CODE_COLUMNS,
    OPERATION_COLUMNS,
    PATIENT_COLUMNS,
    TUMOUR_COLUMNS,
)
from outcomes.models.score_columns import other_scores
from outcomes.schedule import STATES
from outcomes.windows import WINDOWS

DERIVED: tuple[FactColumn, ...] = (
    *CODE_COLUMNS,
    *PATIENT_COLUMNS,
    *TUMOUR_COLUMNS,
    *MRI_COLUMNS,
    *OPERATION_COLUMNS,
    *(
        column
        for window in WINDOWS
        for columns in (score_columns, other_scores, pain_columns)
        for column in columns(window)
    ),
    *ENDPOINT_COLUMNS,
    *COURSE_COLUMNS,
)
FACT_COLUMNS = tuple(coarse(column) for column in DERIVED)
COLUMN_BY_NAME = {column.name: column for column in FACT_COLUMNS}
# Depends on the day of today, so it is no stored fact: coded rows have it on request.
APPOINTMENT_COLUMN = FactColumn(
    "appointment",
    Kind.TEXT,
    _("next visit"),
    "",
    definition=_("Today's state of the visit to care for. Coded rows only, by name."),
    values=STATES,
)
