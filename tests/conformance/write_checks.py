"""Checks that create and delete things, in a project of their own."""

import re
from datetime import datetime, timedelta
from uuid import UUID

from tests.conformance.read_checks import UNKNOWN_ID, expect_oauth_refusal
from tests.conformance.registry import Phase, check
from tests.conformance.service import (
    MEMBER_ROLE,
    AccountCredentials,
    JSONObject,
    Service,
    SkippedError,
    expect_refusal,
    expect_success,
    require,
    summarize,
)


def project_path(service: Service) -> str:
    """Return the path of the project in which the checks work."""
    return f"/admin/projects/{service.project['id']}"


def create_key(service: Service, **fields: object) -> JSONObject:
    """Create an API key in that project."""
    return service.create(f"{project_path(service)}/api-keys", {"name": "conformance"} | fields)


def create_account(service: Service, **fields: object) -> JSONObject:
    """Create a service account."""
    return service.create("/admin/service-accounts", {"name": "conformance"} | fields, 201)


def viewer_binding(service: Service, account_id: str) -> JSONObject:
    """Return the request body that makes a service account a viewer of the project."""
    return {
        "principal_type": "service_account",
        "principal_id": account_id,
        "resource_type": "project",
        "resource_id": service.project["id"],
        "role": "ProjectViewer",
    }


def organization_grant(role: str) -> JSONObject:
    """Return the part of a request body that grants a role on the organization."""
    return {"resource_type": "organization", "role": role}


def expect_deletion(service: Service, path: str) -> None:
    """Delete something, and require that it is gone at once."""
    service.delete(path)
    service.expect_refusal(404, "NOT_FOUND", "GET", path)
    service.expect_refusal(404, "NOT_FOUND", "DELETE", path)


# Wire


@check("wrong-method", Phase.WRITE)
def wrong_method(service: Service) -> None:
    """Send PUT, which no operation accepts."""
    response = service.send("PUT", "/admin/organizations", json={})
    require(summarize(response).startswith("405"), f"PUT returned {summarize(response)}, not 405")


# Identifiers, values, status


@check("uuids", Phase.WRITE)
def uuids(service: Service) -> None:
    """Inspect the ids of a project and a key."""
    for record in (service.project, create_key(service)["key"]):
        require(str(UUID(record["id"])) == record["id"], f"{record['id']} is not a UUID")


@check("key-value", Phase.WRITE)
def key_value(service: Service) -> None:
    """Inspect the value of a key."""
    value = create_key(service)["value"]
    require(re.fullmatch(r"(pcsk|pckey)_[A-Za-z0-9]+_\S+", value), "a key's value is not <prefix>_<label>_<unique>")


@check("client-credentials", Phase.WRITE)
def client_credentials(service: Service) -> None:
    """Inspect the credentials of a service account."""
    account = create_account(service)
    client_id = account["service_account"]["client_id"]
    require(re.fullmatch(r"[A-Za-z0-9]{32}", client_id), f"the client id {client_id} is not 32 alphanumerics")
    # The message must not show the secret.
    require(re.fullmatch(r"[-_A-Za-z0-9]{64}", account["client_secret"]), "a client secret is not 64 of [-_A-Za-z0-9]")


@check("secrets-once", Phase.WRITE)
def secrets_once(service: Service) -> None:
    """Look for a key's value and a client secret in other responses."""
    key = create_key(service)
    for path in (f"/admin/api-keys/{key['key']['id']}", f"{project_path(service)}/api-keys"):
        require(key["value"] not in service.send("GET", path).text, f"GET {path} returns the key's value")
    account = create_account(service)
    path = f"/admin/service-accounts/{account['service_account']['id']}"
    require(account["client_secret"] not in service.send("GET", path).text, f"GET {path} returns the client secret")


@check("key-fields", Phase.WRITE)
def key_fields(service: Service) -> None:
    """Inspect the fields of a key."""
    fields = set(create_key(service)["key"])
    documented = {"id", "name", "project_id", "roles"}
    require(fields in (documented, documented | {"created_at"}), f"a key has the fields {sorted(fields)}")


