"""The permission matrix: every cell, through a client that has only that role."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest
from attrs import frozen

from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.api.permissions import PERMISSIONS
from pinecone_admin.emulator.model.records import Grant, Principal, ServiceAccountRecord
from pinecone_admin.emulator.model.roles import API_KEY_ROLES, ORGANIZATION_ROLES, ROLES
from pinecone_admin.emulator.model.state import State
from tests.support.sampling import some_daily

Connect = Callable[..., httpx.Client]
ReadError = Callable[[httpx.Response], tuple[int, str]]

# Written a second time on purpose: the emulator's own table could not show a mistake in itself. P is published on
# Pinecone's pages, on the page named in PAGES; A is assumed, where they are silent.
MATRIX = """
row                     | OrgOwner | OrgManager | OrgBillingAdmin | OrgMember | ProjectOwner | ProjectManager | ProjectMember | others
read-organization       | all P    | all P      | all P           | all P     | no A         | no A           | no A          | no A
update-organization     | all P    | no P       | no P            | no P      | no A         | no A           | no A          | no A
delete-organization     | all P    | no P       | no P            | no P      | no A         | no A           | no A          | no A
create-project          | all P    | all P      | no P            | no P      | no A         | no A           | no A          | no A
manage-members          | all P    | no P       | no P            | no P      | no P         | no P           | no P          | no P
bind-on-organization    | all P    | no P       | no P            | no P      | no P         | no P           | no P          | no P
manage-service-accounts | all P    | no P       | no P            | no P      | no P         | no P           | no P          | no P
read-principals         | all P    | all A      | all A           | all A     | no A         | no A           | no A          | no A
rotate-own-secret       | self A   | self A     | self A          | self A    | self A       | self A         | self A        | self A
read-projects           | all P    | own A      | own A           | own A     | own P        | own P          | own P         | no P
manage-projects         | all P    | no P       | no P            | no P      | own P        | no P           | no P          | no P
bind-on-project         | all P    | no P       | no P            | no P      | own P        | no P           | no P          | no P
read-api-keys           | all P    | no P       | no P            | no P      | own P        | own P          | own P         | no P
manage-api-keys         | all P    | no P       | no P            | no P      | own P        | no P           | no P          | no P
read-role-bindings      | all P    | self A     | self A          | self A    | own P        | own P          | own P         | self A
"""  # noqa: E501 — a table
REACHES = {"all": "all", "own": "own project", "self": "itself", "no": "none"}
PAGES = {
    "organization": "admin/organizations/organizations-overview",
    "project": "admin/projects/projects-overview",
}


def read_matrix() -> dict[str, dict[str, tuple[str, str]]]:
    """Return the reach and provenance of each cell, by row and role."""
    header, *lines = [[cell.strip() for cell in line.split("|")] for line in MATRIX.strip().splitlines()]
    matrix: dict[str, dict[str, tuple[str, str]]] = {}
    for name, *cells in lines:
        by_column = dict(zip(header[1:], cells, strict=True))
        matrix[name] = {}
        for role in ROLES:
            reach, provenance = by_column.get(role, by_column["others"]).split()
            matrix[name][role] = (reach, provenance)
    return matrix


CELLS = read_matrix()


def test_matrix_of_the_emulator_is_the_published_one() -> None:
    """Each cell of the emulator's matrix has the reach of the table above, and the page that publishes it."""
    page = {role: PAGES["organization" if role in ORGANIZATION_ROLES else "project"] for role in ROLES}
    assert {
        name: {role: (cell.reach, cell.page) for role, cell in row.cells.items()} for name, row in PERMISSIONS.items()
    } == {
        name: {role: (REACHES[reach], page[role] if standing == "P" else "") for role, (reach, standing) in row.items()}
        for name, row in CELLS.items()
    }


@frozen
class Operation:
    """An operation of a row on one kind of target.

    Args:
        row: The row of the matrix.
        method: The method.
        path: The path below /admin, with names of the world's records in braces.
        body: The body, likewise.
        status: The status if it is permitted.
        target: What the caller has to see, or it gets 404: organization, principals, project or binding; always seen
            is what the caller does not name.
        relation: own for the caller's project, self for the caller itself, other for anything else.
        grants: Whether the operation grants a role, which the caller has to hold.
    """

    row: str
    method: str
    path: str
    body: Mapping[str, Any] | None = None
    status: int = 200
    target: str = "always seen"
    relation: str = "other"
    grants: bool = False


