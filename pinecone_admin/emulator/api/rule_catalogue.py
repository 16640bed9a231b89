"""The catalogue of the server's rules. Tests and conformance checks refer to a rule by its name."""

from collections.abc import Mapping
from typing import Literal

from attrs import frozen


@frozen
class Source:
    """Where a rule comes from.

    Args:
        basis: published: Pinecone states it. observed: official tests or clients depend on it, or users reported it.
            assumed: the sources that could be read are silent.
        text: The source by name.
    """

    basis: Literal["published", "published in part", "observed", "assumed"]
    text: str


@frozen
class ServerRule:
    """A rule of the server, in one sentence, and where it comes from."""

    text: str
    source: Source


_READ = "read 2026-12-01"
_ROLES = f"pages admin/organizations/organizations-overview and admin/projects/projects-overview, {_READ}"


def _api(*places: str, silent: str = "") -> Source:
    """Return the API document as a source.

    Args:
        places: The operations, their statuses and parameters, and the fields of schemas where the document has the
            rule; a test looks each up.
        silent: What of the rule the document does not have, and where that comes from.
    """
    text = f"API document 2026-07: {', '.join(places)}"
    return Source("published in part", f"{text}; {silent}") if silent else Source("published", text)


def _oauth(place: str, silent: str = "") -> Source:
    """Return the OAuth document as a source, as `_api` does."""
    text = f"OAuth document 2026-07: {place}"
    return Source("published in part", f"{text}; {silent}") if silent else Source("published", text)


def _reference(operation: str) -> Source:
    """Return a page of the API reference of 2026-04 as a source; that of 2026-07 says less."""
    return Source("published", f"page reference/api/2026-04/admin/{operation}, {_READ}")


def _page(page: str, silent: str = "") -> Source:
    """Return a page of docs.pinecone.io as a source."""
    text = f"page {page}, {_READ}"
    return Source("published in part", f"{text}; {silent}") if silent else Source("published", text)


def _sdk(what: str) -> Source:
    """Return the official Python SDK 10 as a source, at commit 0bb4c7286f56."""
    return Source("observed", f"official Python SDK 10: {what}")


_MATRIX = Source("published in part", f"{_ROLES}; see the matrix")
_ROLE_PAGES = Source("published", f"{_ROLES}")
_LIVE = Source("observed", "live tests of the official Python SDK")
_CLIENTS = Source("observed", "official SDKs, Terraform provider, tests of the Go client")
_FIELD = Source("observed", "live tests of the Go client, pc and the Terraform provider; the API document has 201")
_LIMITS = _page("reference/api/database-limits/object-limits")
_SEEN = Source("observed", "responses of the service that were reported in 2024")
_NEXUS = Source("published", "control-plane document of Nexus, 2026-07")
_ASSUMED = Source("assumed", "no source")
_CONTROL = Source("published", "control-plane and assistant documents 2025-10 and 2026-04")
_LATER = Source("observed", "live tests of the official SDKs 10 and TypeScript 9, which use 2026-07")
_OWN = Source("assumed", "not a rule of the service, but one of the emulator")

