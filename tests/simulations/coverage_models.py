"""Coverage of the 95 % intervals of curves, readers, areas and models.

How it is counted stands in ``coverage``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm

from outcomes.stats.agreement import (
    IccInterval,
    KappaInterval,
    Weights,
    cohen_kappa,
    icc_2_1,
)
from outcomes.stats.competing import aalen_johansen
from outcomes.stats.cox import cox
from outcomes.stats.cox_firth import firth_cox
from outcomes.stats.discrimination import auc, diagnostic_accuracy
from outcomes.stats.firth import firth_logistic
from outcomes.stats.restricted_mean import restricted_mean
from outcomes.stats.result import Interval
from outcomes.stats.survival import CurveInterval, SurvivalCurve, kaplan_meier
from tests.simulations.coverage import Scenario, table

Floats = NDArray[np.float64]
NO_MODEL = Interval(value=None, lower=None, upper=None, method="refused")


def run(repetitions: int, seed: int) -> str:
    """The section of docs/statistics.md, of a quarter of the samples: models are slow."""
    scenarios = [
        *_survival(),
        *_restricted_means(),
        *_incidence(),
        *_areas(),
        *_likelihood_ratios(),
        *_kappas(),
        *_intraclass(),
        *_firth(),
        *_cox(),
    ]
    fewer = max(1, repetitions // 4)
    return table("Coverage: curves, readers and models", scenarios, fewer, seed)


def _followed(
    draw: np.random.Generator, n: int, hazard: float
) -> tuple[Floats, NDArray[np.bool_]]:
    """Exponential times to the event, observed for 2 to 8 years."""
    event, end = draw.exponential(1 / hazard, n), draw.uniform(2, 8, n)
    return np.minimum(event, end), event <= end


def _curve(draw: np.random.Generator, n: int, hazard: float) -> SurvivalCurve:
    return kaplan_meier(*_followed(draw, n, hazard))


def _survival() -> Iterator[Scenario]:
    for kind, name in (
        ("log-log", "Kaplan-Meier, log-log, beta product at 1"),
        ("beta-product", "Kaplan-Meier, beta product"),
    ):
        for n, survival in ((19, 0.95), (19, 0.8), (19, 0.5), (50, 0.95), (50, 0.8)):
            hazard = -math.log(survival) / 3

            def drawn(
                draw: np.random.Generator,
                n: int = n,
                hazard: float = hazard,
                kind: CurveInterval = kind,
            ) -> Interval:
                days, events = _followed(draw, n, hazard)
                curve = kaplan_meier(days, events, interval=kind)
                return curve.survival_at([3])[0]

            yield Scenario(name, survival, f"{n} cases, at 3 years", drawn)
    for n in (19, 50):
        yield Scenario(
            "median survival, log-log",
            3.0,
            f"{n} cases",
            lambda draw, n=n: _curve(draw, n, math.log(2) / 3).median,
        )


def _restricted_means() -> Iterator[Scenario]:
    for kind, name in (
        ("logit", "restricted mean, logit"),
        ("plain", "restricted mean, plain"),
    ):
        for n, hazard in ((19, 0.05), (19, 0.15), (19, 0.4), (50, 0.05)):
            yield Scenario(
                name,
                (1 - math.exp(-5 * hazard)) / hazard,
                f"{n} cases, 5 years, hazard {hazard:g}",
                lambda draw, n=n, hazard=hazard, kind=kind: restricted_mean(
                    _curve(draw, n, hazard), 5, kind
                ),
            )


def _incidence() -> Iterator[Scenario]:
    """Two causes with hazards 0.1 and 0.05; the first by 3 years."""
    for n in (19, 50):

        def drawn(draw: np.random.Generator, n: int = n) -> Interval:
            days, events = _followed(draw, n, 0.15)
            causes = np.where(events, 1 + (draw.random(n) < 1 / 3), 0)
            return aalen_johansen(days, causes)[1].incidence_at([3])[0]

        truth = 2 / 3 * (1 - math.exp(-0.45))
        yield Scenario(
            "Aalen-Johansen, log-log", truth, f"{n} cases, at 3 years", drawn
        )


def _areas() -> Iterator[Scenario]:
    for kind, name in (
        ("logit", "AUC, DeLong, logit"),
        ("wald", "AUC, DeLong, symmetric"),
    ):
        for n, m, area in (
            (19, 19, 0.76),
            (19, 19, 0.9),
            (19, 19, 0.96),
            (10, 40, 0.9),
            (10, 40, 0.96),
            (50, 50, 0.96),
        ):
            shift = norm.ppf(area) * math.sqrt(2)
            yield Scenario(
                name,
                area,
                f"{n} v {m}, normal",
                lambda draw, n=n, m=m, shift=shift, kind=kind: (
                    auc(
                        [1] * n + [0] * m,
                        np.concatenate(
                            [draw.normal(shift, 1, n), draw.normal(0, 1, m)]
                        ),
                        interval=kind,
                    ).auc
                ),
            )


def _likelihood_ratios() -> Iterator[Scenario]:
    for sensitivity, specificity in ((0.8, 0.8), (0.95, 0.9)):

        def drawn(
            draw: np.random.Generator,
            sensitivity: float = sensitivity,
            specificity: float = specificity,
        ) -> Interval:
            hits, right = draw.binomial(19, [sensitivity, specificity]).tolist()
            return diagnostic_accuracy(
                true_positive=hits,
                false_negative=19 - hits,
                true_negative=right,
                false_positive=19 - right,
            ).positive_likelihood_ratio

        yield Scenario(
            "likelihood ratio, Simel",
            sensitivity / (1 - specificity),
            f"19 v 19, {sensitivity:g} and {specificity:g}",
            drawn,
        )


def _reader_tables() -> Iterator[tuple[str, Floats, str]]:
    """Both readers know a share of cases for sure and guess the others."""
    two, five = np.array([0.2, 0.8]), np.array([0.3, 0.25, 0.2, 0.15, 0.1])
    for shares, name, weights in (
        (np.array([0.5, 0.5]), "2 categories", "none"),
        (two, "2 categories, 20 %", "none"),
        (five, "5 grades", "none"),
        (five, "5 grades, quadratic", "quadratic"),
    ):
        for sure in (0.3, 0.6, 0.9):
            known = sure * np.diag(shares) + (1 - sure) * np.outer(shares, shares)
            yield name, known, weights


def _kappas() -> Iterator[Scenario]:
    for kind, name in (("score", "kappa, score"), ("wald", "kappa, symmetric")):
        for sample, shares, weights in _reader_tables():
            sure = 1 - (1 - np.trace(shares)) / (1 - (shares.sum(axis=0) ** 2).sum())
            yield Scenario(
                name,
                float(sure),
                f"19 readings, {sample}",
                lambda draw, shares=shares, weights=weights, kind=kind: (
                    cohen_kappa(
                        draw.multinomial(19, shares.ravel()).reshape(shares.shape),
                        weights,
                        interval=kind,
                    ).kappa
                ),
            )


@functools.cache
def _kappa(drawn: bytes, weights: Weights, kind: KappaInterval) -> Interval:
    counts = np.frombuffer(drawn, dtype=np.int64)
    size = math.isqrt(len(counts))
    return cohen_kappa(counts.reshape(size, size), weights, interval=kind).kappa


def _intraclass() -> Iterator[Scenario]:
    for kind, name in (
        ("generalised", "ICC(2,1), generalised"),
        ("mcgraw-wong", "ICC(2,1), McGraw-Wong"),
    ):
        for n, k, icc in (
            (19, 3, 0.3),
            (19, 3, 0.6),
            (19, 3, 0.9),
            (19, 2, 0.9),
            (50, 3, 0.6),
        ):

            def drawn(
                draw: np.random.Generator,
                n: int = n,
                k: int = k,
                icc: float = icc,
                kind: IccInterval = kind,
            ) -> Interval:
                rest = (1 - icc) / 2
                subjects = draw.normal(0, math.sqrt(icc), (n, 1))
                readers = draw.normal(0, math.sqrt(rest), (1, k))
                noise = draw.normal(0, math.sqrt(rest), (n, k))
                return icc_2_1(subjects + readers + noise, interval=kind).icc

            yield Scenario(name, icc, f"{n} subjects, {k} readers", drawn)


def _firth() -> Iterator[Scenario]:
    """Two groups of 19 and a covariate; separated samples are among them."""
    for effect in (0.0, 2.0):

        def drawn(draw: np.random.Generator, effect: float = effect) -> Interval:
            group, age = np.repeat([0, 1], 19), draw.normal(0, 1, 38)
            event = draw.random(38) < expit(-1.5 + effect * group + age / 2)
            if not event.any() or event.all():
                return NO_MODEL
            model = firth_logistic(event, {"group": group, "age": age})
            return model.coefficients[1].log_odds_ratio

        yield Scenario("Firth, profile (log odds ratio)", effect, "19 v 19", drawn)


def _cox() -> Iterator[Scenario]:
    """Hazards of 0.2 a year, or 0.03: then most samples have below ten events."""
    for hazard, ratio in ((0.2, 1.0), (0.2, 3.0), (0.03, 3.0)):
        for fit, name in ((_plain_ratio, "Cox, Wald"), (_firth_ratio, "Cox, Firth")):

            def drawn(
                draw: np.random.Generator,
                hazard: float = hazard,
                ratio: float = ratio,
                fit: Callable[..., Interval] = fit,
            ) -> Interval:
                group = np.repeat([0, 1], 19)
                days, events = _followed_groups(draw, hazard * ratio**group)
                return fit(days, events, {"group": group})

            yield Scenario(name, ratio, f"19 v 19, hazard {hazard:g}", drawn)


def _plain_ratio(
    days: Floats, events: NDArray[np.bool_], variables: dict[str, Floats]
) -> Interval:
    model = cox(days, events, variables, alternative=False)
    return model.coefficients[0].hazard_ratio if model.coefficients else NO_MODEL


def _firth_ratio(
    days: Floats, events: NDArray[np.bool_], variables: dict[str, Floats]
) -> Interval:
    if not events.any():
        return NO_MODEL
    return firth_cox(days, events, variables).coefficients[0].hazard_ratio


def _followed_groups(
    draw: np.random.Generator, hazards: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    event, end = draw.exponential(1 / hazards), draw.uniform(2, 8, len(hazards))
    return np.minimum(event, end), event <= end
