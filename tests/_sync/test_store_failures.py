# Derived from tests/_async/test_store_failures.py by scripts/unasync.py: change that, not this file.
"""A ``store`` that fails with the secret in its text does not bring the secret into logs and tracebacks."""

from __future__ import annotations

import logging
import pickle
import re
import sqlite3
import subprocess
import traceback
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from itertools import starmap
from typing import Any

import pytest
from attrs import frozen

from pinecone_admin import Admin, LeftoverError, PineconeTypeError, SecretNotStoredError
from pinecone_admin.emulator import Emulator
from pinecone_admin.errors import Masked
from pinecone_admin.workflows import DesiredState, ReadableStore

pytestmark = pytest.mark.anyio


class ImpenetrableError(Exception):
    """An exception that always shows what it was made with.

    Args:
        text: The text.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.read: Callable[[], str] = lambda: text

    def __str__(self) -> str:
        return self.read()


class SlottedError(Exception):
    """An exception that shows what is in a slot.

    Args:
        text: The text.
    """

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class FrozenError(Exception):
    """An exception that refuses notes and any other change.

    Attributes:
        text: The text.
    """

    text: str


@frozen
class FrozenAttrsError(Exception):
    """An exception whose class attrs has frozen.

    Attributes:
        text: The text.
    """

    text: str


class UnreadableError(Exception):
    """An exception of which no text can be read."""

    def __str__(self) -> str:
        raise TypeError(*self.args)


def chain(secret: str) -> Exception:
    """Return an exception whose cause contains the secret, and whose note does."""
    error = RuntimeError("not stored")
    error.__cause__ = ValueError({"body": [secret]})
    error.add_note(f"the body was {secret}")
    return error


FAILURES: dict[str, tuple[Callable[[str], Exception], type[Exception]]] = {
    "a text": (lambda secret: RuntimeError(f"cannot store {secret}"), RuntimeError),
    "the words of a command": (
        lambda secret: subprocess.CalledProcessError(1, ["vault", "put", secret], secret.encode()),
        subprocess.CalledProcessError,
    ),
    "a cause and a note": (chain, RuntimeError),
    "a group": (lambda secret: ExceptionGroup("both", [ValueError(secret)]), ExceptionGroup),
    "the name of a file": (lambda secret: FileNotFoundError(2, "No such file", secret), FileNotFoundError),
    "a text that cannot be changed": (ImpenetrableError, RuntimeError),
    "a text in a slot": (SlottedError, SlottedError),
    "the message of a group": (lambda secret: ExceptionGroup(secret, [ValueError("full")]), ExceptionGroup),
    "a group in a group": (lambda secret: ExceptionGroup("a", [ExceptionGroup(secret, [OSError()])]), ExceptionGroup),
    "bytes that cannot be decoded": (
        lambda secret: UnicodeDecodeError("utf-8", secret.encode(), 0, 1, "no"),
        UnicodeDecodeError,
    ),
    "a text in a frozen class": (FrozenError, FrozenError),
    "a text in a frozen class of attrs": (FrozenAttrsError, FrozenAttrsError),
    "a text that cannot be read": (UnreadableError, RuntimeError),
    "Base64": (lambda secret: RuntimeError(b64encode(secret.encode()).decode()), RuntimeError),
    "Base64 of more": (
        lambda secret: subprocess.CalledProcessError(
            1,
            [
                "kubectl",
                "-p",
                *(urlsafe_b64encode(f"{each}{secret}{each}".encode()).decode() for each in ("a", "ab", "abc")),
            ],
        ),
        subprocess.CalledProcessError,
    ),
    "no secret": (lambda _: LookupError("full"), LookupError),
}


def list_linked(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and what led to it; a context manager of Python puts another one in the place of a frozen."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def decode_words(text: str) -> bytes:
    """Return what the words of a text mean if they are Base64, wherever that begins in them."""
    words = [word.translate({45: "+", 95: "/"}) for word in re.findall(r"[\w+/-]{20,}", text, re.ASCII)]
    parts = [word[start:] for word in words for start in range(4)]
    return b" ".join(b64decode(part[: len(part) // 4 * 4]) for part in parts)


def rotate_account(admin: Admin, store: Callable[[Any], object]) -> object:
    """Replace the secret of a service account."""
    account = admin.service_accounts.create(name="ci")
    return admin.service_accounts.rotate(service_account_id=account.service_account.id, store=store)


def rotate_key(admin: Admin, store: Callable[[Any], object]) -> object:
    """Rotate a key."""
    project = admin.projects.create(name="p")
    key = (admin.api_keys.create(project_id=project.id, name="k")).key
    return admin.api_keys.rotate(api_key_id=key.id, store=store, keep_old_for=timedelta(0))


def ensure_account(admin: Admin, store: Callable[[Any], object]) -> object:
    """Create a service account."""
    return admin.service_accounts.ensure(name="new", store=store)


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("call", [rotate_account, rotate_key, ensure_account], ids=lambda each: each.__name__)
def test_no_traceback_shows_the_secret_that_a_store_puts_into_its_exception(
    name: str, call: Callable[[Admin, Callable[[Any], object]], Any], admin: Admin
) -> None:
    """The exception of the store is raised as it is, or is the cause, without the secret in any text or local."""
    fail, expected = FAILURES[name]
    made = list[Masked]()

    def store(new: Any) -> None:
        made.append(Masked(new.value if hasattr(new, "value") else new.client_secret))
        raise fail(made[0].reveal())

    with pytest.raises(Exception) as caught:  # noqa: PT011 - its class is checked below
        call(admin, store)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    text = "".join(shown.format())
    assert made[0].reveal() not in text
    assert made[0].reveal() not in repr([vars(each) for each in list_linked(caught.value)])
    assert made[0].reveal()[8:-8].encode() not in decode_words(text)
    assert expected in {type(each) for each in list_linked(caught.value)}
    assert ("***" in text) >= (expected is not RuntimeError and name != "no secret")


@pytest.mark.parametrize("call", [rotate_key, ensure_account], ids=lambda each: each.__name__)
def test_a_store_that_raises_stop_iteration_fails_as_any_other(
    call: Callable[[Admin, Callable[[Any], object]], Any], admin: Admin
) -> None:
    """A ``next()`` on an empty iterator is named, and the new resource is deleted."""

    def store(_: object) -> object:
        return next(iter(()))

    with pytest.raises(RuntimeError, match="store raised StopIteration") as caught:
        call(admin, store)
    assert any(each.endswith("was deleted") for each in caught.value.__notes__)


class ImpenetrableExit(SystemExit):
    """An exit that always shows what it was made with."""

    def __init__(self, text: str) -> None:
        super().__init__(1)
        self.read: Callable[[], str] = lambda: text

    def __str__(self) -> str:
        return self.read()


def test_an_interruption_that_shows_the_secret_is_not_replaced(admin: Admin) -> None:
    """An exception that ends a program, such as SystemExit, is raised unchanged."""

    def store(new: Any) -> None:
        raise ImpenetrableExit(new.client_secret)

    with pytest.raises(ImpenetrableExit):
        ensure_account(admin, store)


def link(error: BaseException, cause: BaseException) -> BaseException:
    """Return an exception with its cause."""
    error.__cause__ = cause
    return error


ENDS: dict[str, Callable[[str], BaseException]] = {
    "sys.exit": lambda secret: SystemExit(f"the vault refused {secret}"),
    "an interrupt": KeyboardInterrupt,
    "the cause of an interrupt": lambda secret: link(KeyboardInterrupt(), ImpenetrableError(secret)),
    "the message of a group": lambda secret: BaseExceptionGroup(secret, [KeyboardInterrupt(), ValueError(secret)]),
    "a member of a group": lambda secret: BaseExceptionGroup("two", [KeyboardInterrupt(), ImpenetrableError(secret)]),
}


@pytest.mark.parametrize("name", ENDS)
@pytest.mark.parametrize("call", [rotate_account, rotate_key, ensure_account], ids=lambda each: each.__name__)
def test_what_ends_a_program_shows_no_secret_and_keeps_its_class(
    name: str, call: Callable[[Admin, Callable[[Any], object]], Any], admin: Admin
) -> None:
    """Python prints the ``code`` of ``sys.exit``, and the message of a group of anyio or trio."""
    made = list[Masked]()

    def store(new: Any) -> None:
        made.append(Masked(new.value if hasattr(new, "value") else new.client_secret))
        raise ENDS[name](made[0].reveal())

    with pytest.raises(BaseException) as caught:  # noqa: PT011 - its class is checked below
        call(admin, store)
    assert type(caught.value) is type(ENDS[name](""))
    text = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    for shown in (text, str(getattr(caught.value, "code", "")), repr(caught.value)):
        assert made[0].reveal() not in shown
    assert ("***" in text) >= (name not in {"the cause of an interrupt", "a member of a group"})  # removed, replaced


@pytest.mark.parametrize("call", [rotate_account, rotate_key, ensure_account], ids=lambda each: each.__name__)
def test_a_store_that_raises_generator_exit_fails_as_any_other(
    call: Callable[[Admin, Callable[[Any], object]], Any], admin: Admin
) -> None:
    """It does not pass for the end of the workflow, which would undo nothing."""

    def store(_: object) -> None:
        raise GeneratorExit

    with pytest.raises((RuntimeError, SecretNotStoredError)) as caught:
        call(admin, store)
    if call is rotate_account:
        assert isinstance(caught.value, SecretNotStoredError)
    else:
        assert any(each.endswith("was deleted") for each in caught.value.__notes__)


def generate(_: object) -> Iterator[None]:
    """Store nothing, because nobody iterates over it."""
    yield


class GeneratingStore:
    """A store whose call runs nothing."""

    def __call__(self, _: object) -> Iterator[None]:
        """Store nothing."""
        yield


class CountingStore:
    """A store that only returns a generator once it is called."""

    def __call__(self, new: object) -> Iterator[None]:
        """Store nothing."""
        return generate(new)


@pytest.mark.parametrize("store", [generate, GeneratingStore()], ids=["function", "object"])
@pytest.mark.parametrize("call", [rotate_account, rotate_key, ensure_account], ids=lambda each: each.__name__)
def test_a_generator_function_is_refused_as_a_store(
    store: Callable[[Any], object], call: Callable[[Admin, Callable[[Any], object]], Any], emulator: Emulator
) -> None:
    """Its body would never run, so nothing is created or replaced."""
    with pytest.raises(PineconeTypeError, match="store must not be a generator function"):
        call(emulator.admin(), store)
    assert [each.name for each in emulator.state.api_keys.values()] in ([], ["k"])


@pytest.mark.parametrize("call", [rotate_account, rotate_key, ensure_account], ids=lambda each: each.__name__)
def test_a_generator_that_a_store_returns_is_not_taken_for_success(
    call: Callable[[Admin, Callable[[Any], object]], Any], admin: Admin
) -> None:
    """The new resource is deleted, or the new secret is handed over, since nothing was stored."""
    with pytest.raises((PineconeTypeError, SecretNotStoredError)) as caught:
        call(admin, CountingStore())
    if call is rotate_account:
        assert isinstance(caught.value, SecretNotStoredError)
    else:
        assert any(each.endswith("was deleted") for each in caught.value.__notes__)


def submit(_: object) -> Future[None]:
    """Return a Future of a storing that nobody waits for."""
    return Future()


LAZY: dict[str, Callable[[Any], object]] = {
    "map": lambda new: map(str, [new]),
    "filter": lambda new: filter(None, [new]),
    "zip": lambda new: zip([new], strict=True),
    "starmap": lambda new: starmap(str, [[new]]),
    "Future": submit,
}


@pytest.mark.parametrize("store", LAZY.values(), ids=list(LAZY))
@pytest.mark.parametrize("call", [rotate_account, rotate_key, ensure_account], ids=lambda each: each.__name__)
def test_a_result_that_has_to_be_run_is_not_taken_for_success(
    store: Callable[[Any], object], call: Callable[[Admin, Callable[[Any], object]], Any], admin: Admin
) -> None:
    """What a store returns lazily or as a Future may have stored nothing, as a generator."""
    with pytest.raises((PineconeTypeError, SecretNotStoredError)) as caught:
        call(admin, store)
    if call is rotate_account:
        assert isinstance(caught.value.__cause__, PineconeTypeError)
    else:
        assert any(each.endswith("was deleted") for each in caught.value.__notes__)


def test_a_cursor_that_a_store_returns_is_a_success(admin: Admin) -> None:
    """An iterator of results shows that the statement was executed."""
    with closing(sqlite3.connect(":memory:")) as database:
        ensure_account(admin, lambda new: database.execute("SELECT ?", (new.client_secret,)))
    assert "new" in [each.name for each in admin.service_accounts.list()]


class RaisingHandler(logging.Handler):
    """A log handler that fails."""

    def emit(self, record: logging.LogRecord) -> None:
        """Fail."""
        raise OSError(record.getMessage())


def test_a_log_handler_that_fails_replaces_no_interruption(emulator: Emulator) -> None:
    """What remains is logged too, and the interruption is raised all the same."""

    def store(_: object) -> None:
        raise KeyboardInterrupt

    emulator.faults.add("delete_service_account", status=403)
    handler = RaisingHandler()
    logging.getLogger("pinecone_admin").addHandler(handler)
    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            ensure_account(emulator.admin(), store)
    finally:
        logging.getLogger("pinecone_admin").removeHandler(handler)
    assert any("could not be deleted" in each for each in caught.value.__notes__)


@pytest.mark.parametrize("kind", [FrozenError, UnreadableError])
def test_an_exception_of_any_class_undoes_everything(kind: type[Exception], emulator: Emulator) -> None:
    """Created resources are deleted and named in the notes, although the class refuses notes or has no text."""

    def fail(_: object) -> None:
        raise kind("full")

    with pytest.raises(Exception) as caught:  # noqa: PT011 - a context manager of Python may replace it
        emulator.admin().projects.provision(name="p", key_roles=["ProjectEditor"], store=fail)
    assert not emulator.state.projects
    assert not emulator.state.api_keys
    notes = [note for each in list_linked(caught.value) for note in getattr(each, "__notes__", ())]
    assert [note.rpartition(" was ")[2] for note in notes if "if the new value" not in note] == ["deleted", "deleted"]


@pytest.mark.parametrize("kind", [FrozenError, UnreadableError])
def test_what_an_exception_of_any_class_leaves_is_named(kind: type[Exception], emulator: Emulator) -> None:
    """The error of the deletion that fails names the key."""
    admin = emulator.admin()
    project = admin.projects.create(name="p")
    emulator.faults.add("delete_api_key", status=403)
    with pytest.raises(LeftoverError) as caught:
        with admin.api_keys.temporary(project_id=project.id, roles=["ProjectEditor"]) as made:
            raise kind("full")
    assert made.key.id in str(caught.value)


@pytest.mark.parametrize("kind", [FrozenError, UnreadableError])
@pytest.mark.parametrize("workflow", ["apply", "rotate_due", "rotate_due accounts"])
def test_an_exception_of_any_class_is_a_reason_in_a_report(
    workflow: str, kind: type[Exception], emulator: Emulator
) -> None:
    """A workflow on many secrets reports it, also if its class has no text."""

    def fail(_: object) -> None:
        raise kind("full")

    admin, due = emulator.admin(), timedelta(days=1)
    project = admin.projects.create(name="p")
    admin.api_keys.create(project_id=project.id, name="reader")
    account = (admin.service_accounts.create(name="ci")).service_account
    emulator.clock.advance(2 * 86_400)
    failed: Any
    if workflow == "apply":
        keys = [{"name": "new", "roles": ["ProjectViewer"]}]
        desired = {"organization": emulator.organization_id, "projects": [{"name": "p", "api_keys": keys}]}
        (failed,) = (admin.apply(admin.plan(DesiredState.from_dict(desired)), store=fail)).steps
        assert (failed.state, ("full" if kind is FrozenError else kind.__name__) in failed.error) == ("undone", True)
    elif workflow == "rotate_due":
        (failed,) = (admin.api_keys.rotate_due(older_than=due, keep_old_for=due, store=fail)).failed
        assert ("full" if kind is FrozenError else kind.__name__) in failed.reason
    else:
        read = ReadingStore(fail)
        (failed,) = (admin.service_accounts.rotate_due(older_than=due, store=read, names=["ci"])).failed
        assert failed.account == account
        assert ("full" if kind is FrozenError else kind.__name__) in failed.reason


class ReadingStore(ReadableStore):
    """A store that fails to read.

    Args:
        fail: Raises.
    """

    def __init__(self, fail: Callable[[object], None]) -> None:
        self._fail = fail

    def __call__(self, new_secret: object, /) -> None:
        """Fail."""
        self._fail(new_secret)

    def read(self, resource: object, /) -> str | None:
        """Fail."""
        self._fail(resource)
        return None


def open_temporary_key(admin: Admin, fail: Callable[[Any], object]) -> object:
    """Fail in the block of a temporary key."""
    project = admin.projects.create(name="p")
    with admin.api_keys.temporary(project_id=project.id, roles=["ProjectEditor"]) as made:
        return fail(made)


@pytest.mark.parametrize(
    "call", [rotate_account, rotate_key, ensure_account, open_temporary_key], ids=lambda each: each.__name__
)
def test_an_exception_that_is_raised_again_has_the_notes_of_its_run_alone(
    call: Callable[[Admin, Callable[[Any], object]], object], emulator: Emulator
) -> None:
    """It has the notes of the caller and of workflows that the callable has called, and none of an earlier run."""
    admin, failure = emulator.admin(), OSError("full")
    failure.add_note("of the caller")

    def fail(_: object) -> None:
        sync = emulator.admin()
        project = sync.projects.create(name="inner")
        try:
            sync.api_keys.ensure(project_id=project.id, name="inner", store=raise_failure)
        finally:
            inner.append(project.id)

    def raise_failure(_: object) -> None:
        raise failure

    inner: list[str] = []
    notes: list[list[str]] = []
    for _ in range(2):
        with pytest.raises((OSError, SecretNotStoredError)):
            call(admin, fail)
        notes.append([*failure.__notes__])
    first, second = notes
    assert second[0] == "of the caller"
    assert len(second) == len(first)
    assert not {*first[1:]} & {*second[1:]} - {each for each in second if "all the same" in each}
    assert any(inner[1] in each for each in second)
    assert not any(inner[0] in each for each in second)


def test_a_report_gives_each_key_the_notes_of_its_own_rotation(emulator: Emulator) -> None:
    """The reason of the second key does not name the new key of the first one."""
    admin, due, failure = emulator.admin(), timedelta(days=1), OSError("full")

    def fail(_: object) -> None:
        raise failure

    project = admin.projects.create(name="p")
    for name in ("one", "two"):
        admin.api_keys.create(project_id=project.id, name=name)
    emulator.clock.advance(2 * 86_400)
    failed = (admin.api_keys.rotate_due(older_than=due, keep_old_for=due, store=fail)).failed
    assert [each.reason.count("was deleted") for each in failed] == [1, 1]


def test_notes_of_a_workflow_survive_a_pickle_as_text(admin: Admin) -> None:
    """An exception from a process that ran a workflow keeps its notes in another one, whose runs are others."""

    def fail(_: object) -> None:
        raise OSError("full")

    with pytest.raises(OSError, match="full") as caught:
        ensure_account(admin, fail)
    copied = pickle.loads(pickle.dumps(caught.value))
    copied.__notes__ = pickle.loads(pickle.dumps(caught.value.__notes__))
    assert {type(each) for each in copied.__notes__} == {str}
    assert copied.__notes__ == caught.value.__notes__
