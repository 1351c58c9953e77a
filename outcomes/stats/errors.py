"""What the statistics raise."""


class StatError(ValueError):
    """An input no statistic can be computed from; the message names the input."""


class ConvergenceError(StatError):
    """An iterative fit did not settle."""
