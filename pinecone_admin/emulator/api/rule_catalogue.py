"""The catalogue of the server's rules. Tests and conformance checks refer to a rule by its name."""

from collections.abc import Mapping
from typing import Literal

from attrs import frozen


@frozen
class Source:
    """The source of a rule.

    Args:
        basis: Published: Pinecone states the rule. Observed: official tests or clients depend on it, or users reported
            it. Assumed: no source that could be read states it.
        text: The name of the source, then sentences on what is not in it.
    """

    basis: Literal["published", "published in part", "observed", "assumed"]
    text: str


@frozen
class ServerRule:
    """A rule of the server, in plain sentences, and its source."""

    text: str
    source: Source


_READ = "read 2026-12-01"
_ROLES = f"pages admin/organizations/organizations-overview and admin/projects/projects-overview, {_READ}"


def _api(*places: str, silent: str = "") -> Source:
    """Return the API document as a source.

    Args:
        places: The operations, their statuses and parameters, and the fields of schemas that contain the rule. A test
            looks up each of them.
        silent: Sentences on the part of the rule that is not in the document.
    """
    text = f"API document 2026-07: {', '.join(places)}"
    return Source("published in part", f"{text}. {silent}") if silent else Source("published", text)


def _oauth(place: str, silent: str = "") -> Source:
    """Return the OAuth document as a source, as `_api` does."""
    text = f"OAuth document 2026-07: {place}"
    return Source("published in part", f"{text}. {silent}") if silent else Source("published", text)


def _reference(operation: str) -> Source:
    """Return a page of the API reference of 2026-04 as a source. That of 2026-07 has less."""
    return Source("published", f"page reference/api/2026-04/admin/{operation}, {_READ}")


def _page(page: str, silent: str = "") -> Source:
    """Return a page of docs.pinecone.io as a source."""
    text = f"page {page}, {_READ}"
    return Source("published in part", f"{text}. {silent}") if silent else Source("published", text)


def _sdk(what: str) -> Source:
    """Return the official Python SDK 10 as a source, at commit 0bb4c7286f56."""
    return Source("observed", f"official Python SDK 10: {what}")


_MATRIX = Source("published in part", f"{_ROLES}. The matrix marks what is assumed.")
_ROLE_PAGES = Source("published", f"{_ROLES}")
_LIVE = Source("observed", "live tests of the official Python SDK")
_CLIENTS = Source("observed", "official SDKs, Terraform provider, tests of the Go client")
_FIELD = Source("observed", "live tests of the Go client, pc and the Terraform provider. The API document has 201.")
_LIMITS = _page("reference/api/database-limits/object-limits")
_QUOTAS = _page("reference/api/database-limits/object-limits", "The numbers of Dedicated are assumed.")
_SEEN = Source("observed", "responses of the service that were reported in 2024")
_NEXUS = Source("published", "control-plane document of Nexus, 2026-07")
_ASSUMED = Source("assumed", "no source")
_CONTROL = Source("published", "control-plane and assistant documents 2025-10 and 2026-04")
_LATER = Source("observed", "live tests of the official SDKs 10 and TypeScript 9, which use 2026-07")
_OWN = Source("assumed", "a rule of the emulator, not of the service")

