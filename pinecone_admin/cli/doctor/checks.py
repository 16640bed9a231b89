"""The result of each check of ``doctor``, and how to fix a failure; no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, TypeAlias

from pinecone_admin import (
    ApiError,
    BadRequestError,
    ForbiddenError,
    InvalidCredentialsError,
    PineconeError,
    ResponseParsingError,
    TokenError,
    UnauthorizedError,
)
from pinecone_admin._http.argument_checks import is_key_value
from pinecone_admin._text.durations import describe_difference
from pinecone_admin.cli.doctor.probes import STAGES, Cause, Probe, Stage
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.identity.caller import CallerView
from pinecone_admin.cli.identity.sources import (
    CREDENTIAL_VARIABLES,
    SECRET_VARIABLE,
    TOKEN_VARIABLE,
    find_misspelt,
)
from pinecone_admin.cli.variables import SWITCHES, VARIABLES, read_switch
from pinecone_admin.operations import API_VERSION

Status: TypeAlias = Literal["ok", "failed", "skipped"]

CHECKS = ("variables", *STAGES, "clock", "token endpoint", "credentials", "API version", "read", "roles")
"""Names of the checks, in order."""

# Machines that keep their time differ by less than a second; a Date has whole seconds, and a cache may delay it.
MAX_CLOCK_DIFFERENCE = timedelta(minutes=2)

_STAGE_FIXES: dict[Stage, str] = {
    "proxy": "check the host, port, user name and password in HTTPS_PROXY. NO_PROXY excludes a host from the proxy",
    "name look-up": "check the spelling of the host, and the DNS of this machine. Behind a proxy, set HTTPS_PROXY",
    "connection": "check the host, its port and firewalls. Behind a proxy, set HTTPS_PROXY",
    "certificates": "check the host and its port",
}
_CAUSE_FIXES: dict[Cause, str] = {
    "untrusted": "if a proxy of your company replaces certificates, set SSL_CERT_FILE to a file with its authority. "
    "Otherwise check the host",
    "other host": "check the host, because the certificate of the server there is for another host",
    "validity": "check the clock of this machine. If it is right, the operator of the server has to renew the "
    "certificate",
    "not TLS": "check the port, because the server there does not use TLS. For an emulator or a local server, write "
    "http:// in the address",
    "TLS ended": "check the host and its port. A proxy or a firewall on the way can also end the handshake",
    "not HTTP": "check the host and its port, and whether the address must begin with https://",
}
"""How a failure is fixed whose cause says more than its stage."""
_CORRECT_SETTING = "correct the setting that is named here"
_ROLES_FIX = "ask an owner of the organization to grant the account a role, with pinecone-admin role grant"


class Diagnosis(NamedTuple):
    """The result of one check.

    Attributes:
        check: Name of the check.
        status: Whether it passed, failed, or could not be made.
        detail: The result.
        fix: The fix of a failure.
    """

    check: str
    status: Status
    detail: str
    fix: str = ""


def skipped(checks: Iterable[str]) -> list[Diagnosis]:
    """Return the results of checks that could not be made."""
    return [Diagnosis(check, "skipped", "not checked, because an earlier check failed") for check in checks]


def judge_refused_configuration(message: str, variable: str) -> Diagnosis:
    """Return the result for a configuration that the client refuses, by the variable that is wrong."""
    if variable.endswith("_PROXY"):
        return Diagnosis("proxy", "failed", message, _STAGE_FIXES["proxy"])
    if variable == "SSL_CERT_FILE":
        return Diagnosis(
            "certificates", "failed", message, "set SSL_CERT_FILE to a file of certificates in PEM form, or unset it"
        )
    return Diagnosis("variables", "failed", message, _CORRECT_SETTING)


def judge_refusal(check: str, error: CLIError, *, fix: str = _CORRECT_SETTING) -> Diagnosis:
    """Return the result for a refusal of the command line, with the fix that its message has.

    Args:
        check: Name of the check.
        error: The refusal.
        fix: The fix, if the message has none.
    """
    return Diagnosis(check, "failed", error.problem, error.advice or fix)


def judge_probes(probes: Sequence[Probe], *, proxies: Sequence[str]) -> list[Diagnosis]:
    """Return a result for each stage of the way to the servers.

    Args:
        probes: A probe of each server.
        proxies: The proxies that they used, without credentials.
    """
    results: list[Diagnosis] = []
    for stage in STAGES:
        broken = [probe for probe in probes if probe.failed == stage]
        if broken:
            detail = "; ".join(dict.fromkeys(probe.reason for probe in broken))
            fixes = dict.fromkeys(_CAUSE_FIXES.get(probe.cause, _STAGE_FIXES[stage]) for probe in broken)
            return [
                *results,
                Diagnosis(stage, "failed", detail, "; ".join(fixes)),
                *skipped(STAGES[len(results) + 1 :]),
            ]
        results.append(Diagnosis(stage, "ok", _describe_stage(stage, probes, proxies)))
    return results


def _describe_stage(stage: Stage, probes: Sequence[Probe], proxies: Sequence[str]) -> str:
    if stage == "proxy":
        return f"used: {', '.join(proxies)}" if proxies else "none is used"
    if stage == "name look-up" and proxies:
        return "left to the proxy"
    if stage == "certificates":
        secure = [probe.host for probe in probes if probe.url.startswith("https:")]
        return f"trusted: {_list_hosts(secure)}" if secure else "not used: the addresses are plain http"
    return _list_hosts([probe.host for probe in probes])


def _list_hosts(hosts: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(hosts))


def judge_clock(date: datetime | None, *, now: datetime) -> Diagnosis:
    """Return whether the clock of this machine agrees with that of the server.

    Args:
        date: The server's time, or None if it does not say what time it is.
        now: The time of this machine.
    """
    if date is None:
        return Diagnosis("clock", "skipped", "not checked, because the server sent no date")
    difference = abs(now - date)
    if difference <= MAX_CLOCK_DIFFERENCE:
        return Diagnosis("clock", "ok", "agrees with that of the server")
    direction = "ahead of" if now > date else "behind"
    return Diagnosis(
        "clock",
        "failed",
        f"the clock of this machine is {describe_difference(difference)} {direction} that of the server",
        "set the clock of this machine, with NTP if possible, because certificates and tokens depend on it",
    )


def judge_supplied_token(error: PineconeError | None) -> list[Diagnosis]:
    """Return whether the API accepts a token from elsewhere, which only a request shows.

    Args:
        error: The error of a read, or None.
    """
    unused = Diagnosis("token endpoint", "skipped", "not checked, because the access token is used instead")
    if error is None or (isinstance(error, ForbiddenError) and error.error_code is not None):
        return [unused, Diagnosis("credentials", "ok", "the API accepts the access token")]
    if isinstance(error, UnauthorizedError):
        detail = f"the API does not accept the access token: {error.message}"
        return [
            unused,
            Diagnosis("credentials", "failed", detail, "get another token, because this one may have expired"),
        ]
    return [unused, Diagnosis("credentials", "skipped", "not known, because the read fails")]


def judge_token(error: PineconeError | None) -> list[Diagnosis]:
    """Return whether the token endpoint works, and whether it accepts the credentials."""
    if error is None:
        return [Diagnosis("token endpoint", "ok", "issues tokens"), Diagnosis("credentials", "ok", "accepted")]
    if isinstance(error, InvalidCredentialsError):
        fix = "copy the client id and secret of the service account again, or use the new secret if it was rotated"
        return [Diagnosis("token endpoint", "ok", "responds"), Diagnosis("credentials", "failed", error.message, fix)]
    fix = "check that PINECONE_OAUTH_URL, or oauth-url of the profile, is the token endpoint with its path"
    if isinstance(error, TokenError) and (error.status_code or 0) >= 500:  # noqa: PLR2004 - the server's errors
        fix = f"try again later, because the token endpoint failed. If that lasts, {fix}"
    return [Diagnosis("token endpoint", "failed", error.message, fix)]


def judge_read(error: PineconeError | None) -> list[Diagnosis]:
    """Return whether the API knows the version, and whether something can be read.

    Args:
        error: The error of a read, or None.
    """
    version = Diagnosis("API version", "ok", API_VERSION)
    if error is None:
        return [version, Diagnosis("read", "ok", "works")]
    if isinstance(error, ForbiddenError) and error.error_code is not None:
        refused = Diagnosis("read", "skipped", "the account may not read anything")
        return [version, refused, Diagnosis("roles", "failed", error.message, _ROLES_FIX)]
    if isinstance(error, BadRequestError) and "version" in error.message.lower():
        detail = f"{API_VERSION} is refused: {error.message}"
        return [Diagnosis("API version", "failed", detail, "install a newer version of pinecone-admin")]
    detail, fix = error.message, f"run pinecone-admin explain {error.help_code}"
    if isinstance(error, UnauthorizedError):
        detail = f"the API does not accept the token: {error.message}"
        fix = "check that the host and the token endpoint belong together. If you passed a token, get another one"
    elif isinstance(error, ResponseParsingError) or (isinstance(error, ApiError) and error.error_code is None):
        detail = f"not a response of the API: {error.message}"
        fix = "check PINECONE_CONTROLLER_HOST, or api-url of the profile, because another server responds there"
    unknown = Diagnosis("API version", "skipped", "not known, because the read fails")
    return [unknown, Diagnosis("read", "failed", detail, fix)]


def judge_roles(view: CallerView) -> Diagnosis:
    """Return whether a role of the account is in the list of bindings."""
    if view.roles is None:
        is_token = view.client_id is None
        reason = "an access token does not show its account" if is_token else "the account may not read its own roles"
        return Diagnosis("roles", "skipped", f"not known, because {reason}")
    if view.roles:
        return Diagnosis("roles", "ok", ", ".join(view.roles))
    return Diagnosis("roles", "failed", "the list of role bindings has none of this account", _ROLES_FIX)


def judge_organization(view: CallerView, expected: str | None) -> list[Diagnosis]:
    """Return whether the organization is the expected one; nothing if none is expected."""
    if expected is None:
        return []
    if list(view.organizations) == [expected]:
        return [Diagnosis("organization", "ok", expected)]
    detail = f"the account belongs to {', '.join(view.organizations) or 'none that it can see'}, not to {expected}"
    return [
        Diagnosis(
            "organization",
            "failed",
            detail,
            "use credentials of that organization, or correct --expect-organization or its variable",
        )
    ]


def find_variable_problems(env: Mapping[str, str], variables: Mapping[str, str]) -> list[Diagnosis]:
    """Return a result for each problem with variables that a client accepts; values are not quoted.

    Args:
        env: The environment, whose settings always count.
        variables: The variables that the identity is made of: the environment, those of an env file, or none.
    """
    unset = [name for name in VARIABLES if not variables.get(name, "").strip()]
    found = [
        (f"{given} is no variable of this program", f"rename it to {name}")
        for given, name in find_misspelt(variables, unset)
    ]
    found += [
        (f"{name} has quotes around its value", "set it again without the quotes")
        for name in (*CREDENTIAL_VARIABLES, TOKEN_VARIABLE)
        if re.fullmatch(r"""(["']).*\1""", variables.get(name, ""), re.DOTALL)
    ]
    if is_key_value(variables.get(SECRET_VARIABLE, "")):
        fix = "use the client id and secret of a service account, which the console creates"
        found.append((f"{SECRET_VARIABLE} holds an API key, which this API does not accept", fix))
    found += [
        (f"{name} is neither 0 nor 1, so {effect}", f"set {name}=1, or unset it")
        for name, effect in SWITCHES.items()
        if None in {read_switch(name, each) for each in (env, variables)}
    ]
    return [Diagnosis("variables", "failed", problem, fix) for problem, fix in found]
