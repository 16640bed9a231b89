"""Checks that change nothing. A function's docstring says what the check does; the catalogue says what must come."""

import json
from base64 import urlsafe_b64decode
from itertools import product

import httpx

from tests.conformance.registry import check
from tests.conformance.service import (
    JSONObject,
    Service,
    SkippedError,
    expect_success,
    require,
    summarize,
)

PAGED_LISTS = ("/admin/users", "/admin/invites", "/admin/service-accounts", "/admin/role-bindings")
UNKNOWN_ID = "4f6a1e0c-8f2b-4c1a-9d3e-1b2c3d4e5f60"


# Wire


@check("version-header")
def version_header(service: Service) -> None:
    """Send two version headers that are not a month."""
    for version in ("latest", "2026-13"):
        service.expect_refusal(
            400, "INVALID_ARGUMENT", "GET", "/admin/projects", headers={"X-Pinecone-Api-Version": version}
        )


@check("no-version")
def no_version(service: Service) -> None:
    """Send no version header."""
    expect_success(service.send("GET", "/admin/organizations", headers={"X-Pinecone-Api-Version": None}), 200)


@check("any-version")
def any_version(service: Service) -> None:
    """Send other months as the version."""
    for version in ("2025-10", "2026-04"):
        expect_success(service.send("GET", "/admin/organizations", headers={"X-Pinecone-Api-Version": version}), 200)


@check("unauthenticated")
def unauthenticated(service: Service) -> None:
    """Send no token, an unknown one, and another scheme."""
    for authorization in (None, "Bearer nobody", "Basic bm9ib2R5"):
        service.expect_refusal(
            401, "UNAUTHENTICATED", "GET", "/admin/projects", headers={"Authorization": authorization}
        )


@check("unknown-route")
def unknown_route(service: Service) -> None:
    """Request an unknown path."""
    service.expect_refusal(404, "NOT_FOUND", "GET", "/admin/nowhere")


@check("check-order")
def check_order(service: Service) -> None:
    """Send a request with several mistakes, then with one mistake less each time."""
    nobody: dict[str, str | None] = {"Authorization": None}
    malformed = nobody | {"X-Pinecone-Api-Version": "latest"}
    service.expect_refusal(400, "INVALID_ARGUMENT", "GET", "/admin/nowhere", headers=malformed)
    service.expect_refusal(401, "UNAUTHENTICATED", "GET", "/admin/nowhere", headers=nobody)
    service.expect_refusal(400, "OUT_OF_RANGE", "GET", "/admin/users", params={"limit": "0"})


@check("error-shape")
def error_shape(service: Service) -> None:
    """Inspect an error of the API."""
    document = service.send("GET", f"/admin/projects/{UNKNOWN_ID}").json()
    require(set(document) == {"status", "error"}, f"an error has the fields {sorted(document)}")
    require(document["status"] == 404, f"status is {document['status']}")
    require(set(document["error"]) - {"details"} == {"code", "message"}, f"error has {sorted(document['error'])}")


@check("request-id")
def request_id(service: Service) -> None:
    """Inspect the headers of a success and of an error."""
    for path in ("/admin/organizations", "/admin/nowhere"):
        headers = service.send("GET", path).headers
        require(headers.get("x-pinecone-request-id"), f"GET {path} has no x-pinecone-request-id")


# Token endpoint


@check("token-response")
def token_response(service: Service) -> None:
    """Inspect a token response, except for the token itself."""
    document = expect_success(service.request_token(), 200)
    require(isinstance(document.get("access_token"), str), "access_token is not a string")
    require(document.get("token_type") == "Bearer", f"token_type is {document.get('token_type')!r}")
    require(type(document.get("expires_in")) is int, f"expires_in is {document.get('expires_in')!r}")


@check("token-form")
def token_form(service: Service) -> None:
    """Decode the claims of a token, without showing it."""
    parts = expect_success(service.request_token(), 200)["access_token"].split(".")
    require(len(parts) == 3, f"the number of parts of a token is {len(parts)}")
    claims = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    require(isinstance(claims.get("exp"), int), "a token has no time of expiry")


