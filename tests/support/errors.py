"""What every error of the package promises, checked wherever a test expects one."""

from __future__ import annotations

import pickle
from collections.abc import Generator
from contextlib import contextmanager
from typing import TypeVar, get_args

import pytest

from pinecone_admin import PineconeError
from pinecone_admin.errors import Masked, Outcome

SECRET = "canary-of-a-secret"
"""Used for every client secret; no error ever shows it."""

_E = TypeVar("_E", bound=PineconeError)


@contextmanager
def raises(kind: type[_E], match: str | None = None) -> Generator[pytest.ExceptionInfo[_E], None, None]:
    """Expect exactly this class, with everything that an error of the package promises."""
    with pytest.raises(kind, match=match) as caught:
        yield caught
    assert type(caught.value) is kind
    check_promises(caught.value)


def check_promises(error: PineconeError) -> None:
    """Check that an error has its attributes, survives pickle, shows no secret and carries nothing foreign along."""
    assert error.outcome in get_args(Outcome)
    assert isinstance(error.safe_to_retry, bool)
    assert error.attempts >= 0
    assert not error.operation or str(error).startswith(f"{error.operation}: ")
    assert SECRET not in f"{error!s} {error!r} {error.args} {error.__dict__}"
    foreign = [link for link in _links(error) if not isinstance(link, PineconeError | OSError)]
    assert not foreign, f"{error!r} carries {foreign} along"
    twin = pickle.loads(pickle.dumps(error))
    assert type(twin) is type(error)
    assert (str(twin), twin.args) == (str(error), error.args)
    assert _comparable(twin) == _comparable(error)


def _links(error: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return chain


def _comparable(error: PineconeError) -> dict[str, object]:
    return {name: value for name, value in error.__dict__.items() if not isinstance(value, Masked)}
