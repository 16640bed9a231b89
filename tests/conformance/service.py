"""The service under test: requests to it, expectations of it, and cleaning up."""

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
    ("/admin/invites", "429 RESOURCE_EXHAUSTED"): "no more invites may be mailed in this hour",
}
"""Refusals to create something that show what the account lacks; they are no difference from the rules."""


class DiffersError(Exception):
    """The service differs from the rule."""


class SkippedError(Exception):
    """The rule cannot be checked with this account."""


@frozen
class AccountCredentials:
    """The client credentials of a service account."""

    client_id: str
    client_secret: str = field(repr=False)


@define
class Service:
    """An Admin API and its token endpoint.

    Args:
        http: The client that sends all requests.
        oauth_url: The URL of the token endpoint.
        credentials: The credentials of a service account that owns its organization.
        mail_to: An address to which an invite may be mailed.
        patience: Seconds to wait for changes that take effect with a delay.
        sleep: Waits for a number of seconds.

    Attributes:
        project: The project in which the checks work.
        project_status: The status with which it was created.
        invite: The invite that the checks inspect.
        invite_status: The status with which it was created.
        leftovers: What could not be deleted.
    """

    http: httpx.Client
    oauth_url: str
    credentials: AccountCredentials
    mail_to: str | None = None
    patience: float = 10.0
    sleep: Callable[[float], None] = time.sleep
    project: JSONObject = field(factory=dict[str, Any], init=False)
    project_status: int = field(default=0, init=False)
    invite: JSONObject = field(factory=dict[str, Any], init=False)
    invite_status: int = field(default=0, init=False)
    leftovers: list[str] = field(factory=list[str], init=False)
    _created: list[str] = field(alias="created", factory=list[str], kw_only=True)
    _token: str | None = field(default=None, init=False)

    # Token endpoint

    def request_token(self, **changes: str | None) -> httpx.Response:
        """Request a token, with some fields changed; a field that is None is left out."""
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
        """The access token of all requests."""
        if self._token is None:
            self._token = str(expect_success(self.request_token(), 200)["access_token"])
        return self._token

    def use_token(self, token: str) -> None:
        """Use an access token that an earlier run has requested."""
        self._token = token

    def as_account(self, credentials: AccountCredentials) -> Self:
        """Return the same service with the credentials of another service account."""
        # What it creates is deleted by this account, which may do so.
        return type(self)(self.http, self.oauth_url, credentials, created=self._created)

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
        """Send a request with the access token; a header that is None is left out."""
        defaults = {"Authorization": f"Bearer {self.token}", "X-Pinecone-Api-Version": VERSION}
        kept = {name: value for name, value in (defaults | (headers or {})).items() if value is not None}
        return self.http.request(method, path, params=params, json=json, headers=kept)

    def get(self, path: str, **params: str) -> JSONObject:
        """Return the document at a path."""
        return expect_success(self.send("GET", path, params=params), 200)

    def create(self, path: str, body: JSONObject, *statuses: int) -> JSONObject:
        """Create something, to be deleted at the end; skip the check if the account lacks something it needs.

        Args:
            path: The path of the list.
            body: What to create.
            statuses: The statuses that a success may have; any, if there are none.
        """
        return self._create(path, body, *statuses)[0]

    def _create(self, path: str, body: JSONObject, *statuses: int) -> tuple[JSONObject, int]:
        response = self._post(path, json=body)
        # Before the status is compared: what the account lacks is no difference.
        self._skip_if_lacking(path, response)
        accepted = response.status_code in statuses if statuses else response.is_success
        expected = " or ".join(map(str, statuses)) or "a success"
        require(accepted, f"POST {path} returned {summarize(response)}, not {expected}")
        document: JSONObject = response.json()
        return document, response.status_code

    def _post(self, path: str, **request: Any) -> httpx.Response:
        response = self.send("POST", path, **request)
        if response.is_success:
            self._created.append(_created_path(path, response.json()))
        return response

    def _skip_if_lacking(self, path: str, response: httpx.Response) -> None:
        lacking = _LACKING_REASONS.get((path, summarize(response)))
        if response.status_code == 402:
            lacking = "the organization's payment status forbids creating"
        if lacking:
            raise SkippedError(lacking)

    def delete(self, path: str) -> None:
        """Delete something, which must succeed."""
        response = self.send("DELETE", path)
        require(response.status_code == 202, f"DELETE returned {summarize(response)}, not 202")
        require(not response.content, f"DELETE returned a body: {response.text[:80]!r}")
        if path in self._created:
            self._created.remove(path)

    def expect_refusal(self, status: int, code: str, method: str, path: str, **request: Any) -> JSONObject:
        """Require that a request is refused; if it creates something instead, that is deleted at the end."""
        response = self._post(path, **request) if method == "POST" else self.send(method, path, **request)
        expect_refusal(response, status, code)
        error: JSONObject = response.json()["error"]
        return error

    def create_project(self) -> None:
        """Create the project in which the checks work; a check looks at the status later."""
        self.project, self.project_status = self._create("/admin/projects", {"name": f"conformance-{uuid4().hex[:8]}"})

    def create_invite(self) -> None:
        """Create and mail the invite that the checks inspect; a check looks at the status later."""
        body = {"email": self.mail_to, "role_bindings": [MEMBER_ROLE]}
        self.invite, self.invite_status = self._create("/admin/invites", body)

    def wait_until(self, holds: Callable[[], None]) -> None:
        """Wait until an expectation holds, at most as long as `patience`."""
        end = time.monotonic() + self.patience
        while True:
            try:
                holds()
            except DiffersError:
                if time.monotonic() >= end:
                    raise
                self.sleep(min(1.0, self.patience))
            else:
                return

    @contextmanager
    def clean_up(self) -> Generator[None, None, None]:
        """Delete whatever is created inside, and note in `leftovers` what cannot be deleted."""
        before = len(self._created)
        try:
            yield
        finally:
            while len(self._created) > before:
                self._delete_leftover(self._created[-1])
                self._created.pop()  # only now: after an interruption, the outer context deletes the rest

    def _delete_leftover(self, path: str) -> None:
        try:
            result = summarize(self.send("DELETE", path))
        except (httpx.HTTPError, DiffersError) as error:
            result = str(error)
        # 404 is fine: the check has deleted it itself, or with its project.
        if not result.startswith(("202", "404")):
            self.leftovers.append(f"{path}: {result}")


