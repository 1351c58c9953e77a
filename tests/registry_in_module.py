"""Rows that the tests of one module share, gone after the last of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from pytest_django.plugin import DjangoDbBlocker


@contextmanager
def held(blocker: DjangoDbBlocker) -> Iterator[None]:
    """A transaction that ends with the block and is rolled back."""
    with blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)
