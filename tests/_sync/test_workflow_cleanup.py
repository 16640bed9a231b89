# Derived from tests/_async/test_workflow_cleanup.py by scripts/unasync.py: change that, not this file.
"""Delete with cleanup: deletes the contents of a project and the project, and leaves no temporary key behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import httpx
import pytest
from attrs import evolve

from pinecone_admin import (
    Admin,
    FailedPreconditionError,
    ForbiddenError,
    LeftoverError,
    NotFoundError,
    PaginationError,
    PineconeError,
    PineconeTimeoutError,
    PineconeValueError,
    ReadOnlyError,
    RefusedError,
    ServiceError,
)
from pinecone_admin.emulator import Emulator
from pinecone_admin.workflows import Content, Progress
from tests.support.clock import VirtualClock
from tests.support.concurrency import run_concurrently
from tests.support.errors import raises
from tests.support.fault_injection import CountingTransport, FaultyTransport, InjectedFault
from tests.support.old_names import tag_as_emptying
from tests.support.organizations import fill_project
from tests.support.scripted_transport import ScriptedResponse, ScriptedTransport
from tests.support.steps import as_planned, describe_steps, list_actions

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _share_time(clock: VirtualClock, emulator: Emulator) -> None:
    """Advance the server's clock with the client's."""
    clock.on_sleep = lambda: emulator.clock.advance(clock.slept[-1])


def create_full_project(emulator: Emulator, **options: Any) -> str:
    """Create a project with a resource of each kind, and return its id."""
    project = emulator.admin().projects.create(name="p")
    fill_project(emulator, project.id, **options)
    return project.id


def test_the_contents_are_deleted_before_the_project(emulator: Emulator) -> None:
    """All contents are deleted, then the project, and the report lists every step."""
    project_id = create_full_project(emulator, backups=130)
    transport = FaultyTransport(emulator)
    received: list[Progress] = []
    report = transport.admin().projects.delete_with_cleanup(project_id=project_id, progress=received.append)
    assert not emulator.state.projects
    assert report.deleted
    assert len(report.contents) == 135
    assert {each.kind for each in report.contents} == {"index", "collection", "assistant", "backup", "workspace"}
    assert report.unseen == []
    assert (
        len({(each.change.target.kind, each.change.target.name) for each in report.steps}) == len(report.steps) == 136
    )
    last = report.steps[-1].change.target
    assert (last.kind, last.id) == ("project", project_id)
    assert transport.requests[-1] == f"DELETE /admin/projects/{project_id}"
    assert (received[0].done, received[0].total) == (0, 135)
    assert received[-2].step == "left: backup backup-000"
    assert received[-1] == Progress(done=135, total=135, step="left: nothing")
    assert "deleted index people" in str(report)


def test_the_deletion_of_the_project_lists_the_keys_that_go_with_it(emulator: Emulator) -> None:
    """The dry run and the run list the same keys, and no temporary key of their own."""
    project_id = create_full_project(emulator)
    admin = emulator.admin()
    keys = [(admin.api_keys.create(project_id=project_id, name=each)).key for each in ("reader", "writer")]
    for dry_run in (True, False):
        report = admin.projects.delete_with_cleanup(project_id=project_id, dry_run=dry_run)
        deleted = report.steps[-1].change.also_deletes
        assert [(each.kind, each.name, each.id) for each in deleted] == [
            ("api_key", each.name, each.id) for each in keys
        ]
        assert "with 2 keys: reader, writer" in str(report)


def test_deletions_run_concurrently(emulator: Emulator) -> None:
    """Up to sixteen deletions run concurrently."""
    project_id = create_full_project(emulator, backups=130)
    transport = CountingTransport(emulator, only_method="DELETE")
    transport.admin().projects.delete_with_cleanup(project_id=project_id)
    assert 1 < transport.peak <= 16


def test_control_plane_calls_send_the_key_and_no_token(emulator: Emulator) -> None:
    """Control plane requests send only the temporary key, which appears nowhere else."""
    project_id = create_full_project(emulator)
    received: list[httpx.Request] = []

    class Watching(FaultyTransport):
        def _select_fault(self, request: httpx.Request) -> InjectedFault | None:
            received.append(request)
            return super()._select_fault(request)

    report = Watching(emulator).admin().projects.delete_with_cleanup(project_id=project_id)
    control_requests = [each for each in received if not each.url.path.startswith(("/admin", "/oauth"))]
    assert control_requests
    assert all(each.headers["api-key"].startswith("pcsk_") for each in control_requests)
    assert not [each for each in control_requests if "authorization" in each.headers]
    assert not [each for each in received if each not in control_requests and "api-key" in each.headers]
    assert {each.headers["x-pinecone-api-version"] for each in control_requests} == {"2026-04", "2026-07"}
    assert control_requests[0].headers["api-key"] not in repr(report)


def test_a_dry_run_deletes_only_its_own_key(emulator: Emulator) -> None:
    """A dry run reports the contents and their protection, and deletes only its temporary key."""
    project_id = create_full_project(emulator)
    emulator.hold(project_id, "indexes", "people", protected=True)
    transport = FaultyTransport(emulator)
    report = transport.admin().projects.delete_with_cleanup(project_id=project_id, dry_run=True)
    assert report.contents[:2] == [
        Content(kind="index", name="articles"),
        Content(kind="index", name="people", protected=True),
    ]
    assert (len(report.contents), report.deleted, report.steps) == (7, False, [])
    assert report.refusal is not None
    assert report.refusal in str(report)
    assert not emulator.state.api_keys
    deleted = [request for request in transport.requests if request.startswith("DELETE")]
    assert len(deleted) == 1
    assert deleted == [f"DELETE /admin/api-keys/{key_id}" for key_id in report.temporary_keys]
    assert str(report).splitlines()[-2:] == [
        f"temporary API keys that were deleted again: {report.temporary_keys[0]}",
        "nothing else was deleted",
    ]
    assert report.to_dict()["contents"][1]["protected"] is True


def test_a_dry_run_reports_what_a_real_run_does(emulator: Emulator) -> None:
    """The report of a dry run is that of a real run, except that nothing is deleted; both name their temporary keys."""
    project_id = create_full_project(emulator)
    admin = emulator.admin()
    preview = admin.projects.delete_with_cleanup(project_id=project_id, dry_run=True)
    report = admin.projects.delete_with_cleanup(project_id=project_id)
    assert {*describe_steps(preview.steps)} == {*describe_steps(as_planned(report.steps))}
    assert preview.temporary_keys != report.temporary_keys
    assert preview == evolve(
        report, dry_run=True, deleted=False, steps=preview.steps, temporary_keys=preview.temporary_keys
    )


def test_a_protected_index_raises_at_once(emulator: Emulator, clock: VirtualClock) -> None:
    """A protected index raises before anything is deleted, unless lift_protection is True."""
    project_id = create_full_project(emulator)
    project = emulator.state.projects[project_id]
    emulator.hold(project_id, "indexes", "people", protected=True)
    with raises(RefusedError, match="deletion protection is on for index people"):
        emulator.admin().projects.delete_with_cleanup(project_id=project_id)
    assert clock.slept == []
    assert len(project.indexes) == 2
    assert not [each for each in project.indexes.values() if each.gone_at]
    assert not emulator.state.api_keys
    report = emulator.admin().projects.delete_with_cleanup(project_id=project_id, lift_protection=True)
    assert report.deleted


def test_protection_enabled_meanwhile_raises_at_once(emulator: Emulator) -> None:
    """An index that becomes protected during the cleanup raises without a retry."""
    project_id = create_full_project(emulator)
    transport = FaultyTransport(emulator)

    def protect() -> None:
        if transport.requests[-1].startswith("DELETE /indexes"):
            emulator.hold(project_id, "indexes", "articles", protected=True)

    transport.before_request = protect
    with raises(RefusedError, match="index articles cannot be deleted"):
        transport.admin().projects.delete_with_cleanup(project_id=project_id)
    assert not emulator.state.api_keys


def test_a_timeout_names_what_remains(emulator: Emulator, clock: VirtualClock) -> None:
    """A timeout raises an error that names the remaining contents, and deletes the temporary key."""
    project_id = create_full_project(emulator)
    with raises(PineconeTimeoutError, match=r"still contains .*assistant helper"):
        emulator.admin().projects.delete_with_cleanup(project_id=project_id, time_limit=timedelta(seconds=2))
    assert sum(clock.slept) == pytest.approx(2.0)
    assert not emulator.state.api_keys


def test_a_refilled_project_is_emptied_again(emulator: Emulator, clock: VirtualClock) -> None:
    """Contents that others add during the cleanup are deleted until the timeout."""
    project_id = create_full_project(emulator)
    transport = FaultyTransport(emulator)

    def refill() -> None:
        if transport.requests[-1].startswith("DELETE /admin/projects") and len(clock.slept) < 9:
            emulator.hold(project_id, "collections", f"late-{len(clock.slept)}")

    transport.before_request = refill
    report = transport.admin().projects.delete_with_cleanup(project_id=project_id)
    assert report.deleted
    assert ("collection", "late-8") in {(each.change.target.kind, each.change.target.name) for each in report.steps}
    project_id = create_full_project(emulator)
    transport.before_request = lambda: emulator.hold(project_id, "collections", "always")
    with pytest.raises((FailedPreconditionError, PineconeTimeoutError)):
        transport.admin().projects.delete_with_cleanup(project_id=project_id, time_limit=timedelta(seconds=60))
    assert not emulator.state.api_keys


def test_a_key_that_cannot_be_deleted_is_named(emulator: Emulator) -> None:
    """The error names a temporary key that remains, with the earlier failure as its cause."""
    project_id = create_full_project(emulator)
    transport = FaultyTransport(emulator, dict.fromkeys(range(1, 999), InjectedFault.UNAVAILABLE), only_method="DELETE")
    admin = transport.admin()
    with raises(LeftoverError) as caught:
        admin.projects.delete_with_cleanup(project_id=project_id, dry_run=True)
    (key_id,) = emulator.state.api_keys
    assert caught.value.left == [f"temporary API key {key_id} in project {project_id}"]
    assert key_id in str(caught.value)
    emulator.hold(project_id, "indexes", "people", protected=True)
    emulator.state.remove_api_key(emulator.state.api_keys[key_id])
    with raises(LeftoverError, match="after: .*deletion protection is on") as caught:
        admin.projects.delete_with_cleanup(project_id=project_id)
    assert isinstance(caught.value.__cause__, RefusedError)


def test_an_interrupt_deletes_the_key(emulator: Emulator) -> None:
    """KeyboardInterrupt during the cleanup deletes the temporary key."""

    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    project_id = create_full_project(emulator)
    with pytest.raises(KeyboardInterrupt):
        emulator.admin().projects.delete_with_cleanup(project_id=project_id, progress=interrupt)
    assert not emulator.state.api_keys


def test_an_interrupt_during_creation_deletes_the_key(emulator: Emulator) -> None:
    """KeyboardInterrupt after a lost response to the creation of the temporary key deletes the key."""
    project_id = create_full_project(emulator)
    transport = FaultyTransport(emulator, {3: InjectedFault.RESPONSE_LOST})

    def interrupt() -> None:
        if len(transport.requests) == 4:  # the cleanup looks for the key
            raise KeyboardInterrupt

    transport.before_request = interrupt
    with pytest.raises(KeyboardInterrupt):
        transport.admin().projects.delete_with_cleanup(project_id=project_id)
    assert not emulator.state.api_keys


def test_a_key_left_by_an_earlier_run_is_deleted_once_its_time_is_over(emulator: Emulator) -> None:
    """Any run, even a dry run, deletes the temporary key that an earlier run left, but not one that may be in use."""
    project_id = create_full_project(emulator)
    transport = FaultyTransport(emulator, dict.fromkeys(range(1, 999), InjectedFault.UNAVAILABLE), only_method="DELETE")
    with raises(LeftoverError):
        transport.admin().projects.delete_with_cleanup(
            project_id=project_id, time_limit=timedelta(minutes=10), dry_run=True
        )
    (left,) = emulator.state.api_keys
    projects = emulator.admin().projects
    report = projects.delete_with_cleanup(project_id=project_id, dry_run=True)
    assert left not in report.temporary_keys
    emulator.clock.advance(11 * 60)
    report = projects.delete_with_cleanup(project_id=project_id, dry_run=True)
    assert report.temporary_keys[0] == left
    assert not emulator.state.api_keys


def test_a_key_of_an_older_version_is_deleted_at_once(emulator: Emulator) -> None:
    """The name that version 0.3 gave to the temporary key has no time; one with the digest of another project stays."""
    project_id = create_full_project(emulator)
    admin = emulator.admin()
    for name in (tag_as_emptying(project_id), tag_as_emptying("other")):
        admin.api_keys.create(project_id=project_id, name=name)
    first, second = emulator.state.api_keys
    report = admin.projects.delete_with_cleanup(project_id=project_id, dry_run=True)
    assert report.temporary_keys[0] == first
    assert [*emulator.state.api_keys] == [second]


def test_a_run_leaves_the_key_of_another_run_alone(emulator: Emulator) -> None:
    """A run in progress keeps its temporary key, also if another run begins whose first create is lost."""
    project_id = create_full_project(emulator)
    transport = FaultyTransport(emulator)
    keys: list[list[str]] = []

    def begin_another() -> None:
        if transport.requests[-1] != "GET /indexes" or keys:
            return
        keys.append([*emulator.state.api_keys])
        emulator.faults.add("create_api_key", drop="after", times=1)
        emulator.admin().projects.delete_with_cleanup(project_id=project_id, dry_run=True)
        keys.append([*emulator.state.api_keys])

    transport.before_request = begin_another
    report = transport.admin().projects.delete_with_cleanup(project_id=project_id)
    assert report.deleted
    assert len(keys[0]) == 1
    assert keys[0] == keys[1]
    assert transport.requests.count(f"POST /admin/projects/{project_id}/api-keys") == 1


def test_a_key_deleted_by_another_run_is_replaced(emulator: Emulator) -> None:
    """A run whose temporary key a concurrent run deletes creates another one."""
    project_id = create_full_project(emulator)
    transport = FaultyTransport(emulator)

    def interfere() -> None:
        if transport.requests.count("GET /indexes") == 1 and transport.requests[-1].startswith("DELETE /collections"):
            (key,) = emulator.state.api_keys.values()
            emulator.state.remove_api_key(key)

    transport.before_request = interfere
    report = transport.admin().projects.delete_with_cleanup(project_id=project_id)
    assert report.deleted
    assert len(set(describe_steps(report.steps))) == len(report.steps) == 8
    assert transport.requests.count(f"POST /admin/projects/{project_id}/api-keys") == 2
    assert not emulator.state.projects


def test_a_project_deleted_by_another_run_counts_as_deleted(emulator: Emulator) -> None:
    """A project that a concurrent run deletes is reported as deleted, and a dry run raises."""
    project_ids = [create_full_project(emulator) for _ in range(2)]
    transport = FaultyTransport(emulator)

    def delete_projects() -> None:
        if transport.requests[-1] == "GET /indexes":
            for key in list(emulator.state.api_keys.values()):  # the temporary key
                emulator.state.remove_project(emulator.state.projects[key.project_id])

    transport.before_request = delete_projects
    projects = transport.admin().projects
    report = projects.delete_with_cleanup(project_id=project_ids[0])
    assert report.deleted
    (skipped,) = report.steps
    assert (skipped.state, skipped.change.target.id) == ("skipped", project_ids[0])
    assert skipped.change.reason == "it was already deleted"
    with raises(NotFoundError):
        projects.delete_with_cleanup(project_id=project_ids[1], dry_run=True)


def test_a_project_that_the_account_no_longer_sees_is_not_reported_as_deleted(emulator: Emulator) -> None:
    """A 404 to the creation of the temporary key shows only an OrgOwner that the project was deleted."""
    project_id = create_full_project(emulator)
    emulator.faults.add("create_api_key", status=404)
    member = emulator.admin(roles=["OrgMember", ("ProjectOwner", project_id)])
    with raises(NotFoundError) as caught:
        member.projects.delete_with_cleanup(project_id=project_id)
    assert caught.value.operation == "create_api_key"
    assert caught.value.outcome == "rejected"
    assert project_id in emulator.state.projects


def test_concurrent_runs_all_succeed(emulator: Emulator) -> None:
    """Concurrent runs on one project all succeed."""
    project_id = create_full_project(emulator, backups=30)
    admin = CountingTransport(emulator).admin()
    reports = run_concurrently(3, lambda: admin.projects.delete_with_cleanup(project_id=project_id))
    assert [getattr(each, "deleted", each) for each in reports] == [True, True, True]
    assert not emulator.state.projects
    assert not emulator.state.api_keys


def test_a_key_with_a_lost_value_is_deleted_after_a_refusal(emulator: Emulator) -> None:
    """A refused cleanup deletes the temporary key whose value was lost."""
    project_id = create_full_project(emulator)
    emulator.hold(project_id, "indexes", "people", protected=True)
    transport = FaultyTransport(emulator, {3: InjectedFault.RESPONSE_LOST})
    with raises(RefusedError):
        transport.admin().projects.delete_with_cleanup(project_id=project_id)
    assert transport.requests.count(f"POST /admin/projects/{project_id}/api-keys") == 2
    assert not emulator.state.api_keys


@pytest.mark.parametrize(("status", "kind"), [(403, ForbiddenError), (500, ServiceError)])
def test_a_key_whose_value_was_lost_is_named_if_it_cannot_be_looked_for(
    emulator: Emulator, status: int, kind: type[PineconeError]
) -> None:
    """If the search is refused, no other key is tried, and the error says that the key may exist."""
    project_id = create_full_project(emulator)
    emulator.faults.add("create_api_key", drop="after", times=1)
    transport = FaultyTransport(emulator)

    def refuse_search() -> None:
        if emulator.state.api_keys:
            emulator.faults.add("list_project_api_keys", status=status)

    transport.before_request = refuse_search
    with raises(kind) as caught:
        transport.admin().projects.delete_with_cleanup(project_id=project_id)
    assert caught.value.operation == "list_project_api_keys"
    assert caught.value.outcome == "unknown"
    (key,) = emulator.state.api_keys.values()
    (note,) = caught.value.__notes__
    assert note.startswith(f"temporary API key {key.name!r} in project {project_id} may exist")
    assert transport.requests.count(f"POST /admin/projects/{project_id}/api-keys") == 1


def test_a_key_whose_value_was_lost_is_named_if_the_next_one_is_refused(emulator: Emulator) -> None:
    """A refusal says nothing about the create before it, also if no list shows what that has made."""
    project_id = create_full_project(emulator)
    emulator.faults.add("create_api_key", drop="before", times=1)
    emulator.faults.add("create_api_key", status=403, times=2)  # with each role
    with raises(ForbiddenError) as caught:
        emulator.admin().projects.delete_with_cleanup(project_id=project_id)
    assert caught.value.outcome == "unknown"
    (note,) = caught.value.__notes__
    assert " temporary " in note
    assert "may exist" in note


def test_the_key_has_the_least_privileged_role_of_the_plan(emulator: Emulator) -> None:
    """The temporary key is ControlPlaneEditor where the plan has that role, else ProjectEditor."""
    roles: list[list[str]] = []
    for plan in ("Enterprise", "Free"):
        emulator.state.organization.plan = plan
        project_id = create_full_project(emulator)
        transport = FaultyTransport(emulator)

        def record_roles() -> None:
            roles.extend(emulator.state.roles_of(key) for key in emulator.state.api_keys.values())

        transport.before_request = record_roles
        transport.admin().projects.delete_with_cleanup(project_id=project_id)
    assert [*dict.fromkeys(map(tuple, roles))] == [("ControlPlaneEditor",), ("ProjectEditor",)]


@pytest.mark.usefixtures("clock")
def test_a_new_key_that_is_seen_late_is_not_taken_for_deleted(emulator: Emulator) -> None:
    """While a new temporary key is neither accepted, nor found, nor listed, no further one is made."""
    project = emulator.admin().projects.create(name="p")
    emulator.faults.add("list_indexes", status=401, times=2)
    emulator.faults.add("fetch_api_key", status=404, times=2)
    admin = FaultyTransport(emulator, list_delay=3.0).admin()
    report = admin.projects.delete_with_cleanup(project_id=project.id)
    assert report.deleted
    assert len(report.temporary_keys) == 1


def test_the_report_names_a_key_that_is_made_while_the_project_is_emptied(emulator: Emulator) -> None:
    """The project is deleted with all keys that it has then, and without those that this call has deleted before."""
    project = emulator.admin().projects.create(name="p")
    emulator.hold(project.id, "collections", "archive")
    transport, late = FaultyTransport(emulator), list[str]()

    def add_key() -> None:
        if transport.requests[-1].startswith("DELETE /collections"):
            record = emulator.state.projects[project.id]
            late.append(emulator.state.add_api_key(record, "late", emulator.clock.now()).id)

    transport.before_request = add_key
    report = transport.admin().projects.delete_with_cleanup(project_id=project.id)
    assert [each.id for each in report.steps[-1].change.also_deletes] == late


def test_an_empty_project_is_deleted_at_once(emulator: Emulator, clock: VirtualClock) -> None:
    """An empty project is deleted without a wait."""
    project = emulator.admin().projects.create(name="p")
    report = emulator.admin().projects.delete_with_cleanup(project_id=project.id)
    assert (report.deleted, report.contents, clock.slept) == (True, [], [])


def test_an_invalid_call_changes_nothing(emulator: Emulator) -> None:
    """An unknown project, a time limit of 0 and a read-only client raise, and change nothing."""
    admin = emulator.admin()
    project = admin.projects.create(name="p")
    with raises(NotFoundError):
        admin.projects.delete_with_cleanup(project_id="nowhere")
    with raises(PineconeValueError, match="time_limit"):
        admin.projects.delete_with_cleanup(project_id=project.id, time_limit=timedelta())
    with raises(ReadOnlyError):
        admin.with_options(read_only=True).projects.delete_with_cleanup(project_id=project.id)
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
KEY = {"id": "k", "name": "n", "project_id": "p", "roles": []}
INVALID_KEY = "pcsk v"
EMPTY_LIST = ScriptedResponse(body={"data": []})


NOT_YET = {"status": 412, "error": {"code": "FAILED_PRECONDITION", "message": "a backup is being made"}}
NOT_FOUND = ScriptedResponse(404, {"status": 404, "error": {"code": "NOT_FOUND", "message": "no such resource"}})


def script_control_plane(responses: dict[str, Callable[[httpx.Request], ScriptedResponse]]) -> ScriptedTransport:
    """Return a transport that responds to the control plane by path, and otherwise as for an empty project."""

    def respond(request: httpx.Request) -> ScriptedResponse:
        if request.url.path in responses:
            return responses[request.url.path](request)
        if request.url.path == "/admin/projects/p" and request.method == "GET":
            return PROJECT
        if request.url.path.endswith("/api-keys"):
            if request.method == "GET":
                return EMPTY_LIST
            return ScriptedResponse(201, {"key": KEY | json.loads(request.content), "value": "pcsk_v"})
        if request.url.path == "/admin/api-keys/k" and request.method == "GET":
            return ScriptedResponse(body=KEY)
        return ScriptedResponse(202) if request.method == "DELETE" else NOT_FOUND

    return ScriptedTransport(respond)


def test_a_401_for_a_new_key_is_retried_for_30_s(make_client: Callable[..., Admin], clock: VirtualClock) -> None:
    """A 401 for the new temporary key is retried for 30 s, and is then no 401 of the account."""
    unauthorized = [ScriptedResponse(401)] * 3
    script = script_control_plane(
        {"/indexes": lambda _: unauthorized.pop() if unauthorized else ScriptedResponse(body={"indexes": []})}
    )
    report = make_client(script).projects.delete_with_cleanup(project_id="p")
    assert report.deleted
    assert clock.slept == [0.5, 1.0, 2.0]
    clock.slept.clear()
    with raises(PineconeTimeoutError, match="temporary API key k was not accepted in time: .*401"):
        make_client(script_control_plane({"/indexes": lambda _: ScriptedResponse(401)})).projects.delete_with_cleanup(
            project_id="p"
        )
    assert sum(clock.slept) == pytest.approx(30.0)


def test_a_repeated_deletion_is_reported_once(
    make_client: Callable[..., Admin],
) -> None:
    """A resource that is deleted again with another temporary key is reported once."""
    listed = ScriptedResponse(body={"indexes": [{"name": "a"}]})
    lists = [ScriptedResponse(body={"indexes": []}), listed, ScriptedResponse(401), listed]
    script = script_control_plane({"/indexes": lambda _: lists.pop(), "/indexes/a": lambda _: ScriptedResponse(202)})
    report = make_client(script).projects.delete_with_cleanup(project_id="p")
    assert [request.url.path for request in script.requests].count("/indexes/a") == 2
    assert list_actions(report.steps) == [("delete", "index"), ("delete", "project")]


def test_a_deletion_that_is_refused_after_a_lost_attempt_is_sent_again(
    make_client: Callable[..., Admin],
) -> None:
    """The 412 answers the second attempt, so the outcome is unknown; the deletion is sent until it is accepted."""
    answers = [ScriptedResponse(202), ScriptedResponse(412, NOT_YET), ScriptedResponse(503)]
    responses = {
        "/indexes": lambda _: ScriptedResponse(body={"indexes": [{"name": "a"}] if answers else []}),
        "/indexes/a": lambda _: answers.pop(),
    }
    report = make_client(script_control_plane(responses)).projects.delete_with_cleanup(project_id="p")
    assert [(*each, step.state) for each, step in zip(list_actions(report.steps), report.steps, strict=True)] == [
        ("delete", "index", "done"),
        ("delete", "project", "done"),
    ]


def test_no_deletion_exceeds_the_timeout(make_client: Callable[..., Admin], clock: VirtualClock) -> None:
    """A Retry-After beyond the timeout of the cleanup is not waited for."""
    busy = ScriptedResponse(503, headers={"retry-after": "30"})
    responses = {
        "/indexes": lambda _: ScriptedResponse(body={"indexes": [{"name": "a"}]}),
        "/indexes/a": lambda _: busy,
    }
    with raises(ServiceError):
        make_client(script_control_plane(responses)).projects.delete_with_cleanup(
            project_id="p", time_limit=timedelta(seconds=5)
        )
    assert sum(clock.slept) <= 5.0


def test_a_404_for_a_deletion_counts_as_deleted(make_client: Callable[..., Admin]) -> None:
    """A resource that others delete first is reported as deleted."""
    lists = [ScriptedResponse(body={"indexes": []}), ScriptedResponse(body={"indexes": [{"name": "a"}]})]
    responses = {"/indexes": lambda _: lists.pop(), "/indexes/a": lambda _: NOT_FOUND}
    report = make_client(script_control_plane(responses)).projects.delete_with_cleanup(project_id="p")
    assert list_actions(report.steps) == [("delete", "index"), ("delete", "project")]


def test_contents_that_are_not_listed_raise_at_the_timeout(
    make_client: Callable[..., Admin], clock: VirtualClock
) -> None:
    """Contents that the server counts but does not list raise its error at the timeout."""
    blocked = {"status": 412, "error": {"code": "FAILED_PRECONDITION", "message": "1 index"}}
    responses = {"/admin/projects/p": lambda r: PROJECT if r.method == "GET" else ScriptedResponse(412, blocked)}
    with raises(FailedPreconditionError, match="1 index"):
        make_client(script_control_plane(responses)).projects.delete_with_cleanup(
            project_id="p", time_limit=timedelta(seconds=20)
        )
    assert sum(clock.slept) == pytest.approx(20.0)


@pytest.mark.parametrize("status", [403, 404, 501])
def test_workspaces_that_cannot_be_seen_are_reported(
    status: int, make_client: Callable[..., Admin], clock: VirtualClock
) -> None:
    """A refused list of workspaces stops nothing, and every report says that none of them can be seen."""
    refused = ScriptedResponse(status, {"status": status, "error": {"code": "FORBIDDEN", "message": "no"}})
    projects = make_client(script_control_plane({"/workspaces": lambda _: refused})).projects
    for dry_run in (True, False):
        report = projects.delete_with_cleanup(project_id="p", dry_run=dry_run)
        assert (report.contents, report.unseen, report.deleted) == ([], ["workspace"], not dry_run)
        assert "contains 0 resources; whether it has a workspace cannot be seen\n" in str(report)
    assert clock.slept == []


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_list_that_a_proxy_does_not_find_raises(make_client: Callable[..., Admin], dry_run: bool) -> None:
    """A 404 without the API's code does not mean that a project has none of a kind."""
    script = script_control_plane({"/collections": lambda _: ScriptedResponse(404, b"<html>")})
    with raises(NotFoundError, match="without a message of the API"):
        make_client(script).projects.delete_with_cleanup(project_id="p", dry_run=dry_run)