@check("names-not-unique", Phase.WRITE)
def names_not_unique(service: Service) -> None:
    """Create two keys with one name, and two projects."""
    require(create_key(service)["key"]["id"] != create_key(service)["key"]["id"], "two keys have one id")
    service.create("/admin/projects", {"name": service.project["name"]})


@check("created", Phase.WRITE)
def created(service: Service) -> None:
    """Create a service account and a binding; inspect the status of the project."""
    require(service.project_status == 200, f"POST /admin/projects returned {service.project_status}, not 200")
    account = create_account(service)
    service.create("/admin/role-bindings", viewer_binding(service, account["service_account"]["id"]), 200)


@check("created-key", Phase.WRITE)
def created_key(service: Service) -> None:
    """Create a key, whose status is 200 in the field and 201 in the document."""
    service.create(f"{project_path(service)}/api-keys", {"name": "conformance"}, 200, 201)


@check("changed", Phase.WRITE)
def changed(service: Service) -> None:
    """Change the project and a key, and rotate a secret."""
    expect_success(service.send("PATCH", project_path(service), json={"name": service.project["name"]}), 200)
    expect_success(
        service.send("PATCH", f"/admin/api-keys/{create_key(service)['key']['id']}", json={"name": "renamed"}), 200
    )
    path = f"/admin/service-accounts/{create_account(service)['service_account']['id']}"
    expect_success(service.send("POST", f"{path}/rotate-secret"), 200)


@check("deleted", Phase.WRITE)
def deleted(service: Service) -> None:
    """Delete a key, a service account and a binding."""
    expect_deletion(service, f"/admin/api-keys/{create_key(service)['key']['id']}")
    account_id = create_account(service)["service_account"]["id"]
    binding = service.create("/admin/role-bindings", viewer_binding(service, account_id), 200)
    expect_deletion(service, f"/admin/role-bindings/{binding['id']}")
    expect_deletion(service, f"/admin/service-accounts/{account_id}")


# Defaults and limits


@check("max-pods", Phase.WRITE)
def max_pods(service: Service) -> None:
    """Inspect the new project."""
    require(service.project["max_pods"] == 0, f"a new project has max_pods {service.project['max_pods']}")


@check("encryption", Phase.WRITE)
def encryption(service: Service) -> None:
    """Turn encryption off while it is off, then on, and off again."""
    name = "force_encryption_with_cmek"
    require(service.project[name] is False, f"a new project has {name} {service.project[name]}")
    changes_nothing = expect_success(service.send("PATCH", project_path(service), json={name: False}), 200)
    require(changes_nothing[name] is False, "turning encryption off turns it on")
    turned_on = service.send("PATCH", project_path(service), json={name: True})
    if not turned_on.is_success:
        raise SkippedError(f"encryption cannot be turned on: {summarize(turned_on)}")
    service.expect_refusal(400, "INVALID_ARGUMENT", "PATCH", project_path(service), json={name: False})


@check("key-roles-default", Phase.WRITE)
def key_roles_default(service: Service) -> None:
    """Create a key without roles."""
    roles = create_key(service)["key"]["roles"]
    require(roles == ["ProjectEditor"], f"a key created without roles has {roles}")


@check("key-roles-replaced", Phase.WRITE)
def key_roles_replaced(service: Service) -> None:
    """Change the roles of a key."""
    path = f"/admin/api-keys/{create_key(service)['key']['id']}"
    response = service.send("PATCH", path, json={"roles": ["ProjectViewer"]})
    if summarize(response) == "403 PERMISSION_DENIED":  # the caller owns the organization
        raise SkippedError("the plan has no other roles for keys")
    roles = expect_success(response, 200)["roles"]
    require(roles == ["ProjectViewer"], f"after the PATCH the key has {roles}")


@check("key-roles", Phase.WRITE)
def key_roles(service: Service) -> None:
    """Create keys with roles that are not for keys, and bind such roles to a key."""
    path = f"{project_path(service)}/api-keys"
    for role in ("ProjectOwner", "OrgMember"):
        service.expect_refusal(400, "INVALID_ARGUMENT", "POST", path, json={"name": "conformance", "roles": [role]})
    key = {"principal_type": "api_key", "principal_id": create_key(service)["key"]["id"]}
    on_project = {"resource_type": "project", "resource_id": service.project["id"], "role": "ProjectOwner"}
    for grant in (on_project, MEMBER_ROLE):
        service.expect_refusal(403, "PERMISSION_DENIED", "POST", "/admin/role-bindings", json=key | grant)


