"""What is wrong with the variables of the environment, as far as it shows without a request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from pinecone_admin.cli.doctor.checks import Diagnosis
from pinecone_admin.cli.identity.sources import (
    ADDRESS_VARIABLES,
    CREDENTIAL_VARIABLES,
    SECRET_VARIABLE,
    SWITCHES,
    TOKEN_VARIABLE,
    find_misspelt,
)
from pinecone_admin.cli.variables import VARIABLES

# Values of API keys begin with pcsk_ or pckey_.
_API_KEY = re.compile(r"\s*pc(sk|key)_\w")


_Problem: TypeAlias = tuple[str, str]
"""What is wrong with variables, and what to do about it."""


def find_variable_problems(env: Mapping[str, str], variables: Mapping[str, str]) -> list[Diagnosis]:
    """Return a result for each problem with the variables; values are not quoted.

    Args:
        env: The environment, whose settings always count.
        variables: The variables that the identity is made of: the environment, those of an env file, or none.
    """
    finders = (_find_misspelt, _find_malformed, _find_api_keys, _find_missing) if variables else ()
    found = [problem for find in finders for problem in find(variables)]
    found += _find_bad_settings({**variables, **env})
    return [Diagnosis("variables", "failed", problem, fix) for problem, fix in found]


def _find_misspelt(env: Mapping[str, str]) -> Iterator[_Problem]:
    unset = [name for name in VARIABLES if not env.get(name, "").strip()]
    for given, name in find_misspelt(env, unset):
        yield (f"{given} means nothing here", f"rename it to {name}")


def _find_malformed(env: Mapping[str, str]) -> Iterator[_Problem]:
    for name in (*CREDENTIAL_VARIABLES, TOKEN_VARIABLE, *ADDRESS_VARIABLES):
        value = env.get(name, "")
        if not value.strip():
            if name in env and name not in CREDENTIAL_VARIABLES:  # of these, it is said that they are missing
                yield (f"{name} is empty", "set it to a value, or unset it")
        elif value != value.strip():
            yield (f"{name} begins or ends with white space", "set it again without the white space")
        elif value[0] in "\"'" and value[0] == value[-1]:
            yield (f"{name} has quotes around its value", "set it again without the quotes")
        elif not value.isprintable() or not value.isascii() or " " in value:
            yield (f"{name} contains white space or control characters", "copy its value again")
        elif name == TOKEN_VARIABLE and value.lower().startswith("bearer"):
            yield (f"{name} begins with the word Bearer", "set it to the token alone")


def _find_api_keys(env: Mapping[str, str]) -> Iterator[_Problem]:
    for name in (SECRET_VARIABLE, TOKEN_VARIABLE):
        if _API_KEY.match(env.get(name, "")):
            yield (
                f"{name} holds an API key, which this API does not accept",
                "use the client id and secret of a service account, which the console creates",
            )


def _find_bad_settings(env: Mapping[str, str]) -> Iterator[_Problem]:
    for name in SWITCHES:
        if env.get(name, "") not in {"", "0", "1"}:
            yield (f"{name} is neither 0 nor 1, so it has no effect", f"set {name}=1, or unset it")


def _find_missing(env: Mapping[str, str]) -> Iterator[_Problem]:
    unset = [name for name in CREDENTIAL_VARIABLES if not env.get(name, "").strip()]
    misspelt = {name for _, name in find_misspelt(env, [*unset, TOKEN_VARIABLE])}
    # What is misspelt has been named already.
    missing = [name for name in unset if name not in misspelt]
    if not missing or env.get(TOKEN_VARIABLE, "").strip() or TOKEN_VARIABLE in misspelt:
        return
    names = " and ".join(missing)
    problem = f"{names} {'is' if len(missing) == 1 else 'are'} not set"
    if "PINECONE_API_KEY" in env:
        problem += "; PINECONE_API_KEY is for another API"
    yield (problem, f"set {names} to what a service account has; or pass --profile or --env-file")