def test_a_refused_list_of_another_kind_raises(make_client: Callable[..., Admin]) -> None:
    """A list of indexes that the key may not read raises: they exist everywhere."""
    refused = ScriptedResponse(403, {"status": 403, "error": {"code": "FORBIDDEN", "message": "no"}})
    with raises(ForbiddenError, match="no"):
        make_client(script_control_plane({"/indexes": lambda _: refused})).projects.delete_with_cleanup(project_id="p")


def test_workspaces_are_deleted_and_waited_for(emulator: Emulator, clock: VirtualClock) -> None:
    """All pages of workspaces are read, each is deleted once, and the project is deleted when they are gone."""
    project = emulator.admin().projects.create(name="p")
    for number in range(120):
        emulator.hold(project.id, "workspaces", f"w-{number:03}")
    transport = FaultyTransport(emulator)
    report = transport.admin().projects.delete_with_cleanup(project_id=project.id)
    assert (report.deleted, len(report.contents), sum(clock.slept) >= 4) == (True, 120, True)
    assert Content(kind="workspace", name="w-119") in report.contents
    deleted = [each for each in transport.requests if each.startswith("DELETE /workspaces/")]
    assert len(deleted) == len(set(deleted)) == 120
    assert "deleted workspace w-000 in project p" in str(report)