_REQUESTS = {
    "version-header": ServerRule(
        "The header X-Pinecone-Api-Version has the form YYYY-MM, with or without a suffix such as .alpha. Any other "
        "form returns 400 INVALID_ARGUMENT.",
        _ASSUMED,
    ),
    "no-version": ServerRule(
        "A request without a version gets the oldest stable version that the server supports.",
        _page("reference/api/versioning"),
    ),
    "any-version": ServerRule("The server accepts any version in the form YYYY-MM.", _ASSUMED),
    "doubled-version": ServerRule(
        "A request may contain the version header twice if both have the same value.", _CLIENTS
    ),
    "unknown-route": ServerRule("An unknown route returns 404 NOT_FOUND.", _ASSUMED),
    "unemulated": ServerRule(
        "A published route that the emulator does not emulate returns 501 UNIMPLEMENTED, with the name of the "
        "operation.",
        _OWN,
    ),
    "plain-resources": ServerRule(
        "If an API document only lists, creates, fetches, updates and deletes a resource, the emulator keeps its "
        "records in memory. Owners of the organization can use them, and owners of a project can use those of the "
        "project. The emulator checks neither duplicates nor references between records.",
        _OWN,
    ),
    "wrong-method": ServerRule("A known route with another method returns 405.", _ASSUMED),
    "check-order": ServerRule(
        "The server checks a request in this order: version header, token, route, validation, existence, permission, "
        "plan and quota, conflict.",
        _ASSUMED,
    ),
    "error-shape": ServerRule(
        "An error response is {status, error: {code, message}}, with optional details.", _api("ErrorResponse.error")
    ),
    "request-id": ServerRule("Every response has the header x-pinecone-request-id.", _CLIENTS),
    "front-end-errors": ServerRule(
        "Some error responses come from a front end of the service, as text or HTML.", _ASSUMED
    ),
    "unauthenticated": ServerRule(
        "A missing, unknown, expired or revoked token returns 401 UNAUTHENTICATED.",
        _api("list_projects 401", silent="The list of refused tokens is assumed."),
    ),
    "not-found": ServerRule(
        "An id outside the caller's organization returns 404 NOT_FOUND, with a message such as Project … not found.",
        _CLIENTS,
    ),
    "invisible": ServerRule(
        "If the caller cannot see a resource, its id returns 404. If the caller can see the resource but may not do "
        "the operation, the request returns 403 PERMISSION_DENIED.",
        _ASSUMED,
    ),
    "organization-role": ServerRule(
        "If the caller has no organization role, lists and creates outside a project return 403.", _ASSUMED
    ),
    "open-permissions": ServerRule(
        "With the setting permissions=open, the emulator enforces only the rule on granting roles.", _OWN
    ),
    "fields": ServerRule(
        "A missing or malformed field returns 400 INVALID_ARGUMENT, and the message names the field.",
        _api("create_project 400", silent="The emulator adds the name of the field."),
    ),
    "created": ServerRule(
        "Creating a service account returns 201. Creating a project, an invite or a role binding returns 200.",
        _api("create_service_account 201", "create_project 200", "create_invite 200", "create_role_binding 200"),
    ),
    "changed": ServerRule(
        "PATCH, resend and rotate return 200.",
        _api("update_project 200", "resend_invite 200", "rotate_service_account_secret 200"),
    ),
    "deleted": ServerRule(
        "A delete returns 202 without a body and takes effect at once. A repeated delete returns 404.",
        _api(
            "delete_user 202",
            "delete_role_binding 202",
            silent="For projects, keys and organizations, it has only the 202.",
        ),
    ),
    "uuids": ServerRule(
        "Projects, API keys, users, invites, service accounts and role bindings have UUIDs as ids.",
        _api("Project.id", "APIKey.id", "User.id", "Invite.id", "ServiceAccount.id", "RoleBinding.id"),
    ),
    "names-not-unique": ServerRule(
        "Names are not unique.",
        _api(
            "create_service_account",
            silent="Projects: docstrings of the official Python SDK 10. API keys: assumed.",
        ),
    ),
    "secrets-once": ServerRule(
        "Only create and rotate return a secret.",
        _api("APIKeyWithSecret.value", "ServiceAccountWithSecret.client_secret"),
    ),
    "paged-lists": ServerRule(
        "Lists of users, invites, service accounts and role bindings have pages of 100 items by default.",
        _api("list_users?limit", "list_invites?limit", "list_service_accounts?limit", "list_role_bindings?limit"),
    ),
    "limit-range": ServerRule("A limit outside 1 to 100 returns 400 OUT_OF_RANGE.", _api("list_users?limit")),
    "page-token": ServerRule(
        "A page token is opaque. A token from another list or from other filters returns 400 INVALID_ARGUMENT.",
        _api(
            "list_users?paginationToken",
            "UserList.pagination",
            silent="The code is in tests of the official Python SDK 10.",
        ),
    ),
    "last-page": ServerRule("On the last page, pagination is null or absent.", _api("UserList.pagination")),
    "whole-lists": ServerRule(
        "Lists of organizations, projects and API keys have no pages.",
        _api("list_organizations", "list_projects", "list_project_api_keys"),
    ),
}

