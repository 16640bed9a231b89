"""Where to, and how: constructor arguments and environment become one checked configuration."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

import httpx
from attrs import field, frozen

from generated_client.types import masked
from pinecone_admin._config.addresses import resolve_allow_http, resolve_api_url, resolve_oauth_url
from pinecone_admin._config.proxies import resolve_proxy
from pinecone_admin._config.tls import build_ssl_context
from pinecone_admin._http.arguments import check_bool, check_integer, check_seconds, check_secret_text
from pinecone_admin._http.headers import check_headers, user_agent
from pinecone_admin._http.retry_policy import RetryPolicy
from pinecone_admin.errors import Masked, PineconeTypeError

_MIN_SECRET_LENGTH = 8


@frozen(kw_only=True)
class ClientOptions:
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
        return [Masked(word) for word in words if len(word) >= _MIN_SECRET_LENGTH]


@frozen(kw_only=True)
class ClientConfig:
    """Everything a client is made from, checked.

    Attributes:
        api_url: Address of the API.
        oauth_url: Address of the token endpoint.
        api_proxy: Proxy on the way to the API.
        oauth_proxy: Proxy on the way to the token endpoint.
        ssl_context: TLS of both, and of the proxies; None where the caller brings the transports.
        user_agent: User-Agent of both.
        options: What a copy can change.
        max_connections: Connections that a pool opens at most.
        lazy: Whether the first token waits for the first call.
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
    own_connections: bool,
    host: object,
    oauth_url: object,
    allow_http: object,
    timeout: object,
    retry: object,
    max_connections: object,
    lazy: object,
    read_only: object,
) -> ClientConfig:
    """Check everything but who calls."""
    headers = check_headers(additional_headers)
    plain_http = resolve_allow_http(allow_http, env)
    api = resolve_api_url(host, allow_http=plain_http, env=env)
    oauth = resolve_oauth_url(oauth_url, allow_http=plain_http, env=env)
    context = build_ssl_context(ssl_verify) if own_connections else None
    return ClientConfig(
        api_url=api,
        oauth_url=oauth,
        api_proxy=None if context is None else resolve_proxy(api, proxy_url, context, allow_http=plain_http),
        oauth_proxy=None if context is None else resolve_proxy(oauth, proxy_url, context, allow_http=plain_http),
        ssl_context=context,
        user_agent=user_agent(source_tag),
        options=ClientOptions(
            timeout=check_seconds("timeout", timeout),
            retry=check_retry(retry),
            headers=headers,
            read_only=check_bool("read_only", read_only),
        ),
        max_connections=check_integer("max_connections", max_connections, least=1),
        lazy=check_bool("lazy", lazy),
    )


def change_options(
    options: ClientOptions,
    *,
    timeout: object,
    retry: object,
    additional_headers: object,
    read_only: object,
    api_key: object,
) -> ClientOptions:
    """Replace some options; headers are added to those there are."""
    headers = {**options.headers, **check_headers(additional_headers)}
    if api_key is not None:
        headers.pop("authorization", None)
        headers["api-key"] = check_secret_text("api_key", api_key)
    return ClientOptions(
        timeout=options.timeout if timeout is None else check_seconds("timeout", timeout),
        retry=options.retry if retry is None else check_retry(retry),
        headers=headers,
        read_only=options.read_only if read_only is None else check_bool("read_only", read_only),
        bearer=options.bearer and api_key is None,
    )


def check_retry(retry: object) -> RetryPolicy:
    """Accept a policy; None stands for the defaults."""
    if retry is None:
        return RetryPolicy()
    if not isinstance(retry, RetryPolicy):
        raise PineconeTypeError(f"retry must be a RetryPolicy, not {type(retry).__name__}")
    return retry
