"""The promises of every error of the package, checked wherever a test expects one."""

from __future__ import annotations

import pickle
import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import TypeVar, get_args

import pytest

from pinecone_admin import PineconeError, PineconeTypeError, PineconeValueError
from pinecone_admin._text.printable import make_printable
from pinecone_admin.errors import Masked, Outcome

SECRET = "canary-of-a-secret"
"""Used as every client secret; no error may contain it."""

# The name of an argument or a variable; a word without an underscore may be neither.
_BEGINS_WITH_ARGUMENT = re.compile(r"[a-z]+_[a-z_]+\b|PINECONE_[A-Z_]+\b")

_E = TypeVar("_E", bound=PineconeError)


@contextmanager
def raises(kind: type[_E], match: str | None = None) -> Generator[pytest.ExceptionInfo[_E], None, None]:
    """Expect exactly this class of error, and check what every error promises."""
    with pytest.raises(kind, match=match) as caught:
        yield caught
    assert type(caught.value) is kind
    check_promises(caught.value)


def check_promises(error: PineconeError) -> None:
    """Check that an error has its attributes, can be pickled, and contains no secret and no foreign exception."""
    assert error.outcome in get_args(Outcome)
    assert isinstance(error.safe_to_retry, bool)
    assert isinstance(error.worth_retrying, bool)
    assert error.attempts >= 0
    assert all(isinstance(note, str) for note in error.__notes__)
    assert not error.operation or str(error).startswith(make_printable(f"{error.operation}: "))
    if _BEGINS_WITH_ARGUMENT.match(error.message) and isinstance(error, PineconeValueError | PineconeTypeError):
        assert error.argument is not None
        assert error.message_with_names({error.argument: "@"})[0] == "@"
    assert SECRET not in f"{error!s} {error!r} {error.args} {error.__dict__}"
    foreign = [link for link in _exception_chain(error) if not isinstance(link, PineconeError | OSError)]
    assert not foreign, f"{error!r} carries {foreign} along"
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (str(copy), copy.args) == (str(error), error.args)
    assert _comparable_attributes(copy) == _comparable_attributes(error)


def _exception_chain(error: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return chain


def _comparable_attributes(error: PineconeError) -> dict[str, object]:
    return {name: value for name, value in error.__dict__.items() if not isinstance(value, Masked)}


def find_circle(error: BaseException, way: tuple[BaseException, ...] = ()) -> str | None:
    """Return the way of causes and contexts that comes back to where it was, or None."""
    if any(error is each for each in way):
        return " > ".join(type(each).__name__ for each in (*way, error))
    links = filter(None, (error.__cause__, error.__context__))
    return next(filter(None, (find_circle(each, (*way, error)) for each in links)), None)
