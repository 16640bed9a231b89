"""Ensure: looks first, makes what is missing, and knows what became of a create whose answer was lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pinecone_admin import (
    AmbiguousNameError,
    AsyncAdmin,
    ConflictError,
    ForbiddenError,
    LeftoverError,
    NotFoundError,
    PineconeConnectionError,
    PineconeError,
    PineconeTypeError,
    PineconeValueError,
    ResponseParsingError,
    on_organization,
    on_project,
)
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.records import Grant, Principal
from pinecone_admin.models import APIKey, APIKeyWithSecret, ServiceAccount, ServiceAccountWithSecret
from pinecone_admin.workflows import Ensured, name_tags
from tests.support.clock import VirtualClock
from tests.support.errors import raises
from tests.support.fault_injection import CountingTransport, FaultyTransport, InjectedFault, KilledError
from tests.support.together import async_run_concurrently

pytestmark = pytest.mark.anyio

MEMBER = [on_organization("OrgMember")]


def meeting(emulator: Emulator, **faults: InjectedFault) -> tuple[AsyncAdmin, FaultyTransport]:
    """Make a client whose requests meet fates, by their numbers."""
    transport = FaultyTransport(emulator, {int(number.lstrip("n")): fault for number, fault in faults.items()})
    admin = AsyncAdmin(**transport.client_options)
    return admin, transport


ENSURE: dict[str, Callable[[AsyncAdmin, str], Any]] = {
    "projects": lambda a, _: a.projects.ensure(name="p"),
    "api_keys": lambda a, project: a.api_keys.ensure(project_id=project, name="k"),
    "service_accounts": lambda a, _: a.service_accounts.ensure(name="s"),
    "invites": lambda a, _: a.invites.ensure(email="a@example.com", role_bindings=MEMBER),
}


@pytest.mark.parametrize("kind", ["projects", "api_keys", "service_accounts", "invites"])
async def test_what_is_missing_is_created_and_what_exists_is_returned(kind: str, admin: AsyncAdmin) -> None:
    """The second call changes nothing and says so."""
    project = await admin.projects.create(name="world")
    first = await ENSURE[kind](admin, project.id)
    second = await ENSURE[kind](admin, project.id)
    assert (first.created, second.created) == (True, False)
    assert first.differences == second.differences == []


async def test_a_role_that_is_held_is_a_success(admin: AsyncAdmin) -> None:
    """On a project and on the organization alike."""
    account = (await admin.service_accounts.create(name="robot")).service_account
    binding: dict[str, Any] = {"principal_type": "service_account", "principal_id": account.id}
    project = await admin.projects.create(name="p")
    on_the_project: dict[str, Any] = {"resource_type": "project", "resource_id": project.id, "role": "ProjectViewer"}
    on_the_organization: dict[str, Any] = {"resource_type": "organization", "role": "OrgMember"}
    for resource in (on_the_organization, on_the_project):
        first = await admin.role_bindings.ensure(**binding, **resource)
        second = await admin.role_bindings.ensure(**binding, **resource)
        assert (first.created, second.created) == (True, False)
        assert first.value == second.value


async def test_a_secret_comes_only_with_what_was_created(admin: AsyncAdmin) -> None:
    """The type of the value says whether there is one."""
    project = await admin.projects.create(name="p")
    key = [await admin.api_keys.ensure(project_id=project.id, name="k") for _ in range(2)]
    assert [type(each.value) for each in key] == [APIKeyWithSecret, APIKey]
    account = [await admin.service_accounts.ensure(name="s") for _ in range(2)]
    assert [type(each.value) for each in account] == [ServiceAccountWithSecret, ServiceAccount]
    assert "pcsk_" not in repr(key)


async def test_settings_that_differ_are_reported_and_not_changed(admin: AsyncAdmin) -> None:
    """What was not asked for is not compared."""
    project = await admin.projects.create(name="p")
    await admin.api_keys.create(project_id=project.id, name="k", roles=["ProjectViewer"])
    await admin.service_accounts.create(name="s", role_bindings=MEMBER)
    await admin.invites.create(email="a@example.com", role_bindings=MEMBER)
    wanted = [*MEMBER, on_project(project.id, "ProjectViewer")]
    found: list[Ensured[Any]] = [
        await admin.projects.ensure(name="p", max_pods=0, force_encryption_with_cmek=True),
        await admin.api_keys.ensure(project_id=project.id, name="k", roles=["ProjectEditor"]),
        await admin.service_accounts.ensure(name="s", role_bindings=wanted),
        await admin.invites.ensure(email="A@EXAMPLE.com", role_bindings=wanted),
        await admin.api_keys.ensure(project_id=project.id, name="k"),
    ]
    both = f"OrgMember on organization, ProjectViewer on project {project.id}"
    assert [[str(each) for each in one.differences] for one in found] == [
        ["force_encryption_with_cmek: found False, wanted True"],
        ["roles: found ProjectViewer, wanted ProjectEditor"],
        [f"role_bindings: found OrgMember on organization, wanted {both}"],
        [f"role_bindings: found OrgMember on organization, wanted {both}"],
        [],
    ]
    assert not any(one.created for one in found)
    assert (await admin.projects.describe(project_id=project.id)).force_encryption_with_cmek is False


async def test_several_of_a_name_are_an_error(admin: AsyncAdmin, emulator: Emulator) -> None:
    """It names all of them, and none is picked."""
    project = [await admin.projects.create(name="p") for _ in range(2)]
    with raises(AmbiguousNameError) as caught:
        await admin.projects.ensure(name="p")
    assert caught.value.ids == [each.id for each in project]
    for _ in range(2):
        await admin.api_keys.create(project_id=project[0].id, name="k")
        await admin.service_accounts.create(name="s")
        emulator.state.add_invite("a@example.com", emulator.clock.now())
    for kind in ("api_keys", "service_accounts", "invites"):
        with raises(AmbiguousNameError):
            await ENSURE[kind](admin, project[0].id)


async def test_a_project_whose_answer_was_lost_is_adopted(emulator: Emulator, clock: VirtualClock) -> None:
    """It is the new one of the name, so this call made it."""
    admin, _ = meeting(emulator, n2=InjectedFault.RESPONSE_LOST)
    ensured = await admin.projects.ensure(name="p")
    assert ensured.created
    assert list(emulator.state.projects) == [ensured.value.id]
    assert clock.slept == [0.5]


async def test_a_project_that_does_not_appear_is_looked_for_until_the_deadline(
    emulator: Emulator, clock: VirtualClock
) -> None:
    """It is never created again: the first create may still be under way."""
    admin, transport = meeting(emulator, n2=InjectedFault.REQUEST_LOST)
    with raises(PineconeConnectionError) as caught:
        await admin.projects.ensure(name="p")
    assert caught.value.outcome == "unknown"
    assert [request for request in transport.requests if request.startswith("POST")] == ["POST /admin/projects"]
    assert clock.slept[:5] == [0.5, 1.0, 2.0, 4.0, 8.0]
    assert sum(clock.slept) == pytest.approx(admin.timeout)


async def test_what_the_server_keeps_unique_is_created_again(emulator: Emulator, clock: VirtualClock) -> None:
    """A second invite for the address, and a second binding, would be refused."""
    admin, _ = meeting(emulator, n2=InjectedFault.REQUEST_LOST)
    invite = await admin.invites.ensure(email="a@example.com", role_bindings=MEMBER)
    assert invite.created
    assert clock.slept == [0.5]


async def test_a_key_whose_value_was_lost_is_deleted_and_another_made(emulator: Emulator) -> None:
    """The value that is returned opens the one key there is."""
    project = await emulator.async_admin().projects.create(name="p")
    admin, transport = meeting(emulator, n3=InjectedFault.RESPONSE_LOST)
    ensured = await admin.api_keys.ensure(project_id=project.id, name="k", roles=["ProjectViewer"])
    (key,) = emulator.state.api_keys.values()
    assert isinstance(ensured.value, APIKeyWithSecret)
    assert (ensured.created, ensured.value.value, ensured.value.key.id) == (True, key.value, key.id)
    assert key.name == "k"
    assert sum(request.startswith("DELETE") for request in transport.requests) == 1


async def test_an_account_whose_secret_was_lost_has_it_rotated(emulator: Emulator) -> None:
    """The account stays, and the secret that is returned works."""
    admin, transport = meeting(emulator, n3=InjectedFault.RESPONSE_LOST)
    ensured = await admin.service_accounts.ensure(name="s", role_bindings=MEMBER)
    _, account = emulator.state.service_accounts.listing
    assert isinstance(ensured.value, ServiceAccountWithSecret)
    assert (ensured.created, ensured.value.client_secret) == (True, account.client_secret)
    assert transport.requests.count(f"POST /admin/service-accounts/{account.id}/rotate-secret") == 1


@pytest.mark.parametrize("kind", ["projects", "api_keys", "service_accounts", "invites"])
async def test_what_was_lost_and_is_listed_only_later_is_not_made_twice(kind: str, emulator: Emulator) -> None:
    """One thing is there in the end, also where lists lag three seconds behind."""
    project = await emulator.async_admin().projects.create(name="world")
    admin = AsyncAdmin(
        **FaultyTransport(
            emulator, {2: InjectedFault.RESPONSE_LOST, 3: InjectedFault.RESPONSE_LOST}, list_delay=3.0
        ).client_options
    )
    ensured = await ENSURE[kind](admin, project.id)
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


async def test_a_role_that_the_server_has_and_lists_only_later_is_a_success(emulator: Emulator) -> None:
    """It says that it exists before its list does."""
    account = (await emulator.async_admin().service_accounts.create(name="s")).service_account.id
    admin = AsyncAdmin(**FaultyTransport(emulator, {2: InjectedFault.RESPONSE_LOST}, list_delay=3.0).client_options)
    ensured = await admin.role_bindings.ensure(
        principal_type="service_account", principal_id=account, resource_type="organization", role="OrgMember"
    )
    assert ensured.created


# <async only>
@pytest.mark.parametrize("kind", ["api_keys", "service_accounts"])
async def test_two_in_step_never_delete_what_the_other_makes(kind: str, emulator: Emulator) -> None:
    """There may be two of the name then, as the documentation says, but never none."""
    project = await emulator.async_admin().projects.create(name="world")
    admin = AsyncAdmin(**CountingTransport(emulator).client_options)
    await admin.token()  # for which a thread is waited for, out of step
    both = await async_run_concurrently(2, lambda: ENSURE[kind](admin, project.id))
    assert [each.created for each in both if isinstance(each, Ensured)] == [True, True]


# </async only>
async def a_key_of_a_run_that_died(emulator: Emulator) -> tuple[str, str]:
    """Leave a key of which nobody knows whether its value was stored; give the project and the key."""
    project = await emulator.async_admin().projects.create(name="p")
    admin, _ = meeting(emulator, n4=InjectedFault.KILL_BEFORE)
    with pytest.raises(KilledError):
        await admin.api_keys.ensure(project_id=project.id, name="k", store=lambda _: None)
    (left,) = emulator.state.api_keys
    return project.id, left


async def test_what_a_dead_run_left_stays_until_another_value_is_stored(emulator: Emulator) -> None:
    """Also where the answer to the create is lost, after which orphans are looked for: its value may be stored."""
    project_id, left = await a_key_of_a_run_that_died(emulator)
    there: list[bool] = []
    admin, _ = meeting(emulator, n3=InjectedFault.RESPONSE_LOST)
    await admin.api_keys.ensure(
        project_id=project_id, name="k", store=lambda _: there.append(left in emulator.state.api_keys)
    )
    assert there == [True]
    assert left not in emulator.state.api_keys
    assert len(emulator.state.api_keys) == 1


async def test_what_has_its_name_meanwhile_was_not_left_by_a_dead_run(emulator: Emulator) -> None:
    """The run that made it is alive, and has finished."""
    project_id, left = await a_key_of_a_run_that_died(emulator)

    def store(_: object) -> None:
        emulator.state.api_keys[left].name = "k"

    await emulator.async_admin().api_keys.ensure(project_id=project_id, name="k", store=store)
    assert [key.name for key in emulator.state.api_keys.values()] == ["k", "k"]


async def test_a_quota_that_a_run_which_died_has_used_up_is_no_end(emulator: Emulator) -> None:
    """What it left makes room for another key."""
    emulator.configure(api_key_quota=1)
    project_id, _ = await a_key_of_a_run_that_died(emulator)
    stored: list[str] = []
    await emulator.async_admin().api_keys.ensure(
        project_id=project_id, name="k", store=lambda made: stored.append(made.value)
    )
    (key,) = emulator.state.api_keys.values()
    assert (key.name, [key.value]) == ("k", stored)


@pytest.mark.parametrize("kind", ["api_keys", "service_accounts"])
async def test_a_secret_that_stays_lost_until_the_deadline_is_an_error(kind: str, emulator: Emulator) -> None:
    """And nothing is left that nobody has the secret of, but what the next call takes up."""
    project = await emulator.async_admin().projects.create(name="p")
    faults = {f"n{number}": InjectedFault.INTERNAL_ERROR for number in range(3, 99)}
    admin, transport = meeting(emulator, **faults)
    transport.only_method = "POST"
    with pytest.raises(Exception, match="500"):
        await ENSURE[kind](admin, project.id)
    ensured = await ENSURE[kind](emulator.async_admin(), project.id)
    assert ensured.created
    assert len(emulator.state.api_keys) == (kind == "api_keys")
    assert len(list(emulator.state.service_accounts.listing)) == 1 + (kind == "service_accounts")


@pytest.mark.parametrize("kind", ["api_keys", "service_accounts"])
async def test_what_cannot_be_stored_is_deleted_again(kind: str, admin: AsyncAdmin, emulator: Emulator) -> None:
    """The failure of the store is what is raised."""
    project = await admin.projects.create(name="p")
    namespace: Any = getattr(admin, kind)
    arguments = {"project_id": project.id} if kind == "api_keys" else {}

    def store(_: object) -> None:
        raise OSError("the vault is sealed")

    with pytest.raises(OSError, match="sealed"):
        await namespace.ensure(name="n", store=store, **arguments)
    assert not emulator.state.api_keys
    assert len(list(emulator.state.service_accounts.listing)) == 1


@pytest.mark.parametrize("fault", [InjectedFault.INVALID_JSON, InjectedFault.INTERNAL_ERROR, InjectedFault.UNAVAILABLE])
@pytest.mark.parametrize("kind", ["api_keys", "service_accounts"])
async def test_a_secret_that_goes_with_an_error_leaves_nothing(
    kind: str, fault: InjectedFault, emulator: Emulator
) -> None:
    """Where nobody stored it and the last answer fails, what nobody has the secret of is deleted, and made anew."""
    project = await emulator.async_admin().projects.create(name="p")
    admin, transport = meeting(emulator, **{f"n{number}": fault for number in range(4, 99)})
    transport.only_method = "PATCH"
    with pytest.raises(PineconeError):
        await ENSURE[kind](admin, project.id)
    assert not emulator.state.api_keys
    assert len(list(emulator.state.service_accounts.listing)) == 1
    assert (await ENSURE[kind](emulator.async_admin(), project.id)).created


async def test_a_secret_goes_with_no_error_once_the_account_has_its_name(emulator: Emulator) -> None:
    """Naming it is the last request, so that one of the name that nobody has the secret of cannot stay."""
    admin, transport = meeting(emulator, **{f"n{number}": InjectedFault.INVALID_JSON for number in range(4, 99)})
    transport.only_method = "GET"
    with raises(ResponseParsingError):
        await admin.service_accounts.ensure(name="s", role_bindings=MEMBER)
    assert len(list(emulator.state.service_accounts.listing)) == 1
    assert (await emulator.async_admin().service_accounts.ensure(name="s", role_bindings=MEMBER)).created


@pytest.mark.parametrize("kind", ["api_keys", "service_accounts"])
async def test_what_was_stored_stays_where_the_last_answer_fails(kind: str, emulator: Emulator) -> None:
    """Its secret is in the vault, so the next run has only to find it."""
    project = await emulator.async_admin().projects.create(name="p")
    admin, transport = meeting(emulator, **{f"n{number}": InjectedFault.INVALID_JSON for number in range(4, 99)})
    transport.only_method = "PATCH"
    namespace: Any = getattr(admin, kind)
    arguments = {"project_id": project.id, "name": "k"} if kind == "api_keys" else {"name": "s"}
    with raises(ResponseParsingError):
        await namespace.ensure(**arguments, store=lambda _: None)
    assert not (await ENSURE[kind](emulator.async_admin(), project.id)).created


@pytest.mark.parametrize("kind", ["api_keys", "service_accounts"])
async def test_what_can_be_neither_stored_nor_deleted_is_named(kind: str, emulator: Emulator) -> None:
    """The error says what is left."""
    project = await emulator.async_admin().projects.create(name="p")
    admin, transport = meeting(emulator, **{f"n{number}": InjectedFault.UNAVAILABLE for number in range(4, 99)})
    transport.only_method = "DELETE"
    namespace: Any = getattr(admin, kind)
    arguments = {"project_id": project.id} if kind == "api_keys" else {}

    def store(_: object) -> None:
        raise OSError("the vault is sealed")

    with raises(LeftoverError) as caught:
        await namespace.ensure(name="n", store=store, **arguments)
    accounts = [account.id for account in emulator.state.service_accounts.listing][1:]
    (left,) = [*emulator.state.api_keys, *accounts]
    assert left in caught.value.left[0]
    assert left in str(caught.value)


async def test_only_one_of_several_accounts_that_runs_left_stays(admin: AsyncAdmin, emulator: Emulator) -> None:
    """The others go once its secret is stored."""
    for _ in range(3):
        emulator.state.add_service_account(name_tags.tag_as_being_made("s"), emulator.clock.now())
    ensured = await admin.service_accounts.ensure(name="s", store=lambda _: None)
    _, account = emulator.state.service_accounts.listing
    assert isinstance(ensured.value, ServiceAccountWithSecret)
    assert (account.name, account.client_secret) == ("s", ensured.value.client_secret)


async def test_a_refusal_is_raised_at_once(emulator: Emulator, clock: VirtualClock) -> None:
    """There is nothing to look for."""
    emulator.state.organization.plan = "Free"
    with raises(ForbiddenError):
        await emulator.async_admin().service_accounts.ensure(name="s")
    assert clock.slept == []


async def test_a_quota_that_others_have_used_up_is_told_as_it_is(admin: AsyncAdmin, emulator: Emulator) -> None:
    """What no workflow has made is not deleted for it."""
    project = await admin.projects.create(name="p")
    await admin.api_keys.create(project_id=project.id, name="other")
    emulator.configure(api_key_quota=1)
    with raises(ForbiddenError):
        await admin.api_keys.ensure(project_id=project.id, name="k")
    assert [key.name for key in emulator.state.api_keys.values()] == ["other"]


async def test_an_expired_invite_is_mailed_again(admin: AsyncAdmin, emulator: Emulator) -> None:
    """It is pending then, and there is no second one beside it."""
    first = await admin.invites.ensure(email="a@example.com", role_bindings=MEMBER)
    emulator.clock.advance(8 * 86_400)
    again = await admin.invites.ensure(email="a@example.com", role_bindings=MEMBER)
    assert (again.created, again.value.id, again.value.status) == (True, first.value.id, "pending")
    assert len(await admin.invites.list().to_list()) == 1


async def test_an_invite_for_a_member_is_refused(admin: AsyncAdmin, emulator: Emulator) -> None:
    """There is nothing to wait for."""
    emulator.state.add_user("a@example.com")
    with raises(ConflictError):
        await admin.invites.ensure(email="A@example.com", role_bindings=MEMBER)


async def test_a_binding_that_somebody_else_made_meanwhile_is_a_success(emulator: Emulator) -> None:
    """ALREADY_EXISTS says what was wanted."""
    other = emulator.async_admin()
    account = (await other.service_accounts.create(name="robot")).service_account
    admin, transport = meeting(emulator)

    def race() -> None:
        if transport.requests[-1].startswith("POST"):
            emulator.state.bind(
                Principal("service_account", account.id),
                [Grant("OrgMember", "organization", emulator.organization_id)],
                emulator.clock.now(),
            )

    transport.before_request = race
    ensured = await admin.role_bindings.ensure(
        principal_type="service_account", principal_id=account.id, resource_type="organization", role="OrgMember"
    )
    assert not ensured.created


@pytest.mark.parametrize(
    ("arguments", "error"),
    [({"name": ""}, PineconeValueError), ({"name": 5}, PineconeTypeError)],
)
async def test_arguments_are_checked_before_anything_is_sent(
    arguments: dict[str, Any], error: type[Exception], emulator: Emulator
) -> None:
    """As those of create are."""
    admin, transport = meeting(emulator)
    for call in (
        lambda: admin.projects.ensure(**arguments),
        lambda: admin.api_keys.ensure(project_id="p", **arguments),
        lambda: admin.service_accounts.ensure(**arguments),
        lambda: admin.invites.ensure(email=arguments["name"], role_bindings=MEMBER),
    ):
        with pytest.raises(error):
            await call()
    assert transport.requests == []


async def test_a_project_that_does_not_exist_has_no_keys(admin: AsyncAdmin) -> None:
    """The server's answer is raised."""
    with raises(NotFoundError):
        await admin.api_keys.ensure(project_id="nowhere", name="k")