@check("token-request")
def token_request(service: Service) -> None:
    """Request a token with a form."""
    form = {
        "client_id": service.credentials.client_id,
        "client_secret": service.credentials.client_secret,
        "grant_type": "client_credentials",
        "audience": "https://api.pinecone.io/",
    }
    expect_success(service.http.post(service.oauth_url, data=form), 200)


@check("token-credentials")
def token_credentials(service: Service) -> None:
    """Request a token with an unknown client id."""
    expect_oauth_refusal(service.request_token(client_id="0" * 32), 401, "access_denied")


@check("token-fields")
def token_fields(service: Service) -> None:
    """Request a token without a client id."""
    expect_oauth_refusal(service.request_token(client_id=None), 400, "invalid_request")


@check("token-grant-type")
def token_grant_type(service: Service) -> None:
    """Request a token with an unknown grant type."""
    expect_oauth_refusal(service.request_token(grant_type="implicit"), 400, "unsupported_grant_type")


@check("token-audience")
def token_audience(service: Service) -> None:
    """Request a token for the audience without its trailing slash."""
    response = service.request_token(audience="https://api.pinecone.io")
    require(summarize(response).startswith("403"), f"without the slash, it returned {summarize(response)}, not 403")


@check("token-error-shape")
def token_error_shape(service: Service) -> None:
    """Inspect an error of the token endpoint."""
    document = service.request_token(grant_type="implicit").json()
    require(set(document) == {"error", "error_description"}, f"an error has the fields {sorted(document)}")


def expect_oauth_refusal(response: httpx.Response, status: int, error: str) -> None:
    """Require an error of the token endpoint."""
    require(
        summarize(response) == f"{status} {error}",
        f"the token endpoint returned {summarize(response)}, not {status} {error}",
    )


# Lists


@check("paged-lists")
def paged_lists(service: Service) -> None:
    """Fetch the first three records of each list one by one."""
    for path in PAGED_LISTS:
        whole = [record["id"] for record in service.get(path)["data"]]
        require(len(whole) <= 100, f"{path} returned more than 100 records without a limit: {len(whole)}")
        pages = [[record["id"] for record in page["data"]] for page in _fetch_pages(service, path, 3)]
        require(all(len(page) <= 1 for page in pages), f"{path} returned several records with limit=1: {len(pages[0])}")
        walked = [each for page in pages for each in page]
        require(walked == whole[: len(walked)], f"{path} returns other records one by one than at once")


@check("last-page")
def last_page(service: Service) -> None:
    """Inspect the pagination of each list that fits on one page."""
    for path in PAGED_LISTS:
        page = service.get(path)
        if len(page["data"]) < 100:
            require(page.get("pagination") is None, f"{path} has another page after one of length {len(page['data'])}")


def _fetch_pages(service: Service, path: str, most: int) -> list[JSONObject]:
    pages: list[JSONObject] = []
    query: dict[str, str] = {"limit": "1"}
    while len(pages) < most:
        pages.append(service.get(path, **query))
        next_token = _next_token(pages[-1])
        if not next_token:
            break
        query["paginationToken"] = next_token
    return pages


def _next_token(page: JSONObject) -> str | None:
    pagination: JSONObject | None = page.get("pagination")
    return pagination.get("next") if pagination else None


@check("limit-range")
def limit_range(service: Service) -> None:
    """Send limits that are too small and too large."""
    for path, limit in product(PAGED_LISTS, ("0", "101")):
        service.expect_refusal(400, "OUT_OF_RANGE", "GET", path, params={"limit": limit})


@check("page-token")
def page_token(service: Service) -> None:
    """Send an unknown page token, and one of another list."""
    for path in PAGED_LISTS:
        service.expect_refusal(400, "INVALID_ARGUMENT", "GET", path, params={"paginationToken": "nobody"})
    next_token = _next_token(service.get("/admin/role-bindings", limit="1"))
    if next_token:
        service.expect_refusal(400, "INVALID_ARGUMENT", "GET", "/admin/users", params={"paginationToken": next_token})


