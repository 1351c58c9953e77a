"""The scored scales: range, step, direction, and what counts as a change.

A rule of change says from how many points towards health a patient is improved and
from how many points away from it worse. The minimal clinically important difference
is given apart from the rule, because for some scales none is established; ``basis``
says where both come from. "Convention" marks field knowledge without a traced source.
"""

from __future__ import annotations

import dataclasses

from outcomes.stats.checks import as_number
from outcomes.stats.errors import StatError
from outcomes.stats.result import Result

ROMAN_GRADES = ("I", "II", "III", "IV", "V")
LETTER_GRADES = ("A", "B", "C", "D", "E")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scale(Result):
    """One version of one scale; two versions are two scales.

    ``improved_from`` and ``worse_from`` are points in the direction of the change;
    ``improved_from_percent`` of the first value is an alternative way to improve.
    ``grades`` are the labels of ``lowest``, ``lowest + 1`` and so on. ``step`` None
    means that any value of the range can occur.
    """

    key: str
    label: str
    lowest: float
    highest: float
    step: float | None
    higher_is_better: bool
    improved_from: float
    worse_from: float
    basis: str
    improved_from_percent: float | None = None
    minimal_important_difference: float | None = None
    grades: tuple[str, ...] = ()

    @property
    def best(self) -> float:
        """The value of full health: nobody can improve from here (ceiling)."""
        return self.highest if self.higher_is_better else self.lowest

    @property
    def worst(self) -> float:
        """The value from which nobody can get worse (floor)."""
        return self.lowest if self.higher_is_better else self.highest

    def number(self, value: float | str) -> float:
        """``value`` as a number of this scale; grade labels are read as their rank."""
        if isinstance(value, str):
            if value not in self.grades:
                raise StatError(f"{value!r} is not a grade of {self.label}")
            return self.lowest + self.grades.index(value)
        number = as_number(value, self.label)
        if isinstance(value, bool) or not self.lowest <= number <= self.highest:
            raise StatError(
                f"{value!r} is outside {self.label} ({self.lowest:g} to {self.highest:g})"
            )
        if self.step and not ((number - self.lowest) / self.step).is_integer():
            raise StatError(f"{value!r} is not a step of {self.step:g} in {self.label}")
        return number

    def gain(self, before: float | str, after: float | str) -> float:
        """Points towards health; negative is worse."""
        difference = self.number(after) - self.number(before)
        return difference if self.higher_is_better else -difference

    @property
    def rule(self) -> str:
        """The rule of change in words, for the page that shows the counts."""
        percent = self.improved_from_percent
        alternative = f" or {percent:g} % of the first value" if percent else ""
        return (
            f"improved from {_points(self.improved_from)}{alternative}, "
            f"worse from {_points(self.worse_from)}"
        )


def _points(number: float) -> str:
    return f"{number:g} point" if number == 1 else f"{number:g} points"


def _one_grade(
    key: str,
    label: str,
    lowest: int,
    highest: int,
    *,
    higher_is_better: bool = False,
    grades: tuple[str, ...] = (),
    basis: str = "Convention: one grade",
) -> Scale:
    return Scale(
        key=key,
        label=label,
        lowest=lowest,
        highest=highest,
        step=1,
        higher_is_better=higher_is_better,
        improved_from=1,
        worse_from=1,
        minimal_important_difference=1,
        grades=grades,
        basis=basis,
    )


def _points_scale(
    key: str,
    label: str,
    lowest: float,
    highest: float,
    points: float,
    basis: str,
    *,
    step: float | None = 1,
    higher_is_better: bool = True,
    percent: float | None = None,
    established: bool = True,
) -> Scale:
    return Scale(
        key=key,
        label=label,
        lowest=lowest,
        highest=highest,
        step=step,
        higher_is_better=higher_is_better,
        improved_from=points,
        worse_from=points,
        improved_from_percent=percent,
        minimal_important_difference=points if established else None,
        basis=basis,
    )


