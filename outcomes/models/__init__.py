from outcomes.models.asked import AskedSummary
from outcomes.models.facts import CaseFacts
from outcomes.models.pool import PoolAnswer, PoolCopy, PoolFacts
from outcomes.models.recurrence import Recurrence
from outcomes.models.release import (
    CommonValue,
    ReleasedFacts,
    ReleaseLevel,
    ReleaseState,
)
from outcomes.models.summary import CaseChange, ChangeCount, Summary
from outcomes.models.visit import Visit
from outcomes.models.vital import VitalStatus

__all__ = [
    "AskedSummary",
    "CaseChange",
    "CaseFacts",
    "ChangeCount",
    "CommonValue",
    "PoolAnswer",
    "PoolCopy",
    "PoolFacts",
    "Recurrence",
    "ReleaseLevel",
    "ReleaseState",
    "ReleasedFacts",
    "Summary",
    "Visit",
    "VitalStatus",
]
