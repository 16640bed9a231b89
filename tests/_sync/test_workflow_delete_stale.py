# Derived from tests/_async/test_workflow_delete_stale.py by scripts/unasync.py: change that, not this file.
"""Deleting stale projects: a plan of what they are and contain, and nothing deleted that is not as in the plan."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from pinecone_admin import (
    Admin,
    ClientClosedError,
    PineconeTypeError,
    PineconeValueError,
    ReadOnlyError,
    RefusedError,
    RetryPolicy,
)
from pinecone_admin.emulator import Clock, Emulator
from pinecone_admin.models import ORGANIZATION_ROLES
from pinecone_admin.workflows import Content, OffboardPlan, Progress, StalePlan
from tests.support.clock import VirtualClock
from tests.support.errors import raises
from tests.support.fault_injection import CountingTransport, FaultyTransport, InjectedFault, KilledError
from tests.support.old_names import tag_as_emptying
from tests.support.organizations import fill_project
from tests.support.scripted_transport import ScriptedResponse, ScriptedTransport
from tests.support.steps import describe_steps

pytestmark = pytest.mark.anyio

WEEK = timedelta(days=7)


@pytest.fixture
def emulator(clock: VirtualClock) -> Emulator:
    """Return an emulator whose time is that of the client, and advances with its waits."""
    emulator = Emulator(seed=1, clock=Clock(datetime.fromtimestamp(clock.wall(), UTC)))
    clock.on_sleep = lambda: emulator.clock.advance(clock.slept[-1])
    return emulator


def create_projects(emulator: Emulator, *names: str) -> list[str]:
    """Create projects, and return their ids."""
    return [(emulator.admin().projects.create(name=name)).id for name in names]


def pass_days(emulator: Emulator, clock: VirtualClock, days: float) -> None:
    """Advance the time of the client and of the emulator."""
    emulator.clock.advance(days * 86_400)
    clock.advance(days * 86_400)


def make_plan(emulator: Emulator, clock: VirtualClock, *names: str) -> tuple[list[str], StalePlan]:
    """Create projects, let them become stale, fill the first one, and return their ids and a plan of them."""
    ids = create_projects(emulator, *names)
    pass_days(emulator, clock, 8)
    fill_project(emulator, ids[0])
    return ids, emulator.admin().projects.delete_stale(name_pattern="ci-*", older_than=WEEK)


def test_a_plan_changes_nothing_but_its_own_keys(emulator: Emulator, clock: VirtualClock) -> None:
    """A plan has the stale projects with their contents, and only temporary keys that it names were made for it."""
    old = create_projects(emulator, "ci-1", "ci-2", "CI-3", "prod")
    pass_days(emulator, clock, 8)
    (young,) = create_projects(emulator, "ci-young")
    fill_project(emulator, old[0])
    transport = FaultyTransport(emulator)
    received: list[Progress] = []
    plan = transport.admin().projects.delete_stale(
        name_pattern="ci-*", older_than=WEEK, concurrency=1, progress=received.append
    )
    assert [(each.id, each.name) for each in plan.projects] == [(old[0], "ci-1"), (old[1], "ci-2")]
    assert [len(each.contents) for each in plan.projects] == [7, 0]
    assert Content(kind="index", name="articles") in plan.projects[0].contents
    assert plan.projects[0].created_at == plan.made_at - timedelta(days=8)
    assert [(each.id, each.name) for each in plan.left] == [(young, "ci-young")]
    assert "is not older than 7 days" in plan.left[0].reason
    changes = [request for request in transport.requests if not request.startswith("GET ")]
    assert changes == [
        change
        for project_id, key_id in zip(old[:2], plan.temporary_keys, strict=True)
        for change in (f"POST /admin/projects/{project_id}/api-keys", f"DELETE /admin/api-keys/{key_id}")
    ]
    assert received == [
        Progress(done=1, total=2, step=f"project ci-1 ({old[0]})"),
        Progress(done=2, total=2, step=f"project ci-2 ({old[1]})"),
    ]
    lines = str(plan).splitlines()
    assert lines[0].startswith("2 projects like 'ci-*' older than 7 days would be deleted, in organization ")
    assert lines[1].startswith(f"project ci-1 ({old[0]}), created 2023-11-14 22:13 UTC, contains index articles, ")
    assert all(key_id in lines[-2] for key_id in plan.temporary_keys)


def test_a_temporary_key_that_remains_is_not_among_the_deleted(emulator: Emulator, clock: VirtualClock) -> None:
    """A plan names the temporary keys that were deleted; one that could not be is in the reason of its project."""
    create_projects(emulator, "ci-1", "ci-2")
    pass_days(emulator, clock, 8)
    emulator.faults.add("delete_api_key", status=503, times=4)  # all attempts of the first deletion
    admin = emulator.admin()
    plan = admin.projects.delete_stale(name_pattern="ci-*", older_than=WEEK, concurrency=1)
    (remaining,) = emulator.state.api_keys
    assert remaining in plan.left[0].reason
    assert (len(plan.projects), len(plan.temporary_keys)) == (1, 1)
    assert remaining not in plan.temporary_keys
    assert str(plan).startswith("1 project like 'ci-*' older than 7 days would be deleted")
    pass_days(emulator, clock, 1)  # until then, it may be in use
    again = admin.projects.delete_stale(name_pattern="ci-*", older_than=WEEK, concurrency=1)
    assert again.temporary_keys[:1] == [remaining]


def test_a_saved_plan_is_carried_out(emulator: Emulator, clock: VirtualClock) -> None:
    """A plan that was saved as JSON is read back equal, and its projects are deleted with everything in them."""
    ids, plan = make_plan(emulator, clock, "ci-1", "ci-2", "prod")
    create_projects(emulator, "ci-later")
    pass_days(emulator, clock, 8)
    restored = StalePlan.from_json(plan.to_json())
    assert restored == plan
    admin = emulator.admin()
    report = admin.projects.delete_stale(plan=restored)
    assert report.deleted == plan.projects
    assert (report.left, len(report.temporary_keys)) == ([], 2)
    assert [each.name for each in emulator.state.projects.values()] == ["prod", "ci-later"]
    assert not emulator.state.api_keys
    texts = describe_steps(report.steps)
    assert {f"deleted project {name} ({id})" for name, id in zip(("ci-1", "ci-2"), ids, strict=False)} < {*texts}
    assert f"deleted index articles in project ci-1 ({ids[0]})" in texts
    assert json.loads(json.dumps(report.to_dict()))["deleted"][0]["id"] == ids[0]
    assert "deleted index articles in project ci-1 (" in str(report)
    again = admin.projects.delete_stale(plan=plan, name_pattern="ci-*", older_than=WEEK)
    assert (again.deleted, again.left) == (plan.projects, [])
    assert describe_steps(again.steps) == [
        f"skipped: delete project {name} ({id}), because it was already deleted"
        for name, id in zip(("ci-1", "ci-2"), ids, strict=False)
    ]


@pytest.mark.parametrize(
    "role", ["OrgManager", "OrgMember", "OrgBillingAdmin", "token of an owner", "owner without lists"]
)
def test_a_project_that_is_not_seen_is_not_reported_as_deleted(
    emulator: Emulator, clock: VirtualClock, role: str
) -> None:
    """A 404 shows only an account that visibly owns the organization that a project was deleted."""
    ids, plan = make_plan(emulator, clock, "ci-1")
    if role in ORGANIZATION_ROLES:
        admin = emulator.admin(roles=[role])
    elif role == "owner without lists":
        del emulator.state.projects[ids[0]]
        admin = emulator.admin()
        emulator.faults.add("list_service_accounts", status=403, times=None)
    else:
        del emulator.state.projects[ids[0]]
        token = (emulator.admin().token()).value
        admin = Admin(access_token=token, transport=emulator.transport)
    report = admin.projects.delete_stale(plan=plan)
    assert (report.deleted, report.steps, [each.id for each in report.left]) == ([], [], ids)
    assert report.left[0].reason == "the server does not show it to this account now, but it may still exist"


def test_whether_the_account_owns_the_organization_is_read_once(emulator: Emulator, clock: VirtualClock) -> None:
    """However many projects of a plan are gone, the lists that show it are read once in a run."""
    ids, plan = make_plan(emulator, clock, "ci-1", "ci-2", "ci-3")
    for each in ids:
        del emulator.state.projects[each]
    transport = FaultyTransport(emulator)
    report = transport.admin().projects.delete_stale(plan=plan)
    assert ([each.id for each in report.deleted], report.left) == (ids, [])
    assert len([each for each in transport.requests if each == "GET /admin/service-accounts"]) == 1


def test_a_changed_project_is_not_deleted(emulator: Emulator, clock: VirtualClock) -> None:
    """A project that is not as in the plan is left unchanged, and listed with the reason."""
    names = ("ci-new-content", "ci-renamed", "ci-recreated", "ci-protected")
    ids, plan = make_plan(emulator, clock, *names)
    projects = emulator.state.projects
    emulator.hold(ids[0], "collections", "late")
    projects[ids[1]].name = "ci-kept"
    projects[ids[2]].created_at = emulator.clock.now()
    emulator.hold(ids[3], "indexes", "kept", protected=True)
    plan = evolve(
        plan, projects=[*plan.projects[:3], evolve(plan.projects[3], contents=[Content(kind="index", name="kept")])]
    )
    report = emulator.admin().projects.delete_stale(plan=plan)
    assert [each.id for each in report.left] == ids[:4]
    reasons = [each.reason for each in report.left]
    assert reasons[0] == "it contains collection late, which is not in the plan"
    assert reasons[1] == "it is now named ci-kept"
    assert reasons[2].startswith("its date of creation is now ")
    assert reasons[3] == "deletion protection is on for index kept: turn it off"
    assert (report.deleted, report.steps) == ([], [])
    assert list(projects) == ids
    assert len(projects[ids[0]].indexes) == 2
    assert str(report).splitlines()[0] == f"skipped: delete project ci-new-content ({ids[0]}), because {reasons[0]}"


def test_a_project_that_is_renamed_while_it_is_emptied_is_left(emulator: Emulator, clock: VirtualClock) -> None:
    """Somebody who renames a project wants to keep it, so its name is read again before its deletion."""
    ids, plan = make_plan(emulator, clock, "ci-1", "ci-2")
    transport = FaultyTransport(emulator)

    def rename() -> None:
        if transport.requests[-1].startswith("DELETE /indexes/"):
            emulator.state.projects[ids[0]].name = "kept"

    transport.before_request = rename
    report = transport.admin().projects.delete_stale(plan=plan)
    assert [each.id for each in report.deleted] == [ids[1]]
    assert [(each.id, each.reason) for each in report.left] == [(ids[0], "it is now named kept")]
    assert list(emulator.state.projects) == [ids[0]]
    emptied = [each.state for each in report.steps if str(each.change.target).startswith("index articles in ")]
    assert emptied == ["done"]


def test_a_project_with_an_api_key_that_is_not_in_the_plan_is_left(emulator: Emulator, clock: VirtualClock) -> None:
    """A new key shows that the project is in use. Keys of the plan go with it, and temporary ones do not count."""
    ids = create_projects(emulator, "ci-old", "ci-new", "ci-same", "ci-temporary", "ci-renamed")
    admin = emulator.admin()
    planned = {id: admin.api_keys.create(project_id=id, name="reader") for id in ids}
    pass_days(emulator, clock, 8)
    plan = admin.projects.delete_stale(name_pattern="ci-*", older_than=WEEK)
    assert [[(each.name, each.id) for each in project.api_keys] for project in plan.projects] == [
        [("reader", planned[id].key.id)] for id in ids
    ]
    assert all(", contains API key reader" in str(each) for each in plan.projects)
    plan = StalePlan.from_json(plan.to_json())
    admin.api_keys.create(project_id=ids[1], name="writer")
    admin.api_keys.delete(api_key_id=planned[ids[2]].key.id)
    admin.api_keys.create(project_id=ids[2], name="reader")  # as a rotation does
    admin.api_keys.update(api_key_id=planned[ids[4]].key.id, name="other")
    with admin.api_keys.temporary(project_id=ids[3], roles=["DataPlaneViewer"]):
        report = admin.projects.delete_stale(plan=plan)
    assert [each.id for each in report.deleted] == [ids[0], ids[3], ids[4]]
    assert {each.id: each.reason for each in report.left} == {
        ids[1]: "it has API key writer, which is not in the plan",
        ids[2]: "it has API key reader, which is not in the plan",
    }
    assert set(ids[1:3]) <= emulator.state.projects.keys()


def test_a_project_that_is_not_stale_is_not_deleted(emulator: Emulator, clock: VirtualClock) -> None:
    """The age is checked again before the deletion."""
    ids, plan = make_plan(emulator, clock, "ci-1")
    report = emulator.admin().projects.delete_stale(plan=evolve(plan, older_than=timedelta(days=30)))
    assert [each.id for each in report.left] == ids
    assert "is not older than 30 days" in report.left[0].reason


def test_the_age_follows_the_clock_of_the_server(emulator: Emulator, clock: VirtualClock) -> None:
    """The age of a project is found right on a machine whose clock is wrong by 30 days."""
    _, plan = make_plan(emulator, clock, "ci-1")
    create_projects(emulator, "ci-2")
    for days in (30, -60):
        clock.shift_wall(days * 86_400)
        again = emulator.admin().projects.delete_stale(name_pattern="ci-*", older_than=WEEK)
        assert again.projects == plan.projects
    assert (emulator.admin().projects.delete_stale(plan=plan)).left == []


def test_a_project_that_may_be_deleted_is_left_with_a_remark(emulator: Emulator, clock: VirtualClock) -> None:
    """After a lost response to its deletion, the reason says so; after one to a read, there is nothing to say.

    After one to the deletion of an index, only the index may be deleted.
    """
    ids, _ = make_plan(emulator, clock, "ci-1", "ci-2", "ci-3")
    admin = emulator.admin().with_options(retry=RetryPolicy(max_attempts=1))
    emulator.hold(ids[2], "indexes", "i")
    plan = admin.projects.delete_stale(name_pattern="ci-*", older_than=WEEK)
    assert isinstance(plan, StalePlan)
    emulator.faults.add("delete_index", drop="after", times=1)
    emulator.faults.add("fetch_project", drop="after", id=plan.projects[0].id, times=1)
    emulator.faults.add("delete_project", drop="after", id=plan.projects[1].id, times=1)
    report = admin.projects.delete_stale(plan=plan, concurrency=1)
    remark = "; the server may have done it all the same"
    assert [remark in each.reason for each in report.left] == [False, True, False]
    assert [each.may_be_deleted for each in report.left] == [False, True, False]
    assert "may have been done: delete project ci-3" not in str(report)
    assert (admin.projects.delete_stale(plan=plan)).left == []


def test_a_leftover_whose_deletion_fails_is_named(emulator: Emulator, clock: VirtualClock) -> None:
    """The plan names the key that another run left and that may still exist, and the one that it deleted before."""
    (project_id,), _ = make_plan(emulator, clock, "ci-1")
    admin = emulator.admin()
    name = tag_as_emptying(project_id)
    first, second = [(admin.api_keys.create(project_id=project_id, name=name)).key.id for _ in range(2)]
    emulator.faults.add("delete_api_key", status=403, id=second)
    plan = admin.projects.delete_stale(name_pattern="ci-*", older_than=WEEK)
    assert plan.temporary_keys == [first]
    (left,) = plan.left
    key = f"API key {name!r} ({second}) in project ci-1 ({project_id})"
    assert left.reason.endswith(f"; this was the deletion of {key}, which an earlier run left")


@pytest.mark.parametrize("late", ["contains collection late", "has API key late"])
def test_what_appears_in_a_project_during_its_deletion_stops_it(
    emulator: Emulator, clock: VirtualClock, late: str
) -> None:
    """A resource or a key that others add to a project while it is being emptied is not deleted."""
    ids, plan = make_plan(emulator, clock, "ci-1")
    transport = FaultyTransport(emulator)
    project, is_key = emulator.state.projects[ids[0]], "key" in late

    def refill() -> None:
        if transport.requests[-1] == "DELETE /indexes/articles":
            if is_key:
                emulator.state.add_api_key(project, "late", emulator.clock.now())
            else:
                emulator.hold(ids[0], "collections", "late")

    transport.before_request = refill
    report = transport.admin().projects.delete_stale(plan=plan)
    assert [each.reason for each in report.left] == [f"it {late}, which is not in the plan"]
    assert ("index", "articles") in {(each.change.target.kind, each.change.target.name) for each in report.steps}
    assert ("late" in project.collections) != is_key
    assert [each.name for each in emulator.state.api_keys.values()] == ["late"] * is_key


def test_a_project_without_a_date_is_left(make_client: Callable[..., Admin]) -> None:
    """A project without a date of creation is in no plan, and is not deleted."""
    dateless = {"id": "p", "name": "ci", "max_pods": 0, "force_encryption_with_cmek": False, "organization_id": "o"}
    organization = {"id": "o", "name": "n", "plan": "Free", "payment_status": "Active", "support_tier": "Free"}
    organization |= {"created_at": "2020-01-01T00:00:00Z"}

    def respond(request: Any) -> ScriptedResponse:
        listed = organization if request.url.path.endswith("organizations") else dateless
        body = dateless if request.url.path.endswith("/p") else {"data": [listed]}
        return ScriptedResponse(body=body, headers={"Date": "Mon, 01 Jan 2024 00:00:00 GMT"})

    script = ScriptedTransport(respond)
    projects = make_client(script).projects
    plan = projects.delete_stale(name_pattern="*", older_than=timedelta(days=1))
    assert (plan.projects, plan.left[0].reason) == ([], "it has no date of creation")
    document = json.loads(plan.to_json())
    document["projects"] = [{"id": "p", "name": "ci", "created_at": "2020-01-01T00:00:00Z", "contents": []}]
    report = projects.delete_stale(plan=StalePlan.from_json(json.dumps(document)))
    assert [each.reason for each in report.left] == ["its date of creation is now unknown"]
    assert {request.method for request in script.requests} == {"GET"}


def test_a_project_that_cannot_be_read_is_left(emulator: Emulator, clock: VirtualClock) -> None:
    """A project whose contents cannot be read is in no plan, and the others are."""
    ids, _ = make_plan(emulator, clock, "ci-1", "ci-2", "ci-3")
    emulator.hold(ids[2], "indexes", "kept", protected=True)
    transport = FaultyTransport(emulator)
    emulator.faults.add("create_api_key", status=500, times=1)
    plan = transport.admin().projects.delete_stale(name_pattern="ci-*", older_than=WEEK, concurrency=1)
    emulator.configure(api_key_quota=0)
    none = emulator.admin().projects.delete_stale(name_pattern="ci-*", older_than=WEEK)
    assert [each.id for each in plan.projects] == ids[:2]
    assert [each.reason for each in plan.left] == ["deletion protection is on for index kept: turn it off"]
    assert (none.projects, [each.id for each in none.left]) == ([], ids)
    assert all(each.reason.startswith("create_api_key: [403") for each in none.left)


def test_only_what_a_proxy_refuses_has_the_code_of_no_refusal(emulator: Emulator, clock: VirtualClock) -> None:
    """A 402, 403 or 404 without the API's code has PA200; other errors keep the code that says what to do."""
    _, plan = make_plan(emulator, clock, "ci-1", "ci-2")
    admin = emulator.admin(retry=RetryPolicy(max_attempts=1))
    codes = {402: "PA200", 403: "PA200", 404: "PA200", 429: "PA209", 503: "PA210"}
    for status, code in codes.items():
        emulator.faults.add("create_api_key", status=status, body="html", times=None)
        planned = admin.projects.delete_stale(name_pattern="ci-*", older_than=WEEK)
        report = admin.projects.delete_stale(plan=plan)
        assert {each.help_code for each in (*planned.left, *report.left)} == {code}, status
        emulator.faults.clear()


