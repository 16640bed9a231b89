"""The recipes for tenacity, Celery and web applications repeat a call only where that is safe and may help."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Mapping
from types import ModuleType
from typing import Any, cast

import pytest

from pinecone_admin import Admin, PineconeError, PineconeValueError, RateLimitError, RetryPolicy, ServiceError
from pinecone_admin.emulator import Emulator
from pinecone_admin.testing import emulate
from tests.support.recipes import list_blocks

PAGES = {"tenacity": "docs/errors.md", "celery": "docs/how-to/django-celery-fastapi.md"}


@pytest.fixture(autouse=True)
def emulator() -> Generator[Emulator, None, None]:
    """Put the emulator in the place of the service."""
    with emulate() as emulator:
        yield emulator


class Retry(Exception):  # noqa: N818 - named after that of Celery
    """Stands for what a task of Celery raises to be run again."""

    def __init__(self, countdown: float) -> None:
        self.countdown = countdown


class Task:
    """Stands for a task of Celery."""

    def retry(self, *, exc: Exception, countdown: float) -> Retry:
        """Ask to be run again after some seconds."""
        assert isinstance(exc, PineconeError)
        raise Retry(countdown)


class Celery:
    """Stands for an application of Celery."""

    def __init__(self, name: str) -> None:
        assert name == "jobs"

    def task(self, *, bind: bool, max_retries: int) -> Callable[[Any], Any]:
        """Return a decorator that makes a function a task, which gets itself as its first argument."""
        assert (bind, max_retries > 0) == (True, True)
        return lambda function: lambda *args: function(Task(), *args)


def load_recipe(package: str) -> dict[str, Any]:
    """Run the recipe for a package, and return its variables."""
    page = PAGES[package]
    (text,) = [block.text for block in list_blocks(page) if f"from {package} import" in block.text]
    variables: dict[str, Any] = {"__name__": "recipe"}
    exec(compile(text, page, "exec"), variables)
    return variables


@pytest.mark.parametrize("managed", [False, True])
def test_who_gets_no_invite_ends_the_first_example(emulator: Emulator, managed: bool) -> None:
    """The first example on errors fails for a member and for a person whom an identity provider manages."""
    if managed:
        emulator.faults.add("create_invite", status=409)
    else:
        emulator.state.add_user("bob@example.com")
    (text,) = [each.text for each in list_blocks(PAGES["tenacity"]) if "except ConflictError" in each.text]
    with pytest.raises(SystemExit, match="not invited: "):
        exec(compile(text, PAGES["tenacity"], "exec"), {"__name__": "example"})


def test_the_example_with_a_deadline_finds_a_project_whose_create_hangs(emulator: Emulator) -> None:
    """With the ``attempt_timeout`` of the page, ``ensure`` has time left to search after a lost response."""
    emulator.faults.add("create_project", delay=100)
    page = "docs/timeouts-and-retries.md"
    (text,) = [block.text for block in list_blocks(page) if "deadline" in block.text]
    exec(compile(text, page, "exec"), {"__name__": "example"})
    assert len(emulator.requests.filter("create_project")) == len(emulator.state.projects) == 1


@pytest.mark.parametrize(("timeout", "is_found"), [(60, True), (21, True), (20, False), (5, False)])
def test_without_time_beyond_an_attempt_ensure_does_not_search(
    emulator: Emulator, timeout: float, is_found: bool
) -> None:
    """A create that hangs for the whole ``timeout`` leaves an unknown outcome. By default, that is 20 seconds."""
    emulator.faults.add("create_project", delay=100)
    with Admin(timeout=timeout) as admin:
        if is_found:
            assert admin.projects.ensure(name="shop").value.id in emulator.state.projects
        else:
            with pytest.raises(PineconeError) as caught:
                admin.projects.ensure(name="shop")
            assert caught.value.outcome == "unknown"
    assert len(emulator.requests.filter("list_projects")) == 1 + is_found
    assert len(emulator.state.projects) == 1


@pytest.fixture
def run_with_tenacity(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Return the recipe for tenacity, which waits in no time."""
    monkeypatch.setattr("tenacity.nap.time.sleep", waits.append)
    waits.clear()
    variables = load_recipe("tenacity")

    def create(name: str) -> str:
        with variables["Admin"](retry=RetryPolicy(max_attempts=1)) as admin:
            return str(variables["create_project"](admin, name))

    return create


waits: list[float] = []


def test_tenacity_repeats_until_the_create_succeeds(
    run_with_tenacity: Callable[[str], str], emulator: Emulator
) -> None:
    """A create that the server has surely not processed is repeated, not before the Retry-After, and made once."""
    emulator.faults.add("create_project", status=429, retry_after=90, times=2)
    emulator.faults.add("create_project", unreachable=True)
    project_id = run_with_tenacity("borealis")
    assert [project.name for project in emulator.state.projects.values()].count("borealis") == 1
    assert emulator.state.projects[project_id].name == "borealis"
    assert [wait >= 90 for wait in waits] == [True, True, False]


@pytest.mark.parametrize(
    ("fault", "name", "kind"),
    [
        ({"status": 503, "after_change": True}, "borealis", ServiceError),  # worth it, but not safe
        ({"status": 501}, "borealis", ServiceError),  # safe, but not worth it
        ({}, "", PineconeValueError),
    ],
    ids=["unsafe", "hopeless", "argument"],
)
def test_tenacity_does_not_repeat_otherwise(
    fault: dict[str, Any],
    name: str,
    kind: type[PineconeError],
    run_with_tenacity: Callable[[str], str],
    emulator: Emulator,
) -> None:
    """An error with one of the two attributes False is raised at once, unchanged."""
    if fault:
        emulator.faults.add("create_project", **fault)
    with pytest.raises(kind):
        run_with_tenacity(name)
    assert waits == []