def organization_grant(role: str) -> dict[str, str]:
    """Return the body of a role on the organization."""
    return {"resource_type": "organization", "role": role}


def project_grant(project: str, role: str = "ProjectViewer") -> dict[str, str]:
    """Return the body of a role on a project."""
    return {"resource_type": "project", "resource_id": project, "role": role}


def account_binding(grant: dict[str, str]) -> dict[str, str]:
    """Return the body that binds a role to a service account."""
    return {"principal_type": "service_account", "principal_id": "{account}", **grant}


def invite_body(role: str) -> dict[str, Any]:
    """Return the body of an invite."""
    return {"email": "new@example.com", "role_bindings": [organization_grant(role)]}


def on_members(name: str) -> list[Operation]:
    """Return the operations on a user, an invite and an account, whose names in the world end alike."""
    seen: dict[str, Any] = {"target": "principals"}
    accounts = f"service-accounts/{{account{name}}}"
    return [
        Operation("manage-members", "DELETE", f"users/{{user{name}}}", status=202, **seen),
        Operation("manage-members", "DELETE", f"invites/{{invite{name}}}", status=202, **seen),
        Operation("manage-members", "POST", f"invites/{{invite{name}}}/resend", **seen),
        Operation("manage-service-accounts", "PATCH", accounts, {"name": "new"}, **seen),
        Operation("manage-service-accounts", "POST", f"{accounts}/rotate-secret", **seen),
        Operation("manage-service-accounts", "DELETE", accounts, status=202, **seen),
    ]


def on_project(relation: str) -> list[Operation]:
    """Return the operations on the caller's project or on another one."""
    project, key = f"projects/{{{relation}}}", f"api-keys/{{{relation}_key}}"
    seen: dict[str, Any] = {"target": "project", "relation": relation}
    binding: dict[str, Any] = {"target": "binding", "relation": relation}
    return [
        Operation("read-projects", "GET", project, **seen),
        Operation("manage-projects", "PATCH", project, {"name": "new"}, **seen),
        Operation("manage-projects", "DELETE", project, status=202, **seen),
        *(
            Operation("bind-on-project", "POST", "role-bindings", account_binding(grant), grants=True, **seen)
            for grant in (project_grant(f"{{{relation}}}", role) for role in ("ProjectOwner", "ProjectViewer"))
        ),
        Operation("bind-on-project", "DELETE", f"role-bindings/{{{relation}_binding}}", status=202, **binding),
        Operation("read-api-keys", "GET", f"{project}/api-keys", **seen),
        Operation("read-api-keys", "GET", key, **seen),
        Operation("manage-api-keys", "POST", f"{project}/api-keys", {"name": "ci"}, 200, grants=True, **seen),
        Operation("manage-api-keys", "PATCH", key, {"name": "new"}, **seen),
        Operation("manage-api-keys", "PATCH", key, {"roles": ["ProjectViewer"]}, grants=True, **seen),
        Operation("manage-api-keys", "DELETE", key, status=202, **seen),
        Operation("read-role-bindings", "GET", f"role-bindings/{{{relation}_binding}}", **binding),
        Operation("read-role-bindings", "GET", f"role-bindings/{{{relation}_key_binding}}", **binding),
    ]


