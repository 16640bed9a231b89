"""Where to, and how: constructor arguments and environment become one checked configuration."""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import cast
from urllib.request import getproxies, proxy_bypass

import httpx
from attrs import field, frozen

from generated_client.types import masked
from pinecone_admin._http.headers import check_headers, user_agent
from pinecone_admin._http.numbers import check_bool, check_count, check_seconds
from pinecone_admin._http.retry_policy import RetryPolicy
from pinecone_admin._http.validation import check_text
from pinecone_admin.errors import Masked, PineconeError, PineconeTypeError, PineconeValueError

API_URL = "https://api.pinecone.io"
OAUTH_URL = "https://login.pinecone.io/oauth/token"

_SHORTEST_SECRET = 8


def resolve_api_url(host: object, *, allow_http: bool, env: Mapping[str, str]) -> str:
    """Give the address of the API without a slash at its end."""
    name, value = _pick("host", host, "PINECONE_CONTROLLER_HOST", env, API_URL)
    return check_url(name, value, allow_http=allow_http).rstrip("/")


def resolve_oauth_url(oauth_url: object, *, allow_http: bool, env: Mapping[str, str]) -> str:
    """Give the address of the token endpoint."""
    name, value = _pick("oauth_url", oauth_url, "PINECONE_OAUTH_URL", env, OAUTH_URL)
    url = check_url(name, value, allow_http=allow_http)
    if httpx.URL(url).path == "/":
        raise PineconeValueError(f"{name} lacks the path of the token endpoint, as in {OAUTH_URL}")
    return url


def _pick(argument: str, value: object, variable: str, env: Mapping[str, str], default: str) -> tuple[str, object]:
    if value is not None:
        return argument, value
    if variable in env:
        return variable, env[variable]
    return argument, default


def check_url(name: str, value: object, *, allow_http: bool) -> str:
    """Check an address; without a scheme it gets https, and plain http is for loopback unless allowed."""
    if not isinstance(value, str):
        raise PineconeTypeError(f"{name} must be a str, not {type(value).__name__}")
    url = _parsed(value if "://" in value else f"https://{value}")
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


def _parsed(value: str) -> httpx.URL | None:
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


def resolve_proxy(url: str, proxy_url: object, context: ssl.SSLContext, *, allow_http: bool) -> httpx.Proxy | None:
    """Decide which proxy reaches an address: the explicit one, or as the standard library reads the environment."""
    name, value, target = "proxy_url", proxy_url, httpx.URL(url)
    if value is None:
        proxies = getproxies()
        name = f"{target.scheme.upper()}_PROXY"
        value = proxies.get(target.scheme) or proxies.get("all")
        if not value or proxy_bypass(target.netloc.decode("ascii")):
            return None
    proxy = _check_proxy(name, value, context)
    if target.scheme == "http" and not allow_http and not is_loopback(proxy.url.host):
        raise PineconeValueError(
            f"{name} would lead plain http for {target.host} beyond loopback, which shows the token to everybody on "
            "the way: use https, except the host by NO_PROXY, or allow_http=True"
        )
    return proxy


def _check_proxy(name: str, value: object, context: ssl.SSLContext) -> httpx.Proxy:
    # A proxy's address may hold a password, so no message shows it.
    if not isinstance(value, str):
        raise PineconeTypeError(f"{name} must be a str, not {type(value).__name__}")
    url = _parsed(value if "://" in value else f"http://{value}")
    if url is None or not url.host or url.scheme not in {"http", "https", "socks5", "socks5h"}:
        raise PineconeValueError(f"{name} is not the address of an http, https or socks5 proxy")
    if url.path not in {"", "/"}:
        raise PineconeValueError(f"{name} has a path: a slash in its user or password is written %2F")
    if url.scheme.startswith("socks") and find_spec("socksio") is None:
        raise PineconeValueError(f"{name} is a socks proxy, which needs an extra: install httpx[socks]")
    return httpx.Proxy(url, ssl_context=context if url.scheme == "https" else None)


def ssl_context(ssl_verify: object) -> ssl.SSLContext:
    """Make the one TLS context that the API and the token exchange share."""
    if isinstance(ssl_verify, ssl.SSLContext):
        return ssl_verify
    if isinstance(ssl_verify, bool):
        return _default_context(verify=ssl_verify)
    if not isinstance(ssl_verify, str | os.PathLike):
        raise PineconeTypeError(
            f"ssl_verify must be a bool, a path or an ssl.SSLContext, not {type(ssl_verify).__name__}"
        )
    path = os.fspath(cast("str | os.PathLike[str]", ssl_verify))
    if not path.strip():
        raise PineconeValueError("ssl_verify is empty")
    try:
        is_folder = Path(path).is_dir()
        return ssl.create_default_context(cafile=None if is_folder else path, capath=path if is_folder else None)
    except (OSError, ValueError) as exc:
        raise PineconeValueError(f"ssl_verify: cannot load certificates from {path!r}: {exc}") from exc


