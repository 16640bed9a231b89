"""The token endpoint: exchange client credentials for an access token."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qsl

from pinecone_admin.emulator.api import checks
from pinecone_admin.emulator.api.messages import Request
from pinecone_admin.emulator.api.refusals import OAuthRefusal, quoted
from pinecone_admin.emulator.api.serialization import Document
from pinecone_admin.emulator.model.state import State

TOKEN_PATH = "/oauth/token"  # noqa: S105 — a path
TOKEN_OPERATION = "get_token"  # noqa: S105 — an operation's id
AUDIENCE = "https://api.pinecone.io/"


def get_token(request: Request, state: State, now: datetime) -> Document:
    """Exchange a service account's credentials for an access token."""
    if request.method != "POST":
        message = f"the token endpoint accepts POST, not {quoted(request.method)}"
        raise OAuthRefusal(405, "invalid_request", message, headers={"allow": "POST"})
    client_id, client_secret, grant_type, audience = _read_token_request(request)
    if grant_type != "client_credentials":
        message = f"grant_type must be client_credentials, not {quoted(grant_type)}"
        raise OAuthRefusal(400, "unsupported_grant_type", message)
    account = state.find_account_by_credentials(client_id, client_secret)
    if account is None:
        raise OAuthRefusal(401, "access_denied", f"wrong credentials for client_id {quoted(client_id)}")
    # The trailing slash counts: clients that leave it out get a 403 from the service, too.
    if audience != AUDIENCE:
        raise OAuthRefusal(403, "access_denied", f"audience must be {AUDIENCE}, not {quoted(audience)}")
    token = state.issue_token(account, now)
    return {"access_token": token, "token_type": "Bearer", "expires_in": state.settings.token_lifetime}


def _read_token_request(request: Request) -> list[str]:
    is_form = request.headers.get("content-type", "").lower().startswith("application/x-www-form-urlencoded")
    try:
        sent = (
            dict(parse_qsl(request.body.decode(), keep_blank_values=True))
            if is_form
            else checks.decode_object(request.body)
        )
    except ValueError as error:
        message = f"the body must be a JSON object or a form: {error}"
        raise OAuthRefusal(400, "invalid_request", message) from error
    return [_required_string(sent, name) for name in ("client_id", "client_secret", "grant_type", "audience")]


def _required_string(sent: Mapping[str, object], name: str) -> str:
    value = sent.get(name)
    if not isinstance(value, str) or not value:
        raise OAuthRefusal(400, "invalid_request", f"{name} is missing or not a string")
    return value