@check("whole-lists")
def whole_lists(service: Service) -> None:
    """Request lists with limit=1, which must be ignored."""
    for path in ("/admin/organizations", "/admin/projects"):
        whole, limited = service.get(path), service.get(path, limit="1")
        require(len(limited["data"]) == len(whole["data"]), f"{path} respects a limit")
        require(not whole.get("pagination"), f"{path} is paged")


@check("email-filter")
def email_filter(service: Service) -> None:
    """Filter by a malformed email, and by a user's email in upper case."""
    service.expect_refusal(400, "INVALID_ARGUMENT", "GET", "/admin/users", params={"email": "nobody"})
    users = service.get("/admin/users", limit="1")["data"]
    if users:
        found = service.get("/admin/users", email=users[0]["email"].upper())["data"]
        require([user["id"] for user in found] == [users[0]["id"]], "an email in upper case does not find its user")


@check("invite-list")
def invite_list(service: Service) -> None:
    """Inspect the statuses of the listed invites."""
    statuses = {invite["status"] for invite in service.get("/admin/invites")["data"]}
    require(statuses <= {"pending", "expired"}, f"the list of invites has the statuses {sorted(statuses)}")


@check("binding-filters")
def binding_filters(service: Service) -> None:
    """Filter by all fields of a binding, then with another role."""
    names = ("principal_type", "principal_id", "resource_type", "resource_id", "role")
    for binding in service.get("/admin/role-bindings", limit="3")["data"]:
        filters = {name: binding[name] for name in names}
        found = service.get("/admin/role-bindings", **filters)["data"]
        require(
            [each["id"] for each in found] == [binding["id"]],
            f"{filters} does not find this one binding alone, but in all {len(found)}",
        )
        filters["role"] = "OrgMember" if binding["role"] == "OrgOwner" else "OrgOwner"
        found = service.get("/admin/role-bindings", **filters)["data"]
        require(binding["id"] not in [each["id"] for each in found], f"{filters} finds a {binding['role']}")


@check("binding-filters-empty")
def binding_filters_empty(service: Service) -> None:
    """Send each filter of bindings without a value, and all of them."""
    names = ("principal_type", "principal_id", "resource_type", "resource_id", "role")
    whole = [each["id"] for each in service.get("/admin/role-bindings")["data"]]
    for filters in (*({name: ""} for name in names), dict.fromkeys(names, "")):
        found = [each["id"] for each in service.get("/admin/role-bindings", **filters)["data"]]
        require(found == whole, f"the empty filters {sorted(filters)} leave {len(found)} of {len(whole)} bindings")


@check("binding-filter-types")
def binding_filter_types(service: Service) -> None:
    """Filter by an id without its type."""
    for name in ("principal_id", "resource_id"):
        service.expect_refusal(400, "INVALID_ARGUMENT", "GET", "/admin/role-bindings", params={name: UNKNOWN_ID})


@check("not-found")
def not_found(service: Service) -> None:
    """Request unknown ids of every kind."""
    kinds = ("projects", "api-keys", "users", "invites", "service-accounts", "role-bindings", "organizations")
    for kind in kinds:
        service.expect_refusal(404, "NOT_FOUND", "GET", f"/admin/{kind}/{UNKNOWN_ID}")
    service.expect_refusal(404, "NOT_FOUND", "GET", f"/admin/projects/{UNKNOWN_ID}/api-keys")


# Records


@check("user-name")
def user_name(service: Service) -> None:
    """Inspect the names of the users."""
    named = [user for user in service.get("/admin/users")["data"] if "name" in user]
    if not named:
        raise SkippedError("no user has a name")
    require(all(isinstance(user["name"], str) for user in named), "a user's name is not a string")


@check("organization-bindings")
def organization_bindings(service: Service) -> None:
    """Inspect the role bindings on the organization."""
    organization_ids = {each["id"] for each in service.get("/admin/organizations")["data"]}
    found = {each["resource_id"] for each in service.get("/admin/role-bindings", resource_type="organization")["data"]}
    require(
        found <= organization_ids,
        f"organization bindings name {sorted(found - organization_ids)}, which is not an organization of the caller",
    )