OPERATIONS = [
    Operation("read-organization", "GET", "organizations"),
    Operation("read-organization", "GET", "organizations/{organization}", target="organization"),
    Operation("update-organization", "PATCH", "organizations/{organization}", {"name": "new"}, target="organization"),
    # 412: the organization has projects, which is checked after the permission.
    Operation("delete-organization", "DELETE", "organizations/{organization}", status=412, target="organization"),
    *(
        Operation("read-principals", "GET", path, target=target)
        for path, target in (
            ("users", "always seen"),
            ("invites", "always seen"),
            ("service-accounts", "always seen"),
            ("users/{user}", "principals"),
            ("invites/{invite}", "principals"),
            ("service-accounts/{account}", "principals"),
        )
    ),
    Operation("manage-members", "POST", "invites", invite_body("OrgMember"), grants=True),
    Operation("manage-members", "POST", "invites", invite_body("OrgOwner"), grants=True),
    Operation("manage-service-accounts", "POST", "service-accounts", {"name": "new"}, 201),
    Operation(
        "manage-service-accounts",
        "POST",
        "service-accounts",
        {"name": "new", "role_bindings": [organization_grant("OrgOwner")]},
        201,
        grants=True,
    ),
    *on_members(""),
    *on_members("_owner"),
    Operation("rotate-own-secret", "POST", "service-accounts/{self}/rotate-secret", relation="self"),
    Operation(
        "bind-on-organization",
        "POST",
        "role-bindings",
        account_binding(organization_grant("OrgBillingAdmin")),
        grants=True,
    ),
    Operation(
        "bind-on-organization", "POST", "role-bindings", account_binding(organization_grant("OrgOwner")), grants=True
    ),
    Operation("bind-on-organization", "DELETE", "role-bindings/{binding}", status=202, target="binding"),
    Operation("bind-on-organization", "DELETE", "role-bindings/{owner_binding}", status=202, target="binding"),
    Operation("create-project", "POST", "projects", {"name": "new"}),
    *on_project("own"),
    *on_project("other"),
    Operation("read-role-bindings", "GET", "role-bindings/{binding}", target="binding"),
    Operation("read-role-bindings", "GET", "role-bindings/{self_binding}", target="binding", relation="self"),
]


class World:
    """An organization with one of everything, and a caller that has some roles.

    Args:
        connect: The fixture of this name.
        roles: The caller's roles; project roles are bound on the project `own`.
        permissions: The setting.
    """

    def __init__(self, connect: Connect, *roles: str, permissions: str = "published") -> None:
        self.emulator = Emulator(permissions=permissions)
        state, now = self.emulator.state, self.emulator.clock.now()
        self.ids = {"organization": state.organization.id}
        for name in ("own", "other"):
            project = state.add_project(name, now)
            key = state.add_api_key(project, name)
            (binding,) = state.bind(Principal("api_key", key.id), [Grant("ProjectEditor", "project", project.id)], now)
            self.ids |= {name: project.id, f"{name}_key": key.id, f"{name}_key_binding": binding.id}
        self._add_principals("", [self._grant("OrgMember")])
        self._add_principals("_owner", [self._grant("OrgOwner")])
        for name, role, project_name in (
            ("binding", "OrgManager", ""),
            ("owner_binding", "OrgOwner", ""),
            ("own_binding", "ProjectEditor", "own"),
            ("other_binding", "ProjectEditor", "other"),
        ):
            account = Principal("service_account", state.add_service_account(name, now).id)
            (binding,) = state.bind(account, [self._grant(role, project_name)], now)
            self.ids[name] = binding.id
        self.caller = self._add_caller(state, roles)
        self.api = connect(self.emulator, self.caller)

    def _grant(self, role: str, project: str = "") -> Grant:
        return Grant(role, "project" if project else "organization", self.ids[project or "organization"])

    def _add_principals(self, suffix: str, grants: list[Grant]) -> None:
        state, now = self.emulator.state, self.emulator.clock.now()
        user = state.add_user(f"user{suffix}@example.com")
        invite = state.add_invite(f"invite{suffix}@example.com", now)
        account = state.add_service_account(f"account{suffix}", now)
        for kind, record in (("user", user), ("invite", invite), ("service_account", account)):
            self.ids[kind.removeprefix("service_") + suffix] = record.id
            state.bind(Principal(kind, record.id), grants, now)

    def _add_caller(self, state: State, roles: tuple[str, ...]) -> ServiceAccountRecord:
        now = self.emulator.clock.now()
        caller = state.add_service_account("caller", now)
        self.ids["self"] = caller.id
        grants = [self._grant(role, "" if role in ORGANIZATION_ROLES else "own") for role in roles]
        for binding in state.bind(Principal("service_account", caller.id), grants, now):
            self.ids["self_binding"] = binding.id
        return caller

    def send(self, operation: Operation) -> httpx.Response:
        """Send an operation as the caller."""
        path = operation.path.format_map(self.ids)
        return self.api.request(operation.method, f"/admin/{path}", json=self._fill(operation.body))

    def _fill(self, body: Any) -> Any:
        if isinstance(body, dict):
            return {name: self._fill(value) for name, value in body.items()}
        if isinstance(body, list):
            return [self._fill(value) for value in body]
        return body.format_map(self.ids) if isinstance(body, str) else body


