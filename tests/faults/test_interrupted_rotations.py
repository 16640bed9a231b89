"""A rotation of a service account that is cancelled or interrupted anywhere loses no secret."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from itertools import count
from types import FrameType

import anyio
import anyio.lowlevel
import pytest

from pinecone_admin import SecretNotStoredError
from pinecone_admin._concurrency import waiting
from pinecone_admin._concurrency.clock import use_clock
from pinecone_admin._concurrency.waiting import complete_if_interrupted
from pinecone_admin.emulator import Emulator
from pinecone_admin.models import ServiceAccountWithSecret
from tests.faults.clock import RunningClock
from tests.support.concurrency import PATIENCE
from tests.support.errors import find_circle
from tests.support.fault_injection import FaultyTransport, InjectedFault
from tests.support.interruption import run_interruptibly


class Account:
    """A service account whose secret is rotated, and what became of each secret.

    Attributes:
        stored: The secrets that ``store`` got.
    """

    def __init__(self, faults: dict[int, InjectedFault]) -> None:
        self.emulator = Emulator(seed=1)
        state = self.emulator.state
        self._account = state.add_service_account("robot", self.emulator.clock.now())
        self._first_secret = self._account.client_secret
        self.id = self._account.id
        self.transport = FaultyTransport(self.emulator, faults)
        self.stored: list[str] = []

    def store(self, made: ServiceAccountWithSecret) -> None:
        """Store a secret."""
        self.stored.append(made.client_secret)

    def check(self, error: BaseException | None) -> str:
        """Check that the valid secret is known to the caller, and return how the rotation ended."""
        secret = self._account.client_secret
        assert error is None or find_circle(error) is None
        if secret == self._first_secret:
            assert error is not None
            return "not rotated"
        unstored = error.__cause__ if isinstance(error, BaseException) and not isinstance(error, Exception) else error
        if isinstance(unstored, SecretNotStoredError):
            assert unstored.secret.reveal() == secret
            assert unstored is error or "a SecretNotStoredError" in str(getattr(error, "__notes__", ()))
            return "on the error"
        assert self.stored[-1:] == [secret], (error, self.stored)
        return "stored"


class Interruption:
    """A profile function that raises KeyboardInterrupt where Python would: as a function begins, or has returned.

    Args:
        number: How many such places to pass first.

    Attributes:
        is_raised: Whether it was raised.
    """

    def __init__(self, number: int) -> None:
        self._remaining = number
        self.is_raised = False

    def __call__(self, _: FrameType, event: str, __: object) -> None:
        """Raise it, if this is the place."""
        if event in {"call", "c_return"}:
            self._remaining -= 1
            if self._remaining < 0:
                sys.setprofile(None)
                self.is_raised = True
                raise KeyboardInterrupt


@pytest.fixture(autouse=True)
def no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a wait for a call that never ends hang, rather than pass after a while."""
    monkeypatch.setattr("pinecone_admin._sync.workflows.rotate.COMPLETION_TIMEOUT", 100 * PATIENCE)


FAULTS = {
    "none": {},
    "lost response": {2: InjectedFault.RESPONSE_LOST},
    "invalid JSON": {2: InjectedFault.INVALID_JSON},
}


# Python ignores an exception in a callback of the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
def test_ctrl_c_anywhere_loses_no_secret(faults: dict[int, InjectedFault], step: int) -> None:
    """Wherever KeyboardInterrupt comes in the main thread, the valid secret is stored, on the error, or the old one."""
    endings: dict[str, int] = {}
    with use_clock(RunningClock()):
        warm_up = Account(faults)  # else most places would be in imports
        warm_up.transport.admin().service_accounts.rotate(service_account_id=warm_up.id, store=warm_up.store)
        for number in count(step=step):
            account, error = Account(faults), None
            admin, interruption = account.transport.admin(), Interruption(number)
            try:
                sys.setprofile(interruption)
                admin.service_accounts.rotate(service_account_id=account.id, store=account.store)
            except BaseException as exc:  # noqa: BLE001 - KeyboardInterrupt or ours
                error = exc
            finally:
                sys.setprofile(None)
            ending = account.check(error)
            endings[ending] = endings.get(ending, 0) + 1
            if not interruption.is_raised:
                break
    assert endings.keys() - {"not rotated"} == {"on the error", "stored"}