_TOKENS = {
    "token-request": ServerRule(
        "A token request contains client_id, client_secret, grant_type and audience, as JSON or as a form.",
        _oauth("TokenRequest"),
    ),
    "token-response": ServerRule(
        "A token response contains access_token, token_type Bearer and expires_in.", _oauth("TokenResponse")
    ),
    "token-form": ServerRule(
        "A token has the form of a JWT and contains its expiry time. The emulator does not sign its tokens.",
        _oauth("TokenResponse", "It has only an example. Other clients decode their tokens."),
    ),
    "token-lifetime": ServerRule(
        "A token is valid for expires_in seconds, by default 1800.",
        _oauth(
            "TokenResponse",
            "It has 1800 only in an example, and other pages have other numbers. A setting of the emulator chooses.",
        ),
    ),
    "token-error-shape": ServerRule(
        "An error response of the token endpoint is {error, error_description}.", _oauth("ErrorResponse")
    ),
    "token-credentials": ServerRule(
        "Wrong credentials return 401 access_denied.", _oauth("401", "It has the code only in an example.")
    ),
    "token-fields": ServerRule(
        "A missing or malformed field of a token request returns 400 invalid_request.",
        _oauth("400", "The code is from RFC 6749, section 5.2."),
    ),
    "token-grant-type": ServerRule(
        "Another grant type than client_credentials returns 400 unsupported_grant_type.",
        _oauth("400", "The code is from RFC 6749, section 5.2."),
    ),
    "token-audience": ServerRule(
        "A wrong audience returns 403. An audience without its trailing slash is wrong.",
        _oauth("TokenRequest, 403", "It is assumed that the audience is the reason for the 403."),
    ),
    "token-rate-limit": ServerRule(
        "Too many token requests return 429 with Retry-After.", _oauth("429", "Retry-After is assumed.")
    ),
}

_ORGANIZATIONS = {
    "organization-id": ServerRule("The id of an organization is a free-form string.", _api("Organization.id")),
    "organization-name": ServerRule("The name of an organization has 1 to 512 characters.", _api("Organization.name")),
    "read-organization": ServerRule("Every organization role can see the organization.", _MATRIX),
    "update-organization": ServerRule("Only OrgOwner can update the organization.", _MATRIX),
    "delete-organization": ServerRule("Only OrgOwner can delete the organization.", _MATRIX),
    "first-owner": ServerRule("A new organization has one user, who has the role OrgOwner.", _ASSUMED),
    "organization-deletion": ServerRule(
        "Deleting an organization returns 412 if its plan is not Free, its payment status is not Active, or it has "
        "projects.",
        _sdk("docstring of organizations.delete, which names all three conditions"),
    ),
    "billing": ServerRule(
        "If the payment status forbids it, creating a resource returns 402.",
        _sdk("docstring of projects.create. The list of statuses is assumed."),
    ),
    "quota-message": ServerRule(
        "The message about an exceeded quota names the organization and recommends an upgrade of the plan.",
        Source("observed", "messages that users of the service reported"),
    ),
}

