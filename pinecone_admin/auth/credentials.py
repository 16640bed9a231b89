"""Identities of a client: client credentials, an access token of the caller, or an Authorization header."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from traceback import format_exception
from typing import TypeAlias, cast

import httpx

from pinecone_admin._http.argument_checks import check_secret_text, is_key_value, value_error
from pinecone_admin._http.returned_errors import raise_if_error
from pinecone_admin._text.messages import Name
from pinecone_admin.errors import Masked, PineconeError, PineconeValueError, TokenError

TextSource: TypeAlias = str | Callable[[], str]


class Credentials:
    """Client id and client secret; a callable is called again for every exchange."""

    __slots__ = ("client_id", "client_secret")  # ``vars``, and what prints it, shows no slot

    def __init__(self, *, client_id: TextSource, client_secret: TextSource) -> None:
        self.client_id: TextSource = client_id
        self.client_secret: TextSource = client_secret

    def read(self) -> tuple[str, str]:
        """Return the current client id and secret, checked."""
        return read_secret("client_id", self.client_id), read_secret("client_secret", self.client_secret)


class SuppliedToken:
    """An access token supplied by the caller; a callable is called again for every call."""

    __slots__ = ("token",)  # as above

    def __init__(self, token: TextSource) -> None:
        self.token: TextSource = token

    def read(self) -> str:
        """Return the current token, checked."""
        return raise_if_error(_check_token(read_secret("access_token", self.token)))


class CallerAuthorization:
    """The caller sets the Authorization header: no token is fetched or added."""


Identity: TypeAlias = Credentials | SuppliedToken | CallerAuthorization


_CREDENTIAL_VARIABLES = ("PINECONE_CLIENT_ID", "PINECONE_CLIENT_SECRET")
_VARIABLES = {*_CREDENTIAL_VARIABLES, "PINECONE_ACCESS_TOKEN"}


def resolve_identity(
    *,
    client_id: object,
    client_secret: object,
    access_token: object,
    caller_sets_authorization: bool,
    env: Mapping[str, str],
) -> Identity:
    """Return the identity: from explicit arguments, else PINECONE_ACCESS_TOKEN, else PINECONE_CLIENT_ID and _SECRET."""
    explicit_credentials = client_id is not None or client_secret is not None
    if access_token is not None and explicit_credentials:
        raise PineconeValueError(
            Name("access_token"),
            " and ",
            Name("client_id"),
            "/",
            Name("client_secret"),
            " are mutually exclusive: pass one or the other",
        )
    if caller_sets_authorization:
        return CallerAuthorization()
    if access_token is not None:
        return _supply_token("access_token", _check_source("access_token", access_token))
    # An empty one counts: a job whose token could not be obtained must not act as another account.
    if not explicit_credentials and "PINECONE_ACCESS_TOKEN" in env:
        token = check_secret_text("PINECONE_ACCESS_TOKEN", env["PINECONE_ACCESS_TOKEN"])
        return _supply_token("PINECONE_ACCESS_TOKEN", token)
    if client_id is client_secret is None and not any(name in env for name in _CREDENTIAL_VARIABLES):
        raise PineconeValueError(
            Name("client_id"),
            " and ",
            Name("client_secret"),
            f" are missing: pass them, or set {' and '.join(_CREDENTIAL_VARIABLES)} in the "
            "environment; or pass access_token, or set PINECONE_ACCESS_TOKEN"
            + _suggest_variables([*_CREDENTIAL_VARIABLES, "PINECONE_ACCESS_TOKEN"], env),
        )
    return Credentials(
        client_id=_resolve_source("client_id", client_id, "PINECONE_CLIENT_ID", env),
        client_secret=_resolve_source("client_secret", client_secret, "PINECONE_CLIENT_SECRET", env),
    )


def _supply_token(name: str, token: TextSource) -> SuppliedToken:
    if not callable(token):
        raise_if_error(_check_token(token, name))
    return SuppliedToken(token)


def _check_token(token: str, name: str = "access_token") -> str | PineconeError:
    if is_key_value(token):
        return value_error(
            name,
            "is the value of an API key, which the Admin API does not accept: pass an access token, or the client id "
            "and secret of a service account",
        )
    return token


def _suggest_variables(missing: Sequence[str], env: Mapping[str, str]) -> str:
    """Return a hint at variables with nearly the right name; empty if there are none."""
    from difflib import get_close_matches  # noqa: PLC0415 - takes 0.5 ms, and most programs find their variables

    others = [name for name in env if name not in _VARIABLES]
    found = [(close[0], name) for name in missing if (close := get_close_matches(name, others, n=1, cutoff=0.85))]
    return "".join(f"; {given} is set: did you mean {name}?" for given, name in found)


def _resolve_source(argument: str, value: object, variable: str, env: Mapping[str, str]) -> TextSource:
    return _check_source(argument, value) if value is not None else _read_variable(argument, variable, env)


def _read_variable(argument: str, variable: str, env: Mapping[str, str]) -> str:
    if variable not in env:
        raise value_error(
            argument,
            f"is missing: pass it, or set {variable} in the environment" + _suggest_variables([variable], env),
        )
    return check_secret_text(variable, env[variable])


def _check_source(argument: str, value: object) -> TextSource:
    return cast("Callable[[], str]", value) if callable(value) else check_secret_text(argument, value)


def read_secret(argument: str, source: TextSource) -> str:
    """Return the text, or the result of the callable; checked either way."""
    if not callable(source):
        return check_secret_text(argument, source)
    return check_secret_text(argument, raise_if_error(_call_source(argument, source)))


def _call_source(argument: str, source: Callable[[], str]) -> str | PineconeError:
    try:
        return source()
    except Exception as exc:  # noqa: BLE001 - the caller's own code; its message and frames may hold the secret
        error = TokenError(
            f"{argument}: the callable raised {type(exc).__name__}",
            argument=argument,
            # Of requests, urllib and sockets, it is an OSError.
            worth_retrying=isinstance(exc, OSError | httpx.TransportError)
            or (isinstance(exc, PineconeError) and exc.worth_retrying),
        )
        error.callable_traceback = Masked("".join(format_exception(exc)))
        return error