def test_a_project_that_cannot_be_described_is_left(emulator: Emulator, clock: VirtualClock) -> None:
    """A failure to read one project of a plan, or an impossible id in it, does not stop the work on the others."""
    ids, plan = make_plan(emulator, clock, "ci-1", "ci-2", "ci-3", "ci-4")
    first, second, *others = plan.projects
    damaged = evolve(plan, projects=[evolve(first, id=".."), second, *others])
    transport = FaultyTransport(emulator)

    def fail_second() -> None:
        if transport.requests[-1] == f"GET /admin/projects/{second.id}":
            emulator.faults.add("fetch_project", status=500, times=1)

    transport.before_request = fail_second
    admin = transport.admin().with_options(retry=RetryPolicy(max_attempts=1))
    report = admin.projects.delete_stale(plan=damaged, concurrency=1)
    assert [each.reason.split(":")[0] for each in report.left] == ["fetch_project"] * 2
    assert [each.id for each in report.left] == ["..", second.id]
    assert report.deleted == others
    assert list(emulator.state.projects) == ids[:2]


def test_workspaces_that_cannot_be_seen_are_in_plan_and_report(emulator: Emulator, clock: VirtualClock) -> None:
    """Where the list of workspaces is refused, the plan, also a saved one, and the report say so for each project."""
    emulator.faults.add("list_workspaces", status=501, times=None)
    ids, plan = make_plan(emulator, clock, "ci-1")
    assert [each.unseen for each in StalePlan.from_json(plan.to_json()).projects] == [["workspace"]]
    assert "; whether it has a workspace cannot be seen" in str(plan.projects[0])
    emulator.release(ids[0], "workspaces", "desk")  # which would prevent the deletion
    report = emulator.admin().projects.delete_stale(plan=plan)
    assert report.deleted == plan.projects
    assert f"project ci-1 ({ids[0]}); whether it has a workspace cannot be seen" in str(report)
    document = json.loads(plan.to_json())
    del document["projects"][0]["unseen"]  # as in a plan of an earlier release
    assert StalePlan.from_json(json.dumps(document)).projects[0].unseen == []