_PROJECTS = {
    "project-name": ServerRule(
        "The name of a project has 1 to 512 characters and contains no NUL.",
        _api("Project.name", silent="Docstrings of the official Python SDK 10 exclude NUL."),
    ),
    "create-project": ServerRule("OrgOwner and OrgManager can create projects.", _MATRIX),
    "read-projects": ServerRule(
        "OrgOwner can see every project. ProjectOwner, ProjectManager and ProjectMember can see their project. The "
        "other organization roles can see a project if the caller also has a role on it. Lists contain only projects "
        "that the caller can see.",
        _MATRIX,
    ),
    "manage-projects": ServerRule(
        "OrgOwner can update and delete every project, and ProjectOwner its own project.", _MATRIX
    ),
    "creator-owns-project": ServerRule(
        "If an OrgManager creates a project, it becomes ProjectOwner of the project.", _ASSUMED
    ),
    "project-quota": ServerRule(
        "An organization can have 1 project on Starter (named Free in the API), 5 on Builder, 20 on Standard and 100 "
        "on Enterprise and Dedicated. One more returns 403 QUOTA_EXCEEDED.",
        _QUOTAS,
    ),
    "max-pods": ServerRule("The default of max_pods is 0.", _api("CreateProjectRequest.max_pods")),
    "pod-access": ServerRule(
        "Organizations that began on or after 2025-08-18 have no pod access. There, max_pods above 0 returns 400 "
        "INVALID_ARGUMENT.",
        _page("admin/projects/projects-overview", "The 400 is assumed."),
    ),
    "pod-defaults": ServerRule(
        "If an organization has pod access, its settings contain a default and a minimum for max_pods.", _LIVE
    ),
    "encryption": ServerRule(
        "Encryption with a customer-managed key is off by default, and cannot be turned off later. A request to turn "
        "it off changes nothing if it is off.",
        _api(
            "CreateProjectRequest.force_encryption_with_cmek",
            "UpdateProjectRequest.force_encryption_with_cmek",
            silent="The second sentence is in docstrings of the official Python SDK 10.",
        ),
    ),
    "project-contents": ServerRule(
        "Deleting a project returns 412 if the project has indexes, collections, assistants or backups. The server "
        "checks them in this order.",
        _api("delete_project", silent="The status and the order are assumed."),
    ),
    "project-workspaces": ServerRule("Deleting a project that has workspaces returns 412.", _ASSUMED),
    "project-keys": ServerRule("Deleting a project deletes its API keys.", _api("delete_project 202")),
}

_API_KEYS = {
    "key-value": ServerRule(
        "A key value has the form pcsk_<label>_<unique>.",
        _api(
            "APIKeyWithSecret.value",
            silent="It has the prefix pckey_, and other pages have pcsk_. A setting of the emulator chooses.",
        ),
    ),
    "key-fields": ServerRule(
        "An API key has the documented fields. It also has created_at, which no document lists but the page on API "
        "keys shows.",
        _LIVE,
    ),
    "created-key": ServerRule(
        "Creating an API key returns 200. A setting of the emulator changes this to 201.", _FIELD
    ),
    "key-name": ServerRule("The name of an API key has 1 to 80 characters.", _api("CreateAPIKeyRequest.name")),
    "key-roles": ServerRule(
        "An API key can have only the six Editor and Viewer roles, and only on its own project. Creating a key with "
        "another role, or binding a role on another project, returns 400 INVALID_ARGUMENT. Binding another role "
        "returns 403 PERMISSION_DENIED.",
        _api(
            "CreateAPIKeyRequest.roles",
            silent="The 403 is in the official Python SDK 10. The 400 is assumed.",
        ),
    ),
    "key-roles-default": ServerRule(
        "An API key that is created without roles gets ProjectEditor.", _api("CreateAPIKeyRequest.roles")
    ),
    "key-roles-replaced": ServerRule(
        "If PATCH of an API key contains roles, they replace all its roles.", _api("UpdateAPIKeyRequest.roles")
    ),
    "plan-key-roles": ServerRule(
        "On Starter and Builder, API keys can have only the default role.", _page("admin/projects/manage-api-keys")
    ),
    "key-quota": ServerRule(
        "If an API key exceeds the quota of its project, creating it returns 403 PERMISSION_DENIED. On the smallest "
        "plan, the quota is 5.",
        _api("create_api_key 403", silent="The number and the code are assumed."),
    ),
    "read-api-keys": ServerRule(
        "OrgOwner can see all API keys. ProjectOwner, ProjectManager and ProjectMember can see the API keys of their "
        "project.",
        _MATRIX,
    ),
    "manage-api-keys": ServerRule(
        "OrgOwner can change all API keys, and ProjectOwner the API keys of its project.", _MATRIX
    ),
}

