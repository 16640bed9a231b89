"""The workflows of the grid: an organization for each, what runs it, and what is wanted of it, as data."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, TypeAlias

import anyio.lowlevel
from attrs import define, field, frozen

from pinecone_admin import AsyncAdmin, NotFoundError, on_organization, on_project
from pinecone_admin._concurrency.clock import current_clock
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.records import (
    APIKeyRecord,
    Grant,
    InviteRecord,
    Principal,
    ProjectRecord,
    ServiceAccountRecord,
)
from pinecone_admin.models import APIKey, ServiceAccount
from pinecone_admin.workflows import ChangePlan, DesiredState, OffboardPlan, ProjectRole, ReadableStore, StalePlan
from pinecone_admin.workflows.name_tags import (
    add_value_digest,
    digest_value,
    parse_tag,
    tag_as_retired,
    tag_as_successor,
    tag_as_temporary,
    tag_as_unfinished,
)
from tests.support.clock import VirtualClock
from tests.support.old_names import tag_as_emptying
from tests.support.organizations import fill_project

ADA = "ada@example.com"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_OTHER_MARK = "0a1b2c3d"
"""The mark of another run."""


@define
class World:
    """An organization, and the secret store of a workflow.

    Attributes:
        emulator: The organization.
        ids: Ids of what the scenario has prepared, by a name for each.
        vault: The latest secret of each key or account, by its name.
        plan: The plan that the workflow carries out.
        runs: How often the workflow was started.
        others: Ids of what others have made, with the same names.
    """

    emulator: Emulator
    ids: dict[str, str] = field(factory=dict)
    vault: dict[str, str] = field(factory=dict)
    plan: Any = None
    runs: int = 0
    others: set[str] = field(factory=set)

    def add_project(self, name: str) -> ProjectRecord:
        """Add a project."""
        return self.emulator.state.add_project(name, self.emulator.clock.now())

    def add_key(self, project_id: str, name: str, *roles: str) -> APIKeyRecord:
        """Add a key with roles."""
        state, now = self.emulator.state, self.emulator.clock.now()
        key = state.add_api_key(state.projects[project_id], name, now)
        state.bind(Principal("api_key", key.id), [Grant(each, "project", project_id) for each in roles], now)
        return key

    def add_account(self, name: str, *roles: str | tuple[str, str]) -> ServiceAccountRecord:
        """Add a service account with roles."""
        account = self.emulator.state.add_service_account(name, self.emulator.clock.now())
        self.grant(Principal("service_account", account.id), *roles)
        return account

    def add_invite(self, email: str, *roles: str | tuple[str, str]) -> InviteRecord:
        """Add an invite with roles."""
        invite = self.emulator.state.add_invite(email, self.emulator.clock.now())
        self.grant(Principal("invite", invite.id), *roles)
        return invite

    def grant(self, principal: Principal, *roles: str | tuple[str, str]) -> None:
        """Grant roles on the organization, or on a project that is given beside them."""
        grants = [
            Grant(each, "organization", self.emulator.organization_id)
            if isinstance(each, str)
            else Grant(each[0], "project", each[1])
            for each in roles
        ]
        self.emulator.state.bind(principal, grants, self.emulator.clock.now())

    def list_roles(self, kind: str, id: str) -> list[str]:
        """Return the roles of a principal, sorted."""
        return sorted(each.grant.role for each in self.emulator.state.role_bindings.held_by(Principal(kind, id)))

    def list_keys(self, project_id: str, name: str) -> list[APIKeyRecord]:
        """Return the keys of a project that have a name, and are not of others."""
        found = self.emulator.state.projects[project_id].api_keys.values()
        return [each for each in found if each.name == name and each.id not in self.others]

    async def store(self, made: Any) -> None:
        """Store the secret of a new key or account."""
        await anyio.lowlevel.checkpoint()
        account = getattr(made, "service_account", None)
        if account is None:
            self.vault[made.key.name] = made.value
        else:
            self.vault[account.name] = made.client_secret

    def list_secrets(self) -> set[str]:
        """Return the secrets that are valid."""
        server = self.emulator.state
        accounts = {each.client_secret for each in server.service_accounts.listing}
        return accounts | {each.value for each in server.api_keys.values()}


class Vault(ReadableStore):
    """A vault that can be read again.

    Args:
        world: Its organization.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def __call__(self, made: Any, /) -> Awaitable[None]:
        """Store a secret."""
        account = getattr(made, "service_account", None)
        if account is not None:
            self._world.vault[account.client_id] = made.client_secret
        return self._world.store(made)

    def read(self, made: APIKey | ServiceAccount, /) -> str | None:
        """Return the stored secret."""
        return self._world.vault.get(made.client_id if isinstance(made, ServiceAccount) else made.name)


Change: TypeAlias = Callable[[World], object]