@check("project-name", Phase.WRITE)
def project_name(service: Service) -> None:
    """Rename the project to the longest name, and to invalid names."""
    expect_success(service.send("PATCH", project_path(service), json={"name": "x" * 512}), 200)
    for name in ("", "x" * 513, "a\0b"):
        service.expect_refusal(400, "INVALID_ARGUMENT", "PATCH", project_path(service), json={"name": name})
    expect_success(service.send("PATCH", project_path(service), json={"name": service.project["name"]}), 200)


@check("key-name", Phase.WRITE)
def key_name(service: Service) -> None:
    """Create keys with the longest name, and with invalid names."""
    create_key(service, name="x" * 80)
    for name in ("", "x" * 81):
        service.expect_refusal(
            400, "INVALID_ARGUMENT", "POST", f"{project_path(service)}/api-keys", json={"name": name}
        )


@check("service-account-name", Phase.WRITE)
def service_account_name(service: Service) -> None:
    """Create a service account with the longest name, and rename it to invalid names."""
    path = f"/admin/service-accounts/{create_account(service, name='é' * 40)['service_account']['id']}"
    for name in ("", "é" * 41):
        service.expect_refusal(400, "INVALID_ARGUMENT", "PATCH", path, json={"name": name})


@check("service-account-empty-patch", Phase.WRITE)
def service_account_empty_patch(service: Service) -> None:
    """Send a PATCH without fields."""
    account = create_account(service)["service_account"]
    patched = expect_success(service.send("PATCH", f"/admin/service-accounts/{account['id']}", json={}), 200)
    require(patched["updated_at"] > account["updated_at"], "a PATCH without fields does not change updated_at")


@check("service-account-same-name", Phase.WRITE)
def service_account_same_name(service: Service) -> None:
    """Send a PATCH with the name that the account has."""
    account = create_account(service)["service_account"]
    response = service.send("PATCH", f"/admin/service-accounts/{account['id']}", json={"name": account["name"]})
    require(
        expect_success(response, 200)["updated_at"] > account["updated_at"],
        "a PATCH with the name that the account has does not change updated_at",
    )


@check("rotated-updated-at", Phase.WRITE)
def rotated_updated_at(service: Service) -> None:
    """Rotate a secret, and compare updated_at in the response, and when the account is fetched, with the old one."""
    account = create_account(service)["service_account"]
    path = f"/admin/service-accounts/{account['id']}"
    rotated = expect_success(service.send("POST", f"{path}/rotate-secret"), 200)["service_account"]
    require(rotated["updated_at"] > account["updated_at"], "a rotation does not change updated_at")
    require(service.get(path)["updated_at"] == rotated["updated_at"], "the updated_at of a rotation does not last")


@check("fields", Phase.WRITE)
def fields(service: Service) -> None:
    """Send requests with missing fields and with wrong types."""
    path = f"{project_path(service)}/api-keys"
    for body in ({}, {"name": 5}, {"name": None}, {"name": "conformance", "roles": "ProjectEditor"}):
        service.expect_refusal(400, "INVALID_ARGUMENT", "POST", path, json=body)


@check("invite-role-bindings", Phase.WRITE)
def invite_role_bindings(service: Service) -> None:
    """Create invites without an organization role, and without any role."""
    in_project = {"resource_type": "project", "resource_id": service.project["id"], "role": "ProjectViewer"}
    for role_bindings in ([], [in_project]):
        body = {"email": "nobody@example.com", "role_bindings": role_bindings}
        service.expect_refusal(400, "INVALID_ARGUMENT", "POST", "/admin/invites", json=body)


@check("email", Phase.WRITE)
def email(service: Service) -> None:
    """Create invites for malformed and overlong emails."""
    for address in ("nobody", "", "x" * 243 + "@example.com"):
        body = {"email": address, "role_bindings": [MEMBER_ROLE]}
        service.expect_refusal(400, "INVALID_ARGUMENT", "POST", "/admin/invites", json=body)


