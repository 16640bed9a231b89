"""The service under test, seen from outside: requests, expectations, and what is cleaned up afterwards."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Self, TypeAlias
from uuid import uuid4

import httpx
from attrs import define, field, frozen

MEMBER = {"resource_type": "organization", "role": "OrgMember"}
VERSION = "2026-07"
AUDIENCE = "https://api.pinecone.io/"

Document: TypeAlias = dict[str, Any]

_LACKING = {
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
class Credentials:
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
    credentials: Credentials
    mail_to: str | None = None
    patience: float = 10.0
    project: Document = field(factory=dict[str, Any], init=False)
    project_status: int = field(default=0, init=False)
    invite: Document = field(factory=dict[str, Any], init=False)
    invite_status: int = field(default=0, init=False)
    left: list[str] = field(factory=list[str], init=False)
    _created: list[str] = field(factory=list[str], init=False)
    _token: str | None = field(default=None, init=False)

    # Token endpoint

    def exchange(self, **changes: str | None) -> httpx.Response:
        """Ask for a token, with fields changed or, where None, left out."""
        told = {
            "client_id": self.credentials.client_id,
            "client_secret": self.credentials.client_secret,
            "grant_type": "client_credentials",
            "audience": AUDIENCE,
        } | changes
        fields = {name: value for name, value in told.items() if value is not None}
        return self.http.post(self.oauth_url, json=fields, headers={"X-Pinecone-Api-Version": VERSION})

    @property
    def token(self) -> str:
        """An access token, the same for all requests."""
        if self._token is None:
            self._token = str(expect(self.exchange(), 200)["access_token"])
        return self._token

    def as_account(self, credentials: Credentials) -> Self:
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
        told = {"Authorization": f"Bearer {self.token}", "X-Pinecone-Api-Version": VERSION} | (headers or {})
        kept = {name: value for name, value in told.items() if value is not None}
        return self.http.request(method, path, params=params, json=json, headers=kept)

    def get(self, path: str, **params: str) -> Document:
        """Return what a path shows."""
        return expect(self.send("GET", path, params=params), 200)

    def create(self, path: str, body: Document, status: int) -> Document:
        """Create something that is deleted again at the end, where the account lacks nothing that it needs."""
        answer = self._post(path, json=body)
        self._require_means(path, answer)
        return expect(answer, status)

    def _post(self, path: str, **request: Any) -> httpx.Response:
        answer = self.send("POST", path, **request)
        if answer.is_success:
            self._created.append(_location(path, answer.json()))
        return answer

    def _require_means(self, path: str, answer: httpx.Response) -> None:
        lacking = _LACKING.get((path, shown(answer)))
        if answer.status_code == 402:  # noqa: PLR2004
            lacking = "the organization's billing state forbids creating"
        if lacking:
            raise SkippedError(lacking)

    def delete(self, path: str) -> None:
        """Delete something."""
        answer = self.send("DELETE", path)
        require(answer.status_code == 202, f"DELETE answered {shown(answer)}, not 202")  # noqa: PLR2004
        require(not answer.content, f"DELETE answered with a body: {answer.text[:80]!r}")
        if path in self._created:
            self._created.remove(path)

    def refuses(self, status: int, code: str, method: str, path: str, **request: Any) -> Document:
        """Require that a request is refused with a status and code; what it made nevertheless is deleted at the end."""
        answer = self._post(path, **request) if method == "POST" else self.send(method, path, **request)
        expect_refusal(answer, status, code)
        error: Document = answer.json()["error"]
        return error

    def work_in_own_project(self) -> None:
        """Create the project that the checks work in, with whatever status."""
        self.project, self.project_status = self._made("/admin/projects", {"name": f"conformance-{uuid4().hex[:8]}"})

    def invite_somebody(self) -> None:
        """Create the invite that the checks look at, with whatever status, and mail it."""
        body = {"email": self.mail_to, "role_bindings": [MEMBER]}
        self.invite, self.invite_status = self._made("/admin/invites", body)

    def _made(self, path: str, body: Document) -> tuple[Document, int]:
        answer = self._post(path, json=body)
        self._require_means(path, answer)
        require(answer.is_success, f"POST {path} answered {shown(answer)}")
        document: Document = answer.json()
        return document, answer.status_code

    def eventually(self, holds: Callable[[], None]) -> None:
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
    def cleaned_up(self) -> Generator[None, None, None]:
        """Delete whatever is created meanwhile and still there, and note in `left` what cannot be deleted."""
        before = len(self._created)
        try:
            yield
        finally:
            while len(self._created) > before:
                self._delete_again(self._created[-1])
                self._created.pop()  # not before: whoever interrupts this leaves it to the next to clean up

    def _delete_again(self, path: str) -> None:
        try:
            result = shown(self.send("DELETE", path))
        except (httpx.HTTPError, DiffersError) as error:
            result = str(error)
        if not result.startswith(("202", "404")):
            self.left.append(f"{path}: {result}")


def _location(path: str, document: Document) -> str:
    """Return the path of what was created: keys are created below a project, and live beside it."""
    record = document.get("key") or document.get("service_account") or document
    return f"/admin/{'api-keys' if path.endswith('/api-keys') else path.split('/')[2]}/{record['id']}"


def shown(answer: httpx.Response) -> str:
    """Return an answer in a few words."""
    try:
        code = answer.json()["error"]
        return f"{answer.status_code} {code['code'] if isinstance(code, dict) else code}"
    except (ValueError, KeyError, TypeError):
        return f"{answer.status_code} ({answer.headers.get('content-type', 'no body')})"


def require(condition: object, difference: str) -> None:
    """Require what the rule says."""
    if not condition:
        raise DiffersError(difference)


def expect(answer: httpx.Response, status: int) -> Document:
    """Require a success with a status, and return its document."""
    request = f"{answer.request.method} {answer.request.url.path}"
    require(answer.status_code == status, f"{request} answered {shown(answer)}, not {status}")
    document: Document = answer.json()
    return document


def expect_refusal(answer: httpx.Response, status: int, code: str) -> None:
    """Require a refusal with a status and code."""
    request = f"{answer.request.method} {answer.request.url.path}"
    got, wanted = shown(answer), f"{status} {code}"
    require(got == wanted, f"{request} answered {got}, not {wanted}")


Check: TypeAlias = Callable[[Service], None]
