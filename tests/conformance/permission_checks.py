"""Checks of permissions and plans, with service accounts of lesser roles that are deleted again."""

from collections.abc import Mapping

from tests.conformance.read_checks import UNKNOWN_ID
from tests.conformance.registry import Phase, check
from tests.conformance.service import (
    MEMBER_ROLE,
    JSONObject,
    Service,
    SkippedError,
    expect_refusal,
    expect_success,
    require,
)
from tests.conformance.write_checks import (
    as_account,
    create_account,
    organization_grant,
    project_path,
    viewer_binding,
)

PROJECTS_BY_PLAN: Mapping[str, int] = {"Free": 5, "Standard": 20, "Enterprise": 100, "Dedicated": 100}
"""The largest number of projects; Free is also the plan of Builder, which has five."""

USERS_ON_FREE = 5


def project_grant(service: Service, role: str) -> JSONObject:
    """Return the part of a request body that grants a role on the project in which the checks work."""
    return {"resource_type": "project", "resource_id": service.project["id"], "role": role}


def as_role(service: Service, *grants: JSONObject) -> Service:
    """Return the service as seen by a new service account with these roles."""
    return as_account(service, create_account(service, role_bindings=list(grants)))


def organization_path(service: Service) -> str:
    """Return the path of the organization."""
    return f"/admin/organizations/{service.project['organization_id']}"


# Permissions. Every request that has to be refused would change little if it were not.


@check("read-organization", Phase.WRITE)
def read_organization(service: Service) -> None:
    """Fetch the organization as an OrgMember, and as a viewer of a project."""
    as_role(service, MEMBER_ROLE).get(organization_path(service))
    viewer = as_role(service, project_grant(service, "ProjectViewer"))
    viewer.expect_refusal(404, "NOT_FOUND", "GET", organization_path(service))


@check("update-organization", Phase.WRITE)
def update_organization(service: Service) -> None:
    """Send an empty PATCH as an OrgManager, an OrgBillingAdmin and an OrgMember."""
    path = organization_path(service)
    for role in ("OrgManager", "OrgBillingAdmin", "OrgMember"):
        lesser = as_role(service, organization_grant(role))
        lesser.expect_refusal(403, "PERMISSION_DENIED", "PATCH", path, json={})


@check("read-principals", Phase.WRITE)
def read_principals(service: Service) -> None:
    """List users, invites and service accounts as an OrgMember, and as an owner of a project."""
    member = as_role(service, MEMBER_ROLE)
    owner = as_role(service, project_grant(service, "ProjectOwner"))
    for path in ("/admin/users", "/admin/invites", "/admin/service-accounts"):
        member.get(path)
        owner.expect_refusal(403, "PERMISSION_DENIED", "GET", path)


@check("manage-service-accounts", Phase.WRITE)
def manage_service_accounts(service: Service) -> None:
    """Create and rename accounts as an OrgMember and as an OrgManager."""
    target = f"/admin/service-accounts/{create_account(service)['service_account']['id']}"
    body = {"name": "conformance"}
    for role in ("OrgMember", "OrgManager"):
        lesser = as_role(service, organization_grant(role))
        lesser.expect_refusal(403, "PERMISSION_DENIED", "PATCH", target, json=body)
        lesser.expect_refusal(403, "PERMISSION_DENIED", "POST", "/admin/service-accounts", json=body)


@check("rotate-own-secret", Phase.WRITE)
def rotate_own_secret(service: Service) -> None:
    """Rotate the secret of a viewer of a project as this viewer."""
    account = create_account(service, role_bindings=[project_grant(service, "ProjectViewer")])
    path = f"/admin/service-accounts/{account['service_account']['id']}/rotate-secret"
    expect_success(as_account(service, account).send("POST", path), 200)


@check("bind-on-organization", Phase.WRITE)
def bind_on_organization(service: Service) -> None:
    """Bind OrgMember as an OrgManager and as an OrgMember."""
    principal = {
        "principal_type": "service_account",
        "principal_id": create_account(service)["service_account"]["id"],
    }
    for role in ("OrgManager", "OrgMember"):
        lesser = as_role(service, organization_grant(role))
        lesser.expect_refusal(403, "PERMISSION_DENIED", "POST", "/admin/role-bindings", json=principal | MEMBER_ROLE)


@check("create-project", Phase.WRITE)
def create_project(service: Service) -> None:
    """Create a project as an OrgMember, as an OrgBillingAdmin and as an OrgManager."""
    body = {"name": "conformance"}
    for role in ("OrgMember", "OrgBillingAdmin"):
        lesser = as_role(service, organization_grant(role))
        lesser.expect_refusal(403, "PERMISSION_DENIED", "POST", "/admin/projects", json=body)
    as_role(service, organization_grant("OrgManager")).create("/admin/projects", body, service.project_status)


@check("creator-owns-project", Phase.WRITE)
def creator_owns_project(service: Service) -> None:
    """Create a project as an OrgManager, and inspect the role bindings on it."""
    manager = as_role(service, organization_grant("OrgManager"))
    project = manager.create("/admin/projects", {"name": "conformance"}, service.project_status)
    bindings = service.get("/admin/role-bindings", resource_type="project", resource_id=project["id"])["data"]
    roles = [each["role"] for each in bindings]
    require(roles == ["ProjectOwner"], f"a project created by an OrgManager has the roles {roles}")


@check("read-projects", Phase.WRITE)
def read_projects(service: Service) -> None:
    """List and fetch projects as a member and as a viewer of the project, and as an OrgManager without a role on it."""
    member = as_role(service, project_grant(service, "ProjectMember"))
    require([each["id"] for each in member.get("/admin/projects")["data"]] == [service.project["id"]], "wrong list")
    member.get(project_path(service))
    for grant in (project_grant(service, "ProjectViewer"), organization_grant("OrgManager")):
        stranger = as_role(service, grant)
        require(stranger.get("/admin/projects")["data"] == [], f"with {grant['role']} alone, projects are listed")
        stranger.expect_refusal(404, "NOT_FOUND", "GET", project_path(service))