# Roles


@check("role-scopes", Phase.WRITE)
def role_scopes(service: Service) -> None:
    """Bind an organization role on a project, and a project role on the organization, also to an unknown account."""
    account_id = create_account(service)["service_account"]["id"]
    on_project = viewer_binding(service, account_id) | {"role": "OrgMember"}
    principal = {"principal_type": "service_account", "principal_id": account_id}
    for body in (on_project, principal | organization_grant("ProjectViewer")):
        service.expect_refusal(403, "PERMISSION_DENIED", "POST", "/admin/role-bindings", json=body)
        unknown = body | {"principal_id": UNKNOWN_ID}
        service.expect_refusal(404, "NOT_FOUND", "POST", "/admin/role-bindings", json=unknown)


@check("role-scopes-of-new-principals", Phase.WRITE)
def role_scopes_of_new_principals(service: Service) -> None:
    """Create a service account and an invite with roles of the other scope."""
    misfits = [
        {"resource_type": "project", "resource_id": service.project["id"], "role": "OrgMember"},
        organization_grant("ProjectViewer"),
    ]
    for misfit in misfits:
        body: JSONObject = {"name": "conformance", "role_bindings": [misfit]}
        service.expect_refusal(400, "INVALID_ARGUMENT", "POST", "/admin/service-accounts", json=body)
        body = {"email": "nobody@example.com", "role_bindings": [MEMBER_ROLE, misfit]}
        service.expect_refusal(400, "INVALID_ARGUMENT", "POST", "/admin/invites", json=body)


@check("project-bindings", Phase.WRITE)
def project_bindings(service: Service) -> None:
    """Bind a role on a project without naming the project."""
    binding = viewer_binding(service, create_account(service)["service_account"]["id"])
    del binding["resource_id"]
    service.expect_refusal(400, "INVALID_ARGUMENT", "POST", "/admin/role-bindings", json=binding)


@check("member-first", Phase.WRITE)
def member_first(service: Service) -> None:
    """Bind a role to an unknown user."""
    binding = viewer_binding(service, UNKNOWN_ID) | {"principal_type": "user"}
    service.expect_refusal(404, "NOT_FOUND", "POST", "/admin/role-bindings", json=binding)


@check("binding-exists", Phase.WRITE)
def binding_exists(service: Service) -> None:
    """Create the same binding twice."""
    binding = viewer_binding(service, create_account(service)["service_account"]["id"])
    service.create("/admin/role-bindings", binding, 200)
    service.expect_refusal(409, "ALREADY_EXISTS", "POST", "/admin/role-bindings", json=binding)


@check("bindings-immutable", Phase.WRITE)
def bindings_immutable(service: Service) -> None:
    """Send PATCH to a binding, which no operation accepts."""
    requested = viewer_binding(service, create_account(service)["service_account"]["id"])
    binding = service.create("/admin/role-bindings", requested, 200)
    response = service.send("PATCH", f"/admin/role-bindings/{binding['id']}", json={"role": "ProjectEditor"})
    require(summarize(response).startswith("405"), f"PATCH returned {summarize(response)}, not 405")


@check("grant-rule", Phase.WRITE)
def grant_rule(service: Service) -> None:
    """As an owner of the project, make another account an owner of the organization."""
    grant = {"resource_type": "project", "resource_id": service.project["id"], "role": "ProjectOwner"}
    owner = as_account(service, create_account(service, role_bindings=[grant]))
    principal = {"principal_type": "service_account", "principal_id": create_account(service)["service_account"]["id"]}
    body = principal | organization_grant("OrgOwner")
    owner.expect_refusal(403, "PERMISSION_DENIED", "POST", "/admin/role-bindings", json=body)


@check("organization-role", Phase.WRITE)
def organization_role(service: Service) -> None:
    """As a service account without roles, list the organizations."""
    response = as_account(service, create_account(service)).send("GET", "/admin/organizations")
    expect_refusal(response, 403, "PERMISSION_DENIED")


def as_account(service: Service, account: JSONObject) -> Service:
    """Return the service with the credentials of a new service account."""
    return service.as_account(AccountCredentials(account["service_account"]["client_id"], account["client_secret"]))


