"""Interrupt calls and workflows of the sync client at random moments, and count what is wrong afterwards.

Usage: python -m tests.faults.random_interrupts [--jobs 100] [--locks 300] [--seed 1] [--only NAME]

A timer of the system sends a signal, whose handler raises KeyboardInterrupt as that of Ctrl-C does: as often as --jobs
says in each of twelve jobs over loopback, and as often as --locks says while a loop takes each kind of lock. Afterwards
another thread uses the same client, and repeats the job. Exits with status 1 if anything hangs, a lock stays held, a
name exists twice, a key or an account has its name although nobody stored its secret, or the repeated job fails.

The first line is a plain ``with lock`` for comparison: what Python itself leaves held, which the package does not.
"""

from __future__ import annotations

import _thread
import argparse
import faulthandler
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from io import StringIO
from random import Random
from types import FrameType
from typing import Any, TypeAlias

from pinecone_admin import Admin, NotFoundError, on_organization
from pinecone_admin._concurrency.clock import SystemClock, use_clock
from pinecone_admin._concurrency.locks import is_owned
from pinecone_admin._concurrency.sharing import FairSemaphore
from pinecone_admin.cli.output.progress import DelayedBar
from pinecone_admin.emulator import Emulator, serving
from tests.support.concurrency import PATIENCE
from tests.support.organizations import populate_organization

_WARM_UP = 3


class HangError(BaseException):
    """A job or a check took longer than any can."""


