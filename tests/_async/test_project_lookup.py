"""Finding a project by its name, and telling whether there is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from pinecone_admin import (
    AmbiguousNameError,
    AsyncAdmin,
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

EXISTS: dict[str, Callable[[AsyncAdmin], Any]] = {
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
async def test_every_failure_but_404_is_raised(
    step: Step, error: type[PineconeError], call: Callable[[AsyncAdmin], Any], connect: Callable[..., AsyncAdmin]
) -> None:
    """No access, no server and no network never mean yes or no."""
    with raises(error):
        await call(connect(Script(step), retry=RetryPolicy(max_attempts=1)))


async def test_a_project_exists_by_id(admin: AsyncAdmin) -> None:
    """True while it is there, False once the server answers 404."""
    project = await admin.projects.create(name="x")
    assert await admin.projects.exists(project_id=project.id) is True
    await admin.projects.delete(project_id=project.id)
    assert await admin.projects.exists(project_id=project.id) is False


async def test_a_404_for_the_list_is_raised(connect: Callable[..., AsyncAdmin]) -> None:
    """By name, False means that the list was read; a list that is not there answers nothing."""
    assert await connect(Script(Answer(404))).projects.exists(project_id="p") is False
    with raises(NotFoundError):
        await connect(Script(Answer(404))).projects.describe_by_name(name="x")
    with raises(NotFoundError):
        await connect(Script(Answer(404))).projects.exists(name="x")


async def test_a_name_is_matched_exactly(admin: AsyncAdmin) -> None:
    """Capitals and spaces count, and a part of a name is none."""
    project = await admin.projects.create(name="Search")
    assert await admin.projects.describe_by_name(name="Search") == project
    assert await admin.projects.exists(name="Search") is True
    for name in ("search", "Search ", "Sear", "searching"):
        assert await admin.projects.exists(name=name) is False
        with raises(NotFoundError, match=name) as caught:
            await admin.projects.describe_by_name(name=name)
        assert (caught.value.status_code, caught.value.operation) == (404, "describe_by_name")


async def test_several_of_one_name_exist_and_cannot_be_told_apart(admin: AsyncAdmin) -> None:
    """The error holds all their ids; whether the name exists is still answered."""
    ids = [(await admin.projects.create(name="x")).id for _ in range(3)]
    assert await admin.projects.exists(name="x") is True
    with raises(AmbiguousNameError) as caught:
        await admin.projects.describe_by_name(name="x")
    assert caught.value.ids == ids
    assert caught.value.operation == "describe_by_name"


@pytest.mark.parametrize("arguments", [{}, {"project_id": "p", "name": "x"}], ids=str)
async def test_exists_asks_one_question(arguments: dict[str, str], connect: Callable[..., AsyncAdmin]) -> None:
    """Both or neither of id and name are refused before a request."""
    script = Script()
    with raises(PineconeValueError, match="project_id or name"):
        await connect(script).projects.exists(**arguments)
    assert script.requests == []
