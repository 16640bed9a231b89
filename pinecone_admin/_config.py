"""Who calls, and where to: constructor arguments and environment become one checked configuration."""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias, cast
from urllib.request import getproxies, proxy_bypass

import httpx
from attrs import field, frozen

from generated_client.types import masked
from pinecone_admin._headers import check_headers, user_agent
from pinecone_admin._numbers import check_bool, check_count, check_seconds
from pinecone_admin._retry import RetryPolicy
from pinecone_admin.errors import Masked, PineconeError, PineconeTypeError, PineconeValueError

API_URL = "https://api.pinecone.io"
OAUTH_URL = "https://login.pinecone.io/oauth/token"

_SHORTEST_SECRET = 8

TextSource: TypeAlias = str | Callable[[], str]


@frozen(kw_only=True)
class Credentials:
    """Client id and secret; a callable is asked afresh at every exchange."""

    client_id: TextSource = field(repr=masked)
    client_secret: TextSource = field(repr=masked)

    def read(self) -> tuple[str, str]:
        """Give both as they are now, checked."""
        return read_text("client_id", self.client_id), read_text("client_secret", self.client_secret)


@frozen(kw_only=True)
class Bearer:
    """An access token that somebody else minted; a callable is asked at every call."""

    token: TextSource = field(repr=masked)

    def read(self) -> str:
        """Give the token as it is now, checked."""
        return read_text("access_token", self.token)


@frozen
class OwnAuthorization:
    """The caller sets the Authorization header: nothing is minted, and nothing is added."""


Identity: TypeAlias = Credentials | Bearer | OwnAuthorization


_CREDENTIALS = ("PINECONE_CLIENT_ID", "PINECONE_CLIENT_SECRET")


def resolve_identity(
    *,
    client_id: object,
    client_secret: object,
    access_token: object,
    own_authorization: bool,
    env: Mapping[str, str],
) -> Identity:
    """Choose the identity: explicit arguments, then PINECONE_ACCESS_TOKEN, then the credentials' variables."""
    explicit_credentials = client_id is not None or client_secret is not None
    if access_token is not None and explicit_credentials:
        raise PineconeValueError("access_token and client_id/client_secret exclude each other: give one identity")
    if own_authorization:
        return OwnAuthorization()
    if access_token is not None:
        return Bearer(token=_source("access_token", access_token))
    # An empty variable is how CI systems pass a secret that is not set.
    if not explicit_credentials and env.get("PINECONE_ACCESS_TOKEN", "").strip():
        return Bearer(token=_from_env("access_token", "PINECONE_ACCESS_TOKEN", env))
    if client_id is client_secret is None and not any(env.get(name, "").strip() for name in _CREDENTIALS):
        raise PineconeValueError(
            f"client_id and client_secret are missing: pass them, or set {' and '.join(_CREDENTIALS)} in the "
            "environment; or give an access_token, or PINECONE_ACCESS_TOKEN"
        )
    return Credentials(
        client_id=_source_or_env("client_id", client_id, "PINECONE_CLIENT_ID", env),
        client_secret=_source_or_env("client_secret", client_secret, "PINECONE_CLIENT_SECRET", env),
    )


def _source_or_env(argument: str, value: object, variable: str, env: Mapping[str, str]) -> TextSource:
    return _source(argument, value) if value is not None else _from_env(argument, variable, env)


def _from_env(argument: str, variable: str, env: Mapping[str, str]) -> str:
    if not env.get(variable, "").strip():
        raise PineconeValueError(f"{argument} is missing: pass it, or set {variable} in the environment")
    return check_text(variable, env[variable])


def _source(argument: str, value: object) -> TextSource:
    return cast("Callable[[], str]", value) if callable(value) else check_text(argument, value)


def read_text(argument: str, source: TextSource) -> str:
    """Ask a callable, or take the text; checked either way."""
    if not callable(source):
        return check_text(argument, source)
    value, failure = _ask(source)
    if failure is not None:
        raise PineconeValueError(f"{argument}: the callable raised {failure}")
    return check_text(argument, value)


def _ask(source: Callable[[], str]) -> tuple[object, str | None]:
    try:
        return source(), None
    except Exception as exc:  # noqa: BLE001 - the caller's own code; its message and frames may hold the secret
        return None, type(exc).__name__


def check_text(name: str, value: object) -> str:
    """Check a credential without ever showing it."""
    if not isinstance(value, str):
        raise PineconeTypeError(f"{name} must be a str, not {type(value).__name__}")
    if not value.strip():
        raise PineconeValueError(f"{name} is empty")
    if value != value.strip():
        raise PineconeValueError(f"{name} has white space or a line break around it")
    if value.lower().startswith("bearer "):
        raise PineconeValueError(f"{name} begins with the word Bearer, which is no part of it")
    if not re.fullmatch(r"[\x21-\x7e]+", value):
        raise PineconeValueError(f"{name} has a character that is not printable ASCII")
    return value


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
        identity: Who calls.
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

    identity: Identity
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
    client_id: object,
    client_secret: object,
    access_token: object,
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
) -> Config | PineconeError:
    """Check everything; a problem is returned without its traceback, whose frames hold the secret."""
    try:
        headers = check_headers(additional_headers)
        plain_http = resolve_allow_http(allow_http, env)
        api = resolve_api_url(host, allow_http=plain_http, env=env)
        oauth = resolve_oauth_url(oauth_url, allow_http=plain_http, env=env)
        context = ssl_context(ssl_verify) if own_connections else None
        return Config(
            identity=resolve_identity(
                client_id=client_id,
                client_secret=client_secret,
                access_token=access_token,
                own_authorization="authorization" in headers,
                env=env,
            ),
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
    except PineconeError as exc:
        return exc.with_traceback(None)


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
