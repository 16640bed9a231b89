"""Clients in Go: what they send, and the only statuses that they accept, played against the emulator.

The sources are files of the repositories pinecone-io/go-pinecone (v6.1.0, and v5.4 in what is built on it),
pinecone-io/cli (``pc``) and pinecone-io/terraform-provider-pinecone. What go-pinecone sends was recorded from its live
tests.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from attrs import frozen

from pinecone_admin.emulator import Emulator

OLDER_VERSION = {"X-Pinecone-Api-Version": "2026-04"}  # internal/gen/api_version.go


@frozen
class Sent:
    """A request of a client, and the only status that it accepts.

    Args:
        status: The status.
        method: The method.
        path: The path and the query; names in braces are ids from earlier responses.
        body: The JSON body.
        id: The name of the id in the response, for later requests.
    """

    status: int
    method: str
    path: str
    body: dict[str, Any] | None = None
    id: str = ""


# pinecone/admin_client.go has the statuses, pinecone/admin_client_test.go the live tests.
GO = (
    Sent(200, "GET", "/admin/organizations"),
    Sent(200, "GET", "/admin/organizations/{organization}"),
    Sent(200, "PATCH", "/admin/organizations/{organization}", {"name": "Acme"}),
    Sent(
        200,
        "POST",
        "/admin/projects",
        {"force_encryption_with_cmek": True, "max_pods": 8, "name": "search"},
        id="project",
    ),
    Sent(200, "GET", "/admin/projects/{project}"),
    Sent(200, "PATCH", "/admin/projects/{project}", {"max_pods": 10, "name": "new"}),
    Sent(200, "GET", "/admin/projects"),
    Sent(
        200,
        "POST",
        "/admin/projects/{project}/api-keys",
        {"name": "ci", "roles": ["ProjectEditor", "ProjectViewer", "ControlPlaneEditor", "ControlPlaneViewer"]},
        id="key",
    ),
    Sent(200, "GET", "/admin/api-keys/{key}"),
    Sent(200, "GET", "/admin/projects/{project}/api-keys"),
    Sent(200, "PATCH", "/admin/api-keys/{key}", {"name": "new"}),
    Sent(202, "DELETE", "/admin/api-keys/{key}"),
    Sent(202, "DELETE", "/admin/projects/{project}"),
    Sent(201, "POST", "/admin/service-accounts", {"name": "ci"}, id="account"),
    Sent(200, "GET", "/admin/service-accounts/{account}"),
    Sent(200, "GET", "/admin/service-accounts"),
    Sent(200, "PATCH", "/admin/service-accounts/{account}", {"name": "new"}),
    Sent(200, "POST", "/admin/service-accounts/{account}/rotate-secret"),
    Sent(
        200,
        "POST",
        "/admin/role-bindings",
        {
            "principal_id": "{account}",
            "principal_type": "service_account",
            "resource_type": "organization",
            "role": "OrgMember",
        },
        id="binding",
    ),
    Sent(200, "GET", "/admin/role-bindings/{binding}"),
    Sent(200, "GET", "/admin/role-bindings?principal_id={account}&principal_type=service_account"),
    Sent(202, "DELETE", "/admin/role-bindings/{binding}"),
    Sent(202, "DELETE", "/admin/service-accounts/{account}"),
    Sent(
        200,
        "POST",
        "/admin/invites",
        {
            "email": "invited@example.com",
            "role_bindings": [{"resource_type": "organization", "role": "OrgMember"}],
        },
        id="invite",
    ),
    Sent(200, "GET", "/admin/invites/{invite}"),
    Sent(200, "GET", "/admin/invites"),
    Sent(200, "POST", "/admin/invites/{invite}/resend"),
    Sent(202, "DELETE", "/admin/invites/{invite}"),
    Sent(200, "GET", "/admin/users"),
    Sent(200, "GET", "/admin/users?email=other%40example.com"),
    Sent(200, "GET", "/admin/users/{user}"),
    Sent(202, "DELETE", "/admin/users/{user}"),
)
# go.mod has go-pinecone v5.4.1, whose pinecone/admin_client.go accepts the same statuses.
PC = (
    # internal/pkg/cli/command/project/create.go: --max-pods is 5 if it is not given, and always sent.
    Sent(200, "POST", "/admin/projects", {"max_pods": 5, "name": "search"}, id="project"),
    # internal/pkg/cli/command/apiKey/create.go
    Sent(200, "POST", "/admin/projects/{project}/api-keys", {"name": "ci", "roles": ["ProjectEditor"]}, id="key"),
    # internal/pkg/utils/sdk/client.go: `pc index` makes a key of its own, which it would not know after a 201.
    Sent(200, "GET", "/admin/projects/{project}"),
    Sent(
        200, "POST", "/admin/projects/{project}/api-keys", {"name": "pinecone-cli-x1Y2z3", "roles": ["ProjectEditor"]}
    ),
    Sent(202, "DELETE", "/admin/api-keys/{key}"),
    Sent(202, "DELETE", "/admin/projects/{project}"),
)
# go.mod has go-pinecone v5.4.0.
TERRAFORM = (
    # pinecone/provider/project_resource.go
    Sent(200, "POST", "/admin/projects", {"name": "search"}, id="project"),
    Sent(200, "PATCH", "/admin/projects/{project}", {"force_encryption_with_cmek": True}),
    Sent(200, "GET", "/admin/projects/{project}"),
    # pinecone/provider/api_key_resource.go: after the deletion, the list must no longer have the key.
    Sent(200, "POST", "/admin/projects/{project}/api-keys", {"name": "ci", "roles": ["ProjectViewer"]}, id="key"),
    Sent(200, "GET", "/admin/api-keys/{key}"),
    Sent(200, "PATCH", "/admin/api-keys/{key}", {"name": "new", "roles": ["ProjectEditor"]}),
    Sent(202, "DELETE", "/admin/api-keys/{key}"),
    Sent(200, "GET", "/admin/projects/{project}/api-keys"),
    Sent(202, "DELETE", "/admin/projects/{project}"),
)


@pytest.mark.parametrize("requests", [GO, PC, TERRAFORM], ids=["go-pinecone", "pc", "terraform"])
def test_clients_in_go_accept_every_status(emulator: Emulator, api: httpx.Client, requests: tuple[Sent, ...]) -> None:
    """Each request that the client sends is answered with the only status that it accepts."""
    emulator.configure(pod_access=True)
    ids = {"organization": emulator.organization_id, "user": emulator.add_user("other@example.com").id}
    for sent in requests:
        response = send(api, sent, ids)
        assert response.status_code == sent.status, (sent, response.text)
        if sent.id:
            ids[sent.id] = find_id(response.json())


def send(api: httpx.Client, sent: Sent, ids: dict[str, str]) -> httpx.Response:
    """Send a request with the version of the API that go-pinecone names."""
    body = sent.body and {
        name: value.format(**ids) if isinstance(value, str) else value for name, value in sent.body.items()
    }
    return api.request(sent.method, sent.path.format(**ids), json=body, headers=OLDER_VERSION)


def find_id(document: Any) -> str:
    """Return the id of what was created, which may stand beside its secret."""
    records = (document, document.get("key"), document.get("service_account"))
    return next(str(each["id"]) for each in records if each and "id" in each)


@pytest.mark.parametrize("kind", ["projects", "api-keys"])
def test_clients_in_go_recognize_what_does_not_exist(api: httpx.Client, kind: str) -> None:
    """The message of a 404 has "not found" in it: Terraform's provider then forgets the resource.

    pinecone/provider/project_resource.go and api_key_resource.go; pinecone/admin_client_test.go of go-pinecone.
    """
    response = api.get(f"/admin/{kind}/4f6a1e0c-8f2b-4c1a-9d3e-1b2c3d4e5f60", headers=OLDER_VERSION)
    assert response.status_code == 404
    assert "not found" in response.json()["error"]["message"]


def test_deleting_an_organization_follows_the_documents(emulator: Emulator, api: httpx.Client) -> None:
    """go-pinecone accepts only 200 for a deleted organization, which no live test of it deletes; the documents say 202.

    pinecone/admin_client.go, Delete of DefaultOrganizationClient.
    """
    emulator.configure(plan="Free")
    response = api.delete(f"/admin/organizations/{emulator.organization_id}", headers=OLDER_VERSION)
    assert response.status_code == 202
