"""What is wrong with the variables of the environment, as far as it shows without a request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from attrs import frozen

from pinecone_admin.cli.identity_sources import (
    ADDRESS_VARIABLES,
    CREDENTIAL_VARIABLES,
    KNOWN_VARIABLES,
    SETTING_VARIABLES,
    TOKEN_VARIABLE,
    find_misspelt,
)

# Values of API keys begin with pcsk_ or pckey_.
_API_KEY = re.compile(r"\s*pc(sk|key)_\w")


@frozen
class VariableProblem:
    """What is wrong with variables, and what to do about it."""

    problem: str
    fix: str


def find_variable_problems(env: Mapping[str, str], *, reads_identity: bool) -> list[VariableProblem]:
    """Return what is wrong with the variables; values are not quoted.

    Args:
        env: The environment.
        reads_identity: Whether the identity comes from the environment; otherwise only its settings count.
    """
    if not reads_identity:
        return list(_find_bad_settings(env))
    finders = (_find_misspelt, _find_malformed, _find_api_keys, _find_bad_settings, _find_missing)
    return [problem for find in finders for problem in find(env)]


def _find_misspelt(env: Mapping[str, str]) -> Iterator[VariableProblem]:
    unset = [name for name in KNOWN_VARIABLES if not env.get(name, "").strip()]
    for given, name in find_misspelt(list(env), unset):
        yield VariableProblem(f"{given} means nothing here", f"rename it to {name}")


def _find_malformed(env: Mapping[str, str]) -> Iterator[VariableProblem]:
    for name in (*CREDENTIAL_VARIABLES, TOKEN_VARIABLE, *ADDRESS_VARIABLES):
        value = env.get(name, "")
        if not value:
            continue
        if value != value.strip():
            yield VariableProblem(f"{name} begins or ends with white space", "set it again without the white space")
        elif value[0] in "\"'" and value[0] == value[-1]:
            yield VariableProblem(f"{name} has quotes around its value", "set it again without the quotes")
        elif not value.isprintable() or not value.isascii() or " " in value:
            yield VariableProblem(f"{name} contains white space or control characters", "copy its value again")
        elif name == TOKEN_VARIABLE and value.lower().startswith("bearer"):
            yield VariableProblem(f"{name} begins with the word Bearer", "set it to the token alone")


def _find_api_keys(env: Mapping[str, str]) -> Iterator[VariableProblem]:
    for name in ("PINECONE_CLIENT_SECRET", TOKEN_VARIABLE):
        if _API_KEY.match(env.get(name, "")):
            yield VariableProblem(
                f"{name} holds an API key, which this API does not accept",
                "use the client id and secret of a service account, which the console creates",
            )


def _find_bad_settings(env: Mapping[str, str]) -> Iterator[VariableProblem]:
    for name in SETTING_VARIABLES:
        if env.get(name, "") not in {"", "0", "1"}:
            yield VariableProblem(f"{name} is neither 0 nor 1, so it has no effect", f"set {name}=1, or unset it")


def _find_missing(env: Mapping[str, str]) -> Iterator[VariableProblem]:
    if env.get(TOKEN_VARIABLE, "").strip():
        return
    missing = [name for name in CREDENTIAL_VARIABLES if not env.get(name, "").strip()]
    if not missing:
        return
    fix = f"set {' and '.join(missing)}, those of a service account; or use --profile or --env-file"
    if len(missing) == len(CREDENTIAL_VARIABLES) and "PINECONE_API_KEY" in env:
        yield VariableProblem(f"{' and '.join(missing)} are not set; PINECONE_API_KEY is for another API", fix)
        return
    yield VariableProblem(f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set", fix)
