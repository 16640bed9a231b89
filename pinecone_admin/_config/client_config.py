"""Build one checked configuration from constructor arguments and the environment."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import NamedTuple, cast

import httpx

from pinecone_admin._config.addresses import resolve_allow_http, resolve_api_url, resolve_oauth_url
from pinecone_admin._config.proxies import resolve_proxy
from pinecone_admin._config.tls import build_ssl_context
from pinecone_admin._http.argument_checks import (
    check_bool,
    check_duration,
    check_function,
    check_integer,
    check_secret_text,
    type_error,
    value_error,
)
from pinecone_admin._http.attempt_event import OnAttempt
from pinecone_admin._http.headers import build_user_agent, check_headers, list_credentials
from pinecone_admin._http.retry_policy import RetryPolicy
from pinecone_admin.errors import Masked


class ClientOptions:
    """Options that ``with_options`` can change.

    Attributes:
        timeout: Seconds for a whole call.
        retry: Limits of attempts and of the waits between them.
        headers: The caller's headers, names in lower case.
        read_only: Whether every method but GET is refused.
        on_attempt: Receives a report of each attempt.
        bearer: Whether requests carry a token; False if the headers contain an API key instead.
    """

    # ``vars``, and what prints it, shows no slot: headers may be credentials.
    __slots__ = ("bearer", "headers", "on_attempt", "read_only", "retry", "timeout")

    def __init__(
        self,
        *,
        timeout: float,
        retry: RetryPolicy,
        headers: Mapping[str, str],
        read_only: bool,
        on_attempt: OnAttempt | None = None,
        bearer: bool = True,
    ) -> None:
        self.timeout: float = timeout
        self.retry: RetryPolicy = retry
        self.headers: Mapping[str, str] = headers
        self.read_only: bool = read_only
        self.on_attempt: OnAttempt | None = on_attempt
        self.bearer: bool = bearer

    @property
    def secrets(self) -> list[Masked]:
        """The parts of header values that may be credentials."""
        return list_credentials(self.headers.values())


class ClientConfig(NamedTuple):
    """The checked configuration of a client.

    Attributes:
        api_url: URL of the API.
        oauth_url: URL of the token endpoint.
        api_proxy: Proxy for the API, or None.
        oauth_proxy: Proxy for the token endpoint, or None.
        ssl_context: TLS context for both and for the proxies; None if the caller passes the transports, or if no URL is
            https and ``ssl_verify`` names no certificates.
        user_agent: User-Agent sent to both.
        options: Options that ``with_options`` can change.
        max_connections: Maximum number of connections of a pool.
        lazy: Whether the first token is fetched by the first call.
    """

    api_url: str
    oauth_url: str
    api_proxy: httpx.Proxy | None
    oauth_proxy: httpx.Proxy | None
    ssl_context: ssl.SSLContext | None
    user_agent: str
    options: ClientOptions
    max_connections: int
    lazy: bool


def resolve_config(
    *,
    env: Mapping[str, str],
    additional_headers: object,
    source_tag: object,
    proxy_url: object,
    ssl_verify: object,
    opens_connections: bool,
    host: object,
    oauth_url: object,
    allow_http: object,
    timeout: object,
    retry: object,
    max_connections: object,
    lazy: object,
    read_only: object,
    on_attempt: object,
) -> ClientConfig:
    """Return the configuration of a client, checked, without its identity."""
    if not opens_connections:
        _check_unused(proxy_url=(proxy_url, None), ssl_verify=(ssl_verify, True), max_connections=(max_connections, 20))
    headers = check_headers(additional_headers)
    plain_http = resolve_allow_http(allow_http, env)
    api = resolve_api_url(host, allow_http=plain_http, env=env)
    oauth = resolve_oauth_url(oauth_url, allow_http=plain_http, env=env)
    api_proxy = resolve_proxy(api, proxy_url, allow_http=plain_http) if opens_connections else None
    oauth_proxy = resolve_proxy(oauth, proxy_url, allow_http=plain_http) if opens_connections else None
    urls = [api, oauth, *(str(each.url) for each in (api_proxy, oauth_proxy) if each is not None)]
    is_used = any(url.startswith("https:") for url in urls)
    return ClientConfig(
        api_url=api,
        oauth_url=oauth,
        api_proxy=api_proxy,
        oauth_proxy=oauth_proxy,
        ssl_context=build_ssl_context(ssl_verify, is_used=is_used) if opens_connections else None,
        user_agent=build_user_agent(source_tag),
        options=ClientOptions(
            timeout=check_duration("timeout", timeout),
            retry=check_retry(retry),
            headers=headers,
            read_only=check_bool("read_only", read_only),
            on_attempt=check_on_attempt(on_attempt),
        ),
        max_connections=check_integer("max_connections", max_connections, least=1),
        lazy=check_bool("lazy", lazy),
    )


def _check_unused(**arguments: tuple[object, object]) -> None:
    """Raise if an argument that nothing would use does not have its default."""
    for name, (value, default) in arguments.items():
        if type(value) is not type(default) or value != default:
            raise value_error(name, "contradicts transport, which makes the connections: configure it there")


def change_options(
    options: ClientOptions,
    *,
    timeout: object,
    retry: object,
    additional_headers: object,
    read_only: object,
    api_key: object,
    on_attempt: object,
) -> ClientOptions:
    """Return a copy of the options with some replaced; None keeps an option, and headers are merged."""
    added = check_headers(additional_headers)
    is_keyed = api_key is not None or not options.bearer
    if is_keyed and "authorization" in added:
        raise value_error(
            "additional_headers", "must not contain Authorization beside an API key: a request has one identity"
        )
    headers = {**options.headers, **added}
    if api_key is not None:
        headers.pop("authorization", None)  # that of the client, in whose place the key is
        headers["api-key"] = check_secret_text("api_key", api_key)
    return ClientOptions(
        timeout=options.timeout if timeout is None else check_duration("timeout", timeout, allow_zero=True),
        retry=options.retry if retry is None else check_retry(retry),
        headers=headers,
        read_only=options.read_only if read_only is None else check_bool("read_only", read_only),
        on_attempt=options.on_attempt if on_attempt is None else check_on_attempt(on_attempt),
        bearer=not is_keyed,
    )


def check_on_attempt(on_attempt: object) -> OnAttempt | None:
    """Return the callback, or None for None; raise if it is not a synchronous function."""
    check_function("on_attempt", on_attempt, optional=True)
    return cast("OnAttempt | None", on_attempt)


def check_retry(retry: object) -> RetryPolicy:
    """Return the policy, or the default policy for None; raise for any other type."""
    if retry is None:
        return RetryPolicy()
    if not isinstance(retry, RetryPolicy):
        raise type_error("retry", "a RetryPolicy", retry)
    return retry