def test_a_workspace_that_the_plan_does_not_have_stops_the_deletion(emulator: Emulator, clock: VirtualClock) -> None:
    """A workspace that could not be seen for the plan, and can be now, is not deleted."""
    emulator.faults.add("list_workspaces", status=403, times=None)
    ids, plan = make_plan(emulator, clock, "ci-1")
    emulator.faults.clear()
    report = emulator.admin().projects.delete_stale(plan=plan)
    assert [each.reason for each in report.left] == ["it contains workspace desk, which is not in the plan"]
    assert "desk" in emulator.state.projects[ids[0]].workspaces


def test_a_plan_without_a_limit_of_age_is_refused(emulator: Emulator, clock: VirtualClock) -> None:
    """A plan whose age was edited to 0 or below raises before a request, because every project would be old enough."""
    _, plan = make_plan(emulator, clock, "ci-1")
    transport = FaultyTransport(emulator)
    for seconds in (0, -1):
        document = json.loads(plan.to_json()) | {"older_than_seconds": seconds}
        with raises(PineconeValueError, match=r"plan\.older_than must be above 0"):
            transport.admin().projects.delete_stale(plan=StalePlan.from_json(json.dumps(document)))
    assert transport.requests == []


def test_a_plan_needs_an_organization(make_client: Callable[..., Admin]) -> None:
    """Where the server lists no organization, no plan can be made."""
    admin = make_client(ScriptedTransport(lambda _: ScriptedResponse(body={"data": []})))
    with raises(RefusedError, match="the server lists none"):
        admin.projects.delete_stale(name_pattern="*", older_than=WEEK)
    with raises(RefusedError, match="the server lists none"):
        admin.users.offboard_many(emails=["a@example.com"])


