"""Put the emulator in place of the service, for every client that the code under test creates."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import ExitStack, contextmanager
from functools import lru_cache, wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from multiprocessing import spawn
from pathlib import Path
from typing import Any, TypeVar, cast

import httpx

from pinecone_admin._concurrency.clock import SystemClock, use_clock
from pinecone_admin._concurrency.emulated_children import EMULATED_VARIABLE, match_production_host
from pinecone_admin._concurrency.locks import ensure_released, renew_lock_in_children
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.emulator import overlay_settings
from pinecone_admin.testing._guard import guarded_production

_ALWAYS_SET = ("PINECONE_CLIENT_ID", "PINECONE_CLIENT_SECRET", "PINECONE_ACCESS_TOKEN", EMULATED_VARIABLE)
_ADDRESS_VARIABLES = ("PINECONE_CONTROLLER_HOST", "PINECONE_OAUTH_URL")
_SERVING_VARIABLES = (*_ADDRESS_VARIABLES, "NO_PROXY", "no_proxy")
_DAY = 24 * 3600.0

F = TypeVar("F", bound=Callable[..., Any])


class emulate:  # noqa: N801 — named like the context managers of contextlib
    """Let an emulator handle the requests that your code sends to Pinecone's Admin API and token endpoint.

    It works for every client that uses the transports of httpx, sync or async, in any thread. These are this package,
    the official SDK from version 9, and plain httpx. The emulator handles requests to production, and to the addresses
    in ``PINECONE_CONTROLLER_HOST`` and ``PINECONE_OAUTH_URL``. All other requests pass through. Code that connects to a
    production host without httpx, through Python's sockets or TLS, gets an error.

    The environment contains the credentials of the emulator. Clients of this package that are created in the block use
    the emulator's clock. So waiting for a retry takes no time, and their tokens expire when you advance the clock.
    Emulations can be nested, and the innermost one handles the requests. Another mock that replaces the transports of
    httpx during an emulation gets the requests instead, also those of emulations that begin later.

    As a decorator of a function or a coroutine function, each call gets a new emulation. As a decorator of a test class
    of unittest or pytest, each test gets a new emulation and its emulator as ``self.emulator``. The emulation begins
    before ``setUp`` or ``setup_method``, and ends after ``tearDown`` or ``teardown_method``. For type checkers, declare
    the attribute in the class: ``emulator: Emulator``.

    A child process does not share the emulator. With `serve`, clients of this package in a child process send their
    requests to the served emulator. Without it, they raise ``PineconeConnectionError``.

    Args:
        emulator: The emulator. By default, each emulation gets a new one, with the same ids and secrets in every run.
        ticking: Whether the emulator's clock also advances with real time. Otherwise it stands still until a client of
            this package waits, or you advance it.
        serve: Also serve the emulator on loopback, at `emulator.host` and `emulator.oauth_url`, for child processes and
            for clients without httpx. ``PINECONE_CONTROLLER_HOST`` and ``PINECONE_OAUTH_URL`` contain the addresses.
            This requires the extra `emulator`. Clients with httpx in this process still get their responses in process,
            so a delay takes no real time. Over `serving`, it does.
        plan: Plan of the new emulator: Free, Standard, Enterprise or Dedicated.
        permissions: ``"published"`` to enforce the permission matrix. ``"open"`` to enforce only the rule that a
            principal cannot grant a role that it does not have.
        state: State of the new emulator: a document that `Emulator.load` accepts, or the path of a JSON file with one.
            `plan` and `permissions` replace the values in it.

    Raises:
        ValueError: An argument is invalid; or `plan`, `permissions` or `state` is given together with an emulator.

    Example:
        >>> with emulate() as emulator:
        ...     with Admin() as admin:  # the code under test
        ...         project = admin.projects.create(name="search")
        ...     assert project.id in emulator.state.projects
    """

    def __init__(
        self,
        emulator: Emulator | None = None,
        *,
        ticking: bool = True,
        serve: bool = False,
        plan: str | None = None,
        permissions: str | None = None,
        state: Mapping[str, object] | str | os.PathLike[str] | None = None,
    ) -> None:
        # @emulate without parentheses passes the function here, and would otherwise fail much later.
        if callable(emulator):
            raise TypeError("emulate() takes an emulator: as a decorator, write @emulate() with parentheses")
        settings = {"plan": plan, "permissions": permissions}
        self._changes: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}
        self._document: Any = state if state is None or isinstance(state, Mapping) else _read_state(Path(state))
        if emulator is not None and (self._changes or state is not None):
            raise ValueError("plan, permissions and state are those of a new emulator: do not pass an emulator, too")
        self._emulator = emulator
        self._ticking = ticking
        self._serve = serve
        self._entered: list[_Emulation] = []
        if self._changes or state is not None:
            self._create_emulator()  # a decorator whose arguments are invalid fails where it stands

    def _create_emulator(self) -> Emulator:
        emulator = Emulator(seed=0, **self._changes)
        if self._document is not None:
            emulator.load(overlay_settings(self._document, self._changes))
        return emulator

    def __enter__(self) -> Emulator:
        emulator = self._emulator or self._create_emulator()
        emulation = _Emulation(emulator, ticking=self._ticking, serve=self._serve)
        _emulations.activate(emulation)
        self._entered.append(emulation)
        return emulation.emulator

    def __exit__(self, *_: object) -> None:
        _emulations.deactivate(self._entered.pop())

    def __call__(self, decorated: F) -> F:
        if isinstance(decorated, type):
            _require_tests(decorated)
            self._emulate_each_test(decorated)
            return cast("F", decorated)
        # The body of a generator runs after the call has returned, when its requests would reach the service.
        if isgeneratorfunction(decorated) or isasyncgenfunction(decorated):
            raise TypeError(f"emulate() decorates no generators: in {decorated!r}, write `with emulate():`")

        @wraps(decorated)
        def call_emulated(*arguments: object, **named: object) -> object:
            with self._another():
                return decorated(*arguments, **named)

        @wraps(decorated)
        async def await_emulated(*arguments: object, **named: object) -> object:
            with self._another():
                return await decorated(*arguments, **named)

        return cast("F", await_emulated if iscoroutinefunction(decorated) else call_emulated)

    def _another(self) -> emulate:
        # This object cannot be shared: calls may overlap, and the one that began last may not be the first to end.
        return emulate(self._emulator, ticking=self._ticking, serve=self._serve, state=self._document, **self._changes)

    def _emulate_each_test(self, suite: Any) -> None:
        if _is_unittest(suite):
            run = suite.run

            @wraps(run)
            def run_emulated(test: Any, result: object = None) -> object:
                with self._another() as test.emulator:
                    return run(test, result)

            suite.run = run_emulated
            return
        prepare, clean_up = (getattr(suite, name, None) for name in ("setup_method", "teardown_method"))

        def setup_method(test: Any, method: object) -> None:
            with ExitStack() as emulation:
                test.emulator = emulation.enter_context(self._another())
                _call_hook(prepare, test, method)
                test.end_emulation = emulation.pop_all().close

        def teardown_method(test: Any, method: object) -> None:
            try:
                _call_hook(clean_up, test, method)
            finally:
                test.end_emulation()

        suite.setup_method, suite.teardown_method = setup_method, teardown_method


def _read_state(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"state: cannot read {path}: {error}") from error


def _is_unittest(suite: type) -> bool:
    from unittest import TestCase  # noqa: PLC0415 — takes 10 ms

    return issubclass(suite, TestCase)


def _require_tests(suite: type) -> None:
    """Refuse classes with code that would run outside of an emulation, and reach the service."""
    names = [name for each in suite.__mro__ if not each.__module__.startswith("unittest") for name in vars(each)]
    if not any(name.startswith("test") for name in names):
        raise TypeError(f"{suite!r} has no tests: emulate() decorates test classes; elsewhere, write `with emulate():`")
    for name in ("setUpClass", "setup_class"):
        if name in names:
            raise TypeError(f"each test gets a new emulation: do what {name} of {suite!r} does before each test")


def _call_hook(hook: Callable[..., object] | None, test: object, method: object) -> None:
    """Call setup_method or teardown_method of a class, which may leave out the argument, as pytest does."""
    if hook is not None:
        hook(*(test, method)[: hook.__code__.co_argcount])


class _Emulation:
    """An active emulator and the monotonic time when its emulation began."""

    def __init__(self, emulator: Emulator, *, ticking: bool, serve: bool) -> None:
        self.emulator = emulator
        self._ahead_in_child: tuple[float, float] | None = None
        self.addresses: dict[str, str] = {}
        self.serving_variables: dict[str, str] = {}
        self.since = 0.0
        self._began = emulator.clock.elapsed()
        self._ending = ExitStack()
        if serve:
            from pinecone_admin.emulator import serving  # noqa: PLC0415 — an extra

            self._ending.enter_context(serving(emulator))
            self.addresses = dict(zip(_ADDRESS_VARIABLES, (emulator.host, emulator.oauth_url), strict=True))
            # A proxy has no way to the loopback of this machine.
            self.serving_variables = self.addresses | dict.fromkeys(("NO_PROXY", "no_proxy"), _exclude_loopback())
        if ticking:
            emulator.clock.start_ticking()
            self._ending.callback(emulator.clock.stop_ticking)
        if emulator.transport.is_inherited:
            # The parent made the emulator; the emulation is of the copy that this process has.
            self._ending.callback(setattr, emulator, "transport", emulator.transport)
            emulator.transport = emulator.transport.for_this_process()
        self.transport = emulator.transport

    def end(self) -> None:
        """Stop serving, and let the emulator's clock stand still again."""
        if not self.transport.is_inherited:
            self._ending.close()

    def continue_in_child(self) -> None:
        """Keep the emulation's time at the fork of this process. From there, it runs in real time."""
        if self._ahead_in_child is None:
            self._ahead_in_child = self.monotonic() - time.monotonic(), self.wall() - time.time()

    def monotonic(self) -> float:
        """Return the time of the emulator's clock as a monotonic time."""
        if self._ahead_in_child is not None:
            return time.monotonic() + self._ahead_in_child[0]
        return self.since + (self.emulator.clock.elapsed() - self._began).total_seconds()

    def wall(self) -> float:
        """Return the time of the emulator's clock in seconds since the epoch."""
        if self._ahead_in_child is not None:
            return time.time() + self._ahead_in_child[1]
        return self.emulator.clock.now().timestamp()