@frozen(kw_only=True)
class Options:
    """What ``with_options`` can change.

    Attributes:
        timeout: Seconds for a whole call.
        retry: How often and how patiently to try.
        headers: The caller's headers, names in lower case.
        read_only: Whether everything but GET is refused.
        bearer: Whether requests carry a token, rather than the API key among the headers.
    """

    timeout: float
    retry: RetryPolicy
    headers: Mapping[str, str] = field(repr=masked)
    read_only: bool
    bearer: bool = True

    @property
    def secrets(self) -> list[Masked]:
        """What in the headers may be a credential: what is shorter is none, and would tear holes into messages."""
        words = [word for value in self.headers.values() for word in value.split()[-1:]]
        return [Masked(word) for word in words if len(word) >= _SHORTEST_SECRET]


@frozen(kw_only=True)
class Config:
    """Everything a client is made from, checked.

    Attributes:
        api_url: Address of the API.
        oauth_url: Address of the token endpoint.
        api_proxy: Proxy on the way to the API.
        oauth_proxy: Proxy on the way to the token endpoint.
        context: TLS of both, and of the proxies; None where the caller brings the transports.
        agent: User-Agent of both.
        options: What a copy can change.
        max_connections: Connections that a pool opens at most.
        lazy: Whether the first token waits for the first call.
    """

    api_url: str
    oauth_url: str
    api_proxy: httpx.Proxy | None
    oauth_proxy: httpx.Proxy | None
    context: ssl.SSLContext | None
    agent: str
    options: Options
    max_connections: int
    lazy: bool


def resolve(
    *,
    env: Mapping[str, str],
    additional_headers: object,
    source_tag: object,
    proxy_url: object,
    ssl_verify: object,
    own_connections: bool,
    host: object,
    oauth_url: object,
    allow_http: object,
    timeout: object,
    retry: object,
    max_connections: object,
    lazy: object,
    read_only: object,
) -> Config:
    """Check everything but who calls."""
    headers = check_headers(additional_headers)
    plain_http = resolve_allow_http(allow_http, env)
    api = resolve_api_url(host, allow_http=plain_http, env=env)
    oauth = resolve_oauth_url(oauth_url, allow_http=plain_http, env=env)
    context = ssl_context(ssl_verify) if own_connections else None
    return Config(
        api_url=api,
        oauth_url=oauth,
        api_proxy=None if context is None else resolve_proxy(api, proxy_url, context, allow_http=plain_http),
        oauth_proxy=None if context is None else resolve_proxy(oauth, proxy_url, context, allow_http=plain_http),
        context=context,
        agent=user_agent(source_tag),
        options=Options(
            timeout=check_seconds("timeout", timeout),
            retry=check_retry(retry),
            headers=headers,
            read_only=check_bool("read_only", read_only),
        ),
        max_connections=check_count("max_connections", max_connections),
        lazy=check_bool("lazy", lazy),
    )


def place(url: str, proxy: httpx.Proxy | None) -> str:
    """Name where an address leads in an error: a proxy that fails looks as if the host behind it did."""
    netloc = httpx.URL(url).netloc.decode("ascii")
    return netloc if proxy is None else f"{netloc}, by the proxy {proxy.url.netloc.decode('ascii')}"


def changed(
    options: Options,
    *,
    timeout: object,
    retry: object,
    additional_headers: object,
    read_only: object,
    api_key: object,
) -> Options | PineconeError:
    """Replace some options; headers are added to those there are. A problem is returned, as ``resolve`` does."""
    try:
        headers = {**options.headers, **check_headers(additional_headers)}
        if api_key is not None:
            headers.pop("authorization", None)
            headers["api-key"] = check_text("api_key", api_key)
        return Options(
            timeout=options.timeout if timeout is None else check_seconds("timeout", timeout),
            retry=options.retry if retry is None else check_retry(retry),
            headers=headers,
            read_only=options.read_only if read_only is None else check_bool("read_only", read_only),
            bearer=options.bearer and api_key is None,
        )
    except PineconeError as exc:
        return exc.with_traceback(None)


def _default_context(*, verify: bool) -> ssl.SSLContext:
    try:
        return httpx.create_ssl_context(verify=verify)
    except (OSError, ValueError) as exc:
        raise PineconeValueError(f"SSL_CERT_FILE or SSL_CERT_DIR cannot be used: {exc}") from exc


def check_retry(retry: object) -> RetryPolicy:
    """Accept a policy; None stands for the defaults."""
    if retry is None:
        return RetryPolicy()
    if not isinstance(retry, RetryPolicy):
        raise PineconeTypeError(f"retry must be a RetryPolicy, not {type(retry).__name__}")
    return retry
