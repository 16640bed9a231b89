"""Profiles: accounts to sign in as, in TOML. A profile names the file or the command of its secret."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any, cast

from attrs import field, frozen

from pinecone_admin._text.printable import make_printable, quote_input
from pinecone_admin._text.quoting import quote_name
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.identity.sources import identity_error
from pinecone_admin.cli.parameters import find_nearest
from pinecone_admin.cli.sentences import list_words

# A shell reads such a name as one word, without quotes.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MAX_VALUE_LENGTH = 2000
_NONE, _SIGN_IN = "No profile is saved.", "Run pinecone-admin login."
_SECRET_KEYS = {"client-secret", "secret", "access-token", "token", "password"}


@frozen(kw_only=True)
class Profile:
    """A named identity.

    Attributes:
        name: Name of the profile.
        client_id: Client id of the service account.
        api_url: URL of the API, or None for production.
        oauth_url: URL of the token endpoint, or None for production.
        expect_organization: Id of the only organization that commands may work on, or None for any.
        secret_command: Command that prints the client secret; empty if there is none.
        secret_file: Absolute path of the file with the client secret, or None.
    """

    name: str
    client_id: str
    api_url: str | None = None
    oauth_url: str | None = None
    expect_organization: str | None = None
    secret_command: tuple[str, ...] = ()
    secret_file: str | None = None

    def to_table(self) -> dict[str, object]:
        """Return the table of the profile in the file."""
        values = {key: getattr(self, name) for key, name in _KEYS.items()}
        return {
            key: list(cast("Sequence[str]", value)) if isinstance(value, tuple) else value
            for key, value in values.items()
            if value is not None and value != ()
        }

    def to_document(self, *, is_default: bool) -> dict[str, object]:
        """Return the profile as commands show it."""
        values = {name: getattr(self, name) for name in _KEYS.values()}
        return {"name": self.name, "default": is_default, **values, "secret_command": list(self.secret_command)}


_KEYS = {
    name.replace("_", "-"): name
    for name in ("client_id", "api_url", "oauth_url", "expect_organization", "secret_command", "secret_file")
}


@frozen(kw_only=True)
class Profiles:
    """The profiles of a user, and the one that is used where nothing else names an identity."""

    by_name: Mapping[str, Profile] = field(factory=dict[str, Profile])
    default: str | None = None

    def find(self, name: str | None) -> Profile:
        """Return the profile of a name, or the default profile for None.

        Raises:
            CLIError: There is none.
        """
        chosen = self.default if name is None else name
        if chosen is not None and chosen in self.by_name:
            return self.by_name[chosen]
        problem, advice = "No profile is the default.", "Choose one with --profile, or with profile use."
        if name is not None:
            problem, advice = f"There is no profile {quote_name(make_printable(name, most=80))}.", ""
        if self.by_name:
            # A profile can have the name default, so that "Yours is default" would contradict the sentence before.
            known = f"{'The only one is' if len(self.by_name) == 1 else 'Yours are'} called {list_words(self.by_name)}."
        else:
            known, advice = _NONE, _SIGN_IN
        # Not the code of a missing resource, because a mistyped profile must not prove that a person was removed.
        raise identity_error(f"{problem} {known}", advice=advice)

    def list_choices(self) -> str:
        """Return the names of the profiles, for a question.

        Raises:
            CLIError: There is none.
        """
        if not self.by_name:
            raise identity_error(_NONE, advice=_SIGN_IN)
        return list_words(self.by_name, "or")


def parse_profiles(text: str, *, source: str) -> Profiles:
    """Return the profiles of a file.

    Args:
        text: Text of the file.
        source: How errors name the file.

    Raises:
        CLIError: The file is damaged, or a value cannot be right; the message says where.
    """
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as exc:  # a ValueError that is no TOMLDecodeError: a huge integer
        raise CLIError(f"{source} is not valid TOML: {make_printable(str(exc), most=200)}") from exc
    try:
        return _read_document(document)
    except ValueError as exc:
        raise CLIError(make_printable(f"{source}: {exc}", most=500)) from exc


def _read_document(document: Mapping[str, Any]) -> Profiles:
    _check_keys(document, ["default", "profiles"], where="the file")
    tables = document.get("profiles", {})
    if not isinstance(tables, dict):
        raise ValueError("profiles must be a table")  # noqa: TRY004 - the type is that of a file, not of an argument
    profiles = {name: _read_profile(name, table) for name, table in cast("dict[str, object]", tables).items()}
    default = document.get("default")
    if default is not None and (not isinstance(default, str) or default not in profiles):
        raise ValueError(f"default names no profile: {quote_input(default)}")
    return Profiles(by_name=profiles, default=default)


def _read_profile(name: str, value: object) -> Profile:
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{quote_input(name)} cannot name a profile. Use letters, digits, dots, hyphens and underscores"
        )
    if not isinstance(value, dict):
        raise ValueError(f"profile {name} must be a table")  # noqa: TRY004 - as above
    table = cast("dict[str, object]", value)
    _check_keys(table, list(_KEYS), where=f"profile {name}")
    texts = {key: _read_text(name, key, table[key]) for key in table if key != "secret-command"}
    if "client-id" not in texts:
        raise ValueError(f"profile {name} has no client-id")
    fields: dict[str, Any] = {_KEYS[key]: text for key, text in texts.items()}
    if {"secret-command", "secret-file"} <= table.keys():
        raise ValueError(f"profile {name} has both secret-command and secret-file: keep one of them")
    if "secret-file" in texts and not PurePath(texts["secret-file"]).is_absolute():
        raise ValueError(f"profile {name}: secret-file must be an absolute path")
    command = _read_command(name, table["secret-command"]) if "secret-command" in table else ()
    return Profile(name=name, secret_command=command, **fields)


def _check_keys(table: Mapping[str, object], known: Sequence[str], *, where: str) -> None:
    for key in table:
        if key in known:
            continue
        if key.replace("_", "-").lower() in _SECRET_KEYS:
            raise ValueError(
                f"{where} holds {quote_name(key)}: a profile never holds a secret: name its secret-file or "
                "secret-command"
            )
        near = find_nearest(key, known)
        raise ValueError(f"{where} has an unknown key {quote_input(key)}" + (f": did you mean {near}?" if near else ""))


def _read_command(name: str, value: object) -> tuple[str, ...]:
    words = cast("list[object]", value) if isinstance(value, list) else None
    if not words:
        raise ValueError(f'profile {name}: secret-command must be a list of words, such as ["op", "read", "…"]')
    return tuple(_read_text(name, "secret-command", word) for word in words)


def _read_text(name: str, key: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"profile {name}: {key} must be a text")
    if make_printable(value) != value:
        raise ValueError(f"profile {name}: {key} contains control characters")
    if value != value.strip() and key != "secret-command":
        raise ValueError(f"profile {name}: {key} begins or ends with white space")
    if len(value) > _MAX_VALUE_LENGTH:
        raise ValueError(f"profile {name}: {key} is too long")
    return value