# Revocation


def expect_revoked(service: Service, token: str) -> None:
    """Require that a token becomes invalid, if only after a while."""
    bearer: dict[str, str | None] = {"Authorization": f"Bearer {token}"}
    service.wait_until(
        lambda: expect_refusal(service.send("GET", "/admin/organizations", headers=bearer), 401, "UNAUTHENTICATED")
    )


@check("project-keys", Phase.WRITE)
def project_keys(service: Service) -> None:
    """Delete a project that has a key."""
    body = {"name": "conformance"}
    path = f"/admin/projects/{service.create('/admin/projects', body)['id']}"
    key_id = service.create(f"{path}/api-keys", body)["key"]["id"]
    expect_deletion(service, path)
    service.expect_refusal(404, "NOT_FOUND", "GET", f"/admin/api-keys/{key_id}")


@check("account-tokens", Phase.WRITE)
def account_tokens(service: Service) -> None:
    """Delete a service account, then use its token and its secret."""
    account = create_account(service)
    other = as_account(service, account)
    token = other.token
    service.delete(f"/admin/service-accounts/{account['service_account']['id']}")
    expect_revoked(service, token)
    expect_oauth_refusal(other.request_token(), 401, "access_denied")


@check("rotated-secret", Phase.WRITE)
def rotated_secret(service: Service) -> None:
    """Rotate a secret, then use the old and the new one."""
    account = create_account(service)
    old = as_account(service, account)
    path = f"/admin/service-accounts/{account['service_account']['id']}/rotate-secret"
    rotated = expect_success(service.send("POST", path), 200)
    expect_oauth_refusal(old.request_token(), 401, "access_denied")
    expect_success(as_account(service, rotated).request_token(), 200)


@check("rotated-tokens", Phase.WRITE)
def rotated_tokens(service: Service) -> None:
    """Rotate a secret, then use a token that was issued for the old one."""
    account = create_account(service, role_bindings=[MEMBER_ROLE])
    other = as_account(service, account)
    other.get("/admin/organizations")
    path = f"/admin/service-accounts/{account['service_account']['id']}/rotate-secret"
    expect_success(service.send("POST", path), 200)
    expect_revoked(service, other.token)


# Invites


@check("invite-lifetime", Phase.MAIL)
def invite_lifetime(service: Service) -> None:
    """Inspect a new invite."""
    invite = service.invite
    require(service.invite_status == 200, f"POST /admin/invites returned {service.invite_status}, not 200")
    lifetime = datetime.fromisoformat(invite["expires_at"]) - datetime.fromisoformat(invite["created_at"])
    require(invite["status"] == "pending", f"a new invite is {invite['status']}")
    require(abs(lifetime - timedelta(days=7)) < timedelta(minutes=1), f"a new invite is valid for {lifetime}")


@check("invite-resend", Phase.MAIL)
def invite_resend(service: Service) -> None:
    """Resend an invite."""
    invite = service.invite
    resent = expect_success(service.send("POST", f"/admin/invites/{invite['id']}/resend"), 200)
    require(resent["status"] == "pending", f"a resent invite is {resent['status']}")
    require(resent["expires_at"] >= invite["expires_at"], "resending an invite shortens its lifetime")


@check("invite-pending", Phase.MAIL)
def invite_pending(service: Service) -> None:
    """Invite the same email twice, the second time in upper case."""
    invite = service.invite
    body = {"email": invite["email"].upper(), "role_bindings": [MEMBER_ROLE]}
    error = service.expect_refusal(409, "ALREADY_EXISTS", "POST", "/admin/invites", json=body)
    require(invite["id"] in error["message"], "the error does not name the pending invite")


@check("invite-organization-role", Phase.MAIL)
def invite_organization_role(service: Service) -> None:
    """Revoke the only role of an invite."""
    invite = service.invite
    bindings = service.get("/admin/role-bindings", principal_type="invite", principal_id=invite["id"])["data"]
    require(len(bindings) == 1, f"the number of bindings of an invite with one role is {len(bindings)}")
    service.expect_refusal(409, "ABORTED", "DELETE", f"/admin/role-bindings/{bindings[0]['id']}")