_REQUESTS = {
    "version-header": ServerRule(
        "X-Pinecone-Api-Version is YYYY-MM, also with a suffix such as .alpha; malformed, it returns 400 "
        "INVALID_ARGUMENT",
        _ASSUMED,
    ),
    "no-version": ServerRule(
        "without a version, a request gets the oldest stable one that is supported", _page("reference/api/versioning")
    ),
    "any-version": ServerRule("any version of that form is accepted", _ASSUMED),
    "doubled-version": ServerRule("the version header may come twice with one value", _CLIENTS),
    "unknown-route": ServerRule("an unknown route returns 404 NOT_FOUND", _ASSUMED),
    "unemulated": ServerRule("a published route that is not emulated returns 501 UNIMPLEMENTED and its name", _OWN),
    "plain-resources": ServerRule(
        "records that an API document only lists, creates, fetches, updates and deletes are kept in memory, for those "
        "who own the organization or their project; no conflict is emulated, so they may be duplicates, and what they "
        "refer to need not exist",
        _OWN,
    ),
    "wrong-method": ServerRule("a known route with another method returns 405", _ASSUMED),
    "check-order": ServerRule(
        "checks: version header, token, route, validation, existence, permission, plan and quota, conflict", _ASSUMED
    ),
    "error-shape": ServerRule(
        "an error is {status, error: {code, message}}, with optional details", _api("ErrorResponse.error")
    ),
    "request-id": ServerRule("every response has x-pinecone-request-id", _CLIENTS),
    "front-end-errors": ServerRule("some errors come from the front end and are text or HTML", _ASSUMED),
    "unauthenticated": ServerRule(
        "a missing, unknown, expired or revoked token returns 401 UNAUTHENTICATED",
        _api("list_projects 401", silent="which tokens are refused is assumed"),
    ),
    "not-found": ServerRule(
        "anything outside the caller's organization returns 404 NOT_FOUND, with a message such as Project … not found",
        _CLIENTS,
    ),
    "invisible": ServerRule(
        "the id of what a caller may not see returns 404; what it sees but may not do returns 403 PERMISSION_DENIED",
        _ASSUMED,
    ),
    "organization-role": ServerRule(
        "without an organization role, lists and creates beyond a project return 403", _ASSUMED
    ),
    "open-permissions": ServerRule("by a setting of the emulator, only the rule on granting is enforced", _OWN),
    "fields": ServerRule(
        "a missing or malformed field returns 400 INVALID_ARGUMENT, and the message names it",
        _api("create_project 400", silent="that the message names the field is of the emulator"),
    ),
    "created": ServerRule(
        "creating a service account returns 201; a project, an invite or a binding 200",
        _api("create_service_account 201", "create_project 200", "create_invite 200", "create_role_binding 200"),
    ),
    "changed": ServerRule(
        "PATCH, resend and rotate return 200",
        _api("update_project 200", "resend_invite 200", "rotate_service_account_secret 200"),
    ),
    "deleted": ServerRule(
        "a delete returns 202 without a body, takes effect at once, and returns 404 when repeated",
        _api(
            "delete_user 202", "delete_role_binding 202", silent="of projects, keys and organizations it says 202 only"
        ),
    ),
    "uuids": ServerRule(
        "the ids of projects, keys, users, invites, service accounts and bindings are UUIDs",
        _api("Project.id", "APIKey.id", "User.id", "Invite.id", "ServiceAccount.id", "RoleBinding.id"),
    ),
    "names-not-unique": ServerRule(
        "names are not unique",
        _api(
            "create_service_account",
            silent="for projects it is in docstrings of the official Python SDK 10, for keys assumed",
        ),
    ),
    "secrets-once": ServerRule(
        "a secret is returned by create or rotate only",
        _api("APIKeyWithSecret.value", "ServiceAccountWithSecret.client_secret"),
    ),
    "paged-lists": ServerRule(
        "users, invites, service accounts and role bindings are paged, 100 a page by default",
        _api("list_users?limit", "list_invites?limit", "list_service_accounts?limit", "list_role_bindings?limit"),
    ),
    "limit-range": ServerRule("a limit outside 1 to 100 returns 400 OUT_OF_RANGE", _api("list_users?limit")),
    "page-token": ServerRule(
        "a page token is opaque; a foreign one, or one of other filters, returns 400 INVALID_ARGUMENT",
        _api(
            "list_users?paginationToken",
            "UserList.pagination",
            silent="the code is in tests of the official Python SDK 10",
        ),
    ),
    "last-page": ServerRule("pagination is null or absent on the last page", _api("UserList.pagination")),
    "whole-lists": ServerRule(
        "lists of organizations, projects and keys are not paged",
        _api("list_organizations", "list_projects", "list_project_api_keys"),
    ),
}

