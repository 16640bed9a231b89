"""The catalogue of the server's rules. Tests and conformance checks refer to a rule by its name."""

from collections.abc import Mapping
from typing import Literal

from attrs import frozen


@frozen
class Source:
    """Where a rule comes from.

    Args:
        standing: published: Pinecone states it. pinned: official tests or clients depend on it. assumed: the sources
            that could be read are silent.
        text: The source by name.
    """

    standing: Literal["published", "published in part", "pinned", "assumed"]
    text: str


@frozen
class Rule:
    """A rule of the server, in one sentence, and where it comes from."""

    text: str
    source: Source


_API = Source("published", "API document 2026-07")
_OAUTH = Source("published", "OAuth document 2026-07")
_PAGES = Source("published", "reference pages, or descriptions in the API document")
_DISPUTED = Source("published", "several pages, which disagree; a setting chooses")
_PARTLY = Source("published in part", "reference pages, which leave details open")
_MATRIX = Source("published in part", "reference pages on organizations, projects and access; see the matrix")
_LIVE = Source("pinned", "live tests of the official Python SDK")
_CLIENTS = Source("pinned", "official SDKs, Terraform provider, tests of the Go client")
_ASSUMED = Source("assumed", "no source")
_OWN = Source("assumed", "not a rule of the service: the emulator says what it does not do")

