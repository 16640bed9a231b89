# Derived from tests/_async/test_workflow_ensure.py by scripts/unasync.py: change that, not this file.
"""Ensure: looks first, creates what is missing, and resolves a create whose response was lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from typing import Any, cast

import pytest

from pinecone_admin import (
    Admin,
    AmbiguousNameError,
    ConflictError,
    ForbiddenError,
    LeftoverError,
    NotFoundError,
    PineconeConnectionError,
    PineconeError,
    PineconeTypeError,
    PineconeValueError,
    ResponseParsingError,
    RetryPolicy,
    on_organization,
    on_project,
)
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.records import Grant, Principal
from pinecone_admin.models import APIKey, APIKeyWithSecret, ServiceAccount, ServiceAccountWithSecret
from pinecone_admin.workflows import Ensured, OnDifference, name_tags
from tests.support.clock import VirtualClock
from tests.support.errors import raises
from tests.support.fault_injection import FaultyTransport, InjectedFault, KilledError, fail_to_store
from tests.support.steps import describe_roles, describe_steps

pytestmark = pytest.mark.anyio

MEMBER = [on_organization("OrgMember")]


ENSURE: dict[str, Callable[..., Any]] = {
    "projects": lambda a, _: a.projects.ensure(name="p"),
    "api_keys": lambda a, project, **more: a.api_keys.ensure(project_id=project, name="k", **more),
    "service_accounts": lambda a, _, **more: a.service_accounts.ensure(name="s", **more),
    "invites": lambda a, _: a.invites.ensure(email="a@example.com", role_bindings=MEMBER),
}


@pytest.mark.parametrize("kind", ["projects", "api_keys", "service_accounts", "invites"])
def test_a_missing_record_is_created_and_an_existing_one_returned(kind: str, admin: Admin) -> None:
    """A first call creates the record, and a second call returns it and changes nothing."""
    project = admin.projects.create(name="world")
    first = ENSURE[kind](admin, project.id)
    second = ENSURE[kind](admin, project.id)
    assert (first.created, second.created) == (True, False)
    assert first.differences == second.differences == []


def test_a_member_of_an_enum_differs_from_nothing(admin: Admin) -> None:
    """Roles and names given as members of Enums are found, compared and reported by their values."""

    class Choice(str, Enum):  # noqa: UP042 - formatting a member of a StrEnum returns its value anyway
        MEMBER = "OrgMember"
        MANAGER = "OrgManager"
        ORGANIZATION = "organization"
        VIEWER = "ProjectViewer"
        NAME = "shop"

    bindings: Any = [{"resource_type": Choice.ORGANIZATION, "role": Choice.MEMBER}]
    project = (admin.projects.ensure(name=Choice.NAME)).value
    keys = [
        admin.api_keys.ensure(project_id=project.id, name=Choice.NAME, roles=cast("Any", [role]))
        for role in ("ProjectViewer", Choice.VIEWER)
    ]
    accounts = [admin.service_accounts.ensure(name=Choice.NAME, role_bindings=bindings) for _ in range(2)]
    assert [each.created for each in (*keys, *accounts)] == [True, False] * 2
    assert [each.differences for each in (*keys, *accounts)] == [[]] * 4
    assert isinstance(accounts[0].value, ServiceAccountWithSecret)
    assert accounts[0].value.service_account.name == project.name == "shop"
    different = admin.api_keys.ensure(project_id=project.id, name="shop", roles=cast("Any", ["DataPlaneViewer"]))
    assert str(different.differences[0]) == "roles: found ProjectViewer, wanted DataPlaneViewer"
    change = admin.role_bindings.change_role(
        principal_type="service_account",
        principal_id=accounts[0].value.service_account.id,
        resource_type="organization",
        from_role=cast("Any", Choice.MEMBER),
        to_role=cast("Any", Choice.MANAGER),
    )
    assert describe_roles(change.steps) == [("grant", ["OrgManager"]), ("revoke", ["OrgMember"])]


class Word(str, Enum):  # noqa: UP042 - formatting a member of a StrEnum returns its value anyway
    """Names and addresses as members of an Enum, whose format is not their value."""

    NAME = "shop"
    EMAIL = "ada@example.com"


TAKES_TEXTS: dict[str, Callable[[Admin, str, Callable[[Any], None]], object]] = {
    "projects.ensure": lambda admin, _, __: admin.projects.ensure(name=Word.NAME),
    "projects.provision": lambda admin, _, store: admin.projects.provision(
        name=Word.NAME, key_roles=["ProjectViewer"], store=store
    ),
    "projects.delete_stale": lambda admin, _, __: admin.projects.delete_stale(
        name_pattern=Word.NAME, older_than=timedelta(1)
    ),
    "api_keys.ensure": lambda admin, project, store: admin.api_keys.ensure(
        project_id=project, name=Word.NAME, store=store
    ),
    "service_accounts.ensure": lambda admin, _, store: admin.service_accounts.ensure(name=Word.NAME, store=store),
    "users.ensure": lambda admin, _, __: admin.users.ensure(
        email=Word.EMAIL, role_bindings=[on_organization("OrgMember")]
    ),
    "invites.ensure": lambda admin, _, __: admin.invites.ensure(
        email=Word.EMAIL, role_bindings=[on_organization("OrgMember")]
    ),
    "users.offboard": lambda admin, _, __: invite_and_offboard(admin),
    "users.offboard_many": lambda admin, _, __: admin.users.offboard_many(emails=[Word.EMAIL]),
}


def invite_and_offboard(admin: Admin) -> object:
    """Remove a person who has an invite."""
    admin.users.ensure(email="ada@example.com", role_bindings=[on_organization("OrgMember")])
    return admin.users.offboard(email=Word.EMAIL)


@pytest.mark.parametrize("name", TAKES_TEXTS)
def test_a_report_and_a_store_get_the_value_of_a_member_of_an_enum(admin: Admin, name: str) -> None:
    """A store puts a secret where its name says, and the next run knows only the value."""
    stored: list[Any] = []
    project = admin.projects.create(name="other")
    report = TAKES_TEXTS[name](admin, project.id, stored.append)
    assert "Word." not in f"{report!r} {report}"
    names = [each.key.name if isinstance(each, APIKeyWithSecret) else each.service_account.name for each in stored]
    assert {type(each) for each in names} <= {str}


def test_an_existing_role_binding_is_returned(admin: Admin) -> None:
    """A role binding that exists is returned, on a project and on the organization."""
    account = (admin.service_accounts.create(name="robot")).service_account
    binding: dict[str, Any] = {"principal_type": "service_account", "principal_id": account.id}
    project = admin.projects.create(name="p")
    on_the_project: dict[str, Any] = {"resource_type": "project", "resource_id": project.id, "role": "ProjectViewer"}
    on_the_organization: dict[str, Any] = {"resource_type": "organization", "role": "OrgMember"}
    for resource in (on_the_organization, on_the_project):
        first = admin.role_bindings.ensure(**binding, **resource)
        second = admin.role_bindings.ensure(**binding, **resource)
        assert (first.created, second.created) == (True, False)
        assert first.value == second.value


@pytest.mark.parametrize("kind", ["role_bindings", "users", "invites", "service_accounts", "existing account"])
def test_no_role_is_granted_for_the_id_of_another_organization(kind: str, admin: Admin, emulator: Emulator) -> None:
    """The client can grant on its own organization alone: its id is accepted, and any other changes nothing."""
    person = emulator.state.add_user("known@example.com")
    admin.service_accounts.create(name="known")

    def ensure(organization_id: str) -> Ensured[Any]:
        role: Any = {"resource_type": "organization", "resource_id": organization_id, "role": "OrgManager"}
        match kind:
            case "role_bindings":
                return admin.role_bindings.ensure(principal_type="user", principal_id=person.id, **role)
            case "users":
                return admin.users.ensure(email="known@example.com", role_bindings=[role])
            case "invites":
                return admin.invites.ensure(email="new@example.com", role_bindings=[role])
            case _:
                name = "robot" if kind == "service_accounts" else "known"
                return admin.service_accounts.ensure(name=name, role_bindings=[role], on_difference="update")

    def read() -> dict[str, Any]:
        return {name: value for name, value in emulator.dump().items() if name not in {"tokens", "time"}}

    before = read()
    with raises(PineconeValueError, match="resource_id is not the id of the organization of this client"):
        ensure("other-organization")
    assert read() == before
    ensure(emulator.organization_id)
    assert read() != before


def test_only_a_created_record_has_a_secret(admin: Admin) -> None:
    """The type of the value is one with a secret exactly where the call created the record."""
    project = admin.projects.create(name="p")
    key = [admin.api_keys.ensure(project_id=project.id, name="k") for _ in range(2)]
    assert [type(each.value) for each in key] == [APIKeyWithSecret, APIKey]
    account = [admin.service_accounts.ensure(name="s") for _ in range(2)]
    assert [type(each.value) for each in account] == [ServiceAccountWithSecret, ServiceAccount]
    assert "pcsk_" not in repr(key)


def test_different_settings_are_reported_and_kept(admin: Admin) -> None:
    """Settings that differ from the arguments are reported and not changed; omitted ones are ignored."""
    project = admin.projects.create(name="p")
    admin.api_keys.create(project_id=project.id, name="k", roles=["ProjectViewer"])
    admin.service_accounts.create(name="s", role_bindings=MEMBER)
    admin.invites.create(email="a@example.com", role_bindings=MEMBER)
    wanted = [*MEMBER, on_project(project.id, "ProjectViewer")]
    found: list[Ensured[Any]] = [
        admin.projects.ensure(name="p", max_pods=0, force_encryption_with_cmek=True),
        admin.api_keys.ensure(project_id=project.id, name="k", roles=["ProjectEditor"]),
        admin.service_accounts.ensure(name="s", role_bindings=wanted),
        admin.invites.ensure(email="A@EXAMPLE.com", role_bindings=wanted),
        admin.api_keys.ensure(project_id=project.id, name="k"),
    ]
    both = f"OrgMember on organization, ProjectViewer on project {project.id}"
    assert [[str(each) for each in one.differences] for one in found] == [
        ["force_encryption_with_cmek: found False, wanted True"],
        ["roles: found ProjectViewer, wanted ProjectEditor"],
        [f"roles: found OrgMember on organization, wanted {both}"],
        [f"roles: found OrgMember on organization, wanted {both}"],
        [],
    ]
    assert not any(one.created for one in found)
    assert (admin.projects.describe(project_id=project.id)).force_encryption_with_cmek is False


def test_a_shared_name_is_ambiguous(admin: Admin, emulator: Emulator) -> None:
    """Several records of one name raise an error that has all their ids, and the name of the workflow."""
    project = [admin.projects.create(name="p") for _ in range(2)]
    with raises(AmbiguousNameError) as caught:
        admin.projects.ensure(name="p")
    assert caught.value.ids == tuple(each.id for each in project)
    assert caught.value.operation == "ensure_project"
    for _ in range(2):
        admin.api_keys.create(project_id=project[0].id, name="k")
        admin.service_accounts.create(name="s")
        emulator.state.add_invite("a@example.com", emulator.clock.now())
    for kind in ("api_keys", "service_accounts", "invites"):
        with raises(AmbiguousNameError) as caught:
            ENSURE[kind](admin, project[0].id)
        assert caught.value.operation == f"ensure_{kind.removesuffix('s')}"


def test_a_project_whose_response_was_lost_is_adopted(emulator: Emulator, clock: VirtualClock) -> None:
    """After a lost response, a new project of the name counts as created."""
    admin = FaultyTransport(emulator, {2: InjectedFault.RESPONSE_LOST}).admin()
    ensured = admin.projects.ensure(name="p")
    assert ensured.created
    assert list(emulator.state.projects) == [ensured.value.id]
    assert clock.slept == [0.5]


def test_namesakes_after_a_lost_response_are_an_unknown_outcome(emulator: Emulator, clock: VirtualClock) -> None:
    """If another process creates the name, too, one of both may be that of the lost create."""

    def create_two(_: object) -> dict[str, Any]:
        for _ in range(2):
            emulator.state.add_project("p", emulator.clock.now())
        return {"status": 500}

    emulator.faults.add("create_project", respond=create_two)
    with raises(AmbiguousNameError) as caught:
        emulator.admin().projects.ensure(name="p")
    assert caught.value.outcome == "unknown"
    assert len(emulator.state.projects) == 2
    assert clock.slept == [0.5]


def test_a_lost_project_is_polled_until_the_deadline(emulator: Emulator, clock: VirtualClock) -> None:
    """A project whose create has an unknown outcome is looked for until the deadline, and not created again."""
    transport = FaultyTransport(emulator, {2: InjectedFault.REQUEST_LOST})
    admin = transport.admin()
    with raises(PineconeConnectionError) as caught:
        admin.projects.ensure(name="p")
    assert caught.value.outcome == "unknown"
    assert [request for request in transport.requests if request.startswith("POST")] == ["POST /admin/projects"]
    assert clock.slept[:5] == [0.5, 1.0, 2.0, 4.0, 8.0]
    assert sum(clock.slept) == pytest.approx(admin.timeout)


def test_a_unique_record_is_created_again(emulator: Emulator, clock: VirtualClock) -> None:
    """A lost create of an invite is repeated, because the server refuses a duplicate."""
    admin = FaultyTransport(emulator, {2: InjectedFault.REQUEST_LOST}).admin()
    invite = admin.invites.ensure(email="a@example.com", role_bindings=MEMBER)
    assert invite.created
    assert clock.slept == [0.5]


def test_a_key_whose_value_was_lost_is_replaced(emulator: Emulator) -> None:
    """A key whose value was lost is deleted, and another one is created."""
    project = emulator.admin().projects.create(name="p")
    transport = FaultyTransport(emulator, {2: InjectedFault.RESPONSE_LOST})
    ensured = transport.admin().api_keys.ensure(project_id=project.id, name="k", roles=["ProjectViewer"])
    (key,) = emulator.state.api_keys.values()
    assert isinstance(ensured.value, APIKeyWithSecret)
    assert (ensured.created, ensured.value.value, ensured.value.key.id) == (True, key.value, key.id)
    assert key.name == "k"
    assert sum(request.startswith("DELETE") for request in transport.requests) == 1


def test_an_account_whose_secret_was_lost_is_replaced(emulator: Emulator) -> None:
    """A service account whose secret was lost is deleted, and another one is created."""
    transport = FaultyTransport(emulator, {2: InjectedFault.RESPONSE_LOST})
    ensured = transport.admin().service_accounts.ensure(name="s", role_bindings=MEMBER)
    _, account = emulator.state.service_accounts.listing
    assert isinstance(ensured.value, ServiceAccountWithSecret)
    assert (ensured.created, ensured.value.client_secret) == (True, account.client_secret)
    assert (account.id, account.name) == (ensured.value.service_account.id, "s")
    assert sum(request.startswith("DELETE") for request in transport.requests) == 1


@pytest.mark.parametrize("kind", ["projects", "api_keys", "service_accounts", "invites"])
def test_a_lost_record_in_a_delayed_list_is_not_duplicated(kind: str, emulator: Emulator) -> None:
    """After lost responses, one record exists in the end even if lists lag by three seconds."""
    project = emulator.admin().projects.create(name="world")
    admin = FaultyTransport(
        emulator, {2: InjectedFault.RESPONSE_LOST, 3: InjectedFault.RESPONSE_LOST}, list_delay=3.0
    ).admin()
    ensured = ENSURE[kind](admin, project.id)
    assert ensured.created
    state = emulator.state
    made = {
        "projects": [each.name for each in state.projects.values() if each.id != project.id],
        "api_keys": [each.name for each in state.api_keys.values()],
        "service_accounts": [each.name for each in state.service_accounts.listing][1:],
        "invites": [each.email for each in state.open_invites],
    }
    assert len(made[kind]) == 1
    assert not made[kind][0].startswith("~")


def test_a_lost_role_binding_in_a_delayed_list_is_a_success(emulator: Emulator) -> None:
    """A role binding that the server reports as existing before it lists it is a success."""
    account = (emulator.admin().service_accounts.create(name="s")).service_account.id
    admin = FaultyTransport(emulator, {2: InjectedFault.RESPONSE_LOST}, list_delay=3.0).admin()
    ensured = admin.role_bindings.ensure(
        principal_type="service_account", principal_id=account, resource_type="organization", role="OrgMember"
    )
    assert ensured.created


def leave_key_of_killed_run(emulator: Emulator) -> tuple[str, str]:
    """Leave a key whose value may be stored, and return the ids of its project and itself."""
    project = emulator.admin().projects.create(name="p")
    admin = FaultyTransport(emulator, {3: InjectedFault.KILL_BEFORE}).admin()
    with pytest.raises(KilledError):
        admin.api_keys.ensure(project_id=project.id, name="k", store=lambda _: None)
    (left,) = emulator.state.api_keys
    return project.id, left


def test_a_key_of_a_killed_run_is_kept_until_another_is_stored(emulator: Emulator) -> None:
    """A key that a killed run left exists until another value is stored, even after a lost response."""
    project_id, left = leave_key_of_killed_run(emulator)
    existed: list[bool] = []
    admin = FaultyTransport(emulator, {2: InjectedFault.RESPONSE_LOST}).admin()
    admin.api_keys.ensure(
        project_id=project_id, name="k", store=lambda _: existed.append(left in emulator.state.api_keys)
    )
    assert existed == [True]
    assert left not in emulator.state.api_keys
    assert len(emulator.state.api_keys) == 1


def test_a_key_that_gets_its_name_meanwhile_is_kept(emulator: Emulator) -> None:
    """A key that gets its final name during the call belongs to a live run, and is kept."""
    project_id, left = leave_key_of_killed_run(emulator)

    def store(_: object) -> None:
        emulator.state.api_keys[left].name = "k"

    emulator.admin().api_keys.ensure(project_id=project_id, name="k", store=store)
    assert [key.name for key in emulator.state.api_keys.values()] == ["k", "k"]


def test_a_quota_used_up_by_a_killed_run_is_freed(emulator: Emulator) -> None:
    """Where the key of a killed run uses up the quota, it is deleted to make room."""
    emulator.configure(api_key_quota=1)
    project_id, _ = leave_key_of_killed_run(emulator)
    stored: list[str] = []
    emulator.admin().api_keys.ensure(project_id=project_id, name="k", store=lambda made: stored.append(made.value))
    (key,) = emulator.state.api_keys.values()
    assert (key.name, [key.value]) == ("k", stored)


@pytest.mark.parametrize("kind", ["api_keys", "service_accounts"])
def test_a_secret_lost_until_the_deadline_raises(kind: str, emulator: Emulator) -> None:
    """A secret that is lost until the deadline raises, and the next call takes up what was left."""
    project = emulator.admin().projects.create(name="p")
    faults = dict.fromkeys(range(2, 99), InjectedFault.INTERNAL_ERROR)
    admin = FaultyTransport(emulator, faults, only_method="POST").admin()
    with pytest.raises(Exception, match="500"):
        ENSURE[kind](admin, project.id)
    ensured = ENSURE[kind](emulator.admin(), project.id)
    assert ensured.created
    assert len(emulator.state.api_keys) == (kind == "api_keys")
    assert len(list(emulator.state.service_accounts.listing)) == 1 + (kind == "service_accounts")


@pytest.mark.parametrize("kind", ["api_keys", "service_accounts"])
def test_an_exception_in_store_deletes_the_record(kind: str, admin: Admin, emulator: Emulator) -> None:
    """An exception in the store callback is raised unchanged, and the new record is deleted."""
    project = admin.projects.create(name="p")
    with pytest.raises(OSError, match="sealed"):
        ENSURE[kind](admin, project.id, store=fail_to_store)
    assert not emulator.state.api_keys
    assert len(list(emulator.state.service_accounts.listing)) == 1


@pytest.mark.parametrize("fault", [InjectedFault.INVALID_JSON, InjectedFault.INTERNAL_ERROR, InjectedFault.UNAVAILABLE])
@pytest.mark.parametrize("kind", ["api_keys", "service_accounts"])
def test_a_failed_rename_without_store_deletes_the_record(kind: str, fault: InjectedFault, emulator: Emulator) -> None:
    """Without a store callback, a record whose last request fails is deleted and created again later."""
    project = emulator.admin().projects.create(name="p")
    faults = dict.fromkeys(range(3, 99), fault)
    admin = FaultyTransport(emulator, faults, only_method="PATCH").admin()
    with pytest.raises(PineconeError):
        ENSURE[kind](admin, project.id)
    assert not emulator.state.api_keys
    assert len(list(emulator.state.service_accounts.listing)) == 1
    assert (ENSURE[kind](emulator.admin(), project.id)).created


@pytest.mark.parametrize("kind", ["api_keys", "service_accounts"])
def test_a_stored_record_is_kept_when_the_last_request_fails(kind: str, emulator: Emulator) -> None:
    """A record whose secret is stored is kept when its last request fails, and the next run finds it."""
    project = emulator.admin().projects.create(name="p")
    faults = dict.fromkeys(range(3, 99), InjectedFault.INVALID_JSON)
    admin = FaultyTransport(emulator, faults, only_method="PATCH").admin()
    with raises(ResponseParsingError):
        ENSURE[kind](admin, project.id, store=lambda _: None)
    assert not (ENSURE[kind](emulator.admin(), project.id)).created


@pytest.mark.parametrize("kind", ["api_keys", "service_accounts"])
def test_a_record_neither_stored_nor_deleted_is_named(kind: str, emulator: Emulator) -> None:
    """The error names a record that is neither stored nor deleted."""
    project = emulator.admin().projects.create(name="p")
    faults = dict.fromkeys(range(3, 99), InjectedFault.UNAVAILABLE)
    admin = FaultyTransport(emulator, faults, only_method="DELETE").admin()
    with raises(LeftoverError) as caught:
        ENSURE[kind](admin, project.id, store=fail_to_store)
    accounts = [account.id for account in emulator.state.service_accounts.listing][1:]
    (left,) = [*emulator.state.api_keys, *accounts]
    assert left in caught.value.left[0]
    assert left in str(caught.value)


def test_accounts_that_runs_left_are_deleted(admin: Admin, emulator: Emulator) -> None:
    """Accounts that runs left are deleted once the new secret is stored; one that got its name meanwhile is kept."""
    for _ in range(3):
        emulator.state.add_service_account(name_tags.tag_as_unfinished("s"), emulator.clock.now())
    own, named, *left = emulator.state.service_accounts.listing

    def store(_: object) -> None:
        assert {*left} < {*emulator.state.service_accounts.listing}
        named.name = "named meanwhile"

    ensured = admin.service_accounts.ensure(name="s", store=store)
    assert isinstance(ensured.value, ServiceAccountWithSecret)
    *others, account = emulator.state.service_accounts.listing
    assert others == [own, named]
    assert (account.name, account.client_secret) == ("s", ensured.value.client_secret)
    assert describe_steps(ensured.steps[1:-1]) == [
        f"deleted service account {each.name!r} ({each.id}), because an earlier run left it" for each in left
    ]


def test_a_refusal_is_raised_at_once(emulator: Emulator, clock: VirtualClock) -> None:
    """A refusal raises without a wait."""
    emulator.state.organization.plan = "Free"
    with raises(ForbiddenError):
        emulator.admin().service_accounts.ensure(name="s")
    assert clock.slept == []


def test_a_quota_used_up_by_others_is_raised_unchanged(admin: Admin, emulator: Emulator) -> None:
    """A quota that others use up raises, and deletes no key that a workflow did not create."""
    project = admin.projects.create(name="p")
    admin.api_keys.create(project_id=project.id, name="other")
    emulator.configure(api_key_quota=1)
    with raises(ForbiddenError):
        admin.api_keys.ensure(project_id=project.id, name="k")
    assert [key.name for key in emulator.state.api_keys.values()] == ["other"]


def test_what_a_lost_create_made_is_not_said_to_exist_once_it_is_deleted(emulator: Emulator) -> None:
    """The notes of the error say that the key was deleted, and not also that it may exist."""
    admin = emulator.admin(retry=RetryPolicy(max_attempts=1))
    project = admin.projects.create(name="p")
    lost = emulator.faults.add("create_api_key", drop="after")
    with raises(PineconeConnectionError) as caught:
        admin.api_keys.ensure(project_id=project.id, name="k")
    (note,) = caught.value.__notes__
    assert note.endswith("was deleted")
    assert (caught.value.outcome, lost.fired, [*emulator.state.api_keys]) == ("undone", 1, [])


def test_each_deletion_of_what_lost_creates_made_is_named(emulator: Emulator) -> None:
    """The notes of the last error name what each create before had made, also if the last one was refused."""
    endings: dict[type[PineconeError], dict[str, Any]] = {
        PineconeConnectionError: {"drop": "after"},
        ForbiddenError: {"status": 403},
    }
    for kind, last in endings.items():
        emulator.faults.add("create_service_account", drop="after", times=3)
        emulator.faults.add("create_service_account", **last)
        with raises(kind) as caught:
            emulator.admin().service_accounts.ensure(name="a", store=str)
        deleted = [each.path.rpartition("/")[2] for each in emulator.requests.filter("delete_service_account")]
        assert len(deleted) == (4 if "drop" in last else 3)
        assert all(id in note for id, note in zip(deleted, caught.value.__notes__, strict=True))
        emulator.requests.clear()


def test_an_expired_invite_is_resent(admin: Admin, emulator: Emulator) -> None:
    """An expired invite is resent, and is pending without a second one beside it."""
    first = admin.invites.ensure(email="a@example.com", role_bindings=MEMBER)
    emulator.clock.advance(8 * 86_400)
    again = admin.invites.ensure(email="a@example.com", role_bindings=MEMBER)
    assert (again.created, again.value.id, again.value.status) == (True, first.value.id, "pending")
    assert len(admin.invites.list().to_list()) == 1


@pytest.mark.parametrize("on_difference", ["report", "raise", "update"])
@pytest.mark.parametrize("held", ["OrgOwner", "OrgMember and more"])
def test_an_expired_invite_with_other_roles_is_replaced(
    admin: Admin, emulator: Emulator, on_difference: OnDifference, held: str
) -> None:
    """Nobody gets a mail with the roles of an expired invite. It is no difference, and a dry run shows what is done."""
    project = admin.projects.create(name="docs")
    more = [*MEMBER, on_project(project.id, "ProjectOwner")]
    roles = [on_organization("OrgOwner")] if held == "OrgOwner" else more
    old = admin.invites.create(email="a@example.com", role_bindings=roles)
    emulator.clock.advance(8 * 86_400)
    preview, done = [
        admin.invites.ensure(email="a@example.com", role_bindings=MEMBER, on_difference=on_difference, dry_run=dry_run)
        for dry_run in (True, False)
    ]
    for each in (preview, done):
        assert [(step.change.action, step.change.target.id) for step in each.steps] == [
            ("delete", old.id),
            ("invite", None),
        ]
        assert (each.created, each.differences) == (True, [])
    (invite,) = admin.invites.list()
    bindings = [each.role for each in admin.role_bindings.list(principal_type="invite", principal_id=invite.id)]
    assert (invite.status, invite.id == old.id, bindings) == ("pending", False, ["OrgMember"])
    assert emulator.requests.filter("resend_invite") == []


def test_an_invite_for_a_member_is_refused(admin: Admin, emulator: Emulator) -> None:
    """An invite for a member raises without a wait."""
    emulator.state.add_user("a@example.com")
    with raises(ConflictError):
        admin.invites.ensure(email="A@example.com", role_bindings=MEMBER)


def test_a_concurrently_created_role_binding_is_a_success(emulator: Emulator) -> None:
    """ALREADY_EXISTS for a role binding is a success."""
    other = emulator.admin()
    account = (other.service_accounts.create(name="robot")).service_account
    transport = FaultyTransport(emulator)

    def race() -> None:
        if transport.requests[-1].startswith("POST"):
            emulator.state.bind(
                Principal("service_account", account.id),
                [Grant("OrgMember", "organization", emulator.organization_id)],
                emulator.clock.now(),
            )

    transport.before_request = race
    ensured = transport.admin().role_bindings.ensure(
        principal_type="service_account", principal_id=account.id, resource_type="organization", role="OrgMember"
    )
    assert not ensured.created


@pytest.mark.parametrize(
    ("arguments", "error"),
    [({"name": ""}, PineconeValueError), ({"name": 5}, PineconeTypeError)],
)
def test_invalid_arguments_raise_before_any_request(
    arguments: dict[str, Any], error: type[Exception], emulator: Emulator
) -> None:
    """Invalid arguments raise before any request, like those of create."""
    transport = FaultyTransport(emulator)
    admin = transport.admin()
    for call in (
        lambda: admin.projects.ensure(**arguments),
        lambda: admin.api_keys.ensure(project_id="p", **arguments),
        lambda: admin.service_accounts.ensure(**arguments),
        lambda: admin.invites.ensure(email=arguments["name"], role_bindings=MEMBER),
    ):
        with pytest.raises(error):
            call()
    assert transport.requests == []


def test_a_key_of_an_unknown_project_raises(admin: Admin) -> None:
    """A key of an unknown project raises the error of the server."""
    with raises(NotFoundError):
        admin.api_keys.ensure(project_id="nowhere", name="k")


def test_a_name_of_unfinished_work_is_refused(emulator: Emulator) -> None:
    """The name that a workflow gives to what it has not finished raises before any request: it would be deleted."""
    transport = FaultyTransport(emulator)
    admin = transport.admin()
    for purpose in ("makes", "rotates", "empties", "delete-after:20261203T0545Z"):
        name = name_tags.name_tag(purpose, "reader") + "reader"
        for call in (
            lambda name=name: admin.api_keys.ensure(project_id="p", name=name),
            lambda name=name: admin.service_accounts.ensure(name=name),
            lambda name=name: admin.projects.provision(name=name, key_roles=["ProjectViewer"], store=print),
        ):
            with raises(PineconeValueError, match="form of a temporary name"):
                call()
    assert transport.requests == []
