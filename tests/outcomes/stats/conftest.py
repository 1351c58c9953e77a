"""Public data sets of R's ``survival`` package, as plain columns.

Written by R 4.2.2, survival 3.5-3, with days, an event of 0/1, and the names spelled
out; ``lung`` without the one case that has no ECOG grade.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

# A busy machine must not fail a law: examples have no time limit.
settings.register_profile("statistics", deadline=None)
settings.load_profile("statistics")

FIXTURES = Path(__file__).parent / "fixtures"
Columns = dict[str, np.ndarray]


def columns(name: str) -> Columns:
    table = pd.read_csv(FIXTURES / f"{name}.csv")
    return {column: table[column].to_numpy() for column in table}


@pytest.fixture(scope="session")
def aml() -> Columns:
    return columns("aml")


@pytest.fixture(scope="session")
def lung() -> Columns:
    return columns("lung")


@pytest.fixture(scope="session")
def veteran() -> Columns:
    return columns("veteran")


@pytest.fixture(scope="session")
def mgus2() -> Columns:
    return columns("mgus2")