@frozen(kw_only=True)
class Scenario:
    """A workflow on an organization.

    Attributes:
        workflow: Name of the function.
        prepare: Adds what the workflow starts with.
        run: Starts it.
        find_lacks: Returns what of the wanted organization is missing.
        deletes: The names, in `ids`, of what the workflow is to delete.
        namesake: Adds something with the same name, which is none of its business.
        leftover: Adds what an interrupted run has left, with other roles.
        actor: Changes something while the workflow runs.
        plan: Makes the plan that is carried out.
        undoes: Whether what it has created is deleted if it fails before it has stored a secret or revoked a role.
        never_lacks: Returns what is missing although it has to be there at any time; called after each request.
    """

    workflow: str
    prepare: Change
    run: Callable[[World, AsyncAdmin], Awaitable[object]]
    find_lacks: Callable[[World], Iterable[str]]
    deletes: Collection[str] = ()
    namesake: Change | None = None
    leftover: Change | None = None
    actor: Change | None = None
    plan: Callable[[World, AsyncAdmin], Awaitable[object]] | None = None
    undoes: bool = False
    never_lacks: Callable[[World], Iterable[str]] = lambda _: ()


def _prepare_project(world: World) -> None:
    world.ids["project"] = world.add_project("p").id


def _prepare_key(world: World, name: str = "reader" * 13) -> None:
    _prepare_project(world)
    world.add_key(world.ids["project"], "another", "ProjectEditor")
    key = world.add_key(world.ids["project"], name, "ProjectViewer", "DataPlaneEditor")
    world.ids["key"], world.vault[name] = key.id, key.value


def _prepare_account(world: World) -> None:
    _prepare_project(world)
    account = world.add_account("robot", "OrgMember", ("ProjectViewer", world.ids["project"]))
    world.ids["account"], world.vault["robot"] = account.id, account.client_secret


def _prepare_due_account(world: World) -> None:
    _prepare_account(world)
    account = world.emulator.state.service_accounts[world.ids["account"]]
    world.vault[account.client_id] = account.client_secret
    world.emulator.clock.advance(40 * 86_400)


async def _rotate_due_accounts(world: World, admin: AsyncAdmin) -> object:
    names = ["robot"] if world.runs > 1 else None  # its age may have begun again
    world.plan = await admin.service_accounts.rotate_due(older_than=30 * DAY, store=Vault(world), names=names)
    return world.plan


def _find_due_account(world: World) -> Iterable[str]:
    """Return what is wrong; a secret that a run has lost is not replaced, but a run that is about it names it."""
    named = {each.name for each in world.plan.failed}
    yield from (each for each in _find_account(world, ("OrgMember", "ProjectViewer")) if "robot" not in named)


def _prepare_member(world: World) -> None:
    _prepare_project(world)
    user = world.emulator.state.add_user(ADA)
    world.grant(Principal("user", user.id), "OrgManager", ("ProjectEditor", world.ids["project"]))
    world.ids["user"] = user.id


def _prepare_leaver(world: World) -> None:
    _prepare_member(world)
    old = world.add_invite(ADA.title(), "OrgMember")
    world.emulator.clock.advance(8 * 86_400)
    world.ids["expired"] = old.id
    world.grant(Principal("user", world.ids["user"]), "OrgOwner")


def _prepare_retired_key(world: World) -> None:
    _prepare_project(world)
    new = world.add_key(world.ids["project"], "reader", "ProjectViewer")
    retired = tag_as_retired(new.id, "reader", world.emulator.clock.now() - HOUR)
    world.ids["retired"] = world.add_key(world.ids["project"], retired, "ProjectViewer").id
    world.ids["new"], world.vault["reader"] = new.id, new.value


def _prepare_due_keys(world: World) -> None:
    _prepare_key(world, "reader")
    world.vault["another"] = world.list_keys(world.ids["project"], "another")[0].value
    world.emulator.clock.advance(40 * 86_400)


def _prepare_contents(world: World) -> None:
    _prepare_project(world)
    world.add_key(world.ids["project"], "reader", "ProjectViewer")
    fill_project(world.emulator, world.ids["project"], backups=1)
    _share_clock(world)


def _prepare_stale(world: World) -> None:
    _prepare_project(world)
    world.emulator.hold(world.ids["project"], "collections", "archive")
    world.emulator.clock.advance(60)
    _share_clock(world)


def _share_clock(world: World) -> None:
    clock = current_clock()
    assert isinstance(clock, VirtualClock)
    clock.on_sleep = lambda: world.emulator.clock.advance(clock.slept[-1])


def _find_project(world: World) -> Iterable[str]:
    named = [each for each in world.emulator.state.projects.values() if each.name == "p"]
    if not named or len([each for each in named if each.id not in world.others]) > 1:
        yield f"{len(named)} projects are named p"


