"""Play the responses of a recording to the checks, so that a verdict follows from responses and not from a word."""

import json
from collections.abc import Sequence
from math import inf
from urllib.parse import unquote

import httpx
from attrs import define, field

from tests.conformance import permission_checks, read_checks, write_checks
from tests.conformance.recording import PRODUCTION, TOKEN_PATH, Recording
from tests.conformance.registry import CHECKS, run_check
from tests.conformance.replay import Values
from tests.conformance.sanitizer import Line
from tests.conformance.service import AccountCredentials, JSONObject, Service

__all__ = ["permission_checks", "read_checks", "recheck", "write_checks"]

OAUTH_URL = PRODUCTION + TOKEN_PATH


@define
class PlaybackTransport(httpx.BaseTransport):
    """Returns recorded responses, as long as the requests are the recorded ones.

    Args:
        lines: The recorded requests and responses.
        values: The values of their placeholders.
    """

    lines: Sequence[Line]
    values: Values
    _position: int = field(default=0, init=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the next recorded response.

        Raises:
            httpx.RemoteProtocolError: The recording has another request here, or none.
        """
        line = self.lines[self._position] if self._position < len(self.lines) else None
        self._position += 1
        sent = (request.method, unquote(request.url.path))
        if line is None or sent != (line["request"]["method"], self.values.fill(line["request"]["path"])):
            raise httpx.RemoteProtocolError("the recording has another request here", request=request)
        response = self.values.fill(line["response"])
        content = json.dumps(response["json"]) if "json" in response else response.get("text", "")
        return httpx.Response(response["status"], headers=response["headers"], content=content, request=request)


def recheck(recording: Recording) -> dict[str, str]:
    """Return the verdict of each rule that was checked in a recording, by running its check against the responses."""
    values = Values()
    lines: dict[str, list[Line]] = {}
    for line in recording.lines:
        lines.setdefault(line["rule"], []).append(line)
    checked = [each for each in CHECKS if recording.verdicts.get(each.rule, "skipped") != "skipped"]
    token = lines[""][0]
    account = values.fill(token["request"]["json"])
    credentials = AccountCredentials(account["client_id"], account["client_secret"])
    project = _find_created(lines.get("prepare write", []), "/admin/projects", values)
    invite = _find_created(lines.get("prepare mail", []), "/admin/invites", values)
    verdicts: dict[str, str] = {}
    for check in checked:
        transport = PlaybackTransport(lines.get(check.rule, []), values)
        with httpx.Client(transport=transport, base_url=PRODUCTION) as http:
            # What took effect with a delay has several recorded responses, after which the transport raises.
            service = Service(http, OAUTH_URL, credentials, patience=inf, sleep=lambda _: None)
            service.use_token(values.fill(token["response"]["json"])["access_token"])
            service.project, service.project_status = project
            service.invite, service.invite_status = invite
            verdicts[check.rule] = run_check(check, service).verdict
    return verdicts


def _find_created(lines: Sequence[Line], path: str, values: Values) -> tuple[JSONObject, int]:
    created = [each for each in lines if (each["request"]["method"], each["request"]["path"]) == ("POST", path)]
    if not created or "json" not in created[0]["response"]:
        return {}, 0
    return values.fill(created[0]["response"]["json"]), created[0]["response"]["status"]
