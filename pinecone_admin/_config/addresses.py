"""Addresses of the API and of the token endpoint."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

import httpx

from pinecone_admin._http.arguments import check_bool
from pinecone_admin.errors import PineconeTypeError, PineconeValueError

API_URL = "https://api.pinecone.io"
OAUTH_URL = "https://login.pinecone.io/oauth/token"


def resolve_api_url(host: object, *, allow_http: bool, env: Mapping[str, str]) -> str:
    """Give the address of the API without a slash at its end."""
    name, value = _choose_value("host", host, "PINECONE_CONTROLLER_HOST", env, API_URL)
    return check_url(name, value, allow_http=allow_http).rstrip("/")


def resolve_oauth_url(oauth_url: object, *, allow_http: bool, env: Mapping[str, str]) -> str:
    """Give the address of the token endpoint."""
    name, value = _choose_value("oauth_url", oauth_url, "PINECONE_OAUTH_URL", env, OAUTH_URL)
    url = check_url(name, value, allow_http=allow_http)
    if httpx.URL(url).path == "/":
        raise PineconeValueError(f"{name} lacks the path of the token endpoint, as in {OAUTH_URL}")
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
    """Check an address; without a scheme it gets https, and plain http is for loopback unless allowed."""
    if not isinstance(value, str):
        raise PineconeTypeError(f"{name} must be a str, not {type(value).__name__}")
    url = parse_url(value if "://" in value else f"https://{value}")
    if url is None:
        raise PineconeValueError(f"{name} is not an address")
    problem = _url_problem(value, url)
    if problem:
        raise PineconeValueError(f"{name} {_without_userinfo(url)!r} {problem}")
    if url.scheme == "http" and not allow_http and not is_loopback(url.host):
        raise PineconeValueError(
            f"{name} {value!r} is plain http beyond loopback, which would show the token to everybody on the way: "
            "use https, or allow_http=True"
        )
    return str(url)


def parse_url(value: str) -> httpx.URL | None:
    try:
        url = httpx.URL(value)
        str(url.host)  # fails where an international name cannot be decoded
    except (httpx.InvalidURL, ValueError):
        return None
    return url


def _url_problem(value: str, url: httpx.URL) -> str | None:
    problems = {
        "names no host": not value.strip() or not url.host,
        "has white space or a backslash in it": bool(re.search(r"[\s\\]", value)),
        "is neither http nor https": url.scheme not in {"http", "https"},
        "holds a user or password, which belong into no address": bool(url.userinfo),
        "has a query or a fragment": "?" in value or "#" in value,
        "has a port outside 1 to 65535": url.port is not None and not 1 <= url.port <= 65535,  # noqa: PLR2004
    }
    return next((problem for problem, found in problems.items() if found), None)


def _without_userinfo(url: httpx.URL) -> str:
    return str(url.copy_with(userinfo=b""))


def is_loopback(host: str) -> bool:
    """Tell whether a host can only be this machine."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def resolve_allow_http(allow_http: object, env: Mapping[str, str]) -> bool:
    """Allow plain http beyond loopback where the argument or PINECONE_ADMIN_ALLOW_HTTP=1 says so."""
    return check_bool("allow_http", allow_http) or env.get("PINECONE_ADMIN_ALLOW_HTTP") == "1"


def describe_endpoint(url: str, proxy: httpx.Proxy | None) -> str:
    """Name where an address leads in an error: a proxy that fails looks as if the host behind it did."""
    netloc = httpx.URL(url).netloc.decode("ascii")
    return netloc if proxy is None else f"{netloc}, by the proxy {proxy.url.netloc.decode('ascii')}"
