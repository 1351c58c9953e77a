"""Coverage of the 95 % intervals of proportions, tables, rates, ranks and means.

The truth is known, samples are drawn, and the share of intervals that hold it is
counted. Small groups on purpose: 19 is the size of published series. An interval
without one limit reaches to infinity there; one without both is "no limits" and is
left out of the share. Intervals of models are in ``coverage_models``.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy.stats import norm

from outcomes.stats.means import welch
from outcomes.stats.proportions import (
    PairedCounts,
    clopper_pearson,
    newcombe_difference,
    paired_newcombe_difference,
    wilson,
)
from outcomes.stats.rank_effects import a12, hodges_lehmann, pseudomedian
from outcomes.stats.rates import incidence_rate, rate_ratio
from outcomes.stats.ratios import (
    conditional_odds_ratio,
    katz_risk_ratio,
    odds_ratio,
    paired_odds_ratio,
    risk_ratio,
)
from outcomes.stats.result import Interval

Method = Callable[..., Interval]
HEADER = (
    "| interval | truth | sample | covers | too high | too low | no limits |\n"
    "|---|---|---|---|---|---|---|"
)


@dataclasses.dataclass(frozen=True)
class Scenario:
    """One interval in one situation; ``draw`` makes a sample and the interval of it."""

    interval: str
    truth: float
    sample: str
    draw: Callable[[np.random.Generator], Interval]


@dataclasses.dataclass(frozen=True)
class Coverage:
    """Counts of intervals that hold the truth, lie above it or below it, or are none."""

    held: int
    too_high: int
    too_low: int
    none: int

    @property
    def given(self) -> int:
        """Intervals with a limit."""
        return self.held + self.too_high + self.too_low

    def cells(self) -> str:
        """Percentages of the intervals given; those without limits, of all samples."""
        counts = (self.held, self.too_high, self.too_low)
        shares = [f"{100 * count / max(1, self.given):.1f} %" for count in counts]
        none = 100 * self.none / (self.given + self.none)
        return " | ".join([*shares, f"{none:.1f} %" if self.none else "–"])


def remembered(method: Method) -> Method:
    """Small tables come again and again; their interval is found once."""
    return functools.cache(method)


def cover(scenario: Scenario, repetitions: int, draw: np.random.Generator) -> Coverage:
    """Draws and counts."""
    held = too_high = too_low = none = 0
    slack = 1e-9 * max(1.0, abs(scenario.truth))  # a truth on a limit is held
    for _ in range(repetitions):
        found = scenario.draw(draw)
        lower = -math.inf if found.lower is None else found.lower
        upper = math.inf if found.upper is None else found.upper
        if found.lower is None and found.upper is None:
            none += 1
        elif lower > scenario.truth + slack:
            too_high += 1
        elif upper < scenario.truth - slack:
            too_low += 1
        else:
            held += 1
    return Coverage(held, too_high, too_low, none)


def table(
    title: str, scenarios: Sequence[Scenario], repetitions: int, seed: int
) -> str:
    """A Markdown section; each row has a stream of its own, whatever rows there are."""
    lines = [
        f"### {title}",
        "",
        f"{repetitions} samples a row, seed {seed}.",
        "",
        HEADER,
    ]
    for scenario in scenarios:
        name = [*f"{scenario.interval}, {scenario.truth:g}, {scenario.sample}".encode()]
        found = cover(scenario, repetitions, np.random.default_rng([seed, *name]))
        lines.append(
            f"| {scenario.interval} | {scenario.truth:.3g} | {scenario.sample} "
            f"| {found.cells()} |"
        )
    return "\n".join([*lines, ""])


NEWCOMBE = remembered(newcombe_difference)
PAIRED_DIFFERENCE = remembered(paired_newcombe_difference)
PAIRED_RATIO = remembered(paired_odds_ratio)


def run(repetitions: int, seed: int) -> str:
    """The section of docs/statistics.md."""
    scenarios = [
        *_proportions(),
        *_differences(),
        *_paired(),
        *_ratios(),
        *_rates(),
        *_ranks(),
    ]
    return table("Coverage: counts, ranks and means", scenarios, repetitions, seed)


def _proportions() -> Iterator[Scenario]:
    for method, name in (
        (remembered(wilson), "Wilson"),
        (remembered(clopper_pearson), "Clopper-Pearson"),
    ):
        for n, share in ((19, 0.05), (19, 0.2), (19, 0.5), (50, 0.05)):
            yield Scenario(
                name,
                share,
                f"{n} cases",
                lambda draw, method=method, n=n, share=share: method(
                    int(draw.binomial(n, share)), n
                ),
            )


def _two_shares() -> Iterator[tuple[float, float]]:
    yield from ((0.5, 0.5), (0.9, 0.1), (0.3, 0.05))


def _differences() -> Iterator[Scenario]:
    for one, other in _two_shares():
        yield Scenario(
            "Newcombe difference",
            one - other,
            f"19 v 19, shares {one:g} and {other:g}",
            lambda draw, one=one, other=other: NEWCOMBE(
                int(draw.binomial(19, one)), 19, int(draw.binomial(19, other)), 19
            ),
        )


def _pairs(draw: np.random.Generator, cells: tuple[float, ...]) -> PairedCounts:
    both, first, second, neither = draw.multinomial(19, cells).tolist()
    return PairedCounts(
        both=both, first_only=first, second_only=second, neither=neither
    )


def _paired() -> Iterator[Scenario]:
    for cells in ((0.3, 0.3, 0.1, 0.3), (0.6, 0.05, 0.3, 0.05)):
        shown = "19 pairs, " + "/".join(f"{cell:g}" for cell in cells)
        yield Scenario(
            "Newcombe difference, paired",
            cells[1] - cells[2],
            shown,
            lambda draw, cells=cells: PAIRED_DIFFERENCE(_pairs(draw, cells)),
        )
        yield Scenario(
            "paired odds ratio, exact",
            cells[1] / cells[2],
            shown,
            lambda draw, cells=cells: PAIRED_RATIO(_pairs(draw, cells)),
        )


def _two_by_two(draw: np.random.Generator, one: float, other: float) -> list[list[int]]:
    a, c = int(draw.binomial(19, one)), int(draw.binomial(19, other))
    return (a, 19 - a), (c, 19 - c)


def _ratios() -> Iterator[Scenario]:
    methods = (
        (remembered(odds_ratio), "odds ratio, Woolf", True),
        (remembered(conditional_odds_ratio), "odds ratio, conditional exact", True),
        (remembered(risk_ratio), "risk ratio, Koopman", False),
        (remembered(katz_risk_ratio), "risk ratio, Katz", False),
    )
    for method, name, of_odds in methods:
        for one, other in _two_shares():
            odds = one / (1 - one) / (other / (1 - other))
            yield Scenario(
                name,
                odds if of_odds else one / other,
                f"19 v 19, shares {one:g} and {other:g}",
                lambda draw, method=method, one=one, other=other: method(
                    _two_by_two(draw, one, other)
                ),
            )


def _rates() -> Iterator[Scenario]:
    for mean in (2.0, 10.0):
        yield Scenario(
            "incidence rate, exact",
            mean,
            f"{mean:g} events expected",
            lambda draw, mean=mean: incidence_rate(int(draw.poisson(mean)), 1, per=1),
        )
        yield Scenario(
            "rate ratio, exact",
            2.0,
            f"{2 * mean:g} v {mean:g} events expected",
            lambda draw, mean=mean: rate_ratio(
                int(draw.poisson(2 * mean)), 1, int(draw.poisson(mean)), 1
            ),
        )


def _ranks() -> Iterator[Scenario]:
    for n, m in ((19, 19), (8, 40), (60, 60)):
        sample = f"{n} v {m}, normal, shift 1"

        def two(
            draw: np.random.Generator, n: int = n, m: int = m
        ) -> tuple[list[float], list[float]]:
            return draw.normal(1, 1, n).tolist(), draw.normal(0, 1, m).tolist()

        for truth, name, method in (
            (1.0, "Hodges-Lehmann shift", hodges_lehmann),
            (float(norm.cdf(math.sqrt(0.5))), "A12, Newcombe", a12),
            (1.0, "difference of means, Welch", _welch),
        ):
            yield Scenario(
                name,
                truth,
                sample,
                lambda draw, two=two, method=method: method(*two(draw)),
            )
    yield Scenario(
        "pseudomedian",
        1.0,
        "19 pairs, normal",
        lambda draw: pseudomedian(draw.normal(1, 2, 19).tolist()),
    )
    yield from _grades()


def _welch(first: list[float], second: list[float]) -> Interval:
    return welch(first, second).difference  # type: ignore[union-attr]


def _grades() -> Iterator[Scenario]:
    """Five grades, so that most pairs of a group are tied."""
    one, other = (
        np.array([0.1, 0.1, 0.2, 0.3, 0.3]),
        np.array([0.3, 0.3, 0.2, 0.1, 0.1]),
    )
    above = np.tri(5, k=-1) + np.eye(5) / 2
    for n, m in ((19, 19), (8, 40)):
        yield Scenario(
            "A12, Newcombe",
            float(one @ above @ other),
            f"{n} v {m}, five grades",
            lambda draw, n=n, m=m: a12(
                draw.choice(5, n, p=one).tolist(), draw.choice(5, m, p=other).tolist()
            ),
        )