def _find_key(
    world: World, name: str = "reader", roles: Collection[str] = ("ProjectViewer",), project: str = "project"
) -> Iterable[str]:
    keys = world.list_keys(world.ids[project], name)
    all_keys = world.emulator.state.projects[world.ids[project]].api_keys.values()
    if any(each.name == name and each.id in world.others for each in all_keys):
        return  # somebody else has made it: the workflow takes it as it is, or names both
    if len(keys) != 1:
        yield f"{len(keys)} keys are named {name}"
    for each in keys:
        if set(world.emulator.state.roles_of(each)) != set(roles):
            yield f"key {name} has the roles {world.emulator.state.roles_of(each)}"
        if each.value != world.vault.get(name):
            yield f"the value of key {name} is not stored"
    yield from _find_unfinished(world)


def _find_unfinished(world: World) -> Iterable[str]:
    server = world.emulator.state
    retired = [each.id for each in server.api_keys.values() if each.name.startswith("~delete-after:")]
    for each in (*server.api_keys.values(), *server.service_accounts.listing):
        tag = parse_tag(each.name)
        # The successor of a retired key is deleted with the key. Until its deletion time, a temporary key may be in
        # use.
        is_live = tag is not None and tag.lives_until is not None and tag.lives_until > world.emulator.clock.now()
        if tag is not None and tag.delete_after is None and not is_live and not any(map(tag.refers_to, retired)):
            yield f"a key ~{tag.purpose} is left"


def _find_account(world: World, roles: Collection[str] = ("OrgMember",)) -> Iterable[str]:
    listing = world.emulator.state.service_accounts.listing
    accounts = [each for each in listing if each.name == "robot"]
    if any(each.id in world.others for each in accounts):
        return  # as with a key
    if len(accounts) != 1:
        yield f"{len(accounts)} accounts are named robot"
    for each in accounts:
        if world.list_roles("service_account", each.id) != sorted(roles):
            yield f"the account has the roles {world.list_roles('service_account', each.id)}"
        if each.client_secret != world.vault.get("robot"):
            yield "the secret of the account is not stored"
    yield from _find_unfinished(world)


def _find_roles(kind: str, thing: str, *roles: str) -> Callable[[World], Iterable[str]]:
    def find_lacks(world: World) -> Iterable[str]:
        held = world.list_roles(kind, world.ids[thing])
        if held != sorted(roles):
            yield f"{thing} has the roles {held}"

    return find_lacks


def _find_one_role(*places: tuple[str, str], roles: Collection[str]) -> Callable[[World], Iterable[str]]:
    """Return a search that finds something wrong if no principal, each a kind and a thing, has one of the roles."""

    def find_lacks(world: World) -> Iterable[str]:
        held = {role for kind, thing in places for role in world.list_roles(kind, world.ids[thing])}
        if held.isdisjoint(roles):
            yield f"nobody has one of the roles {', '.join(roles)}"

    return find_lacks


def _find_person(world: World, *, is_exact: bool) -> Iterable[str]:
    """Return what is wrong with the roles of the one person."""
    server = world.emulator.state
    people = [("user", each.id) for each in server.users.listing if each.email.lower() == ADA]
    people += [("invite", each.id) for each in server.open_invites if each.email.lower() == ADA]
    if len(people) != 1:
        yield f"there are {people}"
    for kind, id in people:
        held = world.list_roles(kind, id)
        if held != ["OrgMember"] and (is_exact or id not in world.others):
            yield f"the {kind} has the roles {held}"


def _find_nobody(world: World) -> Iterable[str]:
    server = world.emulator.state
    if [each for each in (*server.users.listing, *server.open_invites) if each.email.lower() == ADA]:
        yield "the person is still there"


def _find_rotated(world: World, *, retired: int = 0, name: str = "reader" * 13) -> Iterable[str]:
    yield from _find_key(world, name, ("ProjectViewer", "DataPlaneEditor"))
    keys = world.emulator.state.projects[world.ids["project"]].api_keys
    if retired and world.ids["key"] in keys and not keys[world.ids["key"]].name.startswith("~delete-after:"):
        yield "the old key is not marked"
    if not retired and world.ids["key"] in keys:
        yield "the old key is not deleted"


def _find_due(world: World) -> Iterable[str]:
    yield from _find_key(world, "reader", ("ProjectViewer", "DataPlaneEditor"))
    yield from _find_key(world, "another", ("ProjectEditor",))


def _find_no_project(world: World) -> Iterable[str]:
    if world.ids["project"] in world.emulator.state.projects:
        yield "the project is not deleted"


def _find_stale(world: World) -> Iterable[str]:
    project = world.emulator.state.projects.get(world.ids["project"])
    if project is not None and "other" not in project.indexes:
        yield "the project is not deleted"
    yield from _find_unfinished(world)