def is_permitted(operation: Operation, role: str) -> bool:
    """Return whether the table above permits an operation to a caller with this role alone."""
    return is_reached(operation.row, role, operation.relation)


def is_reached(row: str, role: str, relation: str) -> bool:
    """Return whether a cell of the table above reaches the caller's project, the caller itself, or anything else."""
    reach, _ = CELLS[row][role]
    everybody_reaches_itself = row == "read-role-bindings" and relation == "self"
    # With an organization role alone, the caller has no own project.
    own = reach == "own" and relation == "own" and role not in ORGANIZATION_ROLES
    return reach == "all" or own or (reach == "self" and relation == "self") or everybody_reaches_itself


def is_visible(operation: Operation, role: str) -> bool:
    """Return whether the table above lets a caller with this role alone see the target of an operation."""
    rows = {
        "organization": "read-organization",
        "principals": "read-principals",
        "project": "read-projects",
        "binding": "read-role-bindings",
    }
    return operation.target == "always seen" or is_reached(rows[operation.target], role, operation.relation)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("row", CELLS)
@pytest.mark.rule(
    "read-organization",
    "update-organization",
    "delete-organization",
    "read-principals",
    "manage-members",
    "manage-service-accounts",
    "rotate-own-secret",
    "bind-on-organization",
    "create-project",
    "read-projects",
    "manage-projects",
    "bind-on-project",
    "read-api-keys",
    "manage-api-keys",
    "read-role-bindings",
    "invisible",
)
def test_cell(connect: Connect, read_error: ReadError, row: str, role: str) -> None:
    """A client with one role gets what the cell permits, 404 for what it does not see, and 403 for the rest."""
    operations = [each for each in OPERATIONS if each.row == row]
    assert operations
    for operation in operations:
        response = World(connect, role).send(operation)
        if is_permitted(operation, role):
            assert response.status_code == operation.status, (operation, response.text)
        else:
            refusal = (403, "PERMISSION_DENIED") if is_visible(operation, role) else (404, "NOT_FOUND")
            assert read_error(response) == refusal, operation


@pytest.mark.rule("read-projects")
@pytest.mark.parametrize("role", ROLES)
def test_list_of_projects_leaves_out_invisible_ones(connect: Connect, role: str) -> None:
    """The list of projects has those that the role opens: all, the caller's own, or none."""
    world = World(connect, role)
    names = [each["name"] for each in world.api.get("/admin/projects").json()["data"]]
    own = ["own"] if role in {"ProjectOwner", "ProjectManager", "ProjectMember"} else []
    assert names == (["own", "other"] if role == "OrgOwner" else own)


@pytest.mark.rule("read-role-bindings")
@pytest.mark.parametrize("role", ROLES)
def test_list_of_bindings_leaves_out_invisible_ones(connect: Connect, role: str) -> None:
    """The list of role bindings has those that the role opens, in order, on pages and with filters."""
    world = World(connect, role)
    state = world.emulator.state
    reach = CELLS["read-role-bindings"][role][0]
    expected = [
        each.id
        for each in state.role_bindings
        if reach == "all"
        or each.principal.id == world.caller.id
        or (reach == "own" and each.grant.resource_id == world.ids["own"])
    ]
    assert [each["id"] for each in world.api.get("/admin/role-bindings").json()["data"]] == expected
    editors = [each.id for each in state.role_bindings if each.id in expected and each.grant.role == "ProjectEditor"]
    query: dict[str, str] = {"role": "ProjectEditor", "limit": "1"}
    paged: list[str] = []
    while True:
        page = world.api.get("/admin/role-bindings", params=query).json()
        paged += [each["id"] for each in page["data"]]
        if not page["pagination"]:
            break
        query["paginationToken"] = page["pagination"]["next"]
    assert paged == editors