_JOA_SOURCE = "2.5 points: one Japanese study of 75 myelopathy patients (PMC9344517)"
_JOA_BORROWED = "2.5 points taken over from the cervical form; none is established here"

SCALES: dict[str, Scale] = {
    scale.key: scale
    for scale in (
        _one_grade(
            "modified_mccormick_5",
            "modified McCormick (5 grades)",
            1,
            5,
            grades=ROMAN_GRADES,
        ),
        _one_grade(
            "mccormick_1990_4",
            "McCormick 1990 (4 grades)",
            1,
            4,
            grades=ROMAN_GRADES[:4],
        ),
        _one_grade(
            "mccormick_nagoya_5",
            "McCormick, ambulatory modification (5 grades)",
            1,
            5,
            grades=ROMAN_GRADES,
        ),
        _one_grade("nurick", "Nurick", 0, 5),
        _one_grade("ecog", "ECOG", 0, 5, basis="One grade"),
        _one_grade(
            "frankel", "Frankel", 1, 5, higher_is_better=True, grades=LETTER_GRADES
        ),
        _one_grade(
            "ais",
            "ASIA impairment scale",
            1,
            5,
            higher_is_better=True,
            grades=LETTER_GRADES,
        ),
        _points_scale(
            "joa_cervical_1975", "JOA cervical 1975 (17)", 0, 17, 2.5, _JOA_SOURCE
        ),
        _points_scale(
            "joa_cervical_1994_rev",
            "JOA cervical, 1994 revision (17)",
            -2,
            17,
            2.5,
            _JOA_SOURCE,
            step=0.5,
        ),
        _points_scale(
            "joa_thoracic",
            "JOA thoracic (11)",
            0,
            11,
            2.5,
            _JOA_BORROWED,
            established=False,
        ),
        _points_scale(
            "joa_lumbar",
            "JOA lumbar (29)",
            -6,
            29,
            2.5,
            _JOA_BORROWED,
            established=False,
        ),
        _points_scale(
            "mjoa_benzel",
            "modified JOA (Benzel, 18)",
            0,
            18,
            2,
            "2 points by ROC; distribution and anchor methods give 1.1 to 1.4",
        ),
        _points_scale("karnofsky", "Karnofsky", 0, 100, 10, "One step", step=10),
        _points_scale(
            "nrs_pain",
            "pain, numerical rating 0 to 10",
            0,
            10,
            2,
            "2 points: 161 Japanese patients with back pain; 30 %: convention",
            higher_is_better=False,
            percent=30,
        ),
        _points_scale(
            "vas_pain",
            "pain, visual analogue 0 to 100 mm",
            0,
            100,
            20,
            "Convention: 20 mm",
            higher_is_better=False,
        ),
        _points_scale(
            "ndi",
            "Neck Disability Index (raw, 50)",
            0,
            50,
            7.5,
            "Convention: 7.5 raw points, 15 percentage points",
            higher_is_better=False,
        ),
        _points_scale(
            "odi",
            "Oswestry Disability Index (percent)",
            0,
            100,
            12.8,
            "Convention: 12.8 percentage points",
            step=None,
            higher_is_better=False,
        ),
    )
}

# The short codes under which visits store scales, and the usual abbreviations.
SHORT_CODES = {
    "mod5": "modified_mccormick_5",
    "mccormick4": "mccormick_1990_4",
    "nagoya5": "mccormick_nagoya_5",
    "cervical17": "joa_cervical_1975",
    "cervical17_rev": "joa_cervical_1994_rev",
    "thoracic11": "joa_thoracic",
    "lumbar29": "joa_lumbar",
    "mjoa": "mjoa_benzel",
    "kps": "karnofsky",
}


def scale_of(key: str) -> Scale:
    """The scale of a key or short code; raises StatError where no rule is defined.

    Screening scores (painDETECT, DN4, LANSS) and Odom, which is rated only after the
    operation, have no rule of change and are not scales of this module.
    """
    try:
        return SCALES[SHORT_CODES.get(key, key)]
    except KeyError:
        raise StatError(f"no rule of change is defined for {key!r}") from None