_TOKENS = {
    "token-request": ServerRule(
        "a token request has client_id, client_secret, grant_type and audience, as JSON or as a form",
        _oauth("TokenRequest"),
    ),
    "token-response": ServerRule(
        "a token response has access_token, token_type Bearer and expires_in", _oauth("TokenResponse")
    ),
    "token-form": ServerRule(
        "a token looks like a JWT, with the time of its expiry; that of the emulator is never signed",
        _oauth("TokenResponse", "only an example, which clients in the field decode"),
    ),
    "token-lifetime": ServerRule(
        "a token is valid for expires_in seconds and no longer; 1800 by default",
        _oauth(
            "TokenResponse",
            "1800 only in an example, and other pages of Pinecone have other numbers; a setting chooses",
        ),
    ),
    "token-error-shape": ServerRule(
        "an error of the token endpoint is {error, error_description}", _oauth("ErrorResponse")
    ),
    "token-credentials": ServerRule(
        "wrong credentials return 401 access_denied", _oauth("401", "access_denied only in an example")
    ),
    "token-fields": ServerRule(
        "a missing or malformed field of the token request returns 400 invalid_request",
        _oauth("400", "the code is that of RFC 6749, section 5.2"),
    ),
    "token-grant-type": ServerRule(
        "another grant type returns 400 unsupported_grant_type",
        _oauth("400", "the code is that of RFC 6749, section 5.2"),
    ),
    "token-audience": ServerRule(
        "another audience returns 403; the trailing slash is significant",
        _oauth("TokenRequest, 403", "that another audience is what returns 403 is assumed"),
    ),
    "token-rate-limit": ServerRule(
        "too many token requests return 429 with Retry-After", _oauth("429", "Retry-After is assumed")
    ),
}

_ORGANIZATIONS = {
    "organization-id": ServerRule("an organization's id is a free-form string", _api("Organization.id")),
    "organization-name": ServerRule("an organization's name has 1 to 512 characters", _api("Organization.name")),
    "read-organization": ServerRule("every organization role sees the organization", _MATRIX),
    "update-organization": ServerRule("only OrgOwner updates the organization", _MATRIX),
    "delete-organization": ServerRule("only OrgOwner deletes the organization", _MATRIX),
    "first-owner": ServerRule("a new organization has one user, who owns it", _ASSUMED),
    "organization-deletion": ServerRule(
        "deleting an organization that is not Free, is not Active or has projects returns 412",
        _sdk("docstring of organizations.delete, which names all three conditions"),
    ),
    "billing": ServerRule(
        "creating under a payment status that forbids it returns 402",
        _sdk("docstring of projects.create; which statuses forbid creating is assumed"),
    ),
    "quota-message": ServerRule(
        "the message of an exceeded quota names the organization, and says to upgrade the plan",
        Source("observed", "messages that users of the service reported"),
    ),
}

