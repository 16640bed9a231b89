# Derived from tests/_async/test_project_lookup.py by scripts/unasync.py: change that, not this file.
"""Finding a project by its name, and telling whether there is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from pinecone_admin import (
    Admin,
    AmbiguousNameError,
    ForbiddenError,
    NotFoundError,
    PineconeConnectionError,
    PineconeError,
    PineconeTimeoutError,
    PineconeValueError,
    RateLimitError,
    ResponseParsingError,
    RetryPolicy,
    ServiceError,
    UnauthorizedError,
)
from tests.support.errors import raises
from tests.support.scripted_transport import Answer, Failure, Script, Step

pytestmark = pytest.mark.anyio

EXISTS: dict[str, Callable[[Admin], Any]] = {
    "by id": lambda a: a.projects.exists(project_id="p"),
    "by name": lambda a: a.projects.exists(name="x"),
    "describe_by_name": lambda a: a.projects.describe_by_name(name="x"),
}

# Everything that is no answer to the question is raised.
FAILURES: list[tuple[Step, type[PineconeError]]] = [
    (Answer(401), UnauthorizedError),
    (Answer(403), ForbiddenError),
    (Answer(429), RateLimitError),
    (Answer(500), ServiceError),
    (Answer(503, b"<html>"), ServiceError),
    (Answer(200, b"<html>"), ResponseParsingError),
    (Failure(httpx.ConnectError("refused")), PineconeConnectionError),
    (Failure(httpx.ReadTimeout("slow")), PineconeTimeoutError),
]


@pytest.mark.parametrize("call", EXISTS.values(), ids=EXISTS)
@pytest.mark.parametrize(("step", "error"), FAILURES, ids=[error.__name__ for _, error in FAILURES])
def test_every_failure_but_404_is_raised(
    step: Step, error: type[PineconeError], call: Callable[[Admin], Any], connect: Callable[..., Admin]
) -> None:
    """No access, no server and no network never mean yes or no."""
    with raises(error):
        call(connect(Script(step), retry=RetryPolicy(max_attempts=1)))


def test_a_project_exists_by_id(admin: Admin) -> None:
    """True while it is there, False once the server answers 404."""
    project = admin.projects.create(name="x")
    assert admin.projects.exists(project_id=project.id) is True
    admin.projects.delete(project_id=project.id)
    assert admin.projects.exists(project_id=project.id) is False


def test_a_404_for_the_list_is_raised(connect: Callable[..., Admin]) -> None:
    """By name, False means that the list was read; a list that is not there answers nothing."""
    assert connect(Script(Answer(404))).projects.exists(project_id="p") is False
    with raises(NotFoundError):
        connect(Script(Answer(404))).projects.describe_by_name(name="x")
    with raises(NotFoundError):
        connect(Script(Answer(404))).projects.exists(name="x")


def test_a_name_is_matched_exactly(admin: Admin) -> None:
    """Capitals and spaces count, and a part of a name is none."""
    project = admin.projects.create(name="Search")
    assert admin.projects.describe_by_name(name="Search") == project
    assert admin.projects.exists(name="Search") is True
    for name in ("search", "Search ", "Sear", "searching"):
        assert admin.projects.exists(name=name) is False
        with raises(NotFoundError, match=name) as caught:
            admin.projects.describe_by_name(name=name)
        assert (caught.value.status_code, caught.value.operation) == (404, "describe_by_name")


def test_several_of_one_name_exist_and_cannot_be_told_apart(admin: Admin) -> None:
    """The error holds all their ids; whether the name exists is still answered."""
    ids = [(admin.projects.create(name="x")).id for _ in range(3)]
    assert admin.projects.exists(name="x") is True
    with raises(AmbiguousNameError) as caught:
        admin.projects.describe_by_name(name="x")
    assert caught.value.ids == ids
    assert caught.value.operation == "describe_by_name"


@pytest.mark.parametrize("arguments", [{}, {"project_id": "p", "name": "x"}], ids=str)
def test_exists_asks_one_question(arguments: dict[str, str], connect: Callable[..., Admin]) -> None:
    """Both or neither of id and name are refused before a request."""
    script = Script()
    with raises(PineconeValueError, match="project_id or name"):
        connect(script).projects.exists(**arguments)
    assert script.requests == []