def _created_path(path: str, document: JSONObject) -> str:
    # An API key is created below its project and has a path of its own.
    record = document.get("key") or document.get("service_account") or document
    return f"/admin/{'api-keys' if path.endswith('/api-keys') else path.split('/')[2]}/{record['id']}"


def summarize(response: httpx.Response) -> str:
    """Return the status of a response and its error code, or its content type."""
    try:
        code = response.json()["error"]
        return f"{response.status_code} {code['code'] if isinstance(code, dict) else code}"
    except (ValueError, KeyError, TypeError):
        return f"{response.status_code} ({response.headers.get('content-type', 'no body')})"


def require(condition: object, difference: str) -> None:
    """Raise `DiffersError` with a message unless a condition holds."""
    if not condition:
        raise DiffersError(difference)


def expect_success(response: httpx.Response, status: int) -> JSONObject:
    """Require a status, and return the document of the response."""
    request = f"{response.request.method} {response.request.url.path}"
    require(response.status_code == status, f"{request} returned {summarize(response)}, not {status}")
    document: JSONObject = response.json()
    return document


def expect_refusal(response: httpx.Response, status: int, code: str) -> None:
    """Require an error with a status and code."""
    request = f"{response.request.method} {response.request.url.path}"
    actual, expected = summarize(response), f"{status} {code}"
    require(actual == expected, f"{request} returned {actual}, not {expected}")


RuleCheck: TypeAlias = Callable[[Service], None]
