"""A property that is made once, and waits for no other thread."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from pinecone_admin._concurrency import lock_free_cached_property
from tests.support.together import PATIENCE


class Thing:
    """Makes its value slowly the first time."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    @lock_free_cached_property
    def value(self) -> object:
        """Give something that is not the same twice."""
        if not self.begun.is_set():
            self.begun.set()
            assert self.go_on.wait(PATIENCE)
        return object()


def test_a_thread_that_makes_it_holds_nobody_up() -> None:
    """A forked child would wait for ever for that thread; whoever is first decides the value for all."""
    thing, other = Thing(), Thing()
    other.begun.set()
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(lambda: thing.value)
        assert thing.begun.wait(PATIENCE)
        first = thing.value
        assert other.value is not first
        thing.go_on.set()
        assert slow.result(PATIENCE) is first is thing.value


def test_it_is_documented() -> None:
    """On the class it is what help() shows."""
    assert isinstance(Thing.value, lock_free_cached_property)
    assert Thing.value.__doc__ == "Give something that is not the same twice."