def _find_provisioned(world: World) -> Iterable[str]:
    named = [each for each in world.emulator.state.projects.values() if each.name == "tenant"]
    mine = [each for each in named if each.id not in world.others] or named
    if len(mine) != 1:
        yield f"{len(named)} projects are named tenant"
        return
    world.ids["tenant"] = mine[0].id
    yield from _find_key(world, "tenant", project="tenant")
    yield from _find_roles("service_account", "account", "ProjectViewer")(world)


def _find_applied(world: World) -> Iterable[str]:
    yield from _find_key(world, "writer", ("DataPlaneEditor",))
    yield from _find_account(world)
    yield from _find_person(world, is_exact=False)
    server = world.emulator.state
    if world.ids["project"] in server.projects and not server.projects[world.ids["project"]].force_encryption_with_cmek:
        yield "the project is not updated"
    if world.ids["old"] in server.api_keys:
        yield "the old key is not deleted"


def _add_key(name: str, *roles: str, project: str = "project", is_stored: bool = False) -> Change:
    def add(world: World) -> None:
        key = world.add_key(world.ids[project], name, *roles)
        if is_stored:
            key.name = add_value_digest(name, digest_value(key.value))
            world.vault["reader"] = key.value

    return add


def _add_elsewhere(*names: str) -> Change:
    """Return a change that adds a project with keys of the same names, and an account of that name."""

    def add(world: World) -> None:
        project = world.add_project("elsewhere")
        for each in names:
            world.add_key(project.id, each, "ProjectEditor")
            world.add_account(each, "OrgManager")

    return add


def _add_project(name: str) -> Change:
    return lambda world: world.add_project(name)


def _add_account(name: str, *roles: str) -> Change:
    return lambda world: world.add_account(name, *roles)


def _leave_stored_account(world: World) -> None:
    account = world.add_account(tag_as_unfinished("robot", _OTHER_MARK), "OrgManager")
    world.vault[account.client_id] = world.vault["robot"] = account.client_secret


def _add_namesakes(world: World) -> None:
    """Add people whose addresses are similar."""
    world.add_invite(f"x{ADA}", "OrgManager")
    user = world.emulator.state.add_user(f"{ADA}.org")
    world.grant(Principal("user", user.id), "OrgManager")


def _leave_expired_invite(world: World, role: str = "OrgOwner") -> None:
    world.ids["expired"] = world.add_invite(ADA, role).id
    world.emulator.clock.advance(8 * 86_400)


def _invite(world: World) -> None:
    if not world.emulator.state.find_open_invites(ADA):
        world.add_invite(ADA, "OrgManager")


def _join(world: World) -> None:
    state = world.emulator.state
    if state.users.find(ADA) is None:
        pending = state.find_open_invites(ADA)
        user = state.add_user(ADA)
        for each in pending:
            state.remove_invite(each)
        world.grant(Principal("user", user.id), "OrgManager")


def _grant_role(kind: str, thing: str, role: str) -> Change:
    def grant(world: World) -> None:
        project, principal = world.ids["project"], Principal(kind, world.ids[thing])
        held = [each.grant for each in world.emulator.state.role_bindings.held_by(principal)]
        if Grant(role, "project", project) not in held:
            world.grant(principal, (role, project))

    return grant


def _remove_key(thing: str) -> Change:
    def remove(world: World) -> None:
        if (key := world.emulator.state.find_api_key(world.ids[thing])) is not None:
            world.emulator.state.remove_api_key(key)

    return remove


def _remove_unfinished(world: World) -> None:
    """Remove what a run has not finished, as a concurrent one does that takes it for a leftover."""
    server = world.emulator.state
    for each in [*server.api_keys.values()]:
        if (tag := parse_tag(each.name)) is not None and tag.delete_after is None:
            server.remove_api_key(each)
    for account in [*server.service_accounts.listing]:
        if parse_tag(account.name) is not None:
            server.remove_service_account(account)


def _leave_successor(*, is_stored: bool, name: str = "reader" * 13) -> Change:
    def leave(world: World) -> None:
        tagged = tag_as_successor(world.ids["key"], name, _OTHER_MARK)
        key = world.add_key(world.ids["project"], tagged, "ProjectEditor")
        if is_stored:
            key.name = add_value_digest(tagged, digest_value(key.value))
            world.vault[name] = key.value

    return leave


def _leave_emptying(world: World) -> None:
    world.add_key(world.ids["project"], tag_as_emptying(world.ids["project"]), "ProjectEditor")
    _leave_temporary(world)


def _leave_temporary(world: World) -> None:
    past = world.emulator.clock.now() - HOUR
    name = tag_as_temporary(world.ids["project"], past, _OTHER_MARK)
    world.ids["overdue"] = world.add_key(world.ids["project"], name, "ProjectEditor").id


def _hold(world: World) -> None:
    if world.ids["project"] in world.emulator.state.projects:
        world.emulator.hold(world.ids["project"], "indexes", "other")