RULES: Mapping[str, Rule] = {
    # Wire
    "version-header": Rule(
        "X-Pinecone-Api-Version must be YYYY-MM; missing or malformed, it returns 400 INVALID_ARGUMENT", _ASSUMED
    ),
    "any-version": Rule("any version of that form is accepted", _ASSUMED),
    "unknown-route": Rule("an unknown route returns 404 NOT_FOUND", _ASSUMED),
    "unemulated": Rule("a published route that is not emulated returns 501 UNIMPLEMENTED and its name", _OWN),
    "wrong-method": Rule("a known route with another method returns 405", _ASSUMED),
    "check-order": Rule(
        "checks: version header, token, route, validation, existence, permission, plan and quota, conflict", _ASSUMED
    ),
    "error-shape": Rule("an error is {status, error: {code, message}}, with optional details", _API),
    "request-id": Rule("every response has x-pinecone-request-id", _CLIENTS),
    "front-end-errors": Rule("some errors come from the front end and are text or HTML", _ASSUMED),
    "token-request": Rule(
        "a token request has client_id, client_secret, grant_type and audience, as JSON or as a form", _OAUTH
    ),
    "token-response": Rule("a token response has access_token, token_type Bearer and expires_in", _OAUTH),
    "token-lifetime": Rule("a token is valid for expires_in seconds and no longer; 1800 by default", _DISPUTED),
    "token-error-shape": Rule("an error of the token endpoint is {error, error_description}", _OAUTH),
    "token-credentials": Rule("wrong credentials return 401 access_denied", _OAUTH),
    "token-fields": Rule("a missing or malformed field of the token request returns 400 invalid_request", _OAUTH),
    "token-grant-type": Rule("another grant type returns 400 unsupported_grant_type", _OAUTH),
    "token-audience": Rule("another audience returns 403; the trailing slash is significant", _OAUTH),
    "token-rate-limit": Rule("too many token requests return 429 with Retry-After", _OAUTH),
    # Identifiers and values
    "uuids": Rule("the ids of projects, keys, users, invites, service accounts and bindings are UUIDs", _API),
    "organization-id": Rule("an organization's id is a free-form string", _API),
    "key-value": Rule("a key's value is pcsk_<label>_<unique>; sources disagree about the prefix", _DISPUTED),
    "client-credentials": Rule("a client id is 32 alphanumerics, a client secret 64 characters of [-_A-Za-z0-9]", _API),
    "secrets-once": Rule("a secret is returned by create or rotate only", _API),
    "key-fields": Rule("a key has the documented fields and created_at, which no document has", _LIVE),
    "user-name": Rule("a user's name is left out if it is not set", _API),
    "invite-times": Rule("an invite's expires_at and processed_at can be null", _API),
    "names-not-unique": Rule("names are not unique", _PAGES),
    # Status
    "created": Rule("creating a key or a service account returns 201; a project, an invite or a binding 200", _API),
    "changed": Rule("PATCH, resend and rotate return 200", _API),
    "deleted": Rule("a delete returns 202 without a body, takes effect at once, and returns 404 when repeated", _API),
    # Defaults and limits
    "max-pods": Rule("max_pods is 0 by default", _API),
    "pod-access": Rule("max_pods above 0 without pod access returns 400 INVALID_ARGUMENT", _PAGES),
    "pod-defaults": Rule("with pod access, what a project gets without max_pods, and the least, are settings", _LIVE),
    "encryption": Rule(
        "encryption is off by default and, once on, stays on; turning it off while it is off does nothing", _API
    ),
    "key-roles-default": Rule("a key gets the role ProjectEditor by default", _API),
    "key-roles-replaced": Rule("PATCH of a key's roles replaces them all", _API),
    "organization-name": Rule("an organization's name has 1 to 512 characters", _API),
    "project-name": Rule("a project's name has 1 to 512 characters and no NUL", _API),
    "key-name": Rule("a key's name has 1 to 80 characters", _API),
    "service-account-name": Rule("a service account's name has 1 to 80 bytes of UTF-8", _API),
    "email": Rule("an email has at most 254 characters; a malformed one returns 400 INVALID_ARGUMENT", _API),
    "invite-role-bindings": Rule(
        "an invite has 1 to 100 role bindings, at least one of them on the organization", _API
    ),
    "service-account-role-bindings": Rule("a service account is created with 0 to 100 role bindings", _API),
    "service-account-empty-patch": Rule(
        "PATCH of a service account without fields returns 200 and changes updated_at", _PAGES
    ),
    "fields": Rule("a missing or malformed field returns 400 INVALID_ARGUMENT, and the message names it", _API),
    # Lists
    "paged-lists": Rule("users, invites, service accounts and role bindings are paged, 100 a page by default", _API),
    "limit-range": Rule("a limit outside 1 to 100 returns 400 OUT_OF_RANGE", _PAGES),
    "page-token": Rule(
        "a page token is opaque; a foreign one, or one of other filters, returns 400 INVALID_ARGUMENT", _PAGES
    ),
    "last-page": Rule("pagination is null or absent on the last page", _API),
    "whole-lists": Rule("lists of organizations, projects and keys are not paged", _API),
    "email-filter": Rule(
        "the email filter of users ignores case; a malformed email returns 400 INVALID_ARGUMENT", _PAGES
    ),
    "invite-list": Rule("the list of invites has pending and expired ones; processed ones are found by id", _PAGES),
    "binding-filters": Rule("the filters of role bindings are combined with AND", _PAGES),
    "binding-filter-types": Rule(
        "principal_id requires principal_type, resource_id requires resource_type; otherwise 400", _PAGES
    ),
    # Roles
    "role-scopes": Rule(
        "four roles are for the organization, nine for a project; a wrong scope: 400 INVALID_ARGUMENT", _API
    ),
    "key-roles": Rule("an API key can have only the six Editor and Viewer roles, and only on its own project", _API),
    "member-first": Rule("a user must be a member before roles are bound to it", _PAGES),
    "role-union": Rule("a principal's permissions are the union of its role bindings", _PAGES),
    "bindings-immutable": Rule(
        "a role binding cannot be changed: to change a role, create one binding and delete the other", _API
    ),
    "organization-bindings": Rule(
        "an organization binding has the organization's id, whether it was sent or not", _PAGES
    ),
    "project-bindings": Rule("a project binding without resource_id returns 400 INVALID_ARGUMENT", _PAGES),
    "grant-rule": Rule("granting a role that the caller does not hold returns 403 PERMISSION_DENIED", _PARTLY),
    # Permissions: the rows of the matrix in `permissions`, then what holds for all of them
    "read-organization": Rule("every organization role sees the organization", _MATRIX),
    "update-organization": Rule("OrgOwner and OrgManager update the organization", _MATRIX),
    "delete-organization": Rule("only OrgOwner deletes the organization", _MATRIX),
    "read-principals": Rule("every organization role sees users, invites and service accounts", _MATRIX),
    "manage-members": Rule(
        "OrgOwner changes users and invites, OrgManager those that hold no role above its own", _MATRIX
    ),
    "manage-service-accounts": Rule(
        "OrgOwner changes service accounts, OrgManager those that hold no role above its own", _MATRIX
    ),
    "rotate-own-secret": Rule("a service account rotates its own secret, whatever its roles", _ASSUMED),
    "bind-on-organization": Rule("OrgOwner binds and revokes organization roles, OrgManager all but OrgOwner", _MATRIX),
    "create-project": Rule("OrgOwner, OrgManager and OrgMember create projects", _MATRIX),
    "read-projects": Rule(
        "OrgOwner sees every project, others those that they have a role on; lists leave out the rest", _MATRIX
    ),
    "manage-projects": Rule("OrgOwner updates and deletes every project, ProjectOwner its own", _MATRIX),
    "bind-on-project": Rule("OrgOwner binds and revokes roles on every project, ProjectOwner on its own", _MATRIX),
    "read-api-keys": Rule(
        "OrgOwner sees all API keys; a project's owner, manager and members those of their project", _MATRIX
    ),
    "manage-api-keys": Rule("OrgOwner changes all API keys, ProjectOwner those of its project", _MATRIX),
    "read-role-bindings": Rule(
        "everybody sees its own role bindings, a project's owner and manager those on it, "
        "and OrgOwner, OrgManager and OrgBillingAdmin all",
        _MATRIX,
    ),
    "invisible": Rule(
        "what a caller may not see returns 404 by id, and what it sees and may not do 403 PERMISSION_DENIED", _ASSUMED
    ),
    "organization-role": Rule("without an organization role, lists and creates beyond a project return 403", _ASSUMED),
    "creator-owns-project": Rule("who creates a project without owning all of them becomes its ProjectOwner", _ASSUMED),
    "open-permissions": Rule("by a setting of the emulator, only the rule on granting is enforced", _OWN),
    # Invites
    "invite-lifetime": Rule("an invite is valid for 7 days", _PAGES),
    "invite-resend": Rule("resend makes an invite pending for another 7 days, even an expired one", _PAGES),
    "invite-mails": Rule(
        "100 invite mails an hour, create and resend together; then 429 RESOURCE_EXHAUSTED, Retry-After", _PAGES
    ),
    "invite-accepted": Rule(
        "an accepted invite is processed, and its role bindings pass to a user with a new id", _PAGES
    ),
    "invite-processed": Rule("resending or binding a processed invite returns 409 ALREADY_EXISTS", _PAGES),
    # Refusals
    "unauthenticated": Rule("a missing, unknown, expired or revoked token returns 401 UNAUTHENTICATED", _API),
    "billing": Rule("creating under a payment status that forbids it returns 402", _PARTLY),
    "project-quota": Rule(
        "a project beyond the plan's 1 (Free), 20 (Standard) or 100 returns 403 QUOTA_EXCEEDED", _PARTLY
    ),
    "user-quota": Rule("a user beyond the plan's 2 on Free, or 5 on Builder, returns 403 QUOTA_EXCEEDED", _PARTLY),
    "key-quota": Rule(
        "a key beyond the quota of its project, 5 on the smallest plan, returns 403 PERMISSION_DENIED", _PAGES
    ),
    "plan-roles": Rule("a role that the plan does not include returns 403 PERMISSION_DENIED", _PARTLY),
    "plan-service-accounts": Rule(
        "creating, changing or rotating service accounts below Enterprise returns 403 FORBIDDEN", _LIVE
    ),
    "not-found": Rule(
        "anything that is not in the caller's organization returns 404 NOT_FOUND, as in Project … not found", _CLIENTS
    ),
    "binding-exists": Rule("an identical binding returns 409 ALREADY_EXISTS", _PAGES),
    "invite-pending": Rule(
        "an email with a pending invite returns 409 ALREADY_EXISTS and the message names the invite", _PAGES
    ),
    "invite-member": Rule("the email of a member returns 409 ALREADY_EXISTS", _PAGES),
    "last-owner": Rule("deleting the last OrgOwner binding of a user returns 409 ABORTED", _PAGES),
    "last-organization-role": Rule(
        "deleting a user's last organization role while it holds others returns 409 ABORTED", _PAGES
    ),
    "invite-organization-role": Rule("deleting a pending invite's last organization role returns 409 ABORTED", _PAGES),
    "invite-final": Rule("deleting a processed invite returns 409 ABORTED", _PAGES),
    "identity-provider": Rule("deleting a user whom an identity provider manages returns 409 ABORTED", _PAGES),
    "first-owner": Rule("a new organization has one user, who owns it", _ASSUMED),
    "project-contents": Rule(
        "a project that holds indexes, collections, assistants or backups, in this order, stays: 412", _PAGES
    ),
    "organization-deletion": Rule(
        "an organization that is not Free, is not Active or has projects cannot be deleted: 412", _PAGES
    ),
    # Revocation
    "project-keys": Rule("deleting a project deletes its keys", _PAGES),
    "account-tokens": Rule("deleting a service account revokes its tokens", _PAGES),
    "rotated-secret": Rule("a rotated secret is invalid at once", _PAGES),
    "rotated-tokens": Rule("rotating a secret revokes its tokens, unless configured otherwise", _DISPUTED),
}
"""Each rule by name."""
