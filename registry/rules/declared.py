"""What a rule is, what it sees, and which there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from django.db import models

Key = tuple[str, int]


class Severity(StrEnum):
    """An error is refused; a warning is shown beside the case."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Row:
    """The fields of a row that rules compare. ``case`` is None for rows of the patient."""

    kind: str
    pk: int
    code: str
    case: int | None
    values: Mapping[str, Any] = field(hash=False)

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @property
    def key(self) -> Key:
        return self.kind, self.pk


@dataclass(frozen=True)
class PatientRows:
    """Every row of a patient that counts."""

    rows: tuple[Row, ...]

    def of(self, kind: str, case: int | None = None) -> list[Row]:
        """The rows of a kind, in the order of their keys; of one case if given."""
        return [
            row
            for row in self.rows
            if row.kind == kind and (case is None or row.case == case)
        ]

    def one(self, kind: str, case: int | None = None) -> Row | None:
        return next(iter(self.of(kind, case)), None)

    def pairs(self, first: str, second: str) -> Iterator[tuple[Row, Row]]:
        """Every row of the first kind with every one of the second in its reach: its
        case, or the patient's where either belongs to no case."""
        for one in self.of(first):
            for other in self.of(second):
                if one is not other and (
                    one.case == other.case or None in (one.case, other.case)
                ):
                    yield one, other


@dataclass(frozen=True)
class Breach:
    """Rows that contradict each other, with what the words of the rule name."""

    rows: tuple[Row, ...]
    named: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CrossRule:
    """One rule. ``touches`` names the fields by kind of row; an error stands at the
    first of the row that was saved."""

    id: str
    name: str
    words: Any
    touches: Mapping[str, tuple[str, ...]]
    breaks: Callable[[PatientRows], Iterator[Breach]]
    severity: Severity = Severity.ERROR

    @property
    def code(self) -> str:
        """Code of the error in forms, API and import: ``R06_visit_after_death``."""
        return f"{self.id}_{self.name}"


@dataclass(frozen=True)
class Kind:
    """A kind of row. ``to_case`` and ``to_patient`` are paths of fields from the model;
    ``to_case`` is empty for rows of the patient."""

    name: str
    model: type[models.Model]
    to_patient: str
    to_case: str = ""
    counts: Mapping[str, Any] = field(default_factory=lambda: {"voided_at": None})
    to_code: str = "code"


KINDS: dict[str, Kind] = {}
RULES: dict[str, CrossRule] = {}
# What was derived from both; forgotten when an app declares more.
CACHED: list[Any] = []
Derive = TypeVar("Derive", bound=Callable[..., Any])


def remembered(derive: Derive) -> Derive:
    """Cache what follows from the declarations until there are new ones."""
    cached = cache(derive)
    CACHED.append(cached)
    return cached  # type: ignore[return-value]


def add_kinds(*kinds: Kind) -> None:
    KINDS.update({kind.name: kind for kind in kinds})
    _forget()


def add_rules(*rules: CrossRule) -> None:
    for rule in rules:
        if RULES.setdefault(rule.code, rule) is not rule:
            raise ValueError(f"two rules are called {rule.code}")
    _forget()


def _forget() -> None:
    for cached in CACHED:
        cached.cache_clear()


@remembered
def kind_of(model: type[models.Model]) -> Kind | None:
    return next((kind for kind in KINDS.values() if kind.model is model), None)


@remembered
def fields_of(kind: str) -> tuple[str, ...]:
    """Fields that any rule compares, with the precision of those that are days."""
    names: dict[str, None] = {}
    known = {field.name for field in KINDS[kind].model._meta.get_fields()}
    for rule in RULES.values():
        for name in rule.touches.get(kind, ()):
            names[name] = None
    if "precision" in known:
        names["precision"] = None
    return tuple(names)
