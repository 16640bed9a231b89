"""Offboarding many people: a plan from one reading, and nobody removed who is not as in the plan."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any, Literal

import anyio
import pytest
from attrs import evolve

from pinecone_admin import (
    AmbiguousNameError,
    AsyncAdmin,
    ForbiddenError,
    PineconeTypeError,
    PineconeValueError,
    ReadOnlyError,
    RefusedError,
    RetryPolicy,
    on_organization,
)
from pinecone_admin.emulator import Emulator
from pinecone_admin.workflows import OffboardPlan
from tests.support.errors import raises
from tests.support.fault_injection import CountingTransport, FaultyTransport, InjectedFault
from tests.support.steps import as_planned

pytestmark = pytest.mark.anyio

EMAILS = ["ada@example.com", "bob@example.com", "eve@example.com"]


def list_emails(emulator: Emulator) -> list[str]:
    """Return the email addresses of all users."""
    return [each.email for each in emulator.state.users.listing]


async def populate(emulator: Emulator) -> AsyncAdmin:
    """Add Ada, who reaches a project with a key, Bob, who has an invite too, and Dan, who stays."""
    admin = emulator.async_admin()
    project = await admin.projects.create(name="atlas")
    await admin.api_keys.create(project_id=project.id, name="reader")
    emulator.add_user("Ada@example.com", roles=["OrgMember", ("ProjectViewer", project.id)])
    await admin.invites.create(email="bob@example.com", role_bindings=[on_organization("OrgMember")])
    emulator.add_user("bob@example.com", roles=["OrgManager"])
    emulator.add_user("dan@example.com")
    return admin


async def test_a_plan_reads_once_and_changes_nothing(emulator: Emulator) -> None:
    """A plan sends each list request once, but the invites twice, and has the report of a dry run for each person."""
    admin = await populate(emulator)
    transport = FaultyTransport(emulator)
    plan = await transport.async_admin().users.offboard_many(emails=[*EMAILS, "ADA@example.com"])
    assert {request.split()[0] for request in transport.requests} == {"GET"}
    # Bob has an invite although he is a user: it is looked for again.
    counts = Counter(transport.requests)
    assert (counts.pop("GET /admin/invites"), set(counts.values())) == (2, {1})
    assert plan.organization_id == emulator.organization_id
    assert plan.refusal is None
    assert plan.reports == [await admin.users.offboard(email=email) for email in EMAILS[:2]]
    assert plan.reports[0].keys_to_rotate[0].name == "reader"
    assert (plan.not_found, plan.unseen) == (["eve@example.com"], [])
    assert str(plan).splitlines()[1] == "eve@example.com: no user or invite has this address"


async def test_a_saved_plan_is_carried_out(emulator: Emulator) -> None:
    """A plan that was saved as JSON is read back equal, removes everybody in it, and nobody else."""
    admin = await populate(emulator)
    plan = await admin.users.offboard_many(emails=EMAILS)
    restored = OffboardPlan.from_json(plan.to_json())
    assert restored == plan
    report = await admin.users.offboard_many(plan=restored)
    assert list_emails(emulator) == ["owner@example.com", "dan@example.com"]
    assert not list(emulator.state.open_invites)
    assert report.left == []
    assert as_planned(report.steps) == [step for each in plan.reports for step in each.steps]
    assert [evolve(each, dry_run=True, steps=as_planned(each.steps)) for each in report.reports] == plan.reports
    assert json.loads(json.dumps(report.to_dict()))["reports"][0]["email"] == EMAILS[0]
    assert report.not_found == ["eve@example.com"]
    assert str(report).splitlines()[1].startswith("ada@example.com before: user ")
    again = await admin.users.offboard_many(plan=plan, emails=[each.upper() for each in reversed(EMAILS)])
    assert again.left == []
    assert [each.keys_to_rotate for each in again.reports] == [each.keys_to_rotate for each in plan.reports]
    assert {each.state for each in again.steps} == {"skipped"}
    assert [(each.change.target.kind, each.change.target.name) for each in again.steps] == [
        ("user", "Ada@example.com"),
        ("invite", "bob@example.com"),
        ("user", "bob@example.com"),
    ]
    assert again.not_found == ["eve@example.com"]


@pytest.mark.parametrize("gone", [("invite",), ("invite", "user")], ids="+".join)
async def test_the_report_on_a_person_contains_what_an_earlier_run_removed(
    emulator: Emulator, gone: Sequence[str]
) -> None:
    """Whatever an earlier run removed of a person, the report has the invites and roles of the plan."""
    admin = await populate(emulator)
    plan = await admin.users.offboard_many(emails=["bob@example.com"])
    (planned,) = plan.reports
    assert {each.principal_type for each in planned.bindings} == {"invite", "user"}
    for step in planned.steps:
        if step.change.target.kind in gone and step.change.target.kind == "invite":
            await admin.invites.delete(invite_id=str(step.change.target.id))
        elif step.change.target.kind in gone:
            await admin.users.delete(user_id=str(step.change.target.id))
    (report,) = (await admin.users.offboard_many(plan=plan)).reports
    assert (report.user, report.invites, report.bindings) == (planned.user, planned.invites, planned.bindings)
    assert [each.state for each in report.steps] == [
        "skipped" if each.change.target.kind in gone else "done" for each in planned.steps
    ]


async def test_a_plan_that_was_refused_says_later_what_is_gone(emulator: Emulator) -> None:
    """The plan of the last owner, who has become one of two and was removed, skips the person when it runs again."""
    admin = emulator.async_admin()
    plan = await admin.users.offboard_many(emails=["owner@example.com"])
    assert plan.reports[0].refusal is not None
    emulator.add_user("dan@example.com", roles=["OrgOwner"])
    states: list[str] = []
    for _ in range(2):
        done = await admin.users.offboard_many(plan=plan)
        states += [each.state for each in done.steps]
        assert done.reports[0].refusal is None
    assert states == ["done", "skipped"]


async def test_a_changed_person_is_not_removed(emulator: Emulator) -> None:
    """A person who gained a role, an invite or another user since the plan stays; the reason says what to do."""
    admin = await populate(emulator)
    fay, gus = (emulator.add_user(f"{name}@example.com") for name in ("fay", "gus"))
    emails = [f"{name}@example.com" for name in ("ada", "eve", "hal", "fay", "gus")]
    plan = await admin.users.offboard_many(emails=emails)
    ada = await admin.users.describe_by_email(email="ada@example.com")
    project = await admin.projects.create(name="search")
    await admin.role_bindings.create(
        principal_type="user", principal_id=ada.id, resource_type="organization", role="OrgManager"
    )
    await admin.role_bindings.create(
        principal_type="user",
        principal_id=ada.id,
        resource_type="project",
        resource_id=project.id,
        role="ProjectEditor",
    )
    invite = await admin.invites.create(email="eve@example.com", role_bindings=[on_organization("OrgMember")])
    hal = emulator.add_user("hal@example.com")
    emulator.state.remove_user(fay)
    other_fay = emulator.add_user("fay@example.com")
    emulator.state.remove_user(gus)
    gus.email = "august@example.com"
    emulator.state.users.add(gus)
    transport = FaultyTransport(emulator)
    report = await transport.async_admin().users.offboard_many(plan=plan)
    assert {request.split()[0] for request in transport.requests} == {"GET"}
    who = f"user Ada@example.com ({ada.id})"
    new_roles = f"OrgManager for {who} on the organization, ProjectEditor for {who} on project search ({project.id})"
    assert {each.reason.rpartition("; ")[2] for each in report.left} == {
        "make a new plan in a new file, and keep this one"
    }
    assert [(each.name, each.id, each.reason.rpartition("; ")[0]) for each in report.left] == [
        ("ada@example.com", ada.id, f"the plan does not have the role {new_roles}"),
        ("fay@example.com", fay.id, f"user {other_fay.id}, who has this address, is not in the plan"),
        ("gus@example.com", gus.id, f"the address of user {gus.id} is now august@example.com"),
        ("eve@example.com", "", f"the plan does not have invite {invite.id}"),
        ("hal@example.com", "", f"user {hal.id}, who has this address, is not in the plan"),
    ]
    assert (
        str(report).splitlines()[0]
        == f"skipped: delete user ada@example.com ({ada.id}), because {report.left[0].reason}"
    )


@pytest.mark.parametrize("part", ["users", "invites"])
async def test_whom_the_account_may_not_see_is_unseen(emulator: Emulator, part: str) -> None:
    """Without the right to list users or invites, everybody is unseen, in plans and reports, and nobody is removed."""
    admin = await populate(emulator)
    full = await admin.users.offboard_many(emails=EMAILS)
    emulator.faults.add(f"list_{part}", status=403, times=None)
    transport = FaultyTransport(emulator)
    plan = await transport.async_admin().users.offboard_many(emails=EMAILS)
    report = await transport.async_admin().users.offboard_many(plan=full)
    for each in (plan, report):
        assert ([*each.not_found], [*each.reports]) == ([], [])
        assert sorted(left.name for left in each.unseen) == EMAILS
        assert {left.reason for left in each.unseen} == {
            f"this account cannot see who is in the organization: the {part} are hidden"
        }
        assert "not seen: this account cannot see" in str(each)
        assert "gone" not in str(each)
        assert "deleted" not in str(each)
    assert {request.split()[0] for request in transport.requests} == {"GET"}
    restored = OffboardPlan.from_json(plan.to_json())
    emulator.faults.clear()
    seen = await admin.users.offboard_many(plan=restored)
    assert [(each.name, each.reason.startswith("user ")) for each in seen.left] == [
        ("ada@example.com", True),
        ("bob@example.com", True),
    ]
    assert (seen.not_found, seen.unseen, seen.reports) == (["eve@example.com"], [], [])


@pytest.mark.parametrize("role", ["OrgMember", "OrgManager", "OrgBillingAdmin", "ProjectOwner", None])
async def test_an_account_that_does_not_see_the_roles_of_others_is_refused(emulator: Emulator, role: Any) -> None:
    """Nobody is called unseen to an account without OrgOwner, which gets ForbiddenError."""
    owner = await populate(emulator)
    project = await owner.projects.describe_by_name(name="atlas")
    roles = [] if role is None else [role if role.startswith("Org") else (role, project.id)]
    async with emulator.async_admin(roles=roles) as admin:
        with raises(ForbiddenError, match="this account cannot see everything"):
            await admin.users.offboard_many(emails=EMAILS)
        with raises(ForbiddenError):
            await admin.users.offboard(email=EMAILS[0])


async def test_only_users_count_as_owners(emulator: Emulator) -> None:
    """A plan for all users who are owners is refused before a change, even if a service account is an owner."""
    admin = emulator.async_admin()
    emulator.add_user("ada@example.com", roles=["OrgOwner"])
    await admin.invites.create(email="bob@example.com", role_bindings=[on_organization("OrgOwner")])
    one = await admin.users.offboard_many(emails=["ada@example.com", "bob@example.com"])
    assert one.refusal is None
    plan = await admin.users.offboard_many(emails=["ada@example.com", "bob@example.com", "owner@example.com"])
    assert plan.refusal is not None
    assert "last users who are OrgOwners" in plan.refusal
    assert str(plan).endswith(plan.refusal)
    assert [each.refusal for each in plan.reports] == [None, None, None]  # each of them could go alone
    transport = FaultyTransport(emulator)
    with raises(RefusedError, match="last users who are OrgOwners") as caught:
        await transport.async_admin().users.offboard_many(plan=plan)
    assert caught.value.operation == "offboard_many"
    assert {request.split()[0] for request in transport.requests} == {"GET"}
    emulator.add_user("dan@example.com", roles=["OrgOwner"])
    assert (await admin.users.offboard_many(plan=plan)).left == []
    assert list_emails(emulator) == ["dan@example.com"]


async def test_a_plan_without_some_people_is_that_of_the_others(emulator: Emulator) -> None:
    """Without a person in its JSON, a plan shows and does the same as a plan for the others alone."""
    admin = await populate(emulator)
    emulator.add_user("olga@example.com", roles=["OrgOwner"])
    emails = ["owner@example.com", "olga@example.com", "bob@example.com"]
    saved = (await admin.users.offboard_many(emails=emails)).to_json()
    refused = set[bool]()
    for kept in (kept for number in range(4) for kept in combinations(emails, number)):
        document = json.loads(saved)
        document["reports"] = [each for each in document["reports"] if each["email"] in kept]
        plan = OffboardPlan.from_json(json.dumps(document))
        alone = await admin.users.offboard_many(emails=kept)
        assert evolve(plan, made_at=alone.made_at) == alone
        assert (plan.refusal, str(plan)) == (alone.refusal, str(alone))
        assert json.loads(plan.to_json())["refusal"] == plan.refusal
        refused.add(plan.refusal is not None)
    assert refused == {True, False}
    document = json.loads(saved)
    del document["reports"][0]
    await admin.users.offboard_many(plan=OffboardPlan.from_json(json.dumps(document)))
    assert list_emails(emulator) == ["owner@example.com", "Ada@example.com", "dan@example.com"]


async def test_a_failure_leaves_one_person(emulator: Emulator) -> None:
    """A person whom the server does not remove is listed with its reason, and the others are removed."""
    admin = await populate(emulator)
    plan = await admin.users.offboard_many(emails=EMAILS)
    emulator.faults.add("delete_user", status=409, times=1)
    report = await admin.users.offboard_many(plan=plan)
    assert [each.name for each in report.left] == ["ada@example.com"]
    assert "the server refused to remove user" in report.left[0].reason
    assert list_emails(emulator) == ["owner@example.com", "Ada@example.com", "dan@example.com"]
    assert (await admin.users.offboard_many(plan=plan)).left == []
    assert list_emails(emulator) == ["owner@example.com", "dan@example.com"]


@pytest.mark.parametrize("drop", ["before", "after"])
async def test_a_person_who_may_be_removed_is_not_called_kept_without_a_remark(
    emulator: Emulator, drop: Literal["before", "after"]
) -> None:
    """After a lost response, the reason says that it may have been done; the same plan shows whether it was."""
    admin = (await populate(emulator)).with_options(retry=RetryPolicy(max_attempts=1))
    plan = await admin.users.offboard_many(emails=EMAILS)
    emulator.faults.add("delete_user", drop=drop, times=1)
    report = await admin.users.offboard_many(plan=plan)
    (left,) = report.left
    assert left.name == "ada@example.com"
    assert left.reason.startswith("delete_user: ")
    assert (left.reason.endswith("; the server may have done it all the same"), left.may_be_deleted) == (True, True)
    assert left.reason in str(report)
    again = await admin.users.offboard_many(plan=plan)
    removed = [each.steps[-1] for each in again.reports if each.email == "ada@example.com"]
    assert [each.state for each in removed] == ["skipped" if drop == "after" else "done"]


async def test_only_the_deletion_of_the_user_may_have_removed_the_person(emulator: Emulator) -> None:
    """After a lost response to the deletion of an invite, the user is kept; without a user, the person may be gone."""
    admin = (await populate(emulator)).with_options(retry=RetryPolicy(max_attempts=1))
    await admin.invites.create(email="fay@example.com", role_bindings=[on_organization("OrgMember")])
    plan = await admin.users.offboard_many(emails=["bob@example.com", "fay@example.com"])
    emulator.faults.add("delete_invite", drop="after", times=2)
    report = await admin.users.offboard_many(plan=plan)
    assert [(each.name, each.may_be_deleted) for each in report.left] == [
        ("bob@example.com", False),
        ("fay@example.com", True),
    ]
    assert "bob@example.com" in list_emails(emulator)
    assert "may have been done: delete user bob@example.com" not in str(report)


async def test_an_incomplete_reading_is_refused(emulator: Emulator) -> None:
    """No plan is made or carried out if a list of the organization cannot be read."""
    admin = await populate(emulator)
    plan = await admin.users.offboard_many(emails=EMAILS)
    calls: list[Callable[[AsyncAdmin], Any]] = [
        lambda a: a.users.offboard_many(emails=EMAILS),
        lambda a: a.users.offboard_many(plan=plan),
    ]
    for call in calls:
        transport = FaultyTransport(emulator, {3: InjectedFault.INVALID_JSON})
        with raises(RefusedError, match="not everything could be read: "):
            await call(transport.async_admin())
        assert {request.split()[0] for request in transport.requests} == {"GET"}


async def test_a_403_of_a_proxy_is_no_lack_of_a_role(emulator: Emulator) -> None:
    """A list of people that a proxy refused was not read, and nothing is said of what the account may see."""
    emulator.faults.add("list_users", status=403, body="html")
    with raises(RefusedError, match="not everything could be read: the users"):
        await emulator.async_admin().users.offboard_many(emails=["ada@example.com"])


async def test_a_plan_of_another_organization_is_refused(emulator: Emulator) -> None:
    """A plan is carried out only in the organization that it was made of."""
    await populate(emulator)
    other = Emulator(seed=2)
    plan = await (await populate(other)).users.offboard_many(emails=EMAILS)
    with raises(RefusedError, match=f"this plan is for organization {other.organization_id}"):
        await emulator.async_admin().users.offboard_many(plan=plan)


async def test_an_empty_list_gives_an_empty_plan(emulator: Emulator) -> None:
    """A list of leavers that has nobody gives a plan that says so, and that removes nobody."""
    admin = await populate(emulator)
    plan = await admin.users.offboard_many(emails=[])
    report = await admin.users.offboard_many(plan=plan)
    assert (plan.reports, report.reports, report.left) == ([], [], [])
    assert all(str(each).endswith("the plan has no people; nothing to do") for each in (plan, report))
    assert len(list_emails(emulator)) == 4


async def test_an_invalid_call_changes_nothing(emulator: Emulator) -> None:
    """Emails that differ from the plan, no argument, and a plan of another type raise before a request."""
    admin = await populate(emulator)
    plan = await admin.users.offboard_many(emails=EMAILS)
    transport = FaultyTransport(emulator)
    users: Any = transport.async_admin().users
    cases: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"plan": plan, "emails": EMAILS[:2]}, PineconeValueError, "emails are not those of the plan"),
        ({}, PineconeValueError, "^offboard_many: pass either emails or a plan"),
        ({"emails": ["ada@example.com", "x"]}, PineconeValueError, r"emails\[1\] is not an email address: 'x'$"),
        ({"emails": ["pcsk_secret"]}, PineconeValueError, r"emails\[0\] is not an email address$"),
        (
            {"plan": plan.to_json()},
            PineconeTypeError,
            "plan must be of type OffboardPlan, not str: OffboardPlan.from_json",
        ),
    ]
    for arguments, error, match in cases:
        with pytest.raises(error, match=match):
            await users.offboard_many(**arguments)
    assert transport.requests == []
    with raises(ReadOnlyError):
        await admin.with_options(read_only=True).users.offboard_many(plan=plan)
    assert len(list_emails(emulator)) == 4


# <async only>
async def cancel_at_request(emulator: Emulator, plan: OffboardPlan, number: int) -> None:
    """Carry out a plan, and cancel it at this request."""
    transport = CountingTransport(emulator)
    with anyio.CancelScope() as scope:
        transport.before_request = lambda: scope.cancel() if len(transport.requests) == number else None
        await transport.async_admin().users.offboard_many(plan=plan)
    assert scope.cancel_called


async def test_a_cancelled_run_is_completed_by_another(emulator: Emulator) -> None:
    """After a cancellation at any request, another run of the same plan removes everybody in it."""
    plan = await (await populate(emulator)).users.offboard_many(emails=EMAILS)
    document = emulator.dump()
    for number in range(1, 11):  # seven requests read the organization, three remove what is in the plan
        emulator.load(document)
        await cancel_at_request(emulator, plan, number)
        assert (await emulator.async_admin().users.offboard_many(plan=plan)).left == []
        assert list_emails(emulator) == ["owner@example.com", "dan@example.com"]
        assert not list(emulator.state.open_invites)


# </async only>


@pytest.mark.parametrize("since", ["before", "after"])
async def test_of_several_users_with_one_address_none_is_removed(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, since: str
) -> None:
    """Neither a plan nor its execution takes the first user with an address for the only one."""
    admin = await populate(emulator)
    plan = await admin.users.offboard_many(emails=["ada@example.com"])
    (ada,) = (each for each in emulator.state.users.listing if each.email == "Ada@example.com")
    (dan,) = (each for each in emulator.state.users.listing if each.email == "dan@example.com")
    monkeypatch.setattr(dan, "email", "ADA@example.com")
    with raises(AmbiguousNameError) as caught:
        if since == "before":
            await admin.users.offboard_many(emails=["ada@example.com"])
        else:
            await admin.users.offboard_many(plan=plan)
    assert {*caught.value.ids} == {ada.id, dan.id}
    assert not any(each.method == "DELETE" for each in emulator.requests)
