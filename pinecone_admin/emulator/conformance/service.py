"""The service under test, seen from outside: requests, expectations, and what is cleaned up afterwards."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Self, TypeAlias
from uuid import uuid4

import httpx
from attrs import define, field, frozen

MEMBER_ROLE = {"resource_type": "organization", "role": "OrgMember"}
VERSION = "2026-07"
AUDIENCE = "https://api.pinecone.io/"

JSONObject: TypeAlias = dict[str, Any]

_LACKING_REASONS = {
    ("/admin/projects", "403 QUOTA_EXCEEDED"): "there is no room for another project",
    ("/admin/service-accounts", "403 FORBIDDEN"): "the plan has no service accounts",
    ("/admin/invites", "429 RESOURCE_EXHAUSTED"): "no more invites may be mailed within this hour",
}
"""Refusals to create something that say what the account lacks, and not that the service differs."""


class DiffersError(Exception):
    """The service does something else than the rule says."""


class SkippedError(Exception):
    """The rule cannot be checked with this account."""


@frozen
class AccountCredentials:
    """Those of a service account."""

    client_id: str
    client_secret: str = field(repr=False)


@define
class Service:
    """An Admin API and its token endpoint.

    Args:
        http: sends everything.
        oauth_url: the token endpoint, with its path.
        credentials: of a service account that owns its organization.
        mail_to: an address that an invite may be mailed to.
        patience: seconds to wait for what the service does within seconds.
    """

    http: httpx.Client
    oauth_url: str
    credentials: AccountCredentials
    mail_to: str | None = None
    patience: float = 10.0
    project: JSONObject = field(factory=dict[str, Any], init=False)
    project_status: int = field(default=0, init=False)
    invite: JSONObject = field(factory=dict[str, Any], init=False)
    invite_status: int = field(default=0, init=False)
    leftovers: list[str] = field(factory=list[str], init=False)
    _created: list[str] = field(factory=list[str], init=False)
    _token: str | None = field(default=None, init=False)

    # Token endpoint

    def request_token(self, **changes: str | None) -> httpx.Response:
        """Ask for a token, with fields changed or, where None, left out."""
        form = {
            "client_id": self.credentials.client_id,
            "client_secret": self.credentials.client_secret,
            "grant_type": "client_credentials",
            "audience": AUDIENCE,
        } | changes
        fields = {name: value for name, value in form.items() if value is not None}
        return self.http.post(self.oauth_url, json=fields, headers={"X-Pinecone-Api-Version": VERSION})

    @property
    def token(self) -> str:
        """An access token, the same for all requests."""
        if self._token is None:
            self._token = str(expect_success(self.request_token(), 200)["access_token"])
        return self._token

    def as_account(self, credentials: AccountCredentials) -> Self:
        """Return the same service as another service account sees it."""
        return type(self)(self.http, self.oauth_url, credentials)

    # Admin API

    def send(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None = None,
        json: object = None,
        headers: dict[str, str | None] | None = None,
    ) -> httpx.Response:
        """Send a request with a token; a header that is None is left out."""
        defaults = {"Authorization": f"Bearer {self.token}", "X-Pinecone-Api-Version": VERSION}
        kept = {name: value for name, value in (defaults | (headers or {})).items() if value is not None}
        return self.http.request(method, path, params=params, json=json, headers=kept)

    def get(self, path: str, **params: str) -> JSONObject:
        """Return what a path shows."""
        return expect_success(self.send("GET", path, params=params), 200)

    def create(self, path: str, body: JSONObject, status: int) -> JSONObject:
        """Create something that is deleted again at the end, where the account lacks nothing that it needs."""
        response = self._post(path, json=body)
        self._skip_if_lacking(path, response)
        return expect_success(response, status)

    def _post(self, path: str, **request: Any) -> httpx.Response:
        response = self.send("POST", path, **request)
        if response.is_success:
            self._created.append(_created_path(path, response.json()))
        return response

    def _skip_if_lacking(self, path: str, response: httpx.Response) -> None:
        lacking = _LACKING_REASONS.get((path, summarize(response)))
        if response.status_code == 402:  # noqa: PLR2004
            lacking = "the organization's billing state forbids creating"
        if lacking:
            raise SkippedError(lacking)

    def delete(self, path: str) -> None:
        """Delete something."""
        response = self.send("DELETE", path)
        require(response.status_code == 202, f"DELETE answered {summarize(response)}, not 202")  # noqa: PLR2004
        require(not response.content, f"DELETE answered with a body: {response.text[:80]!r}")
        if path in self._created:
            self._created.remove(path)

    def expect_refusal(self, status: int, code: str, method: str, path: str, **request: Any) -> JSONObject:
        """Require that a request is refused with a status and code; what it made nevertheless is deleted at the end."""
        response = self._post(path, **request) if method == "POST" else self.send(method, path, **request)
        expect_refusal(response, status, code)
        error: JSONObject = response.json()["error"]
        return error

    def create_project(self) -> None:
        """Create the project that the checks work in, with whatever status."""
        self.project, self.project_status = self._create_with_any_status(
            "/admin/projects", {"name": f"conformance-{uuid4().hex[:8]}"}
        )

    def create_invite(self) -> None:
        """Create the invite that the checks look at, with whatever status, and mail it."""
        body = {"email": self.mail_to, "role_bindings": [MEMBER_ROLE]}
        self.invite, self.invite_status = self._create_with_any_status("/admin/invites", body)

    def _create_with_any_status(self, path: str, body: JSONObject) -> tuple[JSONObject, int]:
        response = self._post(path, json=body)
        self._skip_if_lacking(path, response)
        require(response.is_success, f"POST {path} answered {summarize(response)}")
        document: JSONObject = response.json()
        return document, response.status_code

    def wait_until(self, holds: Callable[[], None]) -> None:
        """Wait for what has to hold within seconds."""
        end = time.monotonic() + self.patience
        while True:
            try:
                holds()
            except DiffersError:
                if time.monotonic() >= end:
                    raise
                time.sleep(min(1.0, self.patience))
            else:
                return

    @contextmanager
    def clean_up(self) -> Generator[None, None, None]:
        """Delete whatever is created meanwhile and still there, and note in `left` what cannot be deleted."""
        before = len(self._created)
        try:
            yield
        finally:
            while len(self._created) > before:
                self._delete_leftover(self._created[-1])
                self._created.pop()  # not before: whoever interrupts this leaves it to the next to clean up

    def _delete_leftover(self, path: str) -> None:
        try:
            result = summarize(self.send("DELETE", path))
        except (httpx.HTTPError, DiffersError) as error:
            result = str(error)
        if not result.startswith(("202", "404")):
            self.leftovers.append(f"{path}: {result}")


def _created_path(path: str, document: JSONObject) -> str:
    """Return the path of what was created: keys are created below a project, and live beside it."""
    record = document.get("key") or document.get("service_account") or document
    return f"/admin/{'api-keys' if path.endswith('/api-keys') else path.split('/')[2]}/{record['id']}"


def summarize(response: httpx.Response) -> str:
    """Return an answer in a few words."""
    try:
        code = response.json()["error"]
        return f"{response.status_code} {code['code'] if isinstance(code, dict) else code}"
    except (ValueError, KeyError, TypeError):
        return f"{response.status_code} ({response.headers.get('content-type', 'no body')})"


def require(condition: object, difference: str) -> None:
    """Require what the rule says."""
    if not condition:
        raise DiffersError(difference)


def expect_success(response: httpx.Response, status: int) -> JSONObject:
    """Require a success with a status, and return its document."""
    request = f"{response.request.method} {response.request.url.path}"
    require(response.status_code == status, f"{request} answered {summarize(response)}, not {status}")
    document: JSONObject = response.json()
    return document


def expect_refusal(response: httpx.Response, status: int, code: str) -> None:
    """Require a refusal with a status and code."""
    request = f"{response.request.method} {response.request.url.path}"
    actual, expected = summarize(response), f"{status} {code}"
    require(actual == expected, f"{request} answered {actual}, not {expected}")


RuleCheck: TypeAlias = Callable[[Service], None]