async def _ensure_key(world: World, admin: AsyncAdmin, *, is_readable: bool, **options: Any) -> object:
    return await admin.api_keys.ensure(
        project_id=world.ids["project"],
        store=Vault(world) if is_readable else world.store,
        **({"name": "reader", "roles": ["ProjectViewer"]} | options),
    )


async def _ensure_account(world: World, admin: AsyncAdmin, *, is_readable: bool, **options: Any) -> object:
    return await admin.service_accounts.ensure(
        name="robot",
        store=Vault(world) if is_readable else world.store,
        **({"role_bindings": [on_organization("OrgMember")]} | options),
    )


async def _reconcile_account(world: World, admin: AsyncAdmin) -> object:
    roles = [on_organization("OrgMember"), on_project(world.ids["project"], "ProjectEditor")]
    return await _ensure_account(
        world, admin, is_readable=False, role_bindings=roles, on_difference="update", revoke_unlisted=True
    )


async def _rotate(world: World, admin: AsyncAdmin, *, is_readable: bool, keep: timedelta) -> object:
    """Rotate the key; after a run that has ended, its id is not found."""
    try:
        return await admin.api_keys.rotate(
            api_key_id=world.ids["key"], keep_old_for=keep, store=Vault(world) if is_readable else world.store
        )
    except NotFoundError as error:
        if world.runs == 1 or error.error_code is None:
            raise
        return None


async def _change_role(world: World, admin: AsyncAdmin) -> object:
    return await admin.role_bindings.change_role(
        principal_type="service_account",
        principal_id=world.ids["account"],
        resource_type="project",
        resource_id=world.ids["project"],
        from_role="ProjectViewer",
        to_role="ProjectEditor",
    )


async def _ensure_binding(world: World, admin: AsyncAdmin) -> object:
    return await admin.role_bindings.ensure(
        principal_type="service_account",
        principal_id=world.ids["account"],
        resource_type="project",
        resource_id=world.ids["project"],
        role="ProjectEditor",
    )


async def _offboard(world: World, admin: AsyncAdmin) -> object:
    """Offboard the person; if nobody has the address, an earlier run has removed the person."""
    try:
        return await admin.users.offboard(email=ADA, dry_run=False)
    except NotFoundError:
        if world.runs == 1:
            raise
        return None


async def _plan_offboarding(_: World, admin: AsyncAdmin) -> object:
    return await admin.users.offboard_many(emails=[ADA])


async def _offboard_planned(world: World, admin: AsyncAdmin) -> object:
    return await admin.users.offboard_many(plan=OffboardPlan.from_json(world.plan.to_json()))


async def _provision(world: World, admin: AsyncAdmin) -> object:
    roles = [ProjectRole(principal_type="service_account", principal_id=world.ids["account"], role="ProjectViewer")]
    return await admin.projects.provision(name="tenant", key_roles=["ProjectViewer"], store=world.store, bindings=roles)


async def _clean_up(world: World, admin: AsyncAdmin) -> object:
    """Delete the project with its contents; after a run that has ended, it is not found."""
    try:
        return await admin.projects.delete_with_cleanup(project_id=world.ids["project"])
    except NotFoundError as error:
        if world.runs == 1 or error.error_code is None:
            raise
        return None


async def _plan_deletion(_: World, admin: AsyncAdmin) -> object:
    return await admin.projects.delete_stale(name_pattern="p*", older_than=timedelta(seconds=30))


async def _delete_planned(world: World, admin: AsyncAdmin) -> object:
    return await admin.projects.delete_stale(plan=StalePlan.from_json(world.plan.to_json()))


async def _rotate_due(world: World, admin: AsyncAdmin) -> object:
    return await admin.api_keys.rotate_due(older_than=30 * DAY, keep_old_for=HOUR, store=world.store)


async def _use_temporary(world: World, admin: AsyncAdmin) -> object:
    async with admin.api_keys.temporary(project_id=world.ids["project"], roles=["ProjectViewer"]) as made:
        return made


def _prepare_listing_key(world: World) -> None:
    _prepare_project(world)
    world.ids["key"] = world.add_key(world.ids["project"], "leaked", "ProjectViewer").id
    world.emulator.hold(world.ids["project"], "indexes", "movies")


async def _identify(world: World, admin: AsyncAdmin) -> object:
    value = world.emulator.state.api_keys[world.ids["key"]].value
    return await admin.api_keys.identify(value=value, project_ids=[world.ids["project"]])


def _describe_wanted(world: World) -> DesiredState:
    project = {
        "id": world.ids["project"],
        "name": "p",
        "force_encryption_with_cmek": True,
        "api_keys": [{"name": "writer", "roles": ["DataPlaneEditor"]}, {"name": "old", "absent": True}],
    }
    return DesiredState.from_dict(
        {
            "organization": world.emulator.organization_id,
            "projects": [project],
            "service_accounts": [{"name": "robot", "roles": ["OrgMember"]}],
            "people": [{"email": ADA, "roles": ["OrgMember"]}],
        }
    )