_PROJECTS = {
    "project-name": ServerRule(
        "a project's name has 1 to 512 characters and no NUL",
        _api("Project.name", silent="NUL is in docstrings of the official Python SDK 10"),
    ),
    "create-project": ServerRule("OrgOwner and OrgManager create projects", _MATRIX),
    "read-projects": ServerRule(
        "OrgOwner sees every project; a project's owner, manager and members see it, and so does an organization role "
        "with any role on it; lists leave out the rest",
        _MATRIX,
    ),
    "manage-projects": ServerRule("OrgOwner updates and deletes every project, ProjectOwner its own", _MATRIX),
    "creator-owns-project": ServerRule("an OrgManager that creates a project becomes its ProjectOwner", _ASSUMED),
    "project-quota": ServerRule(
        "a project beyond the plan's 1 (Starter, named Free), 5 (Builder), 20 (Standard) or 100 returns 403 "
        "QUOTA_EXCEEDED",
        _LIMITS,
    ),
    "max-pods": ServerRule("max_pods is 0 by default", _api("CreateProjectRequest.max_pods")),
    "pod-access": ServerRule(
        "max_pods above 0 returns 400 INVALID_ARGUMENT without pod access; organizations that began before 2025-08-18 "
        "have it",
        _page("admin/projects/projects-overview", "400 INVALID_ARGUMENT is assumed"),
    ),
    "pod-defaults": ServerRule(
        "with pod access, settings say how many pods a project has by default, and how many at least", _LIVE
    ),
    "encryption": ServerRule(
        "encryption is off by default and, once on, stays on; turning it off while it is off does nothing",
        _api(
            "CreateProjectRequest.force_encryption_with_cmek",
            "UpdateProjectRequest.force_encryption_with_cmek",
            silent="that turning off what is off does nothing is in docstrings of the official Python SDK 10",
        ),
    ),
    "project-contents": ServerRule(
        "deleting a project that holds indexes, collections, assistants or backups returns 412, in this order",
        _api("delete_project", silent="412 and the order are assumed"),
    ),
    "project-workspaces": ServerRule("deleting a project that holds workspaces returns 412", _ASSUMED),
    "project-keys": ServerRule("deleting a project deletes its keys", _api("delete_project 202")),
}

_API_KEYS = {
    "key-value": ServerRule(
        "a key's value is pcsk_<label>_<unique>; sources disagree about the prefix",
        _api("APIKeyWithSecret.value", silent="it has pckey_, other pages pcsk_; a setting chooses"),
    ),
    "key-fields": ServerRule(
        "a key has the documented fields and created_at, which the page on keys shows and no document lists", _LIVE
    ),
    "created-key": ServerRule("creating a key returns 200; a setting makes it 201", _FIELD),
    "key-name": ServerRule("a key's name has 1 to 80 characters", _api("CreateAPIKeyRequest.name")),
    "key-roles": ServerRule(
        "an API key can have only the six Editor and Viewer roles, and only on its own project; binding another role "
        "returns 403 PERMISSION_DENIED, creating a key with it, or binding on another project, 400 INVALID_ARGUMENT",
        _api(
            "CreateAPIKeyRequest.roles",
            silent="the refusal of a binding is in the official Python SDK 10, the rest assumed",
        ),
    ),
    "key-roles-default": ServerRule("a key gets the role ProjectEditor by default", _api("CreateAPIKeyRequest.roles")),
    "key-roles-replaced": ServerRule("PATCH of a key's roles replaces them all", _api("UpdateAPIKeyRequest.roles")),
    "plan-key-roles": ServerRule(
        "on Starter and Builder, API keys can have the default role only", _page("admin/projects/manage-api-keys")
    ),
    "key-quota": ServerRule(
        "a key beyond the quota of its project, 5 on the smallest plan, returns 403 PERMISSION_DENIED",
        _api("create_api_key 403", silent="the number and the code are assumed"),
    ),
    "read-api-keys": ServerRule(
        "OrgOwner sees all API keys; a project's owner, manager and members those of their project", _MATRIX
    ),
    "manage-api-keys": ServerRule("OrgOwner changes all API keys, ProjectOwner those of its project", _MATRIX),
}