@pytest.mark.rule("role-union", "read-projects")
@pytest.mark.parametrize("role", ["OrgManager", "OrgBillingAdmin", "OrgMember"])
def test_organization_role_sees_its_own_project(connect: Connect, read_error: ReadError, role: str) -> None:
    """With any role on a project, a member sees this project and no other, but neither its keys nor its members."""
    world = World(connect, role, "ProjectViewer")
    assert [each["name"] for each in world.api.get("/admin/projects").json()["data"]] == ["own"]
    assert world.api.get(f"/admin/projects/{world.ids['own']}").status_code == 200
    assert world.api.get(f"/admin/projects/{world.ids['other']}").status_code == 404
    for path in (f"projects/{world.ids['own']}/api-keys", f"api-keys/{world.ids['own_key']}"):
        assert read_error(world.api.get(f"/admin/{path}")) == (403, "PERMISSION_DENIED")
    assert read_error(world.api.get(f"/admin/role-bindings/{world.ids['own_binding']}")) == (404, "NOT_FOUND")


@pytest.mark.rule("role-union")
def test_roles_are_the_union_of_bindings(connect: Connect) -> None:
    """Two roles together permit what each of them permits."""
    world = World(connect, "OrgMember", "ProjectOwner")
    assert world.api.get("/admin/users").status_code == 200
    assert world.api.patch(f"/admin/projects/{world.ids['own']}", json={"name": "new"}).status_code == 200
    for role in ("OrgMember", "ProjectOwner"):
        alone = World(connect, role)
        users = alone.api.get("/admin/users").status_code
        renamed = alone.api.patch(f"/admin/projects/{alone.ids['own']}", json={"name": "new"}).status_code
        assert (users, renamed) == ((200, 404) if role == "OrgMember" else (403, 200))


@pytest.mark.rule("organization-role", "invisible")
def test_without_any_role_only_oneself_is_left(connect: Connect, read_error: ReadError) -> None:
    """A principal without roles may rotate its own secret, and gets an empty list of its own role bindings."""
    world = World(connect)
    for operation in OPERATIONS:
        if operation.relation == "self":
            continue
        response = world.send(operation)
        by_id = operation.target != "always seen"
        assert read_error(response) == ((404, "NOT_FOUND") if by_id else (403, "PERMISSION_DENIED")), operation
    assert read_error(world.api.get("/admin/projects")) == (403, "PERMISSION_DENIED")
    assert world.api.get("/admin/role-bindings").json()["data"] == []
    assert world.api.post(f"/admin/service-accounts/{world.caller.id}/rotate-secret").status_code == 200


@pytest.mark.rule("creator-owns-project")
@pytest.mark.parametrize("role", ["OrgOwner", "OrgManager"])
def test_creator_of_a_project_owns_it(connect: Connect, role: str) -> None:
    """An OrgManager becomes the owner of a project that it creates, and an OrgOwner owns it anyway."""
    world = World(connect, role)
    project = world.api.post("/admin/projects", json={"name": "new"}).json()
    held = [
        each.grant for each in world.emulator.state.role_bindings.held_by(Principal("service_account", world.caller.id))
    ]
    owned = [each.resource_id for each in held if each.role == "ProjectOwner"]
    assert owned == ([] if role == "OrgOwner" else [project["id"]])
    assert world.api.post(f"/admin/projects/{project['id']}/api-keys", json={"name": "ci"}).status_code == 200
    assert world.api.delete(f"/admin/projects/{project['id']}").status_code == 202


@pytest.mark.rule("bind-on-project", "grant-rule", "invisible")
@pytest.mark.parametrize(
    ("roles", "status"),
    [
        (["ProjectOwner"], 403),
        (["OrgManager"], 404),
        (["OrgManager", "ProjectEditor"], 403),
        (["OrgManager", "ProjectOwner"], 403),
        (["OrgOwner"], 201),
    ],
    ids=["project owner", "no project role", "editor", "manager and project owner", "organization owner"],
)
def test_only_an_owner_of_the_organization_adds_people_with_roles(
    connect: Connect, roles: list[str], status: int
) -> None:
    """A project's owner grants roles to members, and neither invites people nor creates accounts with these roles."""
    world = World(connect, *roles)
    grants = [organization_grant("OrgMember"), project_grant("{own}")]
    body = {"name": "new", "role_bindings": grants}
    assert world.send(Operation("", "POST", "service-accounts", body)).status_code == status
    invite = Operation("", "POST", "invites", {"email": "new@example.com", "role_bindings": grants})
    assert world.send(invite).status_code == (200 if status == 201 else status)