def test_a_signal_during_a_request_and_in_the_store_loses_no_secret() -> None:
    """After a real SIGINT during a request, its secret is stored; in the store, the error has it."""
    for number in (2, 3):
        account = Account({2: InjectedFault.RESPONSE_LOST})

        def arm(interrupt: Callable[[], object], account: Account = account, number: int = number) -> None:
            account.transport.before_request = lambda: len(account.transport.requests) == number and interrupt()

        with use_clock(RunningClock()):
            admin = account.transport.admin()
            error = run_interruptibly(
                lambda admin=admin, account=account: admin.service_accounts.rotate(  # type: ignore[misc]
                    service_account_id=account.id, store=account.store
                ),
                arm,
                by_task=False,
            )
        assert isinstance(error, KeyboardInterrupt)
        assert account.check(error) == "stored"

    account = Account({})
    with pytest.raises(KeyboardInterrupt) as lost:
        account.transport.admin().service_accounts.rotate(
            service_account_id=account.id, store=lambda _: signal.raise_signal(signal.SIGINT)
        )
    assert account.check(lost.value) == "on the error"
    assert "may not be stored: this was interrupted" in lost.value.__notes__[0]


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
async def test_a_cancellation_anywhere_loses_no_secret(faults: dict[int, InjectedFault]) -> None:
    """At whichever turn of the event loop the call is cancelled, the valid secret is stored, on the error, or old."""
    endings: dict[str, int] = {}
    with use_clock(RunningClock()):
        for number in count():
            account, error = Account(faults), None
            admin = account.transport.async_admin()

            async def store(made: ServiceAccountWithSecret, account: Account = account) -> None:
                await anyio.lowlevel.checkpoint()
                account.store(made)

            async def cancel(scope: anyio.CancelScope, turns: int) -> None:
                for _ in range(turns):
                    await anyio.lowlevel.checkpoint()
                scope.cancel()

            async with anyio.create_task_group() as group:
                with anyio.CancelScope() as scope:
                    group.start_soon(cancel, scope, number)
                    try:
                        await admin.service_accounts.rotate(service_account_id=account.id, store=store)
                    except anyio.get_cancelled_exc_class() as exc:
                        error = exc
                        raise
                    except SecretNotStoredError as exc:
                        error = exc
                group.cancel_scope.cancel()
            ending = account.check(error)
            endings[ending] = endings.get(ending, 0) + 1
            if error is None:
                break
    assert endings.keys() - {"not rotated"} == {"on the error", "stored"}


@pytest.mark.parametrize("starts", [False, True], ids=["never started", "started later"])
def test_ctrl_c_before_the_thread_begins_is_not_swallowed(*, starts: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt while the thread is being started is raised at once, and the call is not made, even later."""
    made: list[str] = []
    started: list[Callable[[], object]] = []

    def start_slowly(work: Callable[[], object], _: str) -> bool:
        started.append(work)
        signal.raise_signal(signal.SIGINT)
        return True

    monkeypatch.setattr(waiting, "start_daemon_thread", start_slowly)
    with pytest.raises(KeyboardInterrupt):
        complete_if_interrupted(lambda: made.append("call"), 100 * PATIENCE)
    if starts:
        thread = threading.Thread(target=started[0])
        thread.start()
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert made == []


def test_ctrl_c_while_an_undo_is_being_started_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An undo whose thread has not begun is given up at once, and the notes of the error name what is left."""
    emulator = Emulator(seed=1)

    def fail(_: object) -> None:
        def interrupt(work: Callable[[], object], _: str) -> bool:
            del work
            signal.raise_signal(signal.SIGINT)
            return True

        monkeypatch.setattr(waiting, "start_daemon_thread", interrupt)
        raise OSError("vault is sealed")

    monkeypatch.setattr("pinecone_admin._sync.workflows.run.UNDO_TIMEOUT", 100 * PATIENCE)
    admin = emulator.admin()
    with pytest.raises(KeyboardInterrupt) as caught:
        admin.projects.provision(name="tenant", key_roles=["ProjectViewer"], store=fail)
    cause = caught.value.__context__
    assert isinstance(cause, OSError)
    assert any("made by this call, may not have been deleted" in note for note in cause.__notes__)
    assert len(emulator.state.projects) == 1