_PEOPLE = {
    "email": ServerRule(
        "an email has at most 254 characters; a malformed one returns 400 INVALID_ARGUMENT",
        _api("CreateInviteRequest.email", "list_users?email"),
    ),
    "user-name": ServerRule("a user's name is left out if it is not set", _api("User.name")),
    "email-filter": ServerRule(
        "the email filter of users ignores case; a malformed email returns 400 INVALID_ARGUMENT",
        _api("list_users?email"),
    ),
    "read-principals": ServerRule("every organization role sees users, invites and service accounts", _MATRIX),
    "manage-members": ServerRule("only OrgOwner changes users and invites", _MATRIX),
    "user-quota": ServerRule(
        "a user beyond the plan's 2 on Starter, or 5 on Builder, returns 403 QUOTA_EXCEEDED", _LIMITS
    ),
    "invite-times": ServerRule(
        "an invite's expires_at and processed_at can be null", _api("Invite.expires_at", "Invite.processed_at")
    ),
    "invite-role-bindings": ServerRule(
        "an invite has 1 to 100 role bindings, at least one of them on the organization",
        _api("CreateInviteRequest.role_bindings"),
    ),
    "invite-list": ServerRule(
        "the list of invites has pending and expired ones; processed ones are found by id",
        _api("list_invites 200", "Invite.status"),
    ),
    "invite-lifetime": ServerRule("an invite is valid for 7 days", _api("Invite.expires_at")),
    "invite-resend": ServerRule(
        "resend makes an invite pending for another 7 days, even an expired one", _reference("resend_invite")
    ),
    "invite-mails": ServerRule(
        "create and resend together send 100 mails an hour; more return 429 RESOURCE_EXHAUSTED with Retry-After",
        _api("resend_invite", "resend_invite 429", silent="that create counts, too, and Retry-After are assumed"),
    ),
    "invite-accepted": ServerRule(
        "an accepted invite is processed, and its role bindings pass to a user with a new id",
        _api("create_role_binding 409", silent="that the bindings pass to the user is assumed"),
    ),
    "invite-processed": ServerRule(
        "resending or binding a processed invite returns 409 ALREADY_EXISTS",
        _api("resend_invite 409", "create_role_binding 409"),
    ),
    "invite-pending": ServerRule(
        "an email with a pending or expired invite returns 409 ALREADY_EXISTS and the message names the invite",
        _api("create_invite 409", silent="that an expired invite is one, too, is assumed"),
    ),
    "invite-member": ServerRule("the email of a member returns 409 ALREADY_EXISTS", _api("create_invite 409")),
    "invite-organization-role": ServerRule(
        "deleting a pending invite's last organization role returns 409 ABORTED", _api("delete_role_binding 409")
    ),
    "invite-final": ServerRule(
        "deleting a processed invite returns 409 ABORTED",
        _api("delete_invite", "delete_invite 409", silent="the code is assumed"),
    ),
    "identity-provider": ServerRule(
        "removing, inviting, granting to or revoking from a person whom an identity provider manages returns 409 "
        "ABORTED; the documents say so of removing a user",
        _sdk("tests of role_bindings.delete; that other changes of such people are refused so is assumed"),
    ),
    "identity-provider-sync": ServerRule(
        "a sync of an identity provider sets the roles of its people to exactly its own, so that it reverts changes; "
        "what it does about removed and invited people is assumed",
        _page("admin/security/configure-single-sign-on/okta-scim-provisioning", "the rest is assumed"),
    ),
}

_SERVICE_ACCOUNTS = {
    "client-credentials": ServerRule(
        "a client id is 32 alphanumerics, a client secret 64 characters of [-_A-Za-z0-9]",
        _api("ServiceAccount.client_id", "ServiceAccountWithSecret.client_secret", silent="only in examples"),
    ),
    "service-account-name": ServerRule(
        "a service account's name has 1 to 80 bytes of UTF-8",
        _api(
            "CreateServiceAccountRequest.name",
            silent="bytes instead of characters are in docstrings of the official Python SDK 10",
        ),
    ),
    "service-account-role-bindings": ServerRule(
        "a service account is created with 0 to 100 role bindings", _api("CreateServiceAccountRequest.role_bindings")
    ),
    "service-account-empty-patch": ServerRule(
        "PATCH of a service account without fields returns 200 and changes updated_at",
        _sdk("docstring of service_accounts.update"),
    ),
    "service-account-same-name": ServerRule(
        "PATCH of a service account with the name that it has changes updated_at, unless configured otherwise", _ASSUMED
    ),
    "rotated-updated-at": ServerRule(
        "rotating a secret changes updated_at of its service account, unless configured otherwise", _ASSUMED
    ),
    "plan-service-accounts": ServerRule(
        "creating, changing or rotating service accounts below Enterprise returns 403 FORBIDDEN", _LIVE
    ),
    "manage-service-accounts": ServerRule("only OrgOwner changes service accounts", _MATRIX),
    "rotate-own-secret": ServerRule("a service account rotates its own secret, whatever its roles", _ASSUMED),
    "rotated-secret": ServerRule(
        "a rotated secret is invalid at once", _api("rotate_service_account_secret", silent="it says within seconds")
    ),
    "rotated-tokens": ServerRule(
        "rotating a secret revokes its tokens, unless configured otherwise",
        _api(
            "rotate_service_account_secret",
            silent="it says within seconds, and other pages that they live on; a setting chooses",
        ),
    ),
    "account-tokens": ServerRule(
        "deleting a service account revokes its tokens",
        _api("delete_service_account", silent="it says within a few seconds"),
    ),
}