_PEOPLE = {
    "email": ServerRule(
        "An email has at most 254 characters. A malformed email returns 400 INVALID_ARGUMENT.",
        _api("CreateInviteRequest.email", "list_users?email"),
    ),
    "user-name": ServerRule("If the name of a user is not set, the response does not contain it.", _api("User.name")),
    "email-filter": ServerRule(
        "The email filter of users ignores case. A malformed email returns 400 INVALID_ARGUMENT.",
        _api("list_users?email"),
    ),
    "read-principals": ServerRule("Every organization role can see users, invites and service accounts.", _MATRIX),
    "manage-members": ServerRule("Only OrgOwner can change users and invites.", _MATRIX),
    "user-quota": ServerRule(
        "An organization can have 2 users on Starter and 5 on Builder. One more returns 403 QUOTA_EXCEEDED.", _LIMITS
    ),
    "invite-times": ServerRule(
        "The fields expires_at and processed_at of an invite can be null.",
        _api("Invite.expires_at", "Invite.processed_at"),
    ),
    "invite-role-bindings": ServerRule(
        "An invite has 1 to 100 role bindings. At least one of them is on the organization.",
        _api("CreateInviteRequest.role_bindings"),
    ),
    "invite-list": ServerRule(
        "The list of invites contains pending and expired invites. A processed invite can be fetched by its id.",
        _api("list_invites 200", "Invite.status"),
    ),
    "invite-lifetime": ServerRule("An invite is valid for 7 days.", _api("Invite.expires_at")),
    "invite-resend": ServerRule(
        "If an invite is pending or expired, resend makes it pending for another 7 days.", _reference("resend_invite")
    ),
    "invite-mails": ServerRule(
        "Creating and resending invites send at most 100 mails an hour in total. One more request returns 429 "
        "RESOURCE_EXHAUSTED with Retry-After.",
        _api(
            "resend_invite",
            "resend_invite 429",
            silent="It is assumed that create counts, and that the response has Retry-After.",
        ),
    ),
    "invite-accepted": ServerRule(
        "If a person accepts an invite, the invite becomes processed. Its role bindings pass to a user with a new id.",
        _api("create_role_binding 409", silent="It is assumed that the role bindings pass to the user."),
    ),
    "invite-processed": ServerRule(
        "Resending a processed invite, or binding a role to it, returns 409 ALREADY_EXISTS.",
        _api("resend_invite 409", "create_role_binding 409"),
    ),
    "invite-pending": ServerRule(
        "Inviting an email that has a pending or expired invite returns 409 ALREADY_EXISTS. The message names the "
        "invite.",
        _api("create_invite 409", silent="It is assumed that expired invites count."),
    ),
    "invite-member": ServerRule("Inviting the email of a user returns 409 ALREADY_EXISTS.", _api("create_invite 409")),
    "invite-organization-role": ServerRule(
        "Deleting the last organization role of a pending invite returns 409 ABORTED.", _api("delete_role_binding 409")
    ),
    "invite-final": ServerRule(
        "Deleting a processed invite returns 409 ABORTED.",
        _api("delete_invite", "delete_invite 409", silent="The code is assumed."),
    ),
    "identity-provider": ServerRule(
        "If an identity provider manages a person, removing or inviting the person returns 409 ABORTED. Granting or "
        "revoking the person's roles returns the same error.",
        _sdk(
            "tests of role_bindings.delete. Pinecone's documents have only the removal of a user. The rest is assumed."
        ),
    ),
    "identity-provider-sync": ServerRule(
        "A sync of an identity provider gives the people that it manages exactly the roles that they have there. It "
        "restores removed users and deletes new invites.",
        _page("admin/security/configure-single-sign-on/okta-scim-provisioning", "The second sentence is assumed."),
    ),
}

