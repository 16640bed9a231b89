# Derived from tests/_async/test_project_lookup.py by scripts/unasync.py: change that, not this file.
"""Projects by name: describe_by_name and exists."""

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
from tests.support.scripted_transport import ScriptedFailure, ScriptedResponse, ScriptedTransport, Step

pytestmark = pytest.mark.anyio

LOOKUPS: dict[str, Callable[[Admin], Any]] = {
    "by id": lambda a: a.projects.exists(project_id="p"),
    "by name": lambda a: a.projects.exists(name="x"),
    "describe_by_name": lambda a: a.projects.describe_by_name(name="x"),
}

# Each of these errors is raised.
FAILURES: list[tuple[Step, type[PineconeError]]] = [
    (ScriptedResponse(401), UnauthorizedError),
    (ScriptedResponse(403), ForbiddenError),
    (ScriptedResponse(429), RateLimitError),
    (ScriptedResponse(500), ServiceError),
    (ScriptedResponse(503, b"<html>"), ServiceError),
    (ScriptedResponse(200, b"<html>"), ResponseParsingError),
    (ScriptedFailure(httpx.ConnectError("refused")), PineconeConnectionError),
    (ScriptedFailure(httpx.ReadTimeout("slow")), PineconeTimeoutError),
]


@pytest.mark.parametrize("call", LOOKUPS.values(), ids=LOOKUPS)
@pytest.mark.parametrize(("step", "error"), FAILURES, ids=[error.__name__ for _, error in FAILURES])
def test_every_error_but_404_is_raised(
    step: Step, error: type[PineconeError], call: Callable[[Admin], Any], make_client: Callable[..., Admin]
) -> None:
    """Any error except 404 is raised, rather than taken for an absent project."""
    with raises(error):
        call(make_client(ScriptedTransport(step), retry=RetryPolicy(max_attempts=1)))


def test_exists_by_id(admin: Admin) -> None:
    """``exists`` returns True for a project, and False when the API returns 404."""
    project = admin.projects.create(name="x")
    assert admin.projects.exists(project_id=project.id) is True
    admin.projects.delete(project_id=project.id)
    assert admin.projects.exists(project_id=project.id) is False


@pytest.mark.parametrize("call", LOOKUPS.values(), ids=LOOKUPS)
def test_a_404_that_says_nothing_of_the_project_is_raised(
    call: Callable[[Admin], Any], make_client: Callable[..., Admin]
) -> None:
    """A 404 for the list, or from another server than the API, is raised rather than taken for an absent project."""
    for body in (b"", b"<html>", b'{"message": "no such page"}'):
        with raises(NotFoundError):
            call(make_client(ScriptedTransport(ScriptedResponse(404, body))))


def test_a_name_is_matched_exactly(admin: Admin) -> None:
    """A name matches exactly, with case and spaces, and not in part."""
    project = admin.projects.create(name="Search")
    assert admin.projects.describe_by_name(name="Search") == project
    assert admin.projects.exists(name="Search") is True
    for name in ("search", "Search ", "Sear", "searching"):
        assert admin.projects.exists(name=name) is False
        with raises(NotFoundError, match=name) as caught:
            admin.projects.describe_by_name(name=name)
        assert (caught.value.status_code, caught.value.operation) == (None, "describe_by_name")


def test_a_shared_name_is_ambiguous(admin: Admin) -> None:
    """Of projects that share a name, exists returns True and describe_by_name raises with all their ids."""
    ids = [(admin.projects.create(name="x")).id for _ in range(3)]
    assert admin.projects.exists(name="x") is True
    with raises(AmbiguousNameError) as caught:
        admin.projects.describe_by_name(name="x")
    assert caught.value.ids == tuple(ids)
    assert caught.value.operation == "describe_by_name"


@pytest.mark.parametrize("arguments", [{}, {"project_id": "p", "name": "x"}], ids=str)
def test_exists_needs_exactly_one_argument(arguments: dict[str, str], make_client: Callable[..., Admin]) -> None:
    """``exists`` raises before a request unless exactly one of project_id and name is given."""
    script = ScriptedTransport()
    with raises(PineconeValueError, match="project_id or name"):
        make_client(script).projects.exists(**arguments)
    assert script.requests == []
