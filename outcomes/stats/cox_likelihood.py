"""Efron's partial likelihood of the Cox model, one term per death."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from outcomes.stats.checks import CountArray, FloatArray


@dataclasses.dataclass(frozen=True, kw_only=True)
class DeathTerms:
    """What one vector of coefficients gives, summed and death by death.

    ``residuals`` (deaths x variables) are covariates less their Efron-weighted mean,
    the Schoenfeld residuals; ``variances`` (deaths x variables x variables) the
    Efron-weighted covariances of those at risk.
    """

    log_likelihood: float
    residuals: FloatArray
    variances: FloatArray

    @property
    def score(self) -> FloatArray:
        """First derivative of the log likelihood."""
        return np.asarray(self.residuals.sum(axis=0))

    @property
    def information(self) -> FloatArray:
        """Minus its second derivative."""
        return np.asarray(self.variances.sum(axis=0))


@dataclasses.dataclass(frozen=True, kw_only=True)
class RiskSets:
    """Cases in ascending order of days, with the deaths and those at risk for each.

    ``counts`` says how many cases a row stands for; only deaths are laid out one by one.
    ``deaths`` are rows of cases with an event; ``first_at_risk`` the first row at risk
    for each death; ``tie_share`` the share l/d of its tied deaths that Efron takes out
    of the risk set for the l-th of d deaths on one day (0 for an untied death).
    """

    covariates: FloatArray
    days: FloatArray
    counts: CountArray
    deaths: NDArray[np.intp]
    first_at_risk: NDArray[np.intp]
    tie_share: FloatArray
    day_of_death: NDArray[np.intp]

    @classmethod
    def of(
        cls,
        days: FloatArray,
        events: NDArray[np.bool_],
        covariates: FloatArray,
        counts: CountArray | None = None,
    ) -> RiskSets:
        """Sort the cases; which of several tied cases comes first changes nothing."""
        counts = np.ones(len(days), dtype=np.int64) if counts is None else counts
        order = np.argsort(days, kind="stable")
        days, events, counts = days[order], events[order], counts[order]
        rows = np.flatnonzero(events)
        deaths = np.repeat(rows, counts[rows])
        _, first, day_of_death, tied = np.unique(
            days[deaths], return_index=True, return_inverse=True, return_counts=True
        )
        rank_on_day = np.arange(len(deaths)) - first[day_of_death]
        return cls(
            covariates=covariates[order],
            days=days,
            counts=counts,
            deaths=deaths,
            first_at_risk=np.searchsorted(days, days[deaths], side="left"),
            tie_share=rank_on_day / tied[day_of_death],
            day_of_death=day_of_death,
        )

    @property
    def death_days(self) -> FloatArray:
        """Day of each death, ascending."""
        return self.days[self.deaths]

    def terms(self, beta: FloatArray) -> DeathTerms:
        """Likelihood terms for coefficients ``beta``."""
        weight, logs = self._weights(beta)
        x = self.covariates
        sum_of_weights = self._at_risk(weight)
        mean = self._at_risk(weight[:, None] * x) / sum_of_weights[:, None]
        size = x.shape[1]
        variances = np.empty((len(self.deaths), size, size))
        for i in range(size):
            for j in range(i + 1):
                second = self._at_risk(weight * x[:, i] * x[:, j]) / sum_of_weights
                variances[:, i, j] = second - mean[:, i] * mean[:, j]
                variances[:, j, i] = variances[:, i, j]
        return DeathTerms(
            log_likelihood=float((logs - np.log(sum_of_weights)).sum()),
            residuals=x[self.deaths] - mean,
            variances=variances,
        )

    def information_slope(
        self, beta: FloatArray, terms: DeathTerms, inverse: FloatArray
    ) -> FloatArray:
        """Derivative of log det of the information: tr(inverse · dI/dβ), by variable.

        dI/dβ sums the third cumulants of the covariates of those at risk; with
        q = x'Jx they come to E[qx] - E[q]m - 2VJm for each death.
        """
        weight, _ = self._weights(beta)
        x = self.covariates
        mean = x[self.deaths] - terms.residuals
        square = np.einsum("ij,jk,ik->i", x, inverse, x)
        total = self._at_risk(weight)[:, None]
        with_square = self._at_risk((weight * square)[:, None] * x) / total
        squares = self._at_risk(weight * square)[:, None] / total
        turned = np.einsum("dij,jk,dk->di", terms.variances, inverse, mean)
        return np.asarray((with_square - squares * mean - 2 * turned).sum(axis=0))

    def _weights(self, beta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Relative hazards of all cases, and the logarithms of those of the deaths."""
        predictor = self.covariates @ beta
        # Only ratios of weights matter; the largest is kept at 1 against overflow.
        predictor = predictor - predictor.max()
        return np.exp(predictor), predictor[self.deaths]

    def _at_risk(self, values: FloatArray) -> FloatArray:
        """Sum over those at risk for each death less Efron's share of tied deaths."""
        counts = self.counts.reshape(-1, *([1] * (values.ndim - 1)))
        from_here_on = np.cumsum((counts * values)[::-1], axis=0)[::-1]
        n_days = int(self.day_of_death[-1]) + 1
        tied = np.zeros((n_days, *values.shape[1:]))
        np.add.at(tied, self.day_of_death, values[self.deaths])
        share = self.tie_share.reshape(-1, *([1] * (values.ndim - 1)))
        return np.asarray(
            from_here_on[self.first_at_risk] - share * tied[self.day_of_death]
        )
