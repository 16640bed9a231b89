"""The page on permissions: its table of least roles is what the permissions that Pinecone publishes allow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pinecone_admin import (
    Admin,
    FailedPreconditionError,
    ForbiddenError,
    NotFoundError,
    ProjectRole,
    RefusedError,
    on_organization,
)
from pinecone_admin._sync.client import NAMESPACES
from pinecone_admin.emulator import Emulator
from pinecone_admin.models import PROJECT_ROLES, RoleBindingInput, RoleName
from tests.support.resources import CREATES, ID, METHODS, PREVIEWED, SINGLE, fill_ids, name_singular

PAGE = (Path(__file__).resolve().parent.parent / "docs/reference/permissions.md").read_text(encoding="utf-8")

SECOND = timedelta(seconds=1)
MEMBER = [on_organization("OrgMember")]


class Organization:
    """An organization with an owner, and a caller that has one role; each method creates a new target for the caller.

    Args:
        role: The caller's role; None for an OrgMember that is ProjectOwner of each project.
    """

    def __init__(self, role: RoleName | None) -> None:
        self.emulator = Emulator()
        self.owner = self.emulator.admin()
        self._role: RoleName = role or "ProjectOwner"
        self._is_on_project = self._role in PROJECT_ROLES
        self._numbers = count()
        on_it = MEMBER if role is None else [RoleBindingInput(resource_type="organization", role=role)]
        on_it = [] if role in PROJECT_ROLES else on_it
        account = self.owner.service_accounts.create(name="caller", role_bindings=on_it)
        self.account_id = account.service_account.id
        self.caller = Admin(
            client_id=account.service_account.client_id,
            client_secret=account.client_secret,
            transport=self.emulator.transport,
        )

    @property
    def id(self) -> str:
        """Id of the organization."""
        return self.emulator.organization_id

    def name(self) -> str:
        """Return a new name."""
        return f"ci-{next(self._numbers)}"

    def project(self, name: str | None = None) -> str:
        """Create a project where the caller has its role, and return the id."""
        project = self.owner.projects.create(name=name or self.name())
        if self._is_on_project:
            self.owner.role_bindings.create(
                principal_type="service_account",
                principal_id=self.account_id,
                resource_type="project",
                resource_id=project.id,
                role=self._role,
            )
        return project.id

    def key(self, project_id: str | None = None, name: str = "key") -> str:
        """Create an API key, and return the id."""
        return self.owner.api_keys.create(project_id=project_id or self.project(), name=name).key.id

    def retired_key(self) -> str:
        """Rotate a key, wait until the old one is due, and return the id of the project."""
        project_id = self.project()
        self.owner.api_keys.rotate(api_key_id=self.key(project_id), store=str, keep_old_for=SECOND)
        self.emulator.clock.advance(61)
        return project_id

    def email(self, project_id: str | None = None) -> str:
        """Add a user who is an OrgMember, and may be a ProjectViewer, and return the email address."""
        email = f"{self.name()}@example.com"
        roles: list[str | tuple[str, str]] = ["OrgMember"]
        self.emulator.add_user(email, roles=roles + [("ProjectViewer", each) for each in [project_id] if each])
        return email

    def user(self) -> str:
        """Add a user, and return the id."""
        return self.owner.users.describe_by_email(email=self.email()).id

    def invite(self, email: str | None = None) -> str:
        """Invite somebody as an OrgMember, and return the id of the invite."""
        address = email or f"{self.name()}@example.com"
        return self.owner.invites.create(email=address, role_bindings=MEMBER).id

    def account(self, name: str | None = None) -> str:
        """Create a service account that is an OrgMember, and return its id."""
        made = self.owner.service_accounts.create(name=name or self.name(), role_bindings=MEMBER)
        return made.service_account.id

    def role_on(self, project_id: str) -> dict[str, Any]:
        """Return a principal that may get a role on a project, and the project."""
        principal = {"principal_type": "service_account", "principal_id": self.account()}
        return {**principal, "resource_type": "project", "resource_id": project_id}

    def binding(self) -> str:
        """Grant a role on a new project to a service account, and return the id of the role binding."""
        return self.owner.role_bindings.create(**self.role_on(self.project()), role="ProjectViewer").id


class NewTargets(dict[str, str]):
    """The ids of an organization by the names of arguments, each of a target that is new when it is first asked for.

    Args:
        at: The organization of the targets.
    """

    def __init__(self, at: Organization) -> None:
        self._at = at

    def __missing__(self, name: str) -> str:
        at = self._at
        creators = {
            "organization_id": lambda: at.id,
            "project_id": at.project,
            "api_key_id": at.key,
            "user_id": at.user,
        }
        creators |= {"invite_id": at.invite, "service_account_id": at.account, "role_binding_id": at.binding}
        if create := creators.get(name.removeprefix("from_")):
            self[name] = create()
        else:
            assert name in CREATES, f"tests/test_least_roles.py: nothing creates a {name}: add rows that do to SPECIAL"
            namespace, _, method = CREATES[name].partition(".")
            self[name] = getattr(getattr(at.owner, namespace), method)(**fill_ids(CREATES[name], self)).id
        return self[name]


Call = Callable[[], object]


def contains(wanted: str, items: Callable[[], Iterable[Any]]) -> Call:
    """Return a call that says whether a list, once it is read, contains an id."""
    return lambda: wanted in {each.id for each in items()}


def project_key(at: Organization) -> tuple[str, str]:
    """Create a project with a key, and return both ids."""
    project_id = at.project()
    return project_id, at.key(project_id)


def list_keys(at: Organization) -> Call:
    """Return a call that lists the keys of a project, and finds one that is there."""
    project_id, key_id = project_key(at)
    return contains(key_id, partial(at.caller.api_keys.list, project_id=project_id))


def take_inventory(at: Organization) -> Call:
    """Return a call that takes an inventory, and says whether it has everything that the owner's has."""
    project_key(at)

    def read_everything() -> bool:
        inventory = at.caller.inventory()
        return not inventory.unread and not inventory.diff(at.owner.inventory()).added

    return read_everything