def test_a_repeated_page_token_raises(make_client: Callable[..., Admin]) -> None:
    """A list of the control plane that repeats a page token raises."""
    page = ScriptedResponse(body={"assistants": [], "pagination": {"next": "again"}})
    with raises(PaginationError, match="assistants"):
        make_client(script_control_plane({"/assistant/assistants": lambda _: page})).projects.delete_with_cleanup(
            project_id="p"
        )


def test_a_list_that_brings_nothing_new_ends(make_client: Callable[..., Admin]) -> None:
    """A list of the control plane that always has a next page raises."""
    pages = count(1)

    def respond(_: Any) -> ScriptedResponse:
        return ScriptedResponse(body={"assistants": [], "pagination": {"next": f"t{next(pages)}"}})

    with raises(PaginationError, match="100 pages in a row without a new item"):
        make_client(script_control_plane({"/assistant/assistants": respond})).projects.delete_with_cleanup(
            project_id="p"
        )


def test_an_api_key_replaces_the_authorization(
    make_client: Callable[..., Admin],
) -> None:
    """A client with an api_key sends it instead of any Authorization, and never shows it."""
    script = ScriptedTransport()
    admin = make_client(script, additional_headers={"Authorization": "Bearer mine"}, client_id=None)
    keyed = admin.with_options(api_key="pcsk_v")
    keyed.with_options(timeout=5).projects.list()
    assert script.request.headers["api-key"] == "pcsk_v"
    assert "authorization" not in script.request.headers
    assert "pcsk_v" not in repr(keyed)
    with raises(PineconeValueError) as caught:
        admin.with_options(api_key=INVALID_KEY)
    assert INVALID_KEY not in str(caught.getrepr(showlocals=True))
