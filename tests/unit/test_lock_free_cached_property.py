"""A property that is computed once, without a lock."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from pinecone_admin._concurrency.lazy import lock_free_cached_property
from tests.support.concurrency import PATIENCE


class SlowOwner:
    """An object whose value is slow to compute the first time."""

    def __init__(self) -> None:
        self.started, self.proceed = threading.Event(), threading.Event()

    @lock_free_cached_property
    def value(self) -> object:
        """Return a new object."""
        if not self.started.is_set():
            self.started.set()
            assert self.proceed.wait(PATIENCE)
        return object()


def test_a_slow_computation_blocks_no_other_thread() -> None:
    """While one thread computes the value, another returns its own, and the first value is kept."""
    owner, other = SlowOwner(), SlowOwner()
    other.started.set()
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(lambda: owner.value)
        assert owner.started.wait(PATIENCE)
        first = owner.value
        assert other.value is not first
        owner.proceed.set()
        assert slow.result(PATIENCE) is first is owner.value


def test_the_property_keeps_its_docstring() -> None:
    """The property on the class has the docstring of its function."""
    assert isinstance(SlowOwner.value, lock_free_cached_property)
    assert SlowOwner.value.__doc__ == "Return a new object."