class SkippingClock:
    """Real time plus all that was slept, for the client and the emulator; it has no lock that could stay held."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._skipped = 0.0

    def monotonic(self) -> float:
        """Return a time that never runs backwards."""
        return time.monotonic() + self._skipped

    def wall(self) -> float:
        """Return seconds since the epoch."""
        return time.time() + self._skipped

    def sleep(self, seconds: float, until: threading.Event) -> None:
        """Skip the seconds."""
        if not until.is_set():
            self._skipped += seconds
            self._emulator.clock.advance(seconds)

    async_sleep = SystemClock.async_sleep
    is_emulated = SystemClock.is_emulated


class Run:
    """A job's client, emulator and secrets; a new one for each interrupt.

    Attributes:
        admin: The client.
        emulator: Its server.
        stored: Ids of the keys and accounts whose secret was stored.
        listing: Has an element for each thread that the job started and that has not ended.
    """

    def __init__(self, emulator: Emulator, proxy_url: str | None = None) -> None:
        emulator.reset()
        self.emulator = emulator
        self.stored: set[str] = set()
        self.listing: list[None] = []
        self.admin = Admin(
            host=emulator.host,
            oauth_url=emulator.oauth_url,
            client_id=emulator.client_id,
            client_secret=emulator.client_secret,
            lazy=True,
            max_connections=2,
            proxy_url=proxy_url,
        )

    def wait_for_threads(self) -> list[str]:
        """Return whether a thread of the job does not end."""
        deadline = time.monotonic() + PATIENCE
        while self.listing and time.monotonic() < deadline:
            time.sleep(0.001)
        return ["a thread hangs"] if self.listing else []

    def list_projects(self) -> None:
        """List the projects in a thread of the job."""
        self.listing.append(None)
        try:
            self.admin.projects.list()
        finally:
            self.listing.pop()

    def store(self, made: Any) -> None:
        """Store the secret of a new key or account."""
        self.stored.add((made.key if hasattr(made, "key") else made.service_account).id)

    def first_project(self) -> str:
        """Return the id of the project that jobs change."""
        return next(iter(self.emulator.state.projects))

    def find_wrong(self) -> list[str]:
        """Return what no interrupt may leave."""
        state = self.emulator.state
        names = Counter(each.name for each in state.projects.values())
        names.update(f"account {each.name}" for each in state.service_accounts.values())
        wrong = [f"{name} exists {count} times" for name, count in names.items() if count > 1]
        made: list[Any] = [*state.api_keys.values(), *state.service_accounts.values()]
        return wrong + [f"nobody stored {each.name}" for each in made if self._is_unstored(each)]

    def _is_unstored(self, made: Any) -> bool:
        return made.name in {"made", "rotated"} and made.id not in self.stored


Job: TypeAlias = Callable[[Run], object]


def make_calls(run: Run) -> None:
    """Make three calls."""
    project = run.admin.projects.create(name=f"project {len(run.emulator.state.projects)}")
    run.admin.projects.list()
    run.admin.projects.delete(project_id=project.id)


def list_in_threads(run: Run) -> None:
    """List from four threads and from this one, which alone is interrupted.

    They are started without ``threading``, whose own locks an interrupt can leave held, or release twice.
    """
    for _ in range(4):
        _thread.start_new_thread(run.list_projects, ())
    run.admin.projects.list()
    run.wait_for_threads()


def rotate_key(run: Run) -> None:
    """Replace a key."""
    key: Any = run.admin.api_keys.ensure(project_id=run.first_project(), name="rotated", store=run.store).value
    run.admin.api_keys.rotate(api_key_id=getattr(key, "key", key).id, store=run.store)


def delete_full_project(run: Run) -> None:
    """Delete a project with contents."""
    project = next(iter(run.emulator.state.projects.values()))
    for name in ("articles", "people"):
        run.emulator.hold(project.id, "indexes", name)
    run.admin.projects.delete_with_cleanup(project_id=project.id)


def delete_stale(run: Run) -> None:
    """Delete the projects of a plan."""
    run.emulator.clock.advance(2)
    plan = run.admin.projects.delete_stale(name_pattern="search-*", older_than=timedelta(seconds=1))
    run.admin.projects.delete_stale(plan=plan)


def offboard(run: Run) -> None:
    """Offboard a person, who is not found once an earlier run has removed them."""
    try:
        run.admin.users.offboard(email="bao@example.com", dry_run=False)
    except NotFoundError:
        if "bao@example.com" in (each.email for each in run.emulator.state.users.values()):
            raise


JOBS: Mapping[str, Job] = {
    "calls": make_calls,
    "calls through a proxy": make_calls,
    "threads": list_in_threads,
    "token": lambda run: run.admin.token(),
    "inventory": lambda run: run.admin.inventory(concurrency=4),
    "ensure a project": lambda run: run.admin.projects.ensure(name="made"),
    "provision": lambda run: run.admin.projects.provision(name="made", key_roles=["ProjectEditor"], store=run.store),
    "ensure an account": lambda run: run.admin.service_accounts.ensure(
        name="made", role_bindings=[on_organization("OrgMember")], store=run.store
    ),
    "rotate a key": rotate_key,
    "offboard": offboard,
    "delete with cleanup": delete_full_project,
    "delete stale": delete_stale,
}


class Interruption:
    """Raises KeyboardInterrupt in the main thread after some seconds, and HangError if it then takes too long."""

    def __init__(self) -> None:
        self._error: type[BaseException] | None = None
        signal.signal(signal.SIGALRM, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature of a handler
        error = self._error
        if error is not None:
            self._error = HangError
            signal.setitimer(signal.ITIMER_REAL, PATIENCE)
            raise error

    def run(self, work: Callable[[], object], seconds: float) -> bool:
        """Do some work; return whether it was interrupted."""
        self._error = KeyboardInterrupt
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            work()
        except KeyboardInterrupt:
            return True
        finally:
            self._error = None  # whatever comes now is late
            signal.setitimer(signal.ITIMER_REAL, 0)
        return False


def repeat_in_thread(job: Job, run: Run) -> str:
    """Do a job again in another thread; return what went wrong."""
    errors: list[str] = ["hangs"]

    def work() -> None:
        try:
            job(run)
            errors.clear()
        except BaseException as exc:  # noqa: BLE001 - reported
            errors[0] = f"{type(exc).__name__}: {exc}"

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if errors == ["hangs"]:
        faulthandler.dump_traceback()
    return f"the next {errors[0]}" if errors else ""


def interrupt_job(name: str, job: Job, count: int, random: Random) -> list[str]:
    """Interrupt a job at random moments, print what came of it, and return what is wrong."""
    emulator, interruption, wrong = Emulator(seed=1, plan="Enterprise"), Interruption(), list[str]()
    populate_organization(emulator, projects=12, users=4)
    emulator.load(emulator.dump())
    runs = interrupted = 0
    with serving(emulator), use_clock(SkippingClock(emulator)):
        duration = 0.0
        while interrupted < count and runs < 10 * count:
            runs += 1
            # The emulator answers as a proxy does: what is before the path of a URL does not matter to it.
            run = Run(emulator, emulator.host if "proxy" in name else None)
            started = time.monotonic()
            # The first runs, which load modules, are not interrupted, and say how long one takes.
            delay = random.uniform(1e-6, duration) if runs > _WARM_UP else PATIENCE
            try:
                interrupted += interruption.run(lambda: job(run), delay)  # noqa: B023 - it is called at once
            except BaseException as exc:  # noqa: BLE001 - reported
                wrong.append(f"{name}: {type(exc).__name__}: {exc}")
            if runs <= _WARM_UP:
                duration = time.monotonic() - started
            wrong += [f"{name}: {each}" for each in run.find_wrong() + run.wait_for_threads()]
            if problem := repeat_in_thread(job, run):
                wrong.append(f"{name}: {problem}")
            wrong += [f"{name}, repeated: {each}" for each in run.find_wrong() + run.wait_for_threads()]
            run.admin.close()
    print(f"{name}: {runs} runs, {interrupted} interrupted, {len(wrong)} wrong", flush=True)
    return wrong


def make_lock_users() -> dict[str, tuple[threading.RLock, Callable[[], object]]]:
    """Return each kind of lock that a caller's thread takes, with a function that takes it."""
    plain = threading.RLock()
    semaphore = FairSemaphore(1)
    emulator = Emulator(seed=1)
    bar = DelayedBar(StringIO(), "title")
    bar.close()
    admin = emulator.admin()
    provider: Any = admin._shared.token_source
    token = admin.token()
    provider.get_token(deadline=time.monotonic() + PATIENCE, rejected=token)
    rejected = admin.token()

    def take_plain() -> None:
        with plain:
            pass

    def take_permit() -> None:
        semaphore.acquire(0)
        semaphore.release()  # also what an interrupt between the two left acquired

    return {
        "plain with": (plain, take_plain),
        "semaphore": (semaphore._lock, take_permit),
        "token provider": (provider._lock, lambda: provider.get_token(deadline=time.monotonic(), rejected=rejected)),
        "clock": (emulator.clock._lock, lambda: emulator.clock.advance(0)),
        "emulator": (emulator._lock, emulator.configure),
        "progress bar": (bar._lock, lambda: bar.show_wait("s", 1)),
    }


