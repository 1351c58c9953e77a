"""What the registry measures: the database counts, the statistics conclude.

A measure reduces facts to counts in one query, so that its numbers come from one
moment, and concludes from the counts alone. Dashboard, API and stored summaries use
the same code.
"""

from __future__ import annotations

from outcomes.measures.base import Measure
from outcomes.measures.events import PROGRESSION, RECURRENCE
from outcomes.measures.improvement import IMPROVEMENT
from outcomes.measures.mri_features import MRI_FEATURES
from outcomes.measures.residual_pain import RESIDUAL_PAIN
from outcomes.measures.volume import VOLUME

MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        RECURRENCE,
        PROGRESSION,
        IMPROVEMENT,
        RESIDUAL_PAIN,
        MRI_FEATURES,
        VOLUME,
    )
}

__all__ = ["MEASURES", "Measure"]
