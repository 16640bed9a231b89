"""Recordings: the requests and responses of the checks, without the values of the organization."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from attrs import define, field, frozen

from tests.conformance.audit import audit
from tests.conformance.read_checks import PAGED_LISTS
from tests.conformance.sanitizer import Exchange, Line, Sanitizer
from tests.conformance.service import VERSION, AccountCredentials, JSONObject, Service

PRODUCTION = "https://api.pinecone.io"
TOKEN_PATH = "/oauth/token"
SUFFIX = ".jsonl"
FORM = 1

MOST_PAGES = 100
"""The number of pages of a list that are read at first, with up to ten thousand records."""


@define
class RecordingTransport(httpx.BaseTransport):
    """Sends requests through another transport, and records them with their responses.

    Args:
        inner: The transport that sends them.
        oauth_url: The URL of the token endpoint.
        arguments: The private arguments of the run, each with the name of its field.

    Attributes:
        rule: The name of the rule that is checked.
        exchanges: The requests and responses, with all values. They never leave the memory.
    """

    inner: httpx.BaseTransport
    oauth_url: str
    arguments: Sequence[tuple[str, str]]
    rule: str = field(default="", init=False)
    exchanges: list[Exchange] = field(factory=list[Exchange], init=False)
    _started: float = field(factory=time.monotonic, init=False)
    _start: datetime | None = field(default=None, init=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and record it with its response. A request without a response is not recorded."""
        body = request.read()
        sent = time.monotonic() - self._started
        response = self.inner.handle_request(request)
        response.read()
        if self._start is None:
            # The service's time, because the clock of this machine can differ.
            date = response.headers.get("date")
            self._start = parsedate_to_datetime(date) if date else datetime.now(UTC).replace(microsecond=0)
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        self.exchanges.append(
            Exchange(
                self.rule,
                self._start + timedelta(seconds=sent),
                request.method,
                TOKEN_PATH if str(request.url) == self.oauth_url else path,
                query,
                dict(request.headers),
                body,
                response.status_code,
                dict(response.headers),
                response.content,
            )
        )
        # Decoded already: with the header, httpx would decode it again.
        headers = [each for each in response.headers.raw if each[0].lower() not in _CODING]
        return httpx.Response(response.status_code, headers=headers, content=response.content, request=request)

    def close(self) -> None:
        """Close the other transport."""
        self.inner.close()

    def sanitize(self, sanitizer: type[Sanitizer] = Sanitizer) -> list[Line]:
        """Return the requests and responses, with placeholders in place of the organization's values.

        Raises:
            LeakError: A value would be in it; the error names the place.
        """
        replacing = sanitizer(self._start or datetime.now(UTC))
        replacing.bring(self.arguments)
        lines = [replacing.sanitize(each) for each in self.exchanges]
        audit(self.exchanges, [value for _, value in self.arguments], lines)
        return lines


_CODING = (b"content-encoding", b"content-length", b"transfer-encoding")


def list_arguments(credentials: AccountCredentials, mail_to: str | None) -> list[tuple[str, str]]:
    """Return the arguments of a run that are private, each with the name of its field."""
    given = [("client_id", credentials.client_id), ("client_secret", credentials.client_secret)]
    return [*given, ("email", mail_to)] if mail_to else given


def read_first(service: Service) -> None:
    """Read the records of the organization. A replay begins with an emulator that has the same records."""
    for organization in _read_list(service, "/admin/organizations")[:1]:
        service.send("GET", f"/admin/organizations/{organization['id']}")
    projects = _read_list(service, "/admin/projects")
    keys = [key for project in projects for key in _read_list(service, f"/admin/projects/{project['id']}/api-keys")]
    for path, records in (("/admin/projects", projects), ("/admin/api-keys", keys)):
        for record in records[:1]:
            service.send("GET", f"{path}/{record['id']}")
    for path in PAGED_LISTS:
        for record in _read_list(service, path)[:1]:
            service.send("GET", f"{path}/{record['id']}")


def _read_list(service: Service, path: str) -> list[JSONObject]:
    """Return the records of all pages of a list. A list that is refused or malformed has none."""
    records: list[JSONObject] = []
    query: dict[str, str] = {}
    for _ in range(MOST_PAGES):
        response = service.send("GET", path, params=query)
        try:
            page: Any = response.json()
            records += [each for each in page["data"] if isinstance(each["id"], str)]
            query = {"paginationToken": str(page["pagination"]["next"])}
        except (ValueError, LookupError, TypeError):
            break
    return records


def describe_run(host: str) -> Line:
    """Return the first line of a recording. The address of a service that is not Pinecone's is left out."""
    address = host.rstrip("/")
    is_local = urlsplit(address).hostname in {"127.0.0.1", "localhost", "::1"}
    service = address if address == PRODUCTION else "loopback" if is_local else "another service"
    return {"recording": FORM, "service": service, "version": VERSION, "date": datetime.now(UTC).date().isoformat()}


def write_recording(path: Path, host: str, lines: Iterable[Line], verdicts: Mapping[str, str]) -> None:
    """Write a recording: a description of the run, the exchanges, and the verdicts."""
    # Before the file exists, so that a failure leaves none.
    text = "".join(
        json.dumps(each, ensure_ascii=False) + "\n" for each in (describe_run(host), *lines, {"rules": verdicts})
    )
    path.write_text(text, encoding="utf-8")


@frozen
class Recording:
    """A recording that was read.

    Args:
        service: The address of the service.
        date: The day of the recording.
        lines: The exchanges.
        verdicts: The verdict of each rule.
    """

    service: str
    date: str
    lines: Sequence[Line]
    verdicts: Mapping[str, str]

    @property
    def is_proof(self) -> bool:
        """Whether the service is Pinecone's own."""
        return self.service == PRODUCTION


def read_recording(path: Path) -> Recording:
    """Read a recording.

    Raises:
        ValueError: The file is not one, or is not complete.
    """
    first, *lines, last = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] or [{}, {}]
    if first.get("recording") != FORM or "rules" not in last:
        raise ValueError(f"{path} is not a complete recording")
    return Recording(first["service"], first["date"], lines, last["rules"])
