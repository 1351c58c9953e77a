"""Limits of a survival curve that hold near 1, near 0 and with few events.

Given who is at risk, the chance to pass an event day with d events among n is bounded
by a beta(n - d + 1, d) variable; their product bounds survival from above, and once
more multiplied by beta(m, 1), m still at risk afterwards, from below. Without censoring
these are Clopper and Pearson's limits of the share that is free of the event; else the
product is taken for a beta variable of its mean and variance.

Reference: Fay, Brittain and Proschan 2013, Biostatistics 14:723; Fay and Brittain 2016,
Stat Med 35:2726; R: ``bpcp::bpcp``.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import beta

from outcomes.stats.checks import CountArray, FloatArray


def beta_product_limits(
    at_risk: CountArray, events: CountArray, level: float
) -> tuple[FloatArray, FloatArray]:
    """Lower and upper limits from each day to the next.

    ``at_risk`` is just before the day, of all days with events or censored cases.
    """
    n, d = at_risk.astype(np.float64), events.astype(np.float64)
    after = np.append(n[1:], 0.0)
    # Of the product: the logarithm of the mean, and of 1 + variance / mean^2.
    mean = np.cumsum(np.log1p(-d / (n + 1)))
    spread = np.cumsum(np.log1p(1 / (n - d + 1)) - np.log1p(1 / (n + 1)))
    tail = (1 - level) / 2
    happened = np.cumsum(d) > 0
    upper = np.ones(len(n))
    upper[happened] = _quantile(1 - tail, mean[happened], spread[happened])
    lower = np.zeros(len(n))
    left = after > 0
    y = after[left]
    lower[left] = _quantile(
        tail,
        mean[left] - np.log1p(1 / y),
        spread[left] + np.log1p(1 / y) - np.log1p(1 / (y + 1)),
    )
    return lower, upper


def _quantile(share: float, log_mean: FloatArray, log_spread: FloatArray) -> FloatArray:
    """Quantile of the beta variable with this mean and this 1 + variance / mean^2."""
    mean, missing = np.exp(log_mean), -np.expm1(log_mean)
    relative = np.expm1(log_spread)
    first = (missing - mean * relative) / relative
    found: FloatArray = beta.ppf(share, first, first * missing / mean)
    return found
