"""The announcement of a served emulator: its addresses and credentials."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pinecone_admin.emulator.control.routes import CONTROL_PATH

if TYPE_CHECKING:
    from pinecone_admin.emulator.emulator import Emulator

PRODUCTION_NAMES = ("api.pinecone.io", "login.pinecone.io")
HTTPS_PORT = 443

_ADDRESSES = {"PINECONE_CONTROLLER_HOST": "host", "PINECONE_OAUTH_URL": "oauth_url"}
_CREDENTIALS = {"PINECONE_CLIENT_ID": "client_id", "PINECONE_CLIENT_SECRET": "client_secret"}
_FOR_SCRIPTS = {
    "PINECONE_EMULATOR_CONTROL_URL": "control_url",
    "PINECONE_EMULATOR_ORGANIZATION_ID": "organization_id",
}
_PROXIES = {"HTTPS_PROXY": "proxy_url", "https_proxy": "proxy_url"}
_AUTHORITIES = dict.fromkeys(
    ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"), "ca_file"
)


def describe(emulator: Emulator) -> dict[str, str]:
    """Return where a served emulator is reached, and the credentials of its owner."""
    return {
        "host": emulator.host,
        "oauth_url": emulator.oauth_url,
        "control_url": emulator.host + CONTROL_PATH,
        "client_id": emulator.client_id,
        "client_secret": emulator.client_secret,
        "organization_id": emulator.organization_id,
    }


def describe_tls(host: str, port: int, ca_file: Path) -> dict[str, str]:
    """Return how clients reach the production names.

    Args:
        host: The URL of the served emulator, which is also a proxy.
        port: The port where TLS begins at once.
        ca_file: The certificate of the authority.
    """
    tls_host = re.sub(r":\d+$", "", urlsplit(host).netloc)
    return {"proxy_url": host, "tls_address": f"{tls_host}:{port}", "ca_file": str(ca_file)}


def format_exports(line: Mapping[str, str]) -> str:
    """Return what the emulator announces as exports for a shell."""
    if "ca_file" not in line:
        return _format(line, _ADDRESSES | _CREDENTIALS | _FOR_SCRIPTS)
    # Clients keep the production addresses, which lead through the proxy and are not to be excluded from it.
    exports = _format(line, _CREDENTIALS | _FOR_SCRIPTS | _PROXIES | _AUTHORITIES)
    return f"{exports}\nexport NODE_USE_ENV_PROXY=1\nunset NO_PROXY no_proxy {' '.join(_ADDRESSES)}"


def _format(line: Mapping[str, str], variables: Mapping[str, str]) -> str:
    return "\n".join(f"export {name}={shlex.quote(line[key])}" for name, key in variables.items())


def namespace_environment(line: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a command in a namespace, where the production names lead to the emulator.

    Args:
        line: The announcement of the emulator.
        environment: The environment outside; its proxies are out of reach, and its token would precede the credentials.
    """
    proxies = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}
    dropped = {*_ADDRESSES, "PINECONE_ACCESS_TOKEN"}
    kept = {name: value for name, value in environment.items() if name not in dropped and name.upper() not in proxies}
    return kept | {name: line[key] for name, key in (_CREDENTIALS | _FOR_SCRIPTS | _AUTHORITIES).items()}
