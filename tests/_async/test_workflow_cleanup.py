"""Delete with cleanup: everything in the project, then the project, with a key that is never left behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest

from pinecone_admin import (
    AsyncAdmin,
    FailedPreconditionError,
    LeftoverError,
    NotFoundError,
    PaginationError,
    PineconeTimeoutError,
    PineconeValueError,
    ReadOnlyError,
    RefusedError,
    ServiceError,
    UnauthorizedError,
)
from pinecone_admin._async.workflows import temporary_key
from pinecone_admin.emulator import Emulator
from pinecone_admin.workflows import Content, Progress
from tests.support.clock import VirtualClock
from tests.support.errors import raises
from tests.support.fault_injection import CountingTransport, FaultyTransport, InjectedFault
from tests.support.organizations import fill_project
from tests.support.scripted_transport import ScriptedResponse, ScriptedTransport, Step
from tests.support.together import async_run_concurrently

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _one_time(clock: VirtualClock, emulator: Emulator) -> None:
    """Let the client's time be the server's, too."""
    clock.on_sleep = lambda: emulator.clock.advance(clock.slept[-1])


async def a_full_project(emulator: Emulator, **options: Any) -> str:
    """Make a project that holds something of each kind, and give its id."""
    project = await emulator.async_admin().projects.create(name="p")
    fill_project(emulator, project.id, **options)
    return project.id


async def test_everything_goes_and_then_the_project(emulator: Emulator) -> None:
    """Side by side where the server allows, what it does not allow yet again later; the report says what was done."""
    project_id = await a_full_project(emulator, backups=130)
    transport = FaultyTransport(emulator)
    seen: list[Progress] = []
    report = await AsyncAdmin(**transport.client_options).projects.delete_with_cleanup(
        project_id=project_id, progress=seen.append
    )
    assert not emulator.state.projects
    assert report.deleted
    assert len(report.contents) == 134
    assert {each.kind for each in report.contents} == {"index", "collection", "assistant", "backup"}
    assert len(set(report.steps)) == len(report.steps) == 135
    assert report.steps[-1] == f"deleted project {project_id}"
    assert transport.requests[-1] == f"DELETE /admin/projects/{project_id}"
    assert (seen[0].done, seen[0].total) == (0, 134)
    assert seen[-2].step == "left: backup backup-000"
    assert seen[-1] == Progress(done=134, total=134, step="left: nothing")
    assert "deleted index people" in str(report)


async def test_what_can_go_goes_side_by_side(emulator: Emulator) -> None:
    """Several deletions are under way at once, and no more than sixteen."""
    project_id = await a_full_project(emulator, backups=130)
    transport = CountingTransport(emulator)
    transport.only_method = "DELETE"
    await AsyncAdmin(**transport.client_options).projects.delete_with_cleanup(project_id=project_id)
    assert 1 < transport.peak <= 16


async def test_calls_of_the_control_plane_carry_the_key_and_no_token(emulator: Emulator) -> None:
    """Over the same transport as everything else, and the value shows nowhere."""
    project_id = await a_full_project(emulator)
    seen: list[httpx.Request] = []

    class Watching(FaultyTransport):
        def _select_fault(self, request: httpx.Request) -> InjectedFault | None:
            seen.append(request)
            return super()._select_fault(request)

    report = await AsyncAdmin(**Watching(emulator).client_options).projects.delete_with_cleanup(project_id=project_id)
    control = [each for each in seen if not each.url.path.startswith(("/admin", "/oauth"))]
    assert control
    assert all(each.headers["api-key"].startswith("pcsk_") for each in control)
    assert not [each for each in control if "authorization" in each.headers]
    assert not [each for each in seen if each not in control and "api-key" in each.headers]
    assert {each.headers["x-pinecone-api-version"] for each in control} == {"2026-04"}
    assert control[0].headers["api-key"] not in repr(report)


async def test_a_dry_run_deletes_nothing_but_its_own_key(emulator: Emulator) -> None:
    """It says what would be deleted, and what is protected."""
    project_id = await a_full_project(emulator)
    emulator.state.projects[project_id].protected.add("people")
    transport = FaultyTransport(emulator)
    report = await AsyncAdmin(**transport.client_options).projects.delete_with_cleanup(
        project_id=project_id, dry_run=True
    )
    assert report.contents[:2] == [
        Content(kind="index", name="articles"),
        Content(kind="index", name="people", protected=True),
    ]
    assert (len(report.contents), report.deleted, report.steps) == (6, False, [])
    assert not emulator.state.api_keys
    deleted = [request for request in transport.requests if request.startswith("DELETE")]
    assert len(deleted) == 1
    assert deleted[0].startswith("DELETE /admin/api-keys/")
    assert str(report).splitlines()[-1] == "nothing was deleted"
    assert report.to_dict()["contents"][1]["protected"] is True


async def test_a_protected_index_is_told_at_once(emulator: Emulator, clock: VirtualClock) -> None:
    """Before anything is deleted, and without another try; the key is gone."""
    project_id = await a_full_project(emulator)
    project = emulator.state.projects[project_id]
    project.protected.add("people")
    with raises(RefusedError, match="deletion protection is on for index people"):
        await emulator.async_admin().projects.delete_with_cleanup(project_id=project_id)
    assert clock.slept == []
    assert len(project.contents["indexes"]) == 2
    assert not project.going
    assert not emulator.state.api_keys
    report = await emulator.async_admin().projects.delete_with_cleanup(project_id=project_id, lift_protection=True)
    assert report.deleted


async def test_protection_that_comes_meanwhile_is_told_at_once(emulator: Emulator) -> None:
    """The refusal of the server is no reason to try again."""
    project_id = await a_full_project(emulator)
    transport = FaultyTransport(emulator)

    def protect() -> None:
        if transport.requests[-1].startswith("DELETE /indexes"):
            emulator.state.projects[project_id].protected.add("articles")

    transport.before_request = protect
    with raises(RefusedError, match="index articles cannot be deleted"):
        await AsyncAdmin(**transport.client_options).projects.delete_with_cleanup(project_id=project_id)
    assert not emulator.state.api_keys


async def test_what_is_still_there_when_the_time_is_over_is_named(emulator: Emulator, clock: VirtualClock) -> None:
    """And the key goes also then."""
    project_id = await a_full_project(emulator)
    with raises(PineconeTimeoutError, match=r"still holds .*assistant helper"):
        await emulator.async_admin().projects.delete_with_cleanup(project_id=project_id, timeout=2.0)
    assert sum(clock.slept) == pytest.approx(2.0)
    assert not emulator.state.api_keys


async def test_a_project_that_the_server_does_not_find_empty_yet_is_emptied_again(
    emulator: Emulator, clock: VirtualClock
) -> None:
    """What somebody put into it meanwhile is found; what never ends is an error when the time is over."""
    project_id = await a_full_project(emulator)
    transport = FaultyTransport(emulator)

    def refill() -> None:
        if transport.requests[-1].startswith("DELETE /admin/projects") and len(clock.slept) < 9:
            emulator.state.projects[project_id].contents["collections"].add(f"late-{len(clock.slept)}")

    transport.before_request = refill
    report = await AsyncAdmin(**transport.client_options).projects.delete_with_cleanup(project_id=project_id)
    assert report.deleted
    assert "deleted collection late-8" in report.steps
    project_id = await a_full_project(emulator)
    transport.before_request = lambda: emulator.state.projects[project_id].contents["collections"].add("always")
    with pytest.raises((FailedPreconditionError, PineconeTimeoutError)):
        await AsyncAdmin(**transport.client_options).projects.delete_with_cleanup(project_id=project_id, timeout=60.0)
    assert not emulator.state.api_keys


async def test_a_key_that_could_not_be_deleted_is_named(emulator: Emulator) -> None:
    """With the failure that came before it, if there was one."""
    project_id = await a_full_project(emulator)
    transport = FaultyTransport(emulator, dict.fromkeys(range(1, 999), InjectedFault.UNAVAILABLE))
    transport.only_method = "DELETE"
    admin = AsyncAdmin(**transport.client_options)
    with raises(LeftoverError) as caught:
        await admin.projects.delete_with_cleanup(project_id=project_id, dry_run=True)
    (key_id,) = emulator.state.api_keys
    assert caught.value.left == [f"temporary API key {key_id} of project {project_id}"]
    assert key_id in str(caught.value)
    emulator.state.projects[project_id].protected.add("people")
    emulator.state.remove_api_key(emulator.state.api_keys[key_id])
    with raises(LeftoverError, match="after: .*deletion protection is on") as caught:
        await admin.projects.delete_with_cleanup(project_id=project_id)
    assert isinstance(caught.value.__cause__, RefusedError)


async def test_the_key_goes_also_where_somebody_interrupts(emulator: Emulator) -> None:
    """Control-C is no reason to leave a live key behind."""

    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    project_id = await a_full_project(emulator)
    with pytest.raises(KeyboardInterrupt):
        await emulator.async_admin().projects.delete_with_cleanup(project_id=project_id, progress=interrupt)
    assert not emulator.state.api_keys


async def test_the_key_goes_also_where_somebody_interrupts_its_making(emulator: Emulator) -> None:
    """The server has made it, and nobody has the answer yet."""
    project_id = await a_full_project(emulator)
    transport = FaultyTransport(emulator, {3: InjectedFault.RESPONSE_LOST})

    def interrupt() -> None:
        if len(transport.requests) == 4:  # it is looked for
            raise KeyboardInterrupt

    transport.before_request = interrupt
    with pytest.raises(KeyboardInterrupt):
        await AsyncAdmin(**transport.client_options).projects.delete_with_cleanup(project_id=project_id)
    assert not emulator.state.api_keys


# <async only>
class Hanging(FaultyTransport):
    """Never answers the deletion of a key."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass on what is not one."""
        if request.method == "DELETE" and "/api-keys/" in request.url.path:
            await anyio.sleep_forever()
        return await super().handle_async_request(request)