async def _plan(world: World, admin: AsyncAdmin) -> object:
    return await admin.plan(_describe_wanted(world))


async def _apply(world: World, admin: AsyncAdmin) -> object:
    return await admin.apply(ChangePlan.from_json(world.plan.to_json()), store=world.store, allow_removals=9)


def _prepare_old_key(world: World) -> None:
    _prepare_project(world)
    world.ids["old"] = world.add_key(world.ids["project"], "old", "ProjectViewer").id


def _find_overdue(world: World) -> Iterable[str]:
    """Return whether the second run has left an overdue key: the first may, and a killed one leaves a live one."""
    if world.runs > 1 and world.ids.get("overdue") in world.emulator.state.api_keys:
        yield "the overdue key is left"


def _list_nothing(_: World) -> Iterable[str]:
    """Return nothing: a workflow that only reads leaves everything as it is."""
    return ()


SCENARIOS: Mapping[str, Scenario] = {
    "ensure project": Scenario(
        workflow="ensure_project",
        undoes=True,
        prepare=lambda _: None,
        run=lambda _, admin: admin.projects.ensure(name="p"),
        find_lacks=_find_project,
        namesake=_add_project("P"),
        actor=_add_project("p"),
    ),
    "ensure key": Scenario(
        workflow="ensure_api_key",
        undoes=True,
        prepare=_prepare_project,
        run=partial(_ensure_key, is_readable=False),
        find_lacks=_find_key,
        namesake=_add_elsewhere("reader"),
        leftover=_add_key(tag_as_unfinished("reader", _OTHER_MARK), "ProjectEditor"),
        actor=_add_key("reader", "ProjectEditor"),
    ),
    "ensure key, readable": Scenario(
        workflow="ensure_api_key",
        undoes=True,
        prepare=_prepare_project,
        run=partial(_ensure_key, is_readable=True),
        find_lacks=_find_key,
        leftover=_add_key(tag_as_unfinished("reader", _OTHER_MARK), "ProjectEditor", is_stored=True),
        actor=_remove_unfinished,
    ),
    "ensure key, default roles": Scenario(
        workflow="ensure_api_key",
        undoes=True,
        prepare=_prepare_project,
        run=partial(_ensure_key, is_readable=True, roles=None),
        find_lacks=partial(_find_key, roles=("ProjectEditor",)),
        leftover=_add_key(tag_as_unfinished("reader", _OTHER_MARK), "ControlPlaneEditor", is_stored=True),
    ),
    "update key": Scenario(
        workflow="ensure_api_key",
        undoes=True,
        prepare=partial(_prepare_key, name="reader"),
        run=partial(_ensure_key, is_readable=False, on_difference="update"),
        find_lacks=_find_key,
        namesake=_add_elsewhere("reader"),
        actor=_add_key("reader", "ProjectEditor"),
    ),
    "ensure account": Scenario(
        workflow="ensure_service_account",
        undoes=True,
        prepare=lambda _: None,
        run=partial(_ensure_account, is_readable=False),
        find_lacks=_find_account,
        namesake=_add_account("Robot", "OrgManager"),
        leftover=_add_account(tag_as_unfinished("robot", _OTHER_MARK), "OrgManager"),
        actor=_add_account("robot", "OrgManager"),
    ),
    "ensure account, readable": Scenario(
        workflow="ensure_service_account",
        prepare=lambda _: None,
        run=partial(_ensure_account, is_readable=True),
        find_lacks=_find_account,
        leftover=_leave_stored_account,
        actor=_remove_unfinished,
    ),
    "ensure account, default roles": Scenario(
        workflow="ensure_service_account",
        prepare=lambda _: None,
        run=partial(_ensure_account, is_readable=True, role_bindings=None),
        find_lacks=partial(_find_account, roles=()),
        leftover=_leave_stored_account,
    ),
    "reconcile account": Scenario(
        workflow="ensure_service_account",
        prepare=_prepare_account,
        run=_reconcile_account,
        find_lacks=_find_roles("service_account", "account", "OrgMember", "ProjectEditor"),
        never_lacks=_find_one_role(("service_account", "account"), roles=("ProjectViewer", "ProjectEditor")),
        namesake=_add_account("Robot", "OrgManager"),
        actor=_grant_role("service_account", "account", "DataPlaneEditor"),
    ),
    "ensure invite": Scenario(
        workflow="ensure_invite",
        prepare=lambda _: None,
        run=lambda _, admin: admin.invites.ensure(email=ADA, role_bindings=[on_organization("OrgMember")]),
        find_lacks=partial(_find_person, is_exact=False),
        namesake=_add_namesakes,
        actor=_invite,
    ),
    "resend invite": Scenario(
        workflow="ensure_invite",
        prepare=partial(_leave_expired_invite, role="OrgMember"),
        run=lambda _, admin: admin.invites.ensure(
            email=ADA, role_bindings=[on_organization("OrgMember")], on_difference="update", revoke_unlisted=True
        ),
        find_lacks=partial(_find_person, is_exact=True),
        namesake=_add_namesakes,
    ),
    "replace invite": Scenario(
        workflow="ensure_invite",
        prepare=_leave_expired_invite,
        run=lambda _, admin: admin.invites.ensure(email=ADA, role_bindings=[on_organization("OrgMember")]),
        find_lacks=partial(_find_person, is_exact=True),
        deletes=["expired"],
        namesake=_add_namesakes,
    ),
    "ensure user": Scenario(
        workflow="ensure_user",
        prepare=lambda _: None,
        run=lambda _, admin: admin.users.ensure(
            email=ADA, role_bindings=[on_organization("OrgMember")], revoke_unlisted=True
        ),
        find_lacks=partial(_find_person, is_exact=True),
        deletes=["expired"],
        namesake=_add_namesakes,
        leftover=_leave_expired_invite,
        actor=_join,
    ),
    "ensure member": Scenario(
        workflow="ensure_user",
        prepare=_prepare_member,
        run=lambda _, admin: admin.users.ensure(
            email=ADA, role_bindings=[on_organization("OrgMember")], revoke_unlisted=True
        ),
        find_lacks=partial(_find_person, is_exact=True),
        never_lacks=_find_one_role(("user", "user"), roles=("OrgManager", "OrgMember")),
        namesake=_add_namesakes,
        actor=_grant_role("user", "user", "DataPlaneEditor"),
    ),
    "ensure binding": Scenario(
        workflow="ensure_role_binding",
        undoes=True,
        prepare=_prepare_account,
        run=_ensure_binding,
        find_lacks=_find_roles("service_account", "account", "OrgMember", "ProjectViewer", "ProjectEditor"),
        namesake=_add_account("robot", "OrgManager"),
        actor=_grant_role("service_account", "account", "ProjectEditor"),
    ),
    "change role": Scenario(
        workflow="change_role",
        undoes=True,
        prepare=_prepare_account,
        run=_change_role,
        find_lacks=_find_roles("service_account", "account", "OrgMember", "ProjectEditor"),
        never_lacks=_find_one_role(("service_account", "account"), roles=("ProjectViewer", "ProjectEditor")),
        namesake=_add_account("robot", "OrgManager"),
        actor=_grant_role("service_account", "account", "ProjectEditor"),
    ),
    "rotate key": Scenario(
        workflow="rotate_api_key",
        undoes=True,
        prepare=_prepare_key,
        run=partial(_rotate, is_readable=False, keep=timedelta()),
        find_lacks=_find_rotated,
        deletes=["key"],
        namesake=_add_elsewhere("reader" * 13),
        leftover=_leave_successor(is_stored=False),
        actor=_add_key("reader" * 13, "ProjectEditor"),
    ),
    "rotate key, readable": Scenario(
        workflow="rotate_api_key",
        undoes=True,
        prepare=partial(_prepare_key, name="reader"),
        run=partial(_rotate, is_readable=True, keep=timedelta()),
        find_lacks=partial(_find_rotated, name="reader"),
        deletes=["key"],
        leftover=_leave_successor(is_stored=True, name="reader"),
        actor=_remove_unfinished,
    ),
    "overlap": Scenario(
        workflow="rotate_api_key",
        undoes=True,
        prepare=_prepare_key,
        run=partial(_rotate, is_readable=False, keep=HOUR),
        find_lacks=partial(_find_rotated, retired=1),
        namesake=_add_elsewhere("reader" * 13),
        leftover=_leave_successor(is_stored=False),
        actor=_leave_successor(is_stored=False),
    ),
    "rotate a key that goes": Scenario(
        workflow="rotate_api_key",
        undoes=True,
        prepare=_prepare_key,
        run=partial(_rotate, is_readable=False, keep=timedelta()),
        find_lacks=_list_nothing,
        deletes=["key"],
        actor=_remove_key("key"),
    ),
    "delete retired": Scenario(
        workflow="delete_retired_keys",
        prepare=_prepare_retired_key,
        run=lambda world, admin: admin.api_keys.delete_retired(project_id=world.ids["project"]),
        find_lacks=lambda world: ["it is left"] if world.ids["retired"] in world.emulator.state.api_keys else [],
        deletes=["retired"],
        namesake=_add_elsewhere("reader"),
        actor=_remove_key("retired"),
    ),
    "rotate due": Scenario(
        workflow="rotate_due_keys",
        prepare=_prepare_due_keys,
        run=_rotate_due,
        find_lacks=_find_due,
        namesake=_add_elsewhere(),
        leftover=_leave_successor(is_stored=False, name="reader"),
        actor=_leave_successor(is_stored=False, name="reader"),
    ),
    "temporary key": Scenario(
        workflow="renewed_temporary_key",
        undoes=True,
        prepare=_prepare_project,
        run=_use_temporary,
        find_lacks=_find_overdue,
        deletes=["overdue"],
        namesake=_add_elsewhere("temporary"),
        leftover=_leave_temporary,
        actor=_remove_unfinished,
    ),
    "identify": Scenario(
        workflow="identify_key",
        prepare=_prepare_listing_key,
        run=_identify,
        find_lacks=_find_overdue,
        deletes=["overdue"],
        namesake=_add_elsewhere("temporary"),
        leftover=_leave_temporary,
        actor=_remove_unfinished,
    ),
    "rotate account": Scenario(
        workflow="rotate_service_account",
        prepare=_prepare_account,
        run=lambda world, admin: admin.service_accounts.rotate(
            service_account_id=world.ids["account"], store=world.store
        ),
        find_lacks=partial(_find_account, roles=("OrgMember", "ProjectViewer")),
        namesake=_add_account("Robot", "OrgManager"),
        actor=_grant_role("service_account", "account", "ProjectViewer"),
    ),
    "rotate due accounts": Scenario(
        workflow="rotate_due_accounts",
        prepare=_prepare_due_account,
        run=_rotate_due_accounts,
        find_lacks=_find_due_account,
        namesake=_add_account("Robot", "OrgManager"),
        actor=_grant_role("service_account", "account", "ProjectViewer"),
    ),
    "offboard": Scenario(
        workflow="offboard",
        prepare=_prepare_leaver,
        run=_offboard,
        find_lacks=_find_nobody,
        deletes=["user", "expired"],
        namesake=_add_namesakes,
        actor=_grant_role("user", "user", "DataPlaneEditor"),
    ),
    "plan offboarding": Scenario(
        workflow="plan_offboarding",
        prepare=_prepare_leaver,
        run=_plan_offboarding,
        find_lacks=_list_nothing,
        namesake=_add_namesakes,
        actor=_grant_role("user", "user", "DataPlaneEditor"),
    ),
    "offboard many": Scenario(
        workflow="carry_out_offboarding",
        prepare=_prepare_leaver,
        plan=_plan_offboarding,
        run=_offboard_planned,
        find_lacks=_find_nobody,
        deletes=["user", "expired"],
        namesake=_add_namesakes,
    ),
    "provision": Scenario(
        workflow="provision",
        undoes=True,
        prepare=lambda world: world.ids.update(account=world.add_account("robot").id),
        run=_provision,
        find_lacks=_find_provisioned,
        namesake=_add_elsewhere("tenant"),
        actor=_add_project("tenant"),
    ),
    "cleanup": Scenario(
        workflow="delete_with_cleanup",
        undoes=True,
        prepare=_prepare_contents,
        run=_clean_up,
        find_lacks=_find_no_project,
        deletes=["project"],
        namesake=_add_project("p"),
        leftover=_leave_emptying,
        actor=_remove_unfinished,
    ),
    "plan deletion": Scenario(
        workflow="plan_deletion",
        undoes=True,
        prepare=_prepare_stale,
        run=_plan_deletion,
        find_lacks=_find_unfinished,
        leftover=_leave_emptying,
        actor=_remove_unfinished,
    ),
    "delete stale": Scenario(
        workflow="carry_out_deletion",
        prepare=_prepare_stale,
        plan=_plan_deletion,
        run=_delete_planned,
        find_lacks=_find_stale,
        deletes=["project"],
        namesake=_add_project("p"),
        leftover=_leave_emptying,
        actor=_hold,
    ),
    "inventory": Scenario(
        workflow="take_inventory",
        prepare=_prepare_key,
        run=lambda _, admin: admin.inventory(),
        find_lacks=_list_nothing,
        namesake=_add_elsewhere("reader"),
        actor=_add_project("p"),
    ),
    "plan": Scenario(
        workflow="plan_organization",
        prepare=_prepare_old_key,
        run=_plan,
        find_lacks=_list_nothing,
        namesake=_add_elsewhere("writer"),
        leftover=_add_key(tag_as_unfinished("writer", _OTHER_MARK), "ProjectEditor"),
        actor=_add_project("x"),
    ),
    "apply": Scenario(
        workflow="apply_plan",
        prepare=_prepare_old_key,
        plan=_plan,
        run=_apply,
        find_lacks=_find_applied,
        deletes=["old", "expired"],
        namesake=_add_elsewhere("writer"),
        leftover=_add_key(tag_as_unfinished("writer", _OTHER_MARK), "ProjectEditor"),
        actor=_remove_key("old"),
    ),
}