def make_temporary_key(at: Organization) -> Call:
    """Return a call that makes a key for the time of a block."""
    project_id = at.project()

    def call() -> None:
        with at.caller.api_keys.temporary(project_id=project_id, roles=["ProjectViewer"]):
            pass

    return call


def offboard(at: Organization) -> Call:
    """Return a call that removes somebody, and says whether the report names the key that they may know."""
    project_id, key_id = project_key(at)
    email = at.email(project_id)
    return contains(key_id, lambda: at.caller.users.offboard(email=email, dry_run=False).keys_to_rotate)


def offboard_many(at: Organization) -> Call:
    """Return a call that makes a plan, which must name the key, and carries it out."""
    project_id, key_id = project_key(at)
    email = at.email(project_id)

    def remove() -> Iterable[Any]:
        report = at.caller.users.offboard_many(plan=at.caller.users.offboard_many(emails=[email]))
        return [key for each in report.reports for key in each.keys_to_rotate]

    return contains(key_id, remove)


def rotate_due(at: Organization) -> Call:
    """Return a call that must rotate a key which is old enough."""
    project_id, key_id = project_key(at)
    at.emulator.clock.advance(2)

    def rotate() -> Iterable[Any]:
        report = at.caller.api_keys.rotate_due(project_id=project_id, older_than=SECOND, keep_old_for=SECOND, store=str)
        return [SimpleNamespace(id=each.replaced) for each in report.rotated]

    return contains(key_id, rotate)


def rotate_due_accounts(at: Organization) -> Call:
    """Return a call that must rotate the secret of a service account."""
    account_id = at.account()
    name = at.emulator.state.service_accounts[account_id].name
    at.emulator.clock.advance(2)

    def rotate() -> Iterable[Any]:
        options: dict[str, Any] = {"older_than": SECOND, "store": str, "allow_unreadable": True}
        return at.caller.service_accounts.rotate_due(**options, names=[name]).rotated

    return contains(account_id, rotate)


def delete_stale(at: Organization) -> Call:
    """Return a call that makes a plan, and deletes its project."""
    name = f"stale-{at.name()}"
    at.project(name)
    at.emulator.clock.advance(2)

    def call() -> bool:
        plan = at.caller.projects.delete_stale(name_pattern=name, older_than=SECOND)
        return len(at.caller.projects.delete_stale(plan=plan).deleted) == 1

    return call


def identify_key(at: Organization) -> Call:
    """Return a call that finds the keys that may have a value, in a project with an index."""
    project_id = at.project()
    at.emulator.hold(project_id, "indexes", "movies")
    value = at.owner.api_keys.create(project_id=project_id, name="leaked").value
    return lambda: bool(at.caller.api_keys.identify(value=value, project_ids=[project_id]).candidates)


def provision(at: Organization) -> Call:
    """Return a call that creates a project, a role binding and a key."""
    role = ProjectRole(principal_type="service_account", principal_id=at.account(), role="ProjectViewer")
    return partial(
        at.caller.projects.provision, name=at.name(), key_roles=["DataPlaneEditor"], store=str, bindings=[role]
    )