def test_own_binding_is_visible_and_cannot_be_deleted(connect: Connect, read_error: ReadError) -> None:
    """A member sees its own role binding, so that deleting it is refused with 403."""
    world = World(connect, "OrgMember")
    response = world.api.delete(f"/admin/role-bindings/{world.ids['self_binding']}")
    assert read_error(response) == (403, "PERMISSION_DENIED")


@pytest.mark.rule("invisible")
def test_key_of_an_invisible_project_is_not_found(connect: Connect, read_error: ReadError) -> None:
    """Binding a role to the key of an invisible project does not show that the key exists."""
    world = World(connect, "ProjectOwner")
    body = project_grant(world.ids["own"]) | {"principal_type": "api_key", "principal_id": world.ids["other_key"]}
    assert read_error(world.api.post("/admin/role-bindings", json=body)) == (404, "NOT_FOUND")


@pytest.mark.rule("open-permissions")
@pytest.mark.parametrize("role", some_daily([*ROLES, ""], 3))
def test_open_permissions_leave_the_grant_rule(connect: Connect, role: str) -> None:
    """With open permissions every operation is permitted to every role that grants none."""
    roles = [role] if role else []
    for operation in OPERATIONS:
        if operation.grants or (not role and "self_binding" in operation.path):
            continue
        response = World(connect, *roles, permissions="open").send(operation)
        assert response.status_code == operation.status, (operation, response.text)
    world = World(connect, *roles, permissions="open")
    assert len(world.api.get("/admin/projects").json()["data"]) == 2
    created = world.api.post("/admin/projects", json={"name": "new"}).json()
    bound = world.api.get("/admin/role-bindings", params={"resource_type": "project", "resource_id": created["id"]})
    assert bound.json()["data"] == []


@pytest.mark.rule("grant-rule", "open-permissions")
@pytest.mark.parametrize(
    ("held_role", "granted_role", "allowed"),
    [
        ("OrgOwner", "OrgOwner", True),
        ("OrgOwner", "ProjectOwner", True),
        ("OrgManager", "OrgManager", True),
        ("OrgManager", "OrgMember", False),
        ("OrgManager", "OrgOwner", False),
        ("OrgManager", "ProjectViewer", False),
        ("OrgMember", "OrgBillingAdmin", False),
        ("ProjectOwner", "ProjectOwner", True),
        ("ProjectOwner", "ProjectManager", True),
        ("ProjectOwner", "DataPlaneViewer", True),
        ("ProjectOwner", "OrgMember", False),
        ("ProjectManager", "ProjectOwner", False),
        ("ProjectManager", "ProjectMember", False),
        ("ProjectEditor", "ProjectEditor", True),
        ("ProjectEditor", "ProjectViewer", False),
        ("ControlPlaneViewer", "ControlPlaneEditor", False),
    ],
)
def test_caller_grants_only_roles_it_holds(connect: Connect, held_role: str, granted_role: str, allowed: bool) -> None:
    """Even with open permissions, a caller grants only a role that it holds; owners hold every role."""
    world = World(connect, held_role, permissions="open")
    grant = (
        organization_grant(granted_role) if granted_role in ORGANIZATION_ROLES else project_grant("{own}", granted_role)
    )
    bound = world.send(
        Operation("", "POST", "role-bindings", account_binding(grant) | {"principal_id": "{account_owner}"})
    )
    if allowed and (held_role, granted_role) == ("OrgOwner", "OrgOwner"):
        assert bound.status_code == 409  # the account has it already
        return
    assert bound.status_code == (200 if allowed else 403)
    assert allowed or granted_role in bound.json()["error"]["message"]
    if granted_role in API_KEY_ROLES:
        key = Operation("", "POST", "projects/{own}/api-keys", {"name": "ci", "roles": [granted_role]})
        assert world.send(key).status_code == (200 if allowed else 403)
