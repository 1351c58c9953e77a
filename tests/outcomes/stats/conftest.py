"""Public data sets of R's ``survival`` package, as plain columns.

Written by R 4.2.2, survival 3.5-3, with days, an event of 0/1, and the names spelled
out; ``lung`` without the one case that has no ECOG grade.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

# A busy machine must not fail a law: examples have no time limit. Every run draws other
# examples, so few of them a run still try many; HYPOTHESIS_PROFILE=thorough tries more.
settings.register_profile("statistics", deadline=None, max_examples=25)
settings.register_profile("thorough", deadline=None, max_examples=200)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "statistics"))

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
