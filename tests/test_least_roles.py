"""The page on CI identities: its tables of least roles are what the emulator permits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from pinecone_admin import (
    Admin,
    FailedPreconditionError,
    ForbiddenError,
    NotFoundError,
    ProjectRole,
    RefusedError,
    on_organization,
)
from pinecone_admin.emulator import Emulator
from pinecone_admin.models import PROJECT_ROLES

PAGE = (Path(__file__).resolve().parent.parent / "docs/how-to/ci-identity.md").read_text(encoding="utf-8")

SECOND = timedelta(seconds=1)


class Organization:
    """An organization with an owner, and a caller that has one role; each method creates a new target for the caller.

    Args:
        role: The caller's role; None for an OrgMember that creates each project itself.
    """

    def __init__(self, role: str | None) -> None:
        self.emulator = Emulator()
        self.owner = self.emulator.admin()
        self._role = role
        self._numbers = count()
        on_it = [on_organization(role or "OrgMember")] if role not in PROJECT_ROLES else []
        account = self.owner.service_accounts.create(name="caller", role_bindings=on_it)
        self.account_id = account.service_account.id
        self.caller = Admin(
            client_id=account.service_account.client_id,
            client_secret=account.client_secret,
            transport=self.emulator.transport,
        )

    def name(self) -> str:
        """Return a new name."""
        return f"ci-{next(self._numbers)}"

    def project(self, name: str | None = None) -> str:
        """Create a project on which the caller has its role, and return the id."""
        creator = self.caller if self._role is None else self.owner
        project = creator.projects.create(name=name or self.name())
        if self._role in PROJECT_ROLES:
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
        roles = ["OrgMember", *([("ProjectViewer", project_id)] if project_id else [])]
        self.emulator.add_user(email, roles=roles)
        return email

    def user(self) -> str:
        """Add a user, and return the id."""
        return self.owner.users.describe_by_email(email=self.email()).id

    def invite(self, email: str | None = None) -> str:
        """Invite somebody as an OrgMember, and return the id of the invite."""
        address = email or f"{self.name()}@example.com"
        return self.owner.invites.create(email=address, role_bindings=[on_organization("OrgMember")]).id

    def account(self, name: str | None = None) -> str:
        """Create a service account that is an OrgMember, and return its id."""
        made = self.owner.service_accounts.create(name=name or self.name(), role_bindings=[on_organization("OrgMember")])
        return made.service_account.id

    def role_on(self, project_id: str | None) -> dict[str, Any]:
        """Return a principal and a resource, on which the principal can get a role."""
        kind = "project" if project_id else "organization"
        principal = {"principal_type": "service_account", "principal_id": self.account()}
        return {**principal, "resource_type": kind, "resource_id": project_id}

    def binding(self, project_id: str | None = None) -> str:
        """Grant a role to a service account, and return the id of the role binding."""
        role = "ProjectViewer" if project_id else "OrgMember"
        if project_id is None:
            bindings = self.owner.role_bindings.list(principal_type="service_account", principal_id=self.account())
            return bindings.to_list()[0].id
        return self.owner.role_bindings.create(**self.role_on(project_id), role=role).id


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
    return lambda: not at.caller.inventory().diff(at.owner.inventory()).added


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


def delete_stale(at: Organization) -> Call:
    """Return a call that makes a plan, and deletes its project."""
    name = f"stale-{at.name()}"
    at.project(name)
    at.emulator.clock.advance(2)

    def call() -> bool:
        plan = at.caller.projects.delete_stale(name_pattern=name, older_than=SECOND)
        return len(at.caller.projects.delete_stale(plan=plan).deleted) == 1

    return call


def provision(at: Organization) -> Call:
    """Return a call that creates a project, a role binding and a key."""
    role = ProjectRole(principal_type="service_account", principal_id=at.account(), role="ProjectViewer")
    return partial(at.caller.projects.provision, name=at.name(), key_roles=["DataPlaneEditor"], store=str, bindings=[role])


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


MEMBER = [on_organization("OrgMember")]

# Each row creates what its call needs, and returns the call. A call that returns False did not see everything.
SINGLE: dict[str, Callable[[Organization], Call]] = {
    "organizations.list": lambda at: at.caller.organizations.list,
    "organizations.describe": lambda at: partial(at.caller.organizations.describe, organization_id=at.emulator.organization_id),
    "organizations.update": lambda at: partial(at.caller.organizations.update, organization_id=at.emulator.organization_id, name=at.name()),
    "organizations.delete": lambda at: partial(
        at.caller.organizations.delete, organization_id=at.emulator.organization_id
    ),
    "projects.list": lambda at: contains(at.project(), at.caller.projects.list),
    "projects.create": lambda at: partial(at.caller.projects.create, name=at.name()),
    "projects.describe": lambda at: partial(at.caller.projects.describe, project_id=at.project()),
    "projects.describe_by_name": find_project,
    "projects.exists": lambda at: partial(at.caller.projects.exists, project_id=at.project()),
    "projects.update": lambda at: partial(at.caller.projects.update, project_id=at.project(), name=at.name()),
    "projects.delete": lambda at: partial(at.caller.projects.delete, project_id=at.project()),
    "api_keys.list": list_keys,
    "api_keys.create": lambda at: partial(at.caller.api_keys.create, project_id=at.project(), name="new"),
    "api_keys.describe": lambda at: partial(at.caller.api_keys.describe, api_key_id=at.key()),
    "api_keys.describe_by_name": find_key,
    "api_keys.update": lambda at: partial(at.caller.api_keys.update, api_key_id=at.key(), name="new"),
    "api_keys.delete": lambda at: partial(at.caller.api_keys.delete, api_key_id=at.key()),
    "users.list": lambda at: contains(at.user(), at.caller.users.list),
    "users.describe": lambda at: partial(at.caller.users.describe, user_id=at.user()),
    "users.describe_by_email": lambda at: partial(at.caller.users.describe_by_email, email=at.email()),
    "users.delete": lambda at: partial(at.caller.users.delete, user_id=at.user()),
    "invites.list": lambda at: contains(at.invite(), at.caller.invites.list),
    "invites.create": lambda at: partial(
        at.caller.invites.create, email=f"{at.name()}@example.com", role_bindings=MEMBER
    ),
    "invites.describe": lambda at: partial(at.caller.invites.describe, invite_id=at.invite()),
    "invites.describe_by_email": find_invite,
    "invites.delete": lambda at: partial(at.caller.invites.delete, invite_id=at.invite()),
    "invites.resend": lambda at: partial(at.caller.invites.resend, invite_id=at.invite()),
    "service_accounts.list": lambda at: contains(at.account(), at.caller.service_accounts.list),
    "service_accounts.create": lambda at: partial(
        at.caller.service_accounts.create, name=at.name(), role_bindings=MEMBER
    ),
    "service_accounts.describe": lambda at: partial(
        at.caller.service_accounts.describe, service_account_id=at.account()
    ),
    "service_accounts.describe_by_name": find_account,
    "service_accounts.update": lambda at: partial(
        at.caller.service_accounts.update, service_account_id=at.account(), name=at.name()
    ),
    "service_accounts.delete": lambda at: partial(at.caller.service_accounts.delete, service_account_id=at.account()),
    "service_accounts.rotate_secret": lambda at: partial(
        at.caller.service_accounts.rotate_secret, service_account_id=at.account()
    ),
    "role_bindings.list": lambda at: contains(at.binding(at.project()), at.caller.role_bindings.list),
    "role_bindings.describe": lambda at: partial(
        at.caller.role_bindings.describe, role_binding_id=at.binding(at.project())
    ),
    "role_bindings.create": lambda at: partial(
        at.caller.role_bindings.create, **at.role_on(at.project()), role="ProjectViewer"
    ),
    "role_bindings.delete": lambda at: partial(at.caller.role_bindings.delete, role_binding_id=at.binding(at.project())),
}
WORKFLOWS: dict[str, Callable[[Organization], Call]] = {
    "projects.ensure": lambda at: partial(at.caller.projects.ensure, name=at.name()),
    "projects.provision": provision,
    "projects.delete_with_cleanup": lambda at: partial(
        at.caller.projects.delete_with_cleanup, project_id=at.project()
    ),
    "projects.delete_stale": delete_stale,
    "api_keys.ensure": lambda at: partial(at.caller.api_keys.ensure, project_id=at.project(), name="new", store=str),
    "api_keys.rotate": lambda at: partial(at.caller.api_keys.rotate, api_key_id=at.key(), store=str),
    "api_keys.delete_retired": lambda at: partial(at.caller.api_keys.delete_retired, project_id=at.retired_key()),
    "users.offboard": offboard,
    "users.offboard_many": offboard_many,
    "invites.ensure": lambda at: partial(
        at.caller.invites.ensure, email=f"{at.name()}@example.com", role_bindings=MEMBER
    ),
    "service_accounts.ensure": lambda at: partial(
        at.caller.service_accounts.ensure, name=at.name(), role_bindings=MEMBER, store=str
    ),
    "service_accounts.rotate": lambda at: partial(
        at.caller.service_accounts.rotate, service_account_id=at.account(), store=str
    ),
    "role_bindings.ensure": lambda at: partial(
        at.caller.role_bindings.ensure, **at.role_on(at.project()), role="ProjectViewer"
    ),
    "role_bindings.change_role": change_role,
    "inventory": take_inventory,
}


METHODS = SINGLE | WORKFLOWS


def is_permitted(row: Callable[[Organization], Call], at: Organization) -> bool:
    """Return whether the caller may make a call, and sees everything that it is about."""
    call = row(at)
    try:
        return call() is not False
    except FailedPreconditionError:
        return True  # the permission is checked before
    except (ForbiddenError, NotFoundError, RefusedError):
        return False


ON_ORGANIZATION = ("OrgMember", "OrgBillingAdmin", "OrgManager", "OrgOwner")
ON_PROJECT = {"ProjectViewer": "any", "ProjectMember": "ProjectMember", "ProjectManager": "ProjectManager"}
OWNER = "ProjectOwner"
OWNER_AND_MEMBER = "ProjectOwner and OrgMember"


def find_least_roles() -> dict[str, tuple[str, str]]:
    """Return the least role on the organization, and the least on the project, that permits each method."""
    callers = {role: Organization(role) for role in (*ON_ORGANIZATION, *ON_PROJECT, OWNER, None)}
    least: dict[str, tuple[str, str]] = {}
    for name, row in METHODS.items():
        permitted = [role for role, at in callers.items() if is_permitted(row, at)]
        organization = next((role for role in ON_ORGANIZATION if role in permitted), "–")
        project = next((text for role, text in ON_PROJECT.items() if role in permitted), None)
        if project is None and OWNER in permitted:
            project = OWNER
        if project is None and None in permitted and organization != "OrgMember":
            project = OWNER_AND_MEMBER
        least[name] = organization, project or "–"
    return least


def read_table() -> dict[str, tuple[str, str]]:
    """Return the roles on the page, by method."""
    rows: list[tuple[str, str, str]] = re.findall(r"^\| (`\w+[.`].+) \| ([\w –]+) \| ([\w –]+) \|$", PAGE, re.MULTILINE)
    listed = [(name, (organization, project)) for names, organization, project in rows for name in re.findall(r"`([\w.]+)`", names)]
    assert len(dict(listed)) == len(listed), "a method is listed twice"
    return dict(listed)


def test_page_has_the_least_roles() -> None:
    """The tables on the page have the least roles with which the emulator permits each method."""
    assert read_table() == find_least_roles()


def test_page_has_all_methods() -> None:
    """Every method of every namespace is checked, and so is listed, and the inventory."""
    with Emulator().admin() as admin:
        namespaces = ("organizations", "projects", "api_keys", "users", "invites", "service_accounts", "role_bindings")
        methods = {f"{each}.{name}" for each in namespaces for name in dir(getattr(admin, each)) if name[0] != "_"}
    assert METHODS.keys() == {*methods, "inventory"}