def test_celery_runs_the_task_again(monkeypatch: pytest.MonkeyPatch, emulator: Emulator) -> None:
    """The task asks to be run again, not before the Retry-After, and the next run makes what is missing."""
    module: Any = ModuleType("celery")
    module.Celery, module.Task = Celery, Task
    monkeypatch.setitem(sys.modules, "celery", module)
    ensure_project = load_recipe("celery")["ensure_project"]
    emulator.faults.add("create_project", status=429, retry_after=90)
    with pytest.raises(Retry) as caught:
        ensure_project("borealis")
    assert caught.value.countdown >= 90
    assert isinstance(caught.value.__context__, RateLimitError)
    assert emulator.state.projects[ensure_project("borealis")].name == "borealis"
    emulator.faults.add("list_projects", status=501)
    with pytest.raises(ServiceError):
        ensure_project("borealis")


STATUSES: Mapping[str, tuple[Mapping[str, Any], Callable[[Admin, str], object], int]] = {
    "outage": ({"status": 503}, lambda admin, _: admin.projects.list(), 503),
    "create without a response": ({"drop": "after"}, lambda admin, _: admin.projects.create(name="atlas"), 502),
    "create that was not sent": ({"unreachable": True}, lambda admin, _: admin.projects.create(name="atlas"), 503),
    "quota": (
        {"status": 403, "body": {"status": 403, "error": {"code": "QUOTA_EXCEEDED", "message": "full"}}},
        lambda admin, _: admin.projects.create(name="atlas"),
        409,
    ),
    "no permission": ({"status": 403}, lambda admin, _: admin.projects.list(), 502),
    "no such project": ({}, lambda admin, _: admin.projects.describe_by_name(name="atlas"), 404),
    "name of the user": ({}, lambda admin, _: admin.projects.create(name=""), 400),
    "type of the name": ({}, lambda admin, _: admin.projects.create(name=cast("str", 3)), 400),
    "argument of the program": ({}, lambda admin, _: admin.projects.describe(project_id=""), 500),
    "refused by the server": ({}, lambda admin, _: admin.projects.create(name="atlas", max_pods=3), 400),
    "index in the way": ({}, lambda admin, project_id: admin.projects.delete(project_id=project_id), 412),
    "refused by the client": (
        {},
        lambda admin, project_id: admin.projects.delete_with_cleanup(project_id=project_id),
        409,
    ),
    "two of one name": ({}, lambda admin, _: admin.projects.describe_by_name(name="search"), 409),
    "missing credential": ({}, lambda _admin, _: Admin(client_id=""), 500),
    "empty credential": (
        {},
        lambda _admin, _: Admin(client_id="some", client_secret=lambda: "").projects.list(),
        500,
    ),
    "wrong credential": (
        {},
        lambda _admin, _: Admin(client_id="some", client_secret="wrong").projects.list(),
        502,
    ),
}
"""A fault and a call, with the status that the page's web applications return for its error."""


@pytest.mark.parametrize(("fault", "call", "status"), STATUSES.values(), ids=STATUSES)
def test_status_of_an_error(
    fault: Mapping[str, Any], call: Callable[[Admin, str], object], status: int, emulator: Emulator
) -> None:
    """Users get 4xx for what they can fix, and 503 only for a call that a gateway may repeat."""
    (text,) = [block.text for block in list_blocks(PAGES["celery"]) if block.file == "statuses.py"]
    statuses: dict[str, Any] = {"__name__": "statuses"}
    exec(text, statuses)
    with Admin() as admin:
        admin.projects.create(name="search")
        project_id = admin.projects.create(name="search").id
        emulator.hold(project_id, "indexes", "documents", protected=True)
        if fault:
            emulator.faults.add("*", times=None, **fault)
        with pytest.raises(PineconeError) as caught:
            call(admin, project_id)
    assert statuses["get_status"](caught.value) == status


def test_only_a_call_that_may_be_repeated_gets_the_retry_after(emulator: Emulator) -> None:
    """The web applications pass the server's Retry-After on, rounded up, with 503 and no other status."""
    (text,) = [block.text for block in list_blocks(PAGES["celery"]) if block.file == "statuses.py"]
    statuses: dict[str, Any] = {"__name__": "statuses"}
    exec(text, statuses)
    for operation in ("list_projects", "create_project"):
        emulator.faults.add(operation, status=503, retry_after=1.5)
    found: list[dict[str, str]] = []
    with Admin(retry=RetryPolicy(max_attempts=1)) as admin:
        calls: tuple[Callable[[], object], ...] = (admin.projects.list, lambda: admin.projects.create(name="atlas"))
        for call in calls:
            with pytest.raises(ServiceError) as caught:
                call()
            found.append(statuses["get_headers"](caught.value))
    assert found == [{"Retry-After": "2"}, {}]


def test_the_loop_over_pages_ends_if_the_server_repeats_a_token(emulator: Emulator) -> None:
    """The loop of the page on operations stops at a token that it has sent, and says that the list is incomplete."""
    page = "docs/how-to/send-an-operation.md"
    (text,) = [block.text for block in list_blocks(page) if "pagination_token=start" in block.text]
    for number in range(250):
        emulator.add_user(f"user{number}@example.com")
    exec(text, {"__name__": "recipe"})
    assert len(emulator.requests.filter("list_users")) == 3
    emulator.faults.add("list_users", repeat_page_token=True, times=None)
    with pytest.raises(SystemExit, match="incomplete"):
        exec(text, {"__name__": "recipe"})
    assert len(emulator.requests.filter("list_users")) == 5
