"""URLs of the API and of the token endpoint."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

import httpx

from pinecone_admin._http.argument_checks import check_bool, type_error, value_error
from pinecone_admin._text.messages import Name
from pinecone_admin.errors import PineconeValueError

API_URL = "https://api.pinecone.io"
OAUTH_URL = "https://login.pinecone.io/oauth/token"

# RFC 1035 limits labels and names; names of machines have underscores, too.
_HOST_NAME = r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?"
_MAX_HOST_LENGTH = 253
# Such as "https:/host", which would name a host "https". After a host comes a port, after a user a password and an @.
_SCHEME_WITHOUT_SLASHES = r"[A-Za-z][A-Za-z0-9+.-]*:(?![0-9]|[^/]*@)"


def resolve_api_url(host: object, *, allow_http: bool, env: Mapping[str, str]) -> str:
    """Return the URL of the API, without a trailing slash."""
    name, value = _choose_value("host", host, "PINECONE_CONTROLLER_HOST", env, API_URL)
    return check_url(name, value, allow_http=allow_http).rstrip("/")


def resolve_oauth_url(oauth_url: object, *, allow_http: bool, env: Mapping[str, str]) -> str:
    """Return the URL of the token endpoint."""
    name, value = _choose_value("oauth_url", oauth_url, "PINECONE_OAUTH_URL", env, OAUTH_URL)
    url = check_url(name, value, allow_http=allow_http)
    if httpx.URL(url).path == "/":
        raise value_error(name, f"must include the path of the token endpoint, as in {OAUTH_URL}")
    return url


def _choose_value(
    argument: str, value: object, variable: str, env: Mapping[str, str], default: str
) -> tuple[str, object]:
    if value is not None:
        return argument, value
    if variable in env:
        return variable, env[variable]
    return argument, default


def check_url(name: str, value: object, *, allow_http: bool) -> str:
    """Return a valid URL; the default scheme is https, and plain http is limited to loopback unless allowed."""
    if not isinstance(value, str):
        raise type_error(name, "a str", value)
    if not value.strip():
        raise value_error(name, "is empty")
    url = parse_url(value, default_scheme="https")
    if url is None:
        raise value_error(name, "is not a valid URL")
    if not url.host:
        raise value_error(name, "does not contain the name of a host")
    # Only this is shown: a user, a path or a query may hold a secret.
    shown = f"{url.scheme}://{url.netloc.decode('ascii')}"
    problem = _find_url_problem(value, url)
    if problem:
        raise value_error(name, f"{shown!r} {problem}")
    if url.scheme == "http" and not allow_http and not is_loopback(url.host):
        raise PineconeValueError(
            Name(name),
            f" {shown!r} is plain http beyond loopback, which exposes the token in transit: use https, or set ",
            Name("allow_http=True"),
        )
    return str(url)


def parse_url(value: str, *, default_scheme: str) -> httpx.URL | None:
    """Return the value as a URL, or None if it is not one; a value without a scheme gets the default."""
    if "://" not in value and re.match(_SCHEME_WITHOUT_SLASHES, value):
        return None
    try:
        url = httpx.URL(value if "://" in value else f"{default_scheme}://{value}")
        str(url.host)  # raises if an internationalized name cannot be decoded
    except (httpx.InvalidURL, ValueError):
        return None
    return url


def find_authority_problem(url: httpx.URL) -> str | None:
    """Return what is wrong with the host or the port of a URL, or None."""
    host = url.raw_host.decode("ascii")
    if not host:
        return "has no host"
    if ":" not in host and (len(host) > _MAX_HOST_LENGTH or not re.fullmatch(_HOST_NAME, host)):
        return "has a host that is neither a name nor an address"
    if url.port is not None and not 1 <= url.port <= 65535:  # noqa: PLR2004 - the range of TCP
        return "has a port outside 1 to 65535"
    return None


def _find_url_problem(value: str, url: httpx.URL) -> str | None:
    problems = {
        "contains whitespace or a backslash": "\\" in value or any(map(str.isspace, value)),
        "contains a % without two hexadecimal digits": "%" in value and bool(re.search(r"%(?![0-9A-Fa-f]{2})", value)),
        "is neither http nor https": url.scheme not in {"http", "https"},
        "must not contain credentials": bool(url.userinfo),
        "must not have a query or a fragment": "?" in value or "#" in value,
    }
    return next((problem for problem, found in problems.items() if found), None) or find_authority_problem(url)


def is_loopback(host: str) -> bool:
    """Return whether a host is certainly this machine: ``localhost``, or a loopback address."""
    # A name below localhost is not loopback: a resolver may return another machine for it.
    name = host.strip("[]").lower()
    if name == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    # ``is_loopback`` is False for ::ffff:127.0.0.1 in some supported versions of Python.
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def resolve_allow_http(allow_http: object, env: Mapping[str, str]) -> bool:
    """Return whether the argument or PINECONE_ADMIN_ALLOW_HTTP=1 allows plain http beyond loopback."""
    return check_bool("allow_http", allow_http) or env.get("PINECONE_ADMIN_ALLOW_HTTP", "").strip() == "1"


def describe_endpoint(url: str, proxy: httpx.Proxy | None) -> str:
    """Return host and port of a URL for error messages, with the proxy if there is one."""
    # When a proxy fails, the error looks as if the host behind it had failed.
    netloc = httpx.URL(url).netloc.decode("ascii")
    return netloc if proxy is None else f"{netloc} through the proxy {proxy.url.netloc.decode('ascii')}"