@check("manage-projects", Phase.WRITE)
def manage_projects(service: Service) -> None:
    """Send an empty PATCH as an owner and as a manager of the project."""
    owner = as_role(service, project_grant(service, "ProjectOwner"))
    expect_success(owner.send("PATCH", project_path(service), json={}), 200)
    manager = as_role(service, project_grant(service, "ProjectManager"))
    manager.expect_refusal(403, "PERMISSION_DENIED", "PATCH", project_path(service), json={})


@check("bind-on-project", Phase.WRITE)
def bind_on_project(service: Service) -> None:
    """Bind ProjectViewer as an owner and as a manager of the project."""
    body = viewer_binding(service, create_account(service)["service_account"]["id"])
    manager = as_role(service, project_grant(service, "ProjectManager"))
    manager.expect_refusal(403, "PERMISSION_DENIED", "POST", "/admin/role-bindings", json=body)
    as_role(service, project_grant(service, "ProjectOwner")).create("/admin/role-bindings", body, 200)


@check("read-api-keys", Phase.WRITE)
def read_api_keys(service: Service) -> None:
    """List the keys as a member of the project, as a viewer, and as a viewer who sees the project."""
    path, viewer_grant = f"{project_path(service)}/api-keys", project_grant(service, "ProjectViewer")
    as_role(service, project_grant(service, "ProjectMember")).get(path)
    as_role(service, viewer_grant).expect_refusal(404, "NOT_FOUND", "GET", path)
    as_role(service, MEMBER_ROLE, viewer_grant).expect_refusal(403, "PERMISSION_DENIED", "GET", path)


@check("manage-api-keys", Phase.WRITE)
def manage_api_keys(service: Service) -> None:
    """Create a key as an owner and as a manager of the project."""
    owner = as_role(service, project_grant(service, "ProjectOwner"))
    path = f"{project_path(service)}/api-keys"
    owner.create(path, {"name": "conformance"})
    manager = as_role(service, project_grant(service, "ProjectManager"))
    manager.expect_refusal(403, "PERMISSION_DENIED", "POST", path, json={"name": "conformance"})


@check("read-role-bindings", Phase.WRITE)
def read_role_bindings(service: Service) -> None:
    """List the role bindings as an OrgManager, and fetch one of another principal."""
    manager = as_role(service, organization_grant("OrgManager"))
    listed = manager.get("/admin/role-bindings")["data"]
    require(
        [each["role"] for each in listed] == ["OrgManager"],
        f"the number of role bindings that an OrgManager lists is {len(listed)}",
    )
    other = service.get("/admin/role-bindings", role="OrgOwner", limit="1")["data"][0]
    manager.expect_refusal(404, "NOT_FOUND", "GET", f"/admin/role-bindings/{other['id']}")


@check("invisible", Phase.WRITE)
def invisible(service: Service) -> None:
    """Send an empty PATCH for the project as a stranger, who gets 404, and as a member of it, who gets 403."""
    stranger = as_role(service, MEMBER_ROLE)
    stranger.expect_refusal(404, "NOT_FOUND", "PATCH", project_path(service), json={})
    member = as_role(service, project_grant(service, "ProjectMember"))
    member.expect_refusal(403, "PERMISSION_DENIED", "PATCH", project_path(service), json={})
    member.expect_refusal(404, "NOT_FOUND", "PATCH", f"/admin/projects/{UNKNOWN_ID}", json={})


@check("manage-members", Phase.MAIL)
def manage_members(service: Service) -> None:
    """Resend the invite as an OrgMember and as an OrgManager."""
    for role in ("OrgMember", "OrgManager"):
        lesser = as_role(service, organization_grant(role))
        response = lesser.send("POST", f"/admin/invites/{service.invite['id']}/resend")
        expect_refusal(response, 403, "PERMISSION_DENIED")


# Plans


def read_plan(service: Service) -> str:
    """Return the plan of the organization."""
    return str(service.get("/admin/organizations")["data"][0]["plan"])


@check("plan-service-accounts", Phase.WRITE)
def plan_service_accounts(service: Service) -> None:
    """Create a service account, which only Enterprise and Dedicated allow."""
    if read_plan(service) in {"Enterprise", "Dedicated"}:
        create_account(service)
        return
    error = service.expect_refusal(403, "FORBIDDEN", "POST", "/admin/service-accounts", json={"name": "conformance"})
    require(error["message"].startswith("Service accounts require an Enterprise plan"), f"it says {error['message']!r}")


@check("project-quota", Phase.WRITE)
def project_quota(service: Service) -> None:
    """Compare the number of projects with the plan's limit, and create one more where it is reached."""
    plan, count = read_plan(service), len(service.get("/admin/projects")["data"])
    limit = PROJECTS_BY_PLAN[plan]
    require(count <= limit, f"the plan {plan} has more projects than {limit}: {count}")
    if count < limit:
        raise SkippedError(f"the organization has fewer projects than {limit}: {count}")
    service.expect_refusal(403, "QUOTA_EXCEEDED", "POST", "/admin/projects", json={"name": "conformance"})


@check("user-quota", Phase.READ)
def user_quota(service: Service) -> None:
    """Count the users on the plan Free."""
    if read_plan(service) != "Free":
        raise SkippedError("only the plan Free limits the users")
    count = len(service.get("/admin/users")["data"])
    require(count <= USERS_ON_FREE, f"the plan Free has more users than {USERS_ON_FREE}: {count}")
