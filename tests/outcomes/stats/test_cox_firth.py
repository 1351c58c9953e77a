"""Firth's Cox regression against R, published values and a general optimiser."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.stats.cox_firth import firth_cox
from outcomes.stats.cox_likelihood import RiskSets
from outcomes.stats.errors import StatError


def shown(model) -> list[tuple[float, ...]]:
    return [
        (
            one.log_hazard_ratio.value,
            one.log_hazard_ratio.lower,
            one.log_hazard_ratio.upper,
            one.standard_error,
            one.p_value,
        )
        for one in model.coefficients
    ]


def test_two_patients_as_published() -> None:
    """Heinze and Schemper 2001, section 2: the hazard ratio of two cases is 3."""
    (found,) = firth_cox([1, 2], [1, 0], {"x": [1, 0]}).coefficients
    assert found.hazard_ratio.value == pytest.approx(3, abs=1e-8)


def test_tied_days_as_r(aml, veteran) -> None:
    """The penalised likelihood from survival itself, maximised and profiled in base R.

    > pl <- function(b) { m <- coxph(f, d, init = b, control = coxph.control(iter.max = 0))
    +   m$loglik[1] - .5 * as.numeric(determinant(m$var)$modulus) }
    > # optim(-pl), uniroot(profile - qchisq(.95, 1)), pchisq(profile(0), 1, lower = FALSE)
    aml:     -0.880069276934, -1.9135197972984 to 0.0660998436133, se 0.509401253997,
             p 0.0684862537662, pl -40.3605037903
    veteran: 0.178313489729, -0.180319454484 to 0.536346284269, se 0.1831469556817,
             p 0.328746485819 (treatment); -0.339534321526, -0.438864165666 to
             -0.239790707360, se 0.0508346582385, p 5.13711930070e-11 (karnofsky / 10)
    """
    model = firth_cox(aml["days"], aml["event"], {"m": aml["group"] == "Maintained"})
    expected = [
        (
            -0.880069276934,
            -1.9135197972984,
            0.0660998436133,
            0.509401253997,
            0.0684862537662,
        )
    ]
    assert shown(model) == [pytest.approx(row, abs=1e-7) for row in expected]
    assert model.penalised_log_likelihood == pytest.approx(-40.3605037903, abs=1e-8)
    assert (model.n, model.n_events) == (23, 18)
    model = firth_cox(
        veteran["days"],
        veteran["event"],
        {"treatment": veteran["treatment"], "karnofsky": veteran["karnofsky"] / 10},
    )
    expected = [
        (
            0.178313489729,
            -0.180319454484,
            0.536346284269,
            0.1831469556817,
            0.328746485819,
        ),
        (
            -0.339534321526,
            -0.438864165666,
            -0.239790707360,
            0.0508346582385,
            5.13711930070e-11,
        ),
    ]
    assert shown(model) == [pytest.approx(row, abs=1e-6) for row in expected]
    assert model.coefficients[1].p_value == pytest.approx(5.13711930070e-11, rel=1e-6)


def test_a_group_without_events_as_r() -> None:
    """19 without events, 12 of 19 with; the same session in R.

    3.63470697988, 1.60031494946 to 8.48950931319, se 1.50700295626, p 1.32242110653e-05
    """
    days = [400] * 19 + [*range(200, 219)]
    events = [0] * 19 + [1] * 12 + [0] * 7
    model = firth_cox(days, events, {"x": [0] * 19 + [1] * 19})
    expected = (3.63470697988, 1.60031494946, 8.48950931319, 1.50700295626)
    assert shown(model)[0][:4] == pytest.approx(expected, abs=1e-6)
    assert shown(model)[0][4] == pytest.approx(1.32242110653e-05, rel=1e-6)
    assert model.coefficients[0].hazard_ratio.lower == pytest.approx(
        math.exp(1.60031494946), abs=1e-6
    )


def test_untied_days_as_firthmodels() -> None:
    """PyPI's firthmodels 0.8.0, FirthCoxPH(gtol=1e-10, xtol=1e-12), which equals coxphf.

    coef_ 2.98383853, 0.58738216; bse_ 1.60731744, 0.46971264;
    conf_int("pl") 0.78131083 to 7.87228394, -0.30825761 to 1.50281072
    """
    draw = np.random.default_rng(11)
    group, x = np.repeat([0, 1], 20), draw.normal(size=40)
    days, events = draw.permutation(40) + 1.0, draw.random(40) < 0.5
    events[:20] = False
    model = firth_cox(days, events, {"group": group, "x": x})
    expected = [
        (2.98383853, 0.78131083, 7.87228394, 1.60731744),
        (0.58738216, -0.30825761, 1.50281072, 0.46971264),
    ]
    assert [row[:4] for row in shown(model)] == [
        pytest.approx(row, abs=2e-8) for row in expected
    ]


@given(st.integers(0, 10**6))
def test_slope_of_the_information_by_differences(seed: int) -> None:
    """tr(J dI/dβ) against the difference quotient, with ties and counts."""
    draw = np.random.default_rng(seed)
    days, events = draw.integers(1, 6, 15).astype(float), draw.random(15) < 0.6
    events[0] = True
    sets = RiskSets.of(days, events, draw.normal(size=(15, 2)), draw.integers(1, 4, 15))
    beta, inverse = draw.normal(size=2), np.array([[2.0, 0.3], [0.3, 1.0]])
    slope = sets.information_slope(beta, sets.terms(beta), inverse)
    for j in range(2):
        step = np.eye(2)[j] * 1e-5
        change = (
            sets.terms(beta + step).information - sets.terms(beta - step).information
        )
        assert slope[j] == pytest.approx(np.trace(inverse @ change) / 2e-5, abs=1e-6)


@given(st.permutations(range(23)), st.sampled_from([0.01, 1000.0]))
def test_order_and_unit_do_not_matter(aml, rows, scale) -> None:
    x = np.sqrt(np.arange(23.0))
    plain = firth_cox(aml["days"], aml["event"], {"x": x}).coefficients[0]
    moved = firth_cox(
        aml["days"][rows] * 7, aml["event"][rows], {"x": x[rows] * scale + 5}
    ).coefficients[0]
    assert moved.log_hazard_ratio.value * scale == pytest.approx(
        plain.log_hazard_ratio.value, abs=1e-7
    )
    assert moved.log_hazard_ratio.lower * scale == pytest.approx(
        plain.log_hazard_ratio.lower, abs=1e-6
    )


def test_what_firth_cannot_mend_is_refused() -> None:
    with pytest.raises(StatError, match="no events"):
        firth_cox([1, 2], [0, 0], {"x": [0, 1]})
    with pytest.raises(StatError, match="x is the same for every case"):
        firth_cox([1, 2], [1, 0], {"x": [1, 1]})
    with pytest.raises(StatError, match="cases still at risk do not differ"):
        firth_cox([1, 2, 3], [0, 1, 0], {"x": [0, 1, 1]})
