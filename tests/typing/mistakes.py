"""Mistakes that type checkers must find: mypy and basedpyright each report exactly the lines marked ``# wrong``."""

from __future__ import annotations

from pinecone_admin import (
    Admin,
    AsyncAdmin,
    Operation,
    ProjectRole,
    on_organization,
    on_project,
    to_dict,
)
from pinecone_admin.emulator import Emulator
from pinecone_admin.models import CreateProjectRequest, Project, RoleBindingInput


def roles(admin: Admin) -> None:
    """Pass roles that are misspelt or not a list."""
    admin.api_keys.create(project_id="p", name="n", roles=["ProjectEditr"])  # wrong
    admin.api_keys.create(project_id="p", name="n", roles="ProjectEditor")  # wrong
    admin.api_keys.create(project_id="p", name="n", roles=["OrgOwner"])  # wrong
    admin.role_bindings.list(role="OrgOwnr")  # wrong
    on_organization("Owner")  # wrong
    on_organization("ProjectViewer")  # wrong
    on_project("p")  # wrong
    on_project("p", "OrgMember")  # wrong
    ProjectRole(principal_type="user", principal_id="u", role="OrgMember")  # wrong


def bindings(admin: Admin) -> None:
    """Pass bindings without a role or with a misspelt key."""
    admin.invites.create(email="a@b.co", role_bindings=[{"resource_type": "organization"}])  # wrong
    admin.invites.create(email="a@b.co", role_bindings=[{"resource": "organization", "role": "OrgOwner"}])  # wrong
    RoleBindingInput(resource_type="organization")  # wrong


def arguments(admin: Admin) -> None:
    """Pass arguments by position, misspelt, or of the wrong type."""
    admin.projects.create("n")  # wrong
    admin.projects.create(nmae="n")  # wrong
    admin.projects.create(name="n", max_pods="1")  # wrong
    admin.users.list(limit="5")  # wrong
    Admin("id", "secret")  # wrong


def workflows(admin: Admin) -> None:
    """Read the value of an existing key, and pass arguments of the wrong type or by position."""
    print(admin.api_keys.ensure(project_id="p", name="n").value.value)  # wrong
    admin.api_keys.rotate(api_key_id="k", store=len)  # wrong
    admin.api_keys.rotate(api_key_id="k", store=print, keep_old_for=60)  # wrong
    admin.projects.ensure(name="n", on_difference="change")  # wrong
    admin.users.offboard("a@b.co", True)  # wrong
    admin.projects.delete_stale(name_pattern="ci-*")  # wrong
    admin.inventory().access(max_pending=3)  # wrong
    admin.projects.provision(name="n", key_roles=["ProjectViewr"], store=print)  # wrong


def results(admin: Admin, project: Project) -> None:
    """Use fields that do not exist, may be None, or cannot be set."""
    print(project.nmae)  # wrong
    print(admin.users.list()[0])  # wrong
    print(len(admin.users.list()))  # wrong
    print(to_dict([project])["name"])  # wrong
    print(project.created_at.year)  # wrong
    project.name = "other"  # wrong
    wrong: int = admin.send(Operation(id="x", method="GET", path="/x", returns=Project))  # wrong
    print(wrong, CreateProjectRequest())  # wrong


async def not_awaited(admin: AsyncAdmin) -> None:
    """Use a result without awaiting it."""
    print(admin.projects.create(name="n").name)  # wrong


def emulator(emulator: Emulator) -> None:
    """Pass arguments that are misspelt or of the wrong type through the emulator."""
    emulator.admin(tiemout=5)  # wrong
    emulator.admin(timeout="5")  # wrong
    emulator.async_admin(rtry=None)  # wrong
    emulator.configure(plna="Free")  # wrong
    emulator.configure(token_lifetime="5")  # wrong