def interrupt_lock_user(name: str, lock: threading.RLock, use: Callable[[], object], count: int, random: Random) -> int:
    """Interrupt a loop that takes a lock, print how often it stayed held, and return that."""
    interruption, left = Interruption(), 0
    for _ in range(count):

        def loop() -> None:
            while True:
                use()

        interruption.run(loop, random.uniform(2e-5, 4e-4))
        while is_owned(lock):
            left += 1
            lock.release()
    print(f"{name}: {count} interrupts, {left} left the lock held", flush=True)
    return left


def main(arguments: list[str]) -> int:
    """Interrupt everything; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100, metavar="N")
    parser.add_argument("--locks", type=int, default=300, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="a job or a lock")
    options = parser.parse_args(arguments)
    random, wrong = Random(options.seed), list[str]()
    print(f"Python {sys.version.split()[0]}")
    for name, (lock, use) in make_lock_users().items():
        if options.locks and options.only in {None, name}:
            left = interrupt_lock_user(name, lock, use, options.locks, random)
            if left and name != "plain with":
                wrong.append(f"{name}: {left} left the lock held")
    for name, job in JOBS.items():
        if options.jobs and options.only in {None, name}:
            wrong += interrupt_job(name, job, options.jobs, random)
    print(*wrong, f"{len(wrong)} wrong", sep="\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
