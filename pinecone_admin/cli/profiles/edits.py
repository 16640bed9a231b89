"""Check new profiles, and add and remove profiles in the text of their file; comments and order are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tomlkit

from pinecone_admin._config.addresses import resolve_allow_http, resolve_api_url, resolve_oauth_url
from pinecone_admin.cli import exit_codes
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.profiles.profile import Profile, parse_profiles


def check_profile(profile: Profile, *, env: Mapping[str, str]) -> None:
    """Raise if a client would refuse a part of a profile.

    Args:
        profile: The profile.
        env: The environment, which can allow plain http.

    Raises:
        CLIError: A text is empty or contains control characters.
        PineconeValueError: An address is not valid.
    """
    parse_profiles(add_profile("", profile, make_default=False), source="the new profile")
    allow_http = resolve_allow_http(allow_http=False, env=env)
    resolve_api_url(profile.host, allow_http=allow_http, env={})
    resolve_oauth_url(profile.oauth_url, allow_http=allow_http, env={})


def add_profile(text: str, profile: Profile, *, make_default: bool) -> str:
    """Return the text with another profile.

    Args:
        text: Valid text of the file.
        profile: The profile.
        make_default: Whether it becomes the default profile.

    Raises:
        CLIError: There is a profile of this name.
    """
    document: Any = tomlkit.parse(text)
    if profile.name in document.get("profiles", {}):
        raise CLIError(f"there is a profile {profile.name} already: remove it first", exit=exit_codes.CONFLICT)
    if make_default:
        document["default"] = profile.name
    tables = document.setdefault("profiles", tomlkit.table(is_super_table=True))
    tables[profile.name] = profile.to_table()
    return tomlkit.dumps(document)


def remove_profile(text: str, name: str) -> str:
    """Return the text without a profile, which also is no longer the default one.

    Raises:
        CLIError: There is none of this name.
    """
    parse_profiles(text, source="the file of the profiles").find(name)
    document: Any = tomlkit.parse(text)
    del document["profiles"][name]
    if document.get("default") == name:
        del document["default"]
    return tomlkit.dumps(document)