def test_projects_are_processed_concurrently(emulator: Emulator, clock: VirtualClock) -> None:
    """No more projects are in progress at once than ``concurrency`` allows."""
    _, plan = make_plan(emulator, clock, *(f"ci-{number}" for number in range(6)))
    for concurrency in (1, 3):
        counting = CountingTransport(emulator, only_method="POST")
        counting.admin().projects.delete_stale(name_pattern="ci-*", older_than=WEEK, concurrency=concurrency)
        assert counting.peak <= concurrency
    assert counting.peak > 1
    report = CountingTransport(emulator).admin().projects.delete_stale(plan=plan)
    assert len(report.deleted) == 6
    assert not emulator.state.projects


def test_an_exception_in_progress_is_raised(emulator: Emulator, clock: VirtualClock) -> None:
    """An exception in the progress callback is raised unchanged, and no temporary key is left."""
    _, plan = make_plan(emulator, clock, "ci-1", "ci-2", "ci-3")

    def fail(_: Progress) -> None:
        raise OSError("the screen is gone")

    with pytest.raises(OSError, match="screen"):
        emulator.admin().projects.delete_stale(plan=plan, progress=fail)
    assert not emulator.state.api_keys


def test_an_interrupted_run_is_completed_by_another(emulator: Emulator, clock: VirtualClock) -> None:
    """After an interruption no temporary key is left, and a run of the same plan completes the deletion."""
    _, plan = make_plan(emulator, clock, *(f"ci-{number}" for number in range(6)))

    def interrupt(_: Progress) -> None:
        raise KilledError  # asyncio would end the event loop after a KeyboardInterrupt

    interrupted: tuple[type[BaseException], ...] = (KilledError, BaseExceptionGroup)
    with pytest.raises(interrupted):
        emulator.admin().projects.delete_stale(plan=plan, concurrency=2, progress=interrupt)
    assert not emulator.state.api_keys
    assert emulator.state.projects
    report = emulator.admin().projects.delete_stale(plan=plan)
    assert (len(report.deleted), report.left) == (6, [])
    assert not emulator.state.projects


