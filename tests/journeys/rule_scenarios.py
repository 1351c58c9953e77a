"""For each rule between rows: rows that agree, and one value each that breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

Values = dict[str, Any]
# A row is entered after those that it hangs on or that its own rules ask for.
AFTER = {
    "complication": {"operation"},
    "early_mri": {"operation"},
    "recurrence": {"operation", "mri", "early_mri"},
    "later_visit": {"visit"},
}


@dataclass(frozen=True)
class Entry:
    """A row: values that agree with the others, and values that do not."""

    kind: str
    fine: Values
    broken: Values = field(default_factory=dict)


@dataclass(frozen=True)
class Scenario:
    code: str
    entries: tuple[Entry, ...]
    # Rules that the same rows break as well.
    also: frozenset[str] = frozenset()

    def is_told_by(self, codes: set[str]) -> bool:
        """Whether these are the codes of this refusal."""
        return bool(codes) and codes <= {self.code} | self.also

    def orders(self) -> Iterator[tuple[Entry, ...]]:
        """Every order in which the rows can be entered."""
        for order in permutations(self.entries):
            seen: set[str] = set()
            for entry in order:
                here = {each.kind for each in self.entries}
                if not (AFTER.get(entry.kind, set()) & here) <= seen:
                    break
                seen.add(entry.kind)
            else:
                yield order

    def breaking(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.broken]


def operation(**broken: Any) -> Entry:
    fine = {
        "surgery_date": "2015-03-02",
        "discharge_date": "2015-03-14",
        "eor_mri": "gtr",
        "levels_opened_from": "C4",
        "levels_opened_to": "C6",
    }
    return Entry("operation", fine, broken)


def mri(day: str = "2016-03-01", purpose: str = "followup", **broken: Any) -> Entry:
    return Entry("mri", {"mri_date": day, "purpose": purpose}, broken)


def early_mri(day: str = "2015-03-04", **broken: Any) -> Entry:
    """The study on which the resection was seen to be total."""
    return Entry("early_mri", {"mri_date": day, "purpose": "early_postop"}, broken)


def visit(day: str = "2016-03-01", kind: str = "m12", **broken: Any) -> Entry:
    return Entry("visit", {"visit_date": day, "visit_type": kind}, broken)


def patient(born: int = 1970, **broken: Any) -> Entry:
    return Entry("patient", {"birth_year": born}, broken)


def identity(born: str = "1970-06-01", **broken: Any) -> Entry:
    return Entry("identity", {"birth_date": born}, broken)


def onset(day: str = "2015-01-01", **broken: Any) -> Entry:
    return Entry("case", {"onset_date": day}, broken)


def complication(day: str = "2015-03-05", **broken: Any) -> Entry:
    fine = {"ae_code": "CSF_leak", "ae_onset_date": day}
    return Entry("complication", fine, broken)


def recurrence(
    day: str = "2016-03-01", kind: str = "recurrence", **broken: Any
) -> Entry:
    return Entry("recurrence", {"kind": kind, "detected_on": day}, broken)


def dead(day: str = "2020-01-01", **broken: Any) -> Entry:
    fine = {"vital_status": "dead", "death_date": day, "death_cause": "other"}
    return Entry("vital", fine, broken)


def alive(day: str = "2020-01-01", **broken: Any) -> Entry:
    return Entry("vital", {"vital_status": "alive", "last_contact_date": day}, broken)


EARLY_DEATH = {"death_date": "2015-03-04"}
SCENARIOS = (
    Scenario(
        "R02_operation_before_birth",
        (patient(birth_year=2016), operation()),
    ),
    Scenario("R03_age_out_of_range", (patient(birth_year=1900), operation())),
    Scenario(
        "R03_birth_year_differs",
        (patient(birth_year=1971), identity(birth_date="1969-06-01")),
    ),
    Scenario(
        "R05_operation_before_birth",
        (
            identity(birth_date="2015-06-01"),
            operation(surgery_date="1969-03-02", discharge_date=None),
        ),
    ),
    Scenario(
        "R05_onset_before_birth_year",
        (patient(birth_year=2016), onset(onset_date="1969-05-01")),
    ),
    Scenario(
        "R05_onset_before_birth",
        (identity(birth_date="2015-06-01"), onset(onset_date="1970-01-05")),
    ),
    Scenario(
        "R05_mri_before_birth_year",
        (patient(birth_year=2017), mri(mri_date="1969-05-01")),
    ),
    Scenario(
        "R05_mri_before_birth",
        (identity(birth_date="2016-06-01"), mri(mri_date="1970-05-01")),
    ),
    Scenario(
        "R05_visit_before_birth_year",
        (patient(birth_year=2017), visit(visit_date="1969-05-01")),
    ),
    Scenario(
        "R05_visit_before_birth",
        (identity(birth_date="2016-06-01"), visit(visit_date="1970-05-01")),
    ),
    Scenario(
        "R05_contact_before_birth_year",
        (patient(birth_year=2021), alive(last_contact_date="1969-05-01")),
    ),
    Scenario(
        "R05_contact_before_birth",
        (identity(birth_date="2020-06-01"), alive(last_contact_date="1970-05-01")),
    ),
    Scenario(
        "R05_death_before_birth_year",
        (patient(birth_year=2021), dead(death_date="1969-05-01")),
    ),
    Scenario(
        "R05_death_before_birth",
        (identity(birth_date="2020-06-01"), dead(death_date="1970-05-01")),
    ),
    Scenario(
        "R05_mri_before_onset",
        (
            onset(onset_date="2015-02-10"),
            mri("2015-02-01", "preop", mri_date="2014-09-01"),
        ),
    ),
    Scenario(
        "R05_operation_before_onset",
        (
            onset(onset_date="2015-04-01"),
            operation(surgery_date="2014-12-01", discharge_date=None),
        ),
    ),
    Scenario(
        "R05_preop_mri_after_operation",
        (
            mri("2015-02-01", "preop", mri_date="2015-03-05"),
            operation(surgery_date="2015-01-15"),
        ),
    ),
    Scenario(
        "R05_postop_mri_before_operation",
        (
            mri(mri_date="2015-01-05"),
            operation(surgery_date="2016-04-01", discharge_date=None),
        ),
    ),
    Scenario(
        "R05_preop_visit_after_operation",
        (
            visit("2015-02-01", "preop", visit_date="2015-03-05"),
            operation(surgery_date="2015-01-15"),
        ),
    ),
    Scenario(
        "R05_visit_before_operation",
        (
            visit(visit_date="2015-01-05"),
            operation(surgery_date="2016-04-01", discharge_date=None),
        ),
    ),
    Scenario(
        "R05_contact_before_operation",
        (
            alive(last_contact_date="2015-01-01"),
            operation(surgery_date="2021-01-01", discharge_date=None),
        ),
    ),
    Scenario(
        "R06_visit_after_death",
        (visit("2016-03-01", "m12", visit_date="2021-01-01"), dead(**EARLY_DEATH)),
    ),
    Scenario(
        "R06_mri_after_death",
        (mri("2016-03-01", mri_date="2021-01-01"), dead(**EARLY_DEATH)),
    ),
    Scenario(
        "R06_operation_after_death",
        (
            Entry(
                "operation",
                {"surgery_date": "2015-03-02"},
                {"surgery_date": "2021-01-01"},
            ),
            dead(death_date="2015-02-01"),
        ),
    ),
    Scenario(
        "R06_discharge_after_death",
        (operation(discharge_date="2021-01-01"), dead(**EARLY_DEATH)),
    ),
    Scenario(
        "R06_complication_after_death",
        (
            Entry("operation", {"surgery_date": "2015-03-02"}),
            complication(ae_onset_date="2021-01-01"),
            dead(**EARLY_DEATH),
        ),
    ),
    Scenario(
        "R06_resolved_after_death",
        (
            Entry("operation", {"surgery_date": "2015-03-02"}),
            Entry(
                "complication",
                {
                    "ae_code": "UTI",
                    "ae_onset_date": "2015-03-03",
                    "resolved_date": "2015-03-20",
                },
                {"resolved_date": "2021-01-01"},
            ),
            dead(**EARLY_DEATH),
        ),
    ),
    Scenario(
        "R06_onset_after_death",
        (onset(onset_date="2021-01-01"), dead(death_date="2014-01-01")),
    ),
    Scenario(
        "R34_index_not_earliest",
        (
            operation(surgery_date="2018-03-02", discharge_date=None),
            Entry(
                "later_operation",
                {"surgery_date": "2017-03-02"},
                {"surgery_date": "2014-03-02"},
            ),
        ),
    ),
    Scenario(
        "R35_no_myelotomy",
        (
            Entry(
                "case",
                {"compartment": "intramedullary", "subpial": True},
                {"subpial": False},
            ),
            Entry("operation", {"surgery_date": "2015-03-02", "myelotomy": "none"}),
        ),
    ),
    Scenario(
        "R35_no_myelotomy",
        (
            Entry("case", {"compartment": "intramedullary"}),
            Entry(
                "operation",
                {"surgery_date": "2015-03-02", "myelotomy": "posterior_midline"},
                {"myelotomy": "none"},
            ),
        ),
    ),
    Scenario(
        "R37_residual_after_gtr",
        (
            Entry(
                "operation",
                {"surgery_date": "2015-03-02", "eor_mri": "gtr"},
            ),
            Entry(
                "mri",
                {"mri_date": "2015-05-01", "purpose": "postop_3m"},
                {"residual_present": True},
            ),
        ),
    ),
    Scenario(
        "R37_residual_after_gtr",
        (
            Entry(
                "operation",
                {"surgery_date": "2015-03-02", "eor_mri": "str"},
                {"eor_mri": "gtr"},
            ),
            Entry(
                "mri",
                {
                    "mri_date": "2015-05-01",
                    "purpose": "postop_3m",
                    "residual_present": True,
                },
            ),
        ),
    ),
    Scenario(
        "R40_opened_elsewhere",
        (
            Entry(
                "case",
                {
                    "level_rostral": "C5",
                    "level_caudal": "C6",
                    "level_basis": "vertebral_body",
                },
                {"level_rostral": "T8", "level_caudal": "T9"},
            ),
            operation(levels_opened_from="T4", levels_opened_to="T8"),
        ),
    ),
    Scenario(
        "R43_complication_before_operation",
        (
            operation(surgery_date="2015-03-12"),
            complication(ae_onset_date="2015-02-01"),
        ),
    ),
    Scenario(
        "R42_fatal_while_alive",
        (
            operation(),
            Entry(
                "complication",
                {
                    "ae_code": "CSF_leak",
                    "ae_onset_date": "2015-03-05",
                    "clavien_dindo": "II",
                },
                {"clavien_dindo": "V"},
            ),
            alive(),
        ),
    ),
    Scenario(
        "R42_fatal_while_alive",
        (
            operation(),
            Entry(
                "complication",
                {
                    "ae_code": "CSF_leak",
                    "ae_onset_date": "2015-03-05",
                    "clavien_dindo": "V",
                },
            ),
            Entry("vital", {"vital_status": "unknown"}, {"vital_status": "alive"}),
        ),
    ),
    Scenario(
        "R62_recurrence_without_gtr",
        (operation(eor_mri="str"), early_mri(), mri(), recurrence()),
    ),
    Scenario(
        "R62_recurrence_without_gtr",
        (
            Entry("operation", {"surgery_date": "2015-03-02", "eor_mri": "str"}),
            early_mri(),
            mri(),
            Entry(
                "recurrence",
                {"kind": "regrowth", "detected_on": "2016-03-01"},
                {"kind": "recurrence"},
            ),
        ),
    ),
    Scenario(
        "R62_regrowth_without_residual",
        (
            Entry(
                "operation",
                {"surgery_date": "2015-03-02", "eor_mri": "str"},
                {"eor_mri": "gtr"},
            ),
            mri(),
            recurrence(kind="regrowth"),
        ),
    ),
    Scenario(
        "R63_no_mri_of_that_day",
        (
            operation(),
            early_mri(),
            mri(mri_date="2016-03-02"),
            recurrence(detected_on="2016-04-01"),
        ),
    ),
    Scenario(
        "R63_no_clear_mri_before",
        (operation(), early_mri(mri_date="2017-01-01"), mri(), recurrence()),
    ),
    Scenario(
        "R63_no_clear_mri_before",
        (
            operation(),
            mri(),
            Entry(
                "recurrence",
                {"kind": "new_lesion", "detected_on": "2016-03-01"},
                {"kind": "recurrence"},
            ),
        ),
    ),
    Scenario(
        "R65_event_before_operation",
        (
            # The day of the operation is too early for an event.
            operation(surgery_date="2016-03-01", discharge_date=None),
            mri(),
            recurrence(kind="new_lesion"),
        ),
    ),
    Scenario(
        "R06_recurrence_after_death",
        (
            Entry("operation", {"surgery_date": "2015-03-02", "eor_mri": "gtr"}),
            early_mri("2015-03-03"),
            Entry("mri", {"purpose": "followup", "mri_date": "2016-03-01"}),
            recurrence(),
            dead(**EARLY_DEATH),
        ),
        frozenset({"R06_mri_after_death"}),
    ),
)

LEVELS = {"level_rostral": "T4", "level_caudal": "T6", "level_basis": "cord_segment"}
MOVED = {"level_rostral": "T11", "level_caudal": "T12"}
CERVICAL = {"joa_region": "cervical17"}
GRADED = {"mmcs": 2, "mmcs_version": "mod5"}
SEEN = {"visit_date": "2016-03-01", "visit_type": "unscheduled"}
SEEN_AGAIN = {"visit_date": "2017-03-01", "visit_type": "m24"}
SEGMENTAL = {"pain_present": True, "pain_distribution": ["segmental_at_level"]}
# Shown on the page of the case, and refused to nobody.
WARNED = (
    Scenario(
        "R05_visit_before_discharge",
        (
            operation(surgery_date="2015-03-02", discharge_date="2016-04-01"),
            visit(visit_date="2015-03-10"),
        ),
    ),
    Scenario(
        "R05_mri_before_discharge",
        (operation(discharge_date="2016-04-01"), mri(mri_date="2015-03-10")),
    ),
    Scenario(
        "R05_contact_before_visit",
        (visit(visit_date="2021-01-01"), alive(last_contact_date="2016-02-01")),
    ),
    Scenario(
        "R05_contact_before_mri",
        (mri(mri_date="2021-01-01"), alive(last_contact_date="2016-02-01")),
    ),
    Scenario(
        "R55_too_early_for_residual_pain",
        (
            Entry("operation", {"surgery_date": "2016-01-04"}),
            Entry(
                "visit",
                {"visit_date": "2016-03-01", "visit_type": "m3", "pain_present": None},
                {"pain_present": True},
            ),
        ),
    ),
    Scenario(
        "R55_too_early_for_residual_pain",
        (
            operation(surgery_date="2015-12-30", discharge_date="2016-01-14"),
            Entry(
                "visit",
                {"visit_date": "2016-03-01", "visit_type": "m3", "pain_present": True},
                {"visit_date": "2015-05-31"},
            ),
        ),
    ),
    Scenario(
        "R46_joa_form_changes",
        (
            Entry("visit", SEEN | CERVICAL, {"joa_region": "thoracic11"}),
            Entry("later_visit", SEEN_AGAIN | CERVICAL, {"joa_region": "thoracic11"}),
        ),
    ),
    Scenario(
        "R49_mccormick_version_changes",
        (
            Entry("visit", SEEN | GRADED, {"mmcs_version": "nagoya5"}),
            Entry("later_visit", SEEN_AGAIN | GRADED, {"mmcs_version": "nagoya5"}),
        ),
    ),
    Scenario(
        "R60_same_window",
        (
            Entry("operation", {"surgery_date": "2015-03-02"}),
            Entry("visit", SEEN, {"visit_date": "2017-03-09"}),
            Entry("later_visit", SEEN_AGAIN, {"visit_date": "2016-03-09"}),
        ),
    ),
    Scenario(
        "R56_segmental_pain_elsewhere",
        (
            Entry("case", LEVELS, MOVED),
            Entry(
                "visit",
                {
                    "visit_date": "2016-03-01",
                    "visit_type": "m12",
                    "pain_levels": "T6, T7",
                    **SEGMENTAL,
                },
                {"pain_levels": "L2"},
            ),
        ),
    ),
)