def change_role(at: Organization) -> Call:
    """Return a call that changes a role on a project."""
    principal = at.role_on(at.project())
    at.owner.role_bindings.create(**principal, role="ProjectViewer")
    return partial(at.caller.role_bindings.change_role, **principal, from_role="ProjectViewer", to_role="ProjectEditor")


def find_key(at: Organization) -> Call:
    """Return a call that finds a key by its name."""
    project_id, _ = project_key(at)
    return partial(at.caller.api_keys.describe_by_name, project_id=project_id, name="key")


def find_project(at: Organization) -> Call:
    """Return a call that finds a project by its name."""
    name = f"found-{at.name()}"
    at.project(name)
    return partial(at.caller.projects.describe_by_name, name=name)


def find_account(at: Organization) -> Call:
    """Return a call that finds a service account by its name."""
    name = at.name()
    at.account(name)
    return partial(at.caller.service_accounts.describe_by_name, name=name)


def find_invite(at: Organization) -> Call:
    """Return a call that finds an invite by its email address."""
    email = f"{at.name()}@example.com"
    at.invite(email)
    return partial(at.caller.invites.describe_by_email, email=email)


def call_plainly(method: str, at: Organization) -> Call:
    """Return a call of a method, whose targets are created for it; that of a list says whether it found one."""
    namespace, _, name = method.partition(".")
    targets = NewTargets(at)
    call = partial(getattr(getattr(at.caller, namespace), name), **fill_ids(method, targets))
    verb, _, held = name.partition("_")
    return contains(targets[f"{name_singular(held or namespace)}_id"], call) if verb == "list" else call


# Each row creates what its call needs, and returns the call. A call that returns False did not see everything.
SPECIAL: dict[str, Callable[[Organization], Call]] = {
    "projects.describe_by_name": find_project,
    "projects.exists": lambda at: partial(at.caller.projects.exists, project_id=at.project()),
    "api_keys.list": list_keys,
    "api_keys.describe_by_name": find_key,
    "users.describe_by_email": lambda at: partial(at.caller.users.describe_by_email, email=at.email()),
    "invites.describe_by_email": find_invite,
    "service_accounts.describe_by_name": find_account,
    "role_bindings.create": lambda at: partial(
        at.caller.role_bindings.create, **at.role_on(at.project()), role="ProjectViewer"
    ),
}
WORKFLOWS: dict[str, Callable[[Organization], Call]] = {
    "inventory": take_inventory,
    "users.offboard_many": offboard_many,
    "projects.ensure": lambda at: partial(at.caller.projects.ensure, name=at.name()),
    "projects.provision": provision,
    "projects.delete_with_cleanup": lambda at: partial(at.caller.projects.delete_with_cleanup, project_id=at.project()),
    "projects.delete_stale": delete_stale,
    "api_keys.ensure": lambda at: partial(at.caller.api_keys.ensure, project_id=at.project(), name="new", store=str),
    "api_keys.rotate": lambda at: partial(at.caller.api_keys.rotate, api_key_id=at.key(), store=str),
    "api_keys.temporary": make_temporary_key,
    "api_keys.rotate_due": rotate_due,
    "api_keys.identify": identify_key,
    "api_keys.delete_retired": lambda at: partial(at.caller.api_keys.delete_retired, project_id=at.retired_key()),
    "users.offboard": offboard,
    "users.ensure": lambda at: partial(at.caller.users.ensure, email=at.email(), role_bindings=MEMBER),
    "invites.ensure": lambda at: partial(
        at.caller.invites.ensure, email=f"{at.name()}@example.com", role_bindings=MEMBER
    ),
    "service_accounts.ensure": lambda at: partial(
        at.caller.service_accounts.ensure, name=at.name(), role_bindings=MEMBER, store=str
    ),
    "service_accounts.rotate": lambda at: partial(
        at.caller.service_accounts.rotate, service_account_id=at.account(), store=str
    ),
    "service_accounts.rotate_due": rotate_due_accounts,
    "role_bindings.ensure": lambda at: partial(
        at.caller.role_bindings.ensure, **at.role_on(at.project()), role="ProjectViewer"
    ),
    "role_bindings.change_role": change_role,
}


# Workflows first, and those that read the whole organization before it grows with each row.
ROWS: dict[str, Callable[[Organization], Call]] = {
    **WORKFLOWS,
    **{
        method: partial(call_plainly, method) for method in METHODS if method in (PREVIEWED | SINGLE) - WORKFLOWS.keys()
    },
    **SPECIAL,
}


def is_permitted(row: Callable[[Organization], Call], at: Organization) -> bool:
    """Return whether the caller may make a call, and sees everything that it is about."""
    call = row(at)
    try:
        return call() is not False
    except FailedPreconditionError:
        return True  # the permission is checked before
    except (ForbiddenError, NotFoundError, RefusedError):
        return False