def test_a_plan_of_another_organization_is_refused(emulator: Emulator, clock: VirtualClock) -> None:
    """A plan is carried out only in the organization that it was made of."""
    _, plan = make_plan(emulator, clock, "ci-1")
    transport = FaultyTransport(Emulator(seed=2))
    with raises(RefusedError, match=f"this plan is for organization {emulator.organization_id}"):
        transport.admin().projects.delete_stale(plan=plan)
    assert transport.requests == ["GET /admin/organizations"]


def test_an_invalid_call_changes_nothing(emulator: Emulator, clock: VirtualClock) -> None:
    """Arguments that differ from the plan, none at all, and a plan of another type raise before a request."""
    _, plan = make_plan(emulator, clock, "ci-1")
    transport = FaultyTransport(emulator)
    projects: Any = transport.admin().projects
    cases: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({}, PineconeValueError, "^delete_stale: pass name_pattern and older_than, or a plan"),
        ({"name_pattern": "ci-*"}, PineconeValueError, "^delete_stale: pass name_pattern and older_than, or a plan"),
        ({"plan": plan, "name_pattern": "*"}, PineconeValueError, "are not those of the plan"),
        ({"plan": plan, "older_than": timedelta(days=1)}, PineconeValueError, "are not those of the plan"),
        ({"plan": json.loads(plan.to_json())}, PineconeTypeError, "StalePlan.from_json reads a saved one"),
        ({"name_pattern": "*", "older_than": 7}, PineconeTypeError, "older_than must be a timedelta"),
    ]
    for arguments, error, match in cases:
        with pytest.raises(error, match=match):
            projects.delete_stale(**arguments)
    assert transport.requests == []
    admin = emulator.admin()
    with raises(ReadOnlyError):
        admin.with_options(read_only=True).projects.delete_stale(plan=plan)
    admin.close()
    with raises(ClientClosedError):
        admin.projects.delete_stale(plan=plan)
    assert len(emulator.state.projects) == 1


def test_a_failed_request_leaves_its_project(emulator: Emulator, clock: VirtualClock) -> None:
    """A project whose deletion fails is left with the error and its finished steps, and another run deletes it."""
    _, plan = make_plan(emulator, clock, "ci-1", "ci-2")
    transport = FaultyTransport(emulator, dict.fromkeys(range(1, 999), InjectedFault.UNAVAILABLE), only_method="DELETE")
    report = transport.admin().projects.delete_stale(plan=plan)
    assert report.deleted == []
    assert all("temporary API key" in each.reason for each in report.left)
    assert len(emulator.state.api_keys) == 2
    report = emulator.admin().projects.delete_stale(plan=plan)
    assert (len(report.deleted), report.left) == (2, [])
    assert len(report.temporary_keys) == 2  # the others went with their projects
    assert not emulator.state.api_keys
    with pytest.raises(PineconeValueError, match=r"plan of projects.delete_stale|plan of users.offboard_many"):
        OffboardPlan.from_json(plan.to_json())