_ROLE_BINDINGS = {
    "role-scopes": ServerRule(
        "four roles are for the organization, nine for a project; binding one of the other scope returns 403 "
        "PERMISSION_DENIED, once principal and resource were found",
        _sdk("tests of role_bindings.create, which name check_valid_role_binding; the API document has a generic 400"),
    ),
    "role-scopes-of-new-principals": ServerRule(
        "a role of the other scope in the request for an invite or a service account returns 400 INVALID_ARGUMENT",
        _ASSUMED,
    ),
    "role-union": ServerRule(
        "a principal's permissions are the union of its role bindings", _page("admin/projects/projects-overview")
    ),
    "grant-rule": ServerRule(
        "granting a role that the caller does not hold returns 403 PERMISSION_DENIED; OrgOwner holds every role, "
        "ProjectOwner every role on its project",
        _ROLE_PAGES,
    ),
    "plan-roles": ServerRule(
        "a role that the plan does not include returns 403 PERMISSION_DENIED",
        _sdk("tests of role_bindings.create; which roles a plan lacks is assumed"),
    ),
    "bind-on-organization": ServerRule("only OrgOwner binds and revokes organization roles", _MATRIX),
    "bind-on-project": ServerRule(
        "OrgOwner binds and revokes roles on every project, ProjectOwner on its own", _MATRIX
    ),
    "read-role-bindings": ServerRule(
        "everybody sees its own role bindings, a project's owner, manager and members those on it, and OrgOwner all",
        _MATRIX,
    ),
    "member-first": ServerRule(
        "a user must be a member before roles are bound to it",
        _page(
            "admin/security/manage-rbac", "404 for a user who is no member is in tests of the official Python SDK 10"
        ),
    ),
    "binding-exists": ServerRule("an identical binding returns 409 ALREADY_EXISTS", _api("create_role_binding 409")),
    "bindings-immutable": ServerRule(
        "a role binding cannot be changed: to change a role, create one binding and delete the other",
        _api("create_role_binding", "delete_role_binding", silent="no operation changes one"),
    ),
    "organization-bindings": ServerRule(
        "an organization binding has the organization's id, whether it was sent or not",
        _api(
            "RoleBinding.resource_id",
            "RoleBindingInput.resource_id",
            silent="that it may be sent is in tests of the official Python SDK 10",
        ),
    ),
    "project-bindings": ServerRule(
        "a project binding without resource_id returns 400 INVALID_ARGUMENT",
        _api("RoleBindingInput.resource_id", silent="the status is in tests of the official Python SDK 10"),
    ),
    "binding-filters": ServerRule("the filters of role bindings are combined with AND", _api("list_role_bindings 200")),
    "binding-filters-empty": ServerRule(
        "a filter of role bindings that is empty counts as absent", _sdk("tests of role_bindings.list")
    ),
    "binding-filter-types": ServerRule(
        "principal_id requires principal_type, resource_id requires resource_type; otherwise 400",
        _api(
            "list_role_bindings?principal_id",
            "list_role_bindings?resource_id",
            silent="the status is in tests of the official Python SDK 10",
        ),
    ),
    "last-owner": ServerRule(
        "deleting the last OrgOwner binding of a user returns 409 ABORTED",
        _api("delete_role_binding 409", "delete_user 409", silent="that only users count is assumed"),
    ),
    "last-organization-role": ServerRule(
        "deleting a user's last organization role while it holds others returns 409 ABORTED",
        _api("delete_role_binding 409"),
    ),
}