_SERVICE_ACCOUNTS = {
    "client-credentials": ServerRule(
        "A client id has 32 letters and digits. A client secret has 64 characters of [-_A-Za-z0-9].",
        _api(
            "ServiceAccount.client_id", "ServiceAccountWithSecret.client_secret", silent="It has them only in examples."
        ),
    ),
    "service-account-name": ServerRule(
        "The name of a service account has 1 to 80 bytes of UTF-8.",
        _api(
            "CreateServiceAccountRequest.name",
            silent="Docstrings of the official Python SDK 10 count bytes, not characters.",
        ),
    ),
    "service-account-role-bindings": ServerRule(
        "A request to create a service account contains 0 to 100 role bindings.",
        _api("CreateServiceAccountRequest.role_bindings"),
    ),
    "service-account-empty-patch": ServerRule(
        "PATCH of a service account without fields returns 200 and changes updated_at.",
        _sdk("docstring of service_accounts.update"),
    ),
    "service-account-same-name": ServerRule(
        "PATCH of a service account with its current name changes updated_at. A setting of the emulator turns this "
        "off.",
        _ASSUMED,
    ),
    "rotated-updated-at": ServerRule(
        "Rotating a client secret changes updated_at of the service account. A setting of the emulator turns this off.",
        _ASSUMED,
    ),
    "plan-service-accounts": ServerRule(
        "On plans other than Enterprise and Dedicated, creating, changing or rotating service accounts returns 403 "
        "FORBIDDEN.",
        _LIVE,
    ),
    "manage-service-accounts": ServerRule("Only OrgOwner can change service accounts.", _MATRIX),
    "rotate-own-secret": ServerRule(
        "A service account can rotate its own client secret, whatever its roles are.", _ASSUMED
    ),
    "rotated-secret": ServerRule(
        "After a rotation, the old client secret is invalid at once.",
        _api("rotate_service_account_secret", silent="It promises this within seconds."),
    ),
    "rotated-tokens": ServerRule(
        "Rotating a client secret revokes the access tokens of the service account. A setting of the emulator turns "
        "this off.",
        _api(
            "rotate_service_account_secret",
            silent="It promises this within seconds. According to other pages, the tokens remain valid.",
        ),
    ),
    "account-tokens": ServerRule(
        "Deleting a service account revokes its access tokens.",
        _api("delete_service_account", silent="It promises this within a few seconds."),
    ),
}