ON_ORGANIZATION: tuple[RoleName, ...] = ("OrgMember", "OrgBillingAdmin", "OrgManager", "OrgOwner")
ON_PROJECT: tuple[RoleName, ...] = ("ProjectViewer", "ProjectMember", "ProjectManager", "ProjectOwner")
NEITHER = "—"


def find_least_roles() -> dict[str, tuple[str, str]]:
    """Return the least role on the organization, and the least on the project, that permits each method."""
    roles: list[RoleName | None] = [*ON_ORGANIZATION, *ON_PROJECT, None]
    callers = [(role, Organization(role)) for role in roles]
    permitted = {name: [role for role, at in callers if is_permitted(row, at)] for name, row in ROWS.items()}
    return {name: (name_organization_role(roles), name_project_role(roles)) for name, roles in permitted.items()}


def name_organization_role(permitted: Sequence[str | None]) -> str:
    """Return the least role on the organization among those that permit a method."""
    return next((role for role in ON_ORGANIZATION if role in permitted), NEITHER)


def name_project_role(permitted: Sequence[str | None]) -> str:
    """Return the least role on the project among those that permit a method."""
    least = next((role for role in ON_PROJECT if role in permitted), NEITHER)
    only_together = least == NEITHER and None in permitted and "OrgMember" not in permitted
    return "ProjectOwner and OrgMember" if only_together else least


def read_table() -> list[tuple[str, tuple[str, str]]]:
    """Return the methods on the page, with their roles."""
    rows = re.findall(r"^\| (`\w+[.`].+) \| ([\w —]+) \| ([\w —]+) \|$", PAGE, re.MULTILINE)
    return [(name, (row[1], row[2])) for row in rows for name in re.findall(r"`([\w.]+)`", row[0])]


def test_page_has_the_least_roles() -> None:
    """The table on the page has the least roles for each method by the published permissions, once."""
    listed, expected = sorted(read_table()), sorted(find_least_roles().items())
    lacking, wrong = set(expected) - set(listed), set(listed) - set(expected)
    assert listed == expected, f"docs/reference/permissions.md, table of roles: add {lacking}, remove {wrong}"


def test_all_methods_are_checked() -> None:
    """Each method of each namespace, and the inventory, has a row here, and so one on the page."""
    with Emulator().admin() as admin:
        methods = {f"{each}.{name}" for each in NAMESPACES for name in dir(getattr(admin, each)) if name[0] != "_"}
    lacking = {*methods, "inventory"} - ROWS.keys()
    assert ROWS.keys() == {*methods, "inventory"}, (
        f"add {lacking} to METHODS in tests/support/resources.py or WORKFLOWS"
    )


def test_with_less_some_lists_are_shorter_and_nobody_is_offboarded() -> None:
    """An OrgMember gets no error for the projects and role bindings that it does not see; two workflows notice."""
    at = Organization("OrgMember")
    at.project()
    assert at.caller.projects.list() == []
    assert len(list(at.caller.role_bindings.list())) < len(list(at.owner.role_bindings.list()))
    assert at.caller.inventory().unread
    with pytest.raises(ForbiddenError):
        at.caller.users.offboard(email=at.email())


@pytest.mark.parametrize("shown", [[], ["m"]])
def test_a_list_of_what_a_resource_holds_is_read(monkeypatch: pytest.MonkeyPatch, shown: list[str]) -> None:
    """A role permits a list, which is lazy, only if it has what was added to the same resource."""
    monkeypatch.setitem(METHODS, "policies.create", {})
    monkeypatch.setitem(METHODS, "policies.add_member", {"policy_id": ID})
    monkeypatch.setitem(METHODS, "policies.list_members", {"policy_id": ID})
    monkeypatch.setitem(CREATES, "policy_id", "policies.create")
    monkeypatch.setitem(CREATES, "member_id", "policies.add_member")
    numbers, held = count(), set[str]()

    def add_member(*, policy_id: str) -> SimpleNamespace:
        held.add(policy_id)
        return SimpleNamespace(id="m")

    def list_members(*, policy_id: str) -> list[SimpleNamespace]:
        return [SimpleNamespace(id=each) for each in shown if policy_id in held]

    policies = SimpleNamespace(
        create=lambda: SimpleNamespace(id=str(next(numbers))), add_member=add_member, list_members=list_members
    )
    at = Organization("OrgMember")
    for client in ("owner", "caller"):
        monkeypatch.setattr(at, client, SimpleNamespace(policies=policies))
    assert is_permitted(partial(call_plainly, "policies.list_members"), at) == bool(shown)