_PROJECT_CONTENTS = {
    "control-key": ServerRule(
        "an API key reaches its project: ProjectEditor and ControlPlaneEditor change it, their Viewers only read it",
        _page("guides/production/security-overview"),
    ),
    "control-version": ServerRule(
        "a resource is shown in the form of the requested version, whichever version created it", _CONTROL
    ),
    "control-version-header": ServerRule(
        "a response of the control plane has the version in x-pinecone-api-version", _SEEN
    ),
    "control-created": ServerRule(
        "creating an index, a collection or a backup returns 201, an assistant 200; a name that is taken 409", _CONTROL
    ),
    "control-fields": ServerRule("a missing field returns 422 or 400, a malformed one 400", _CONTROL),
    "index-patch": ServerRule("PATCH of an index returns 202, merges tags, and removes those that are empty", _CONTROL),
    "index-host": ServerRule(
        "the host of an index is its name and a slug, which all indexes of a project have, and no other project",
        Source("published in part", f"{_CONTROL.text}: only the form, in examples; the rest is assumed"),
    ),
    "index-tags": ServerRule(
        "tags of an index have keys of up to 80 characters and values of up to 120, of a limited alphabet", _CONTROL
    ),
    "index-deletion": ServerRule(
        "a deleted index is Terminating at first; deleting one that is protected returns 403, a source in use 412",
        _CONTROL,
    ),
    "index-schema": ServerRule(
        "in 2026-07, a schema lists only fields that are searched: another returns 400, a string without a purpose 422",
        _LATER,
    ),
    "index-pods": ServerRule("in 2026-07, a pod-based index is shown, and creating one returns 400", _LATER),
    "index-quota": ServerRule(
        "an index beyond the project's 5 (Starter), 10 (Builder), 20 (Standard) or 200 returns 403 QUOTA_EXCEEDED",
        _LIMITS,
    ),
    "plan-regions": ServerRule("on Starter, serverless indexes are in us-east-1 of aws only", _LIMITS),
    "region-refusal": ServerRule(
        "an index in a region that the plan does not have returns 400 INVALID_ARGUMENT", _ASSUMED
    ),
    "collection-list": ServerRule("the list of collections is empty where there are none", _CONTROL),
    "collection-source": ServerRule("creating a collection of an index that is not pod-based returns 400", _CONTROL),
    "backup-pages": ServerRule("backups are paged, 10 a page by default and up to 100", _CONTROL),
    "backup-deletion": ServerRule("deleting a backup that is still being made returns 412", _CONTROL),
    "backup-source": ServerRule(
        "the backups of a deleted index are listed with include_deleted; without it, the index returns 404", _LATER
    ),
    "backup-quota": ServerRule(
        "a backup beyond the project's 500 (Standard) or 1000 returns 403 QUOTA_EXCEEDED; Starter and Builder have 0",
        _LIMITS,
    ),
    "assistant-pages": ServerRule("assistants are paged from 2026-04 on, 50 a page by default", _CONTROL),
    "assistant-patch": ServerRule("PATCH replaces the instructions and the metadata of an assistant", _CONTROL),
    "assistant-size": ServerRule(
        "the instructions and the metadata of an assistant have at most 16 KiB each", _CONTROL
    ),
    "assistant-deletion": ServerRule("deleting an assistant returns 200 without a body, and takes a while", _CONTROL),
    "workspace-pages": ServerRule("workspaces are paged, 10 a page by default and up to 100", _NEXUS),
    "workspace-deletion": ServerRule(
        "deleting a workspace returns 202; it is Terminating for a while, then its name returns 404", _NEXUS
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