_ROLE_BINDINGS = {
    "role-scopes": ServerRule(
        "Four roles are for the organization and nine for a project. Binding a role of the wrong scope returns 403 "
        "PERMISSION_DENIED. Before that, the server checks that the principal and the resource exist.",
        _sdk("tests of role_bindings.create, which name check_valid_role_binding. The API document has a generic 400."),
    ),
    "role-scopes-of-new-principals": ServerRule(
        "Creating an invite or a service account with a role of the wrong scope returns 400 INVALID_ARGUMENT.",
        _ASSUMED,
    ),
    "role-union": ServerRule(
        "A principal has the permissions of all its role bindings together.", _page("admin/projects/projects-overview")
    ),
    "grant-rule": ServerRule(
        "Granting a role that the caller does not have returns 403 PERMISSION_DENIED. OrgOwner can grant every role, "
        "and ProjectOwner every role on its project.",
        _ROLE_PAGES,
    ),
    "plan-roles": ServerRule(
        "A role that the plan does not include returns 403 PERMISSION_DENIED.",
        _sdk("tests of role_bindings.create. The roles of each plan are assumed."),
    ),
    "bind-on-organization": ServerRule("Only OrgOwner can grant and revoke roles on the organization.", _MATRIX),
    "bind-on-project": ServerRule(
        "OrgOwner can grant and revoke roles on every project, and ProjectOwner on its own project.", _MATRIX
    ),
    "read-role-bindings": ServerRule(
        "Every principal can see its own role bindings. ProjectOwner, ProjectManager and ProjectMember can see those "
        "on their project, and OrgOwner can see all.",
        _MATRIX,
    ),
    "member-first": ServerRule(
        "A role can be bound to a user only if the user is a member of the organization.",
        _page("admin/security/manage-rbac", "The 404 for other users is in tests of the official Python SDK 10."),
    ),
    "binding-exists": ServerRule(
        "Creating an identical role binding returns 409 ALREADY_EXISTS.", _api("create_role_binding 409")
    ),
    "bindings-immutable": ServerRule(
        "A role binding cannot be changed. To change a role, create one role binding and delete the other.",
        _api("create_role_binding", "delete_role_binding", silent="No operation changes a role binding."),
    ),
    "organization-bindings": ServerRule(
        "A role binding on the organization has the organization's id as resource_id, even if the request did not "
        "contain it.",
        _api(
            "RoleBinding.resource_id",
            "RoleBindingInput.resource_id",
            silent="Tests of the official Python SDK 10 send the id.",
        ),
    ),
    "project-bindings": ServerRule(
        "Creating a role binding on a project without resource_id returns 400 INVALID_ARGUMENT.",
        _api("RoleBindingInput.resource_id", silent="The status is in tests of the official Python SDK 10."),
    ),
    "binding-filters": ServerRule(
        "The server combines the filters of role bindings with AND.", _api("list_role_bindings 200")
    ),
    "binding-filters-empty": ServerRule(
        "The server ignores an empty filter of role bindings.", _sdk("tests of role_bindings.list")
    ),
    "binding-filter-types": ServerRule(
        "A filter by principal_id requires principal_type, and a filter by resource_id requires resource_type. "
        "Otherwise the list returns 400.",
        _api(
            "list_role_bindings?principal_id",
            "list_role_bindings?resource_id",
            silent="The status is in tests of the official Python SDK 10.",
        ),
    ),
    "last-owner": ServerRule(
        "Deleting the last OrgOwner binding of a user returns 409 ABORTED.",
        _api("delete_role_binding 409", "delete_user 409", silent="It is assumed that only users count."),
    ),
    "last-organization-role": ServerRule(
        "Deleting the last organization role of a user who has other roles returns 409 ABORTED.",
        _api("delete_role_binding 409"),
    ),
}

