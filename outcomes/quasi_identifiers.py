"""What somebody outside may know of a patient, and how coarsely it can be told.

The set is that of REFERENCE, section 7: sex, age, region, period of the operation,
compartment and neurofibromatosis. The centre is in no released row. A diagnosis that few
cases share is told as "other" before anything else, see ``Release.GROUP_RARE``.
"""

from __future__ import annotations

from dataclasses import dataclass

from outcomes.windows import AFTER, WINDOWS

OLDEST_AGE = 90
# Between the values of a row's quasi-identifiers; no code holds it.
SEPARATOR = "|"


@dataclass(frozen=True)
class QuasiIdentifier:
    """A column of the facts with its levels.

    ``costs`` says what each level loses, for choosing among them: 0 for the finest, the
    last one withholds the value. ``steps`` are the widths of bands at the levels before
    the last, each a multiple of the one before. ``follows`` names columns that would
    give the value away; they are withheld with it.
    """

    name: str
    costs: tuple[float, ...]
    steps: tuple[int, ...] = ()
    follows: tuple[str, ...] = ()

    @property
    def withheld(self) -> int:
        """The level at which nothing is told."""
        return len(self.costs) - 1

    def at(self, value: object, level: int) -> object:
        """The value as told at a level; of a band its first number."""
        if level == self.withheld:
            return "withheld"
        if not self.steps or value == "":
            return value
        number, step = int(str(value)), self.steps[level]
        return number - number % step

    def is_told_with(self, column: str) -> bool:
        """Whether a column would give the value away, or says why it is missing."""
        column = column.removesuffix("_missing")
        return column == self.name or any(
            column == each or column.startswith(f"{each}_") for each in self.follows
        )


# What analyses need most costs most to withhold.
QUASI_IDENTIFIERS: tuple[QuasiIdentifier, ...] = (
    QuasiIdentifier(
        "compartment",
        (0, 10),
        follows=("compartment_mri", "exophytic", "subpial", "myelotomy", "eden_type"),
    ),
    QuasiIdentifier("nf_status", (0, 4)),
    QuasiIdentifier("sex", (0, 4)),
    # The form of a JOA score is that of the region.
    QuasiIdentifier(
        "region",
        (0, 7),
        follows=(
            *(f"joa_region_{window.name}" for window in WINDOWS),
            *(f"joa_total_{window.name}" for window in WINDOWS),
            *(f"joa_recovery_rate_{window.name}" for window in AFTER),
        ),
    ),
    QuasiIdentifier("age_at_surgery", (0, 0.3, 0.8, 4), steps=(5, 10, 20)),
    QuasiIdentifier("surgery_year", (0, 0.3, 2), steps=(3, 9)),
)
PLACE = {found.name: place for place, found in enumerate(QUASI_IDENTIFIERS)}
