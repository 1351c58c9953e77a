"""Myelon: a surgical case registry for spinal cord tumours."""

__version__ = "0.1.0"