_PROJECT_CONTENTS = {
    "control-key": ServerRule(
        "An API key can use its project. ProjectEditor and ControlPlaneEditor can change the contents of the project. "
        "ProjectViewer and ControlPlaneViewer can only read them.",
        _page("guides/production/security-overview"),
    ),
    "control-version": ServerRule(
        "A response has the form of the requested version, whichever version created the resource.", _CONTROL
    ),
    "control-version-header": ServerRule(
        "A response of the control plane contains its version in the header x-pinecone-api-version.", _SEEN
    ),
    "control-created": ServerRule(
        "Creating an index, a collection or a backup returns 201, and creating an assistant 200. A name that is in "
        "use returns 409.",
        _CONTROL,
    ),
    "control-fields": ServerRule("A missing field returns 422 or 400. A malformed field returns 400.", _CONTROL),
    "index-patch": ServerRule(
        "PATCH of an index returns 202 and merges the tags. An empty value removes a tag.", _CONTROL
    ),
    "index-host": ServerRule(
        "The host of an index begins with its name and a slug. All indexes of a project have the same slug, and no "
        "other project has it.",
        Source("published in part", f"{_CONTROL.text}. Examples there have the form. The rest is assumed."),
    ),
    "index-tags": ServerRule(
        "A tag of an index has a key of at most 80 characters and a value of at most 120. Both have a limited "
        "alphabet.",
        _CONTROL,
    ),
    "index-deletion": ServerRule(
        "A deleted index is Terminating at first. Deleting a protected index returns 403. Deleting an index while a "
        "collection is created from it returns 412.",
        _CONTROL,
    ),
    "index-schema": ServerRule(
        "In version 2026-07, a schema contains only fields that are searched. Any other field returns 400, and a "
        "string without a purpose returns 422.",
        _LATER,
    ),
    "index-pods": ServerRule("Version 2026-07 returns pod-based indexes, but creating one returns 400.", _LATER),
    "index-quota": ServerRule(
        "A project can have 5 indexes on Starter, 10 on Builder, 20 on Standard and 200 on Enterprise and Dedicated. "
        "One more returns 403 QUOTA_EXCEEDED.",
        _QUOTAS,
    ),
    "plan-regions": ServerRule("On Starter, serverless indexes can be only in the region us-east-1 of aws.", _LIMITS),
    "region-refusal": ServerRule(
        "Creating an index in a region that the plan does not include returns 400 INVALID_ARGUMENT.", _ASSUMED
    ),
    "collection-list": ServerRule("If a project has no collections, their list is empty.", _CONTROL),
    "collection-source": ServerRule("Creating a collection from an index that is not pod-based returns 400.", _CONTROL),
    "backup-pages": ServerRule("Lists of backups have pages of 10 items by default, and of at most 100.", _CONTROL),
    "backup-deletion": ServerRule("Deleting a backup that is not ready yet returns 412.", _CONTROL),
    "backup-source": ServerRule(
        "With include_deleted, the list contains the backups of a deleted index. Without it, the index returns 404.",
        _LATER,
    ),
    "backup-quota": ServerRule(
        "A project can have 500 backups on Standard and 1000 on Enterprise and Dedicated, and none on Starter and "
        "Builder. One more returns 403 QUOTA_EXCEEDED.",
        _QUOTAS,
    ),
    "assistant-pages": ServerRule(
        "From version 2026-04 on, lists of assistants have pages of 50 items by default.", _CONTROL
    ),
    "assistant-patch": ServerRule("PATCH of an assistant replaces its instructions and its metadata.", _CONTROL),
    "assistant-size": ServerRule(
        "The instructions and the metadata of an assistant have at most 16 KiB each.", _CONTROL
    ),
    "assistant-deletion": ServerRule(
        "Deleting an assistant returns 200 without a body. The assistant remains visible for a while.", _CONTROL
    ),
    "workspace-pages": ServerRule("Lists of workspaces have pages of 10 items by default, and of at most 100.", _NEXUS),
    "workspace-deletion": ServerRule(
        "Deleting a workspace returns 202. The workspace is Terminating for a while, and then its name returns 404.",
        _NEXUS,
    ),
}

RULES_BY_NOUN: Mapping[str, Mapping[str, ServerRule]] = {
    "requests": _REQUESTS,
    "tokens": _TOKENS,
    "organizations": _ORGANIZATIONS,
    "projects": _PROJECTS,
    "api-keys": _API_KEYS,
    "people": _PEOPLE,
    "service-accounts": _SERVICE_ACCOUNTS,
    "role-bindings": _ROLE_BINDINGS,
    "project-contents": _PROJECT_CONTENTS,
}
"""The rules of the service by noun; those on permissions are the rows of the matrix in `permissions`."""

RULES: Mapping[str, ServerRule] = {name: rule for rules in RULES_BY_NOUN.values() for name, rule in rules.items()}
"""Each rule by name."""