def _exclude_loopback() -> str:
    """Return a value for NO_PROXY that excludes loopback and what is excluded now."""
    excluded = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    return excluded if excluded == "*" else ",".join(filter(None, (excluded, "127.0.0.1")))


class _Environment:
    """The environment variables that an emulation sets, and their values before."""

    def __init__(self) -> None:
        self._before = {name: os.environ.get(name) for name in (*_ALWAYS_SET, *_SERVING_VARIABLES)}
        self._served: set[str] = set()

    def set_for(self, emulation: _Emulation) -> None:
        """Set the variables for the emulation that is the innermost now."""
        self._restore_serving()
        os.environ["PINECONE_CLIENT_ID"] = emulation.emulator.client_id
        os.environ["PINECONE_CLIENT_SECRET"] = emulation.emulator.client_secret
        # A token in the environment would take precedence over the credentials.
        os.environ.pop("PINECONE_ACCESS_TOKEN", None)
        os.environ[EMULATED_VARIABLE] = "1"
        os.environ.update(emulation.serving_variables)
        self._served.update(emulation.serving_variables.values())

    def restore(self) -> None:
        """Restore the variables."""
        self._restore(_ALWAYS_SET)
        self._restore_serving()

    def _restore_serving(self) -> None:
        # Only those that an emulation set, because a test may have set its own since.
        self._restore(name for name in _SERVING_VARIABLES if os.environ.get(name) in self._served)

    def _restore(self, names: Iterable[str]) -> None:
        for name in names:
            value = self._before[name]
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