async def test_a_key_whose_deletion_takes_too_long_is_named(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shield against a cancellation does not last for ever."""
    monkeypatch.setattr(temporary_key, "_DELETION_TIMEOUT", 0.01)
    project_id = await a_full_project(emulator)
    hanging = Hanging(emulator)
    with raises(LeftoverError, match="could not be deleted in time") as caught:
        await AsyncAdmin(**hanging.client_options).projects.delete_with_cleanup(project_id=project_id, dry_run=True)
    (key_id,) = emulator.state.api_keys
    assert caught.value.left == [f"temporary API key {key_id} of project {project_id}"]


@pytest.mark.parametrize("at", ["GET /indexes", "DELETE /indexes/articles"])
async def test_the_key_goes_also_where_the_task_is_cancelled(at: str, emulator: Emulator) -> None:
    """Its deletion is shielded from the cancellation."""
    project_id = await a_full_project(emulator)
    transport = CountingTransport(emulator)  # gives way before each request, so that cancellation comes in time
    with anyio.CancelScope() as scope:
        transport.before_request = lambda: scope.cancel() if transport.requests[-1] == at else None
        await AsyncAdmin(**transport.client_options).projects.delete_with_cleanup(project_id=project_id)
    assert scope.cancelled_caught
    assert not emulator.state.api_keys
    assert list(emulator.state.projects) == [project_id]


async def test_the_key_goes_also_where_its_making_is_cancelled(emulator: Emulator) -> None:
    """The server has made it, and the answer comes too late."""
    project_id = await a_full_project(emulator)
    transport = CountingTransport(emulator, {3: InjectedFault.RESPONSE_LOST})
    with anyio.CancelScope() as scope:
        transport.before_request = lambda: scope.cancel() if len(transport.requests) == 4 else None
        await AsyncAdmin(**transport.client_options).projects.delete_with_cleanup(project_id=project_id)
    assert scope.cancelled_caught
    assert not emulator.state.api_keys


# </async only>
async def test_a_key_that_another_run_left_goes(emulator: Emulator) -> None:
    """Also in a run that deletes nothing else."""
    project_id = await a_full_project(emulator)
    transport = FaultyTransport(emulator, dict.fromkeys(range(1, 999), InjectedFault.UNAVAILABLE))
    transport.only_method = "DELETE"
    with raises(LeftoverError):
        await AsyncAdmin(**transport.client_options).projects.delete_with_cleanup(project_id=project_id, dry_run=True)
    assert len(emulator.state.api_keys) == 1
    await emulator.async_admin().projects.delete_with_cleanup(project_id=project_id, dry_run=True)
    assert not emulator.state.api_keys


async def test_a_key_that_another_run_deletes_meanwhile_is_replaced(emulator: Emulator) -> None:
    """Each run begins with deleting what runs that died left, and cannot tell it from what another is using."""
    project_id = await a_full_project(emulator)
    transport = FaultyTransport(emulator)

    def interfere() -> None:
        if transport.requests.count("GET /indexes") == 1 and transport.requests[-1].startswith("DELETE /collections"):
            (key,) = emulator.state.api_keys.values()
            emulator.state.remove_api_key(key)

    transport.before_request = interfere
    report = await AsyncAdmin(**transport.client_options).projects.delete_with_cleanup(project_id=project_id)
    assert report.deleted
    assert len(set(report.steps)) == len(report.steps) == 7
    assert transport.requests.count(f"POST /admin/projects/{project_id}/api-keys") == 2
    assert not emulator.state.projects


async def test_a_project_that_another_run_deletes_meanwhile_is_deleted(emulator: Emulator) -> None:
    """A run beside this one was faster; a dry run cannot say what is in it."""
    project_ids = [await a_full_project(emulator) for _ in range(2)]
    transport = FaultyTransport(emulator)

    def finish() -> None:
        if transport.requests[-1] == "GET /indexes":
            for key in list(emulator.state.api_keys.values()):  # it is the temporary one
                emulator.state.remove_project(emulator.state.projects[key.project_id])

    transport.before_request = finish
    projects = AsyncAdmin(**transport.client_options).projects
    report = await projects.delete_with_cleanup(project_id=project_ids[0])
    assert (report.deleted, report.steps) == (True, [f"somebody else deleted project {project_ids[0]}"])
    with raises(NotFoundError):
        await projects.delete_with_cleanup(project_id=project_ids[1], dry_run=True)


async def test_several_runs_at_once_all_end_well(emulator: Emulator) -> None:
    """Whichever of them deletes what."""
    project_id = await a_full_project(emulator, backups=30)
    admin = AsyncAdmin(**CountingTransport(emulator).client_options)
    reports = await async_run_concurrently(3, lambda: admin.projects.delete_with_cleanup(project_id=project_id))
    assert [getattr(each, "deleted", each) for each in reports] == [True, True, True]
    assert not emulator.state.projects
    assert not emulator.state.api_keys


async def test_a_key_whose_value_was_lost_goes_also_where_the_project_stays(emulator: Emulator) -> None:
    """Nothing of a refused cleanup is left in the project."""
    project_id = await a_full_project(emulator)
    emulator.state.projects[project_id].protected.add("people")
    transport = FaultyTransport(emulator, {3: InjectedFault.RESPONSE_LOST})
    with raises(RefusedError):
        await AsyncAdmin(**transport.client_options).projects.delete_with_cleanup(project_id=project_id)
    assert transport.requests.count(f"POST /admin/projects/{project_id}/api-keys") == 2
    assert not emulator.state.api_keys


async def test_the_key_has_the_least_role_that_the_plan_has(emulator: Emulator) -> None:
    """Not every plan has the roles on one plane alone."""
    roles: list[list[str]] = []
    for plan in ("Enterprise", "Free"):
        emulator.state.organization.plan = plan
        project_id = await a_full_project(emulator)
        transport = FaultyTransport(emulator)

        def note() -> None:
            roles.extend(emulator.state.roles_of(key) for key in emulator.state.api_keys.values())

        transport.before_request = note
        await AsyncAdmin(**transport.client_options).projects.delete_with_cleanup(project_id=project_id)
    assert [*dict.fromkeys(map(tuple, roles))] == [("ControlPlaneEditor",), ("ProjectEditor",)]


async def test_an_empty_project_just_goes(emulator: Emulator, clock: VirtualClock) -> None:
    """Without any wait."""
    project = await emulator.async_admin().projects.create(name="p")
    report = await emulator.async_admin().projects.delete_with_cleanup(project_id=project.id)
    assert (report.deleted, report.contents, clock.slept) == (True, [], [])


async def test_what_cannot_begin_changes_nothing(emulator: Emulator) -> None:
    """A project that does not exist, no time, and a client that may not change anything."""
    admin = emulator.async_admin()
    project = await admin.projects.create(name="p")
    with raises(NotFoundError):
        await admin.projects.delete_with_cleanup(project_id="nowhere")
    with raises(PineconeValueError, match="timeout"):
        await admin.projects.delete_with_cleanup(project_id=project.id, timeout=0)
    with raises(ReadOnlyError):
        await admin.with_options(read_only=True).projects.delete_with_cleanup(project_id=project.id)
    assert list(emulator.state.projects) == [project.id]


PROJECT = ScriptedResponse(
    body={
        "id": "p",
        "name": "p",
        "max_pods": 0,
        "force_encryption_with_cmek": False,
        "organization_id": "o",
        "created_at": "2026-07-01T00:00:00Z",
    }
)
KEY = ScriptedResponse(201, {"key": {"id": "k", "name": "n", "project_id": "p", "roles": []}, "value": "pcsk_v"})
NO_KEY = "pcsk v"
NONE = ScriptedResponse(body={"data": []})


def scripted(answers: dict[str, Callable[[httpx.Request], ScriptedResponse]]) -> Step:
    """Answer the control plane by path, and the rest as an empty project is answered."""

    def answer(request: httpx.Request) -> ScriptedResponse:
        if request.url.path in answers:
            return answers[request.url.path](request)
        if request.url.path == "/admin/projects/p" and request.method == "GET":
            return PROJECT
        if request.url.path.endswith("/api-keys"):
            return KEY if request.method == "POST" else NONE
        if request.url.path == "/admin/api-keys/k" and request.method == "GET":
            return ScriptedResponse(body=KEY.body["key"])
        return ScriptedResponse(202) if request.method == "DELETE" else ScriptedResponse(404)

    return answer


async def test_a_new_key_that_is_not_known_everywhere_yet_is_given_a_moment(
    make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """And an error after half a minute."""
    refusals = [ScriptedResponse(401)] * 3
    script = ScriptedTransport(
        scripted({"/indexes": lambda _: refusals.pop() if refusals else ScriptedResponse(body={"indexes": []})})
    )
    report = await make_client(script).projects.delete_with_cleanup(project_id="p")
    assert report.deleted
    assert clock.slept == [0.5, 1.0, 2.0]
    clock.slept.clear()
    with raises(UnauthorizedError):
        await make_client(
            ScriptedTransport(scripted({"/indexes": lambda _: ScriptedResponse(401)}))
        ).projects.delete_with_cleanup(project_id="p")
    assert sum(clock.slept) == pytest.approx(30.0)


async def test_what_is_asked_to_go_again_after_a_refusal_of_the_key_is_told_once(
    make_client: Callable[..., AsyncAdmin],
) -> None:
    """A list that does not say that it is going yet is no reason to count it twice."""
    there = ScriptedResponse(body={"indexes": [{"name": "a"}]})
    lists = [ScriptedResponse(body={"indexes": []}), there, ScriptedResponse(401), there]
    script = ScriptedTransport(
        scripted({"/indexes": lambda _: lists.pop(), "/indexes/a": lambda _: ScriptedResponse(202)})
    )
    report = await make_client(script).projects.delete_with_cleanup(project_id="p")
    assert [request.url.path for request in script.requests].count("/indexes/a") == 2
    assert report.steps == ["deleted index a", "deleted project p"]


async def test_no_deletion_outlasts_the_time_for_all(
    make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """A server that wants to be asked in half a minute is not waited for where only five seconds are left."""
    busy = ScriptedResponse(503, headers={"retry-after": "30"})
    answers = {"/indexes": lambda _: ScriptedResponse(body={"indexes": [{"name": "a"}]}), "/indexes/a": lambda _: busy}
    with raises(ServiceError):
        await make_client(ScriptedTransport(scripted(answers))).projects.delete_with_cleanup(
            project_id="p", timeout=5.0
        )
    assert sum(clock.slept) <= 5.0


async def test_what_is_gone_before_it_is_asked_to_go_is_as_good(make_client: Callable[..., AsyncAdmin]) -> None:
    """Somebody else was faster."""
    lists = [ScriptedResponse(body={"indexes": []}), ScriptedResponse(body={"indexes": [{"name": "a"}]})]
    answers = {"/indexes": lambda _: lists.pop(), "/indexes/a": lambda _: ScriptedResponse(404)}
    report = await make_client(ScriptedTransport(scripted(answers))).projects.delete_with_cleanup(project_id="p")
    assert report.steps == ["deleted index a", "deleted project p"]


async def test_what_the_server_counts_and_does_not_list_is_its_error(
    make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """Once the time is over."""
    blocked = {"status": 412, "error": {"code": "FAILED_PRECONDITION", "message": "1 indexes"}}
    answers = {"/admin/projects/p": lambda r: PROJECT if r.method == "GET" else ScriptedResponse(412, blocked)}
    with raises(FailedPreconditionError, match="1 indexes"):
        await make_client(ScriptedTransport(scripted(answers))).projects.delete_with_cleanup(
            project_id="p", timeout=20.0
        )
    assert sum(clock.slept) == pytest.approx(20.0)


async def test_a_list_that_never_ends_is_an_error(make_client: Callable[..., AsyncAdmin]) -> None:
    """A page token that comes again would go round for ever."""
    page = ScriptedResponse(body={"assistants": [], "pagination": {"next": "again"}})
    with raises(PaginationError, match="assistants"):
        await make_client(
            ScriptedTransport(scripted({"/assistant/assistants": lambda _: page}))
        ).projects.delete_with_cleanup(project_id="p")


async def test_a_client_with_a_key_sends_it_instead_of_what_else_would_authorize(
    make_client: Callable[..., AsyncAdmin],
) -> None:
    """Also instead of the caller's own header; and it is checked without being shown."""
    script = ScriptedTransport()
    admin = make_client(script, additional_headers={"Authorization": "Bearer mine"}, client_id=None)
    keyed = admin.with_options(api_key="pcsk_v")
    await keyed.with_options(timeout=5).projects.list()
    assert script.request.headers["api-key"] == "pcsk_v"
    assert "authorization" not in script.request.headers
    assert "pcsk_v" not in repr(keyed)
    with raises(PineconeValueError) as caught:
        admin.with_options(api_key=NO_KEY)
    assert NO_KEY not in str(caught.getrepr(showlocals=True))
