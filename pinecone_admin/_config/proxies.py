"""Choose the proxy for a URL."""

from __future__ import annotations

from base64 import b64encode
from importlib.util import find_spec
from urllib.request import getproxies, proxy_bypass

import httpx

from pinecone_admin._config.addresses import find_authority_problem, is_loopback, parse_url
from pinecone_admin._http.argument_checks import type_error, value_error
from pinecone_admin._text.messages import Name
from pinecone_admin.errors import PineconeValueError

# Masking a shorter text in each response would garble messages.
_MIN_PASSWORD_LENGTH = 4


def resolve_proxy(url: str, proxy_url: object, *, allow_http: bool) -> httpx.Proxy | None:
    """Return the proxy for a URL: the explicit one, or the one that the standard library reads from the environment."""
    name, value, target = "proxy_url", proxy_url, httpx.URL(url)
    if value is None:
        proxies = getproxies()
        kind = target.scheme if proxies.get(target.scheme) else "all"
        name, value = f"{kind.upper()}_PROXY", proxies.get(kind)
        if not value or proxy_bypass(target.netloc.decode("ascii")):
            return None
    proxy = _parse_proxy(name, value)
    if target.scheme == "http" and not allow_http and not is_loopback(proxy.url.host):
        raise PineconeValueError(
            Name(name),
            f" would send plain http for {target.host} beyond loopback, which exposes the token in transit: use https, "
            "exclude the host with NO_PROXY, or set ",
            Name("allow_http=True"),
        )
    return proxy


def list_proxy_secrets(proxy: httpx.Proxy | None) -> list[str]:
    """Return the password of a proxy, and what is sent in its place; an empty list if there is none."""
    if proxy is None or proxy.raw_auth is None or len(proxy.raw_auth[1]) < _MIN_PASSWORD_LENGTH:
        return []
    user, password = proxy.raw_auth
    return [password.decode("latin-1"), b64encode(user + b":" + password).decode("ascii")]


def _parse_proxy(name: str, value: object) -> httpx.Proxy:
    # The URL of a proxy may contain a password, so no message shows it.
    if not isinstance(value, str):
        raise type_error(name, "a str", value)
    if not value.strip():
        raise value_error(name, "is empty")
    url = parse_url(value, default_scheme="http")
    if url is None or find_authority_problem(url) or url.scheme not in {"http", "https", "socks5", "socks5h"}:
        raise value_error(name, "is not the URL of an http, https or socks5 proxy")
    if url.path not in {"", "/"} or "?" in value or "#" in value:
        raise value_error(
            name,
            "must not have a path, a query or a fragment: write /, ? and # in its user name or password as %2F, %3F "
            "and %23",
        )
    if url.scheme.startswith("socks") and find_spec("socksio") is None:
        raise value_error(name, "is a socks proxy, which needs an extra: install httpx[socks]")
    return httpx.Proxy(url)