class _ActiveEmulations:
    """The active emulations of this process, the innermost last.

    With several threads they can end in any order, so the patches are installed with the first emulation and removed
    with the last.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._active: list[_Emulation] = []
        self._installed = ExitStack()
        self._environment = _Environment()
        self._latest = 0.0

    def innermost(self) -> _Emulation | None:
        """Return the emulation that serves requests now, or None."""
        return next(reversed(self._active), None)

    def activate(self, emulation: _Emulation) -> None:
        """Make an emulation the innermost."""
        with ensure_released(self._lock), self._lock:
            if not self._active:
                self._environment = _Environment()
                self._installed.callback(self._environment.restore)
                self._installed.enter_context(_environment_in_children())
                self._installed.enter_context(use_clock(_EmulatedClock()))
                self._installed.enter_context(_intercepted_requests())
                self._installed.enter_context(guarded_production())
            # The next emulation begins a day later, so that a client which outlives this one finds its token expired.
            self._latest = max(self._latest, time.monotonic(), *(each.monotonic() for each in self._active)) + _DAY
            emulation.since = self._latest
            self._active.append(emulation)
            self._environment.set_for(emulation)

    def deactivate(self, emulation: _Emulation) -> None:
        """Remove an emulation; the one before it serves requests again, or the service."""
        with ensure_released(self._lock), self._lock:
            self._active.remove(emulation)
            self._latest = max(self._latest, emulation.monotonic())
            if self._active:
                self._environment.set_for(self._active[-1])
            else:
                self._installed.close()
        # Outside of the lock, because a server takes a moment to stop.
        emulation.end()

    def continue_in_child(self) -> None:
        """Let the time run on in real time."""
        for each in self._active:
            each.continue_in_child()


_emulations = _ActiveEmulations()
renew_lock_in_children(_emulations)
if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_emulations.continue_in_child)


class _ChildEnvironment:
    """Sets the variables of an emulation in the process that unpickles this.

    It needs nothing but builtins there, because the child does not have the import path of its parent yet.
    """

    def __reduce__(self) -> tuple[Callable[..., None], tuple[str, dict[str, object]]]:
        code = "import os\nfor name in names: os.environ.pop(name, None)\nos.environ.update(values)"
        names = (*_ALWAYS_SET, *_SERVING_VARIABLES)
        return exec, (
            code,
            {"names": names, "values": {name: os.environ[name] for name in names if name in os.environ}},
        )


@contextmanager
def _environment_in_children() -> Generator[None, None, None]:
    # A forkserver gives its children its own environment, perhaps from before the emulation. This is what
    # multiprocessing sends to each child that is not forked, before the code that the child is to run.
    prepare = spawn.get_preparation_data

    def get_preparation_data(name: str) -> dict[str, object]:
        return {**prepare(name), "pinecone_admin_environment": _ChildEnvironment()}

    spawn.get_preparation_data = get_preparation_data
    try:
        yield
    finally:
        spawn.get_preparation_data = prepare


@contextmanager
def _intercepted_requests() -> Generator[None, None, None]:
    # httpx's own transports are below every client and its retries, so each attempt comes through here.
    send, async_send = httpx.HTTPTransport.handle_request, httpx.AsyncHTTPTransport.handle_async_request

    def handle_request(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        emulation = _emulation_for(request.url)
        return send(self, request) if emulation is None else emulation.transport.handle_request(request)

    async def handle_async_request(self: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        emulation = _emulation_for(request.url)
        if emulation is None:
            return await async_send(self, request)
        return await emulation.transport.handle_async_request(request)

    httpx.HTTPTransport.handle_request = handle_request  # type: ignore[method-assign]
    httpx.AsyncHTTPTransport.handle_async_request = handle_async_request  # type: ignore[method-assign]
    try:
        yield
    finally:
        httpx.HTTPTransport.handle_request = send  # type: ignore[method-assign]
        httpx.AsyncHTTPTransport.handle_async_request = async_send  # type: ignore[method-assign]


def _emulation_for(url: httpx.URL) -> _Emulation | None:
    # The variables are read at each request, since a test may set them after the emulation has begun.
    emulation, origin = _emulations.innermost(), (url.host, url.port)
    if emulation is None:
        return None
    if emulation.transport.is_inherited and origin in map(_parse_origin, emulation.addresses.values()):
        return None  # a forked child's own connection, or that of the emulation's transport
    custom = (_parse_origin(value) for name in _ADDRESS_VARIABLES if (value := os.environ.get(name)))
    return emulation if match_production_host(url.host) or origin in custom else None


@lru_cache
def _parse_origin(address: str) -> tuple[str, int | None] | None:
    try:
        url = httpx.URL(address if "://" in address else f"https://{address}")
    except httpx.InvalidURL:
        return None
    return url.host, url.port


class _EmulatedClock(SystemClock):
    """The clock of the innermost emulation, where sleeping takes no time; without one, the system's clock."""

    def monotonic(self) -> float:
        """Return the emulator's time as a monotonic time."""
        emulation = _emulations.innermost()
        return super().monotonic() if emulation is None else emulation.monotonic()

    def wall(self) -> float:
        """Return the emulator's time."""
        emulation = _emulations.innermost()
        return super().wall() if emulation is None else emulation.wall()

    def sleep(self, seconds: float, until: threading.Event) -> None:
        """Advance the emulator's clock, unless the event is set."""
        emulation = _emulations.innermost()
        if emulation is None or emulation.transport.is_inherited:
            super().sleep(seconds, until)
        elif not until.is_set():
            emulation.emulator.clock.advance(seconds)

    async def async_sleep(self, seconds: float, until: threading.Event) -> None:
        """Advance the emulator's clock unless the event is set, and let other tasks run."""
        import anyio.lowlevel  # noqa: PLC0415 — the sync client must not load an event loop

        emulation = _emulations.innermost()
        if emulation is None or emulation.transport.is_inherited:
            await super().async_sleep(seconds, until)
        else:
            await anyio.lowlevel.checkpoint()
            self.sleep(seconds, until)

    def is_emulated(self, url: str) -> bool:
        """Return whether the innermost emulation serves the URL in this process."""
        emulation = _emulation_for(httpx.URL(url))
        return emulation is not None and not emulation.transport.is_inherited
