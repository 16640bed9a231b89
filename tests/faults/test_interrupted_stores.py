"""Ctrl-C at each line from the call of a store on: what it has stored stays valid."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import chain, count
from types import FrameType
from typing import Any

import pytest

from pinecone_admin import Admin
from pinecone_admin._concurrency.clock import use_clock
from pinecone_admin.emulator import Emulator
from pinecone_admin.workflows.sent_changes import _collections
from tests.support.clock import VirtualClock

FIRST_LINES = 20
"""So many lines after the store are interrupted every day, and of the others one of ``STEP``."""
STEP = 29


class InterruptedVault:
    """A vault; after it has stored a secret, a line of the package is interrupted.

    Args:
        number: The number of the line, from 1.

    Attributes:
        stored: The secrets, by the names of their keys and accounts.
        lines: How many lines there were until now.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self.stored: dict[str, str] = {}
        self.lines = 0

    def __call__(self, made: Any) -> None:
        """Store a secret, and trace each line from now on, of the callers, too."""
        thing = getattr(made, "key", None) or made.service_account
        self.stored[thing.name] = getattr(made, "value", None) or made.client_secret
        sys.settrace(self._trace)
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            frame.f_trace = self._trace
            frame = frame.f_back

    def _trace(self, frame: FrameType, event: str, _: object) -> Any:
        if event == "line" and "pinecone_admin" in frame.f_code.co_filename:
            self.lines += 1
            if self.lines == self._number:
                sys.settrace(None)
                raise KeyboardInterrupt
        return self._trace


def _ensure_key(admin: Admin, project: str, vault: InterruptedVault) -> object:
    return admin.api_keys.ensure(project_id=project, name="reader", roles=["ProjectViewer"], store=vault)


def _ensure_account(admin: Admin, _: str, vault: InterruptedVault) -> object:
    return admin.service_accounts.ensure(name="robot", store=vault)


def _rotate_key(admin: Admin, project: str, vault: InterruptedVault) -> object:
    (old,) = admin.api_keys.list(project_id=project) or [admin.api_keys.create(project_id=project, name="old").key]
    return admin.api_keys.rotate(api_key_id=old.id, store=vault)


def _provision(admin: Admin, _: str, vault: InterruptedVault) -> object:
    return admin.projects.provision(name="p", key_roles=["ProjectViewer"], store=vault)


@pytest.mark.parametrize("work", [_ensure_key, _ensure_account, _rotate_key, _provision])
def test_an_interruption_after_the_store_leaves_what_it_has_stored(
    work: Callable[[Admin, str, InterruptedVault], object], stride: Callable[[int], int]
) -> None:
    """Nothing is undone any more, in the first line after the store either."""
    for number in chain(range(1, FIRST_LINES), count(FIRST_LINES, stride(STEP))):
        with use_clock(VirtualClock()):
            emulator = Emulator(seed=1)
            admin, vault, interrupted = emulator.admin(), InterruptedVault(number), False
            project = admin.projects.create(name="p").id
            try:
                work(admin, project, vault)
            except KeyboardInterrupt:
                interrupted = True
            finally:
                sys.settrace(None)
                _collections.set(())  # a workflow left in progress adds lines to the next run, so no run would end
        state = emulator.state
        valid = {each.value for each in state.api_keys.values()}
        valid |= {each.client_secret for each in state.service_accounts.listing}
        assert set(vault.stored.values()) <= valid, number
        if not interrupted:
            break
    assert number > FIRST_LINES + STEP
