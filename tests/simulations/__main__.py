"""``make simulations``: how the statistics behave when the truth is known.

Prints the Markdown tables of docs/statistics.md. A module of this package that has
``run(repetitions, seed) -> str`` is a simulation and gives a section of Markdown.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
from types import ModuleType

import tests.simulations


def names() -> list[str]:
    """The simulations of this package, in alphabetical order."""
    found = pkgutil.iter_modules(tests.simulations.__path__)
    others = [module.name for module in found if module.name != "__main__"]
    return sorted(name for name in others if hasattr(_module(name), "run"))


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"tests.simulations.{name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=names(), help="one simulation of them all")
    asked = parser.parse_args()
    for name in [asked.only] if asked.only else names():
        print(_module(name).run(asked.repetitions, asked.seed), flush=True)


if __name__ == "__main__":
    main()
