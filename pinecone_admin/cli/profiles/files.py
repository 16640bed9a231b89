"""The file of the profiles, in the platform's config folder and private to its owner, and how it is changed."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from platformdirs import user_config_path

from pinecone_admin._config.addresses import resolve_allow_http, resolve_api_url, resolve_oauth_url
from pinecone_admin._http.argument_checks import check_secret_text, is_visible_ascii, value_error
from pinecone_admin.auth.private_files import replace_private_file, written_beside
from pinecone_admin.cli.failures import BusyError, CLIError
from pinecone_admin.cli.identity.sources import check_schemes, identity_of_profile, require_both_addresses
from pinecone_admin.cli.output.file_locks import lock_file
from pinecone_admin.cli.output.files import (
    OTHERS_CAN_ACCESS,
    describe_path,
    describe_unwritable,
    read_file,
)
from pinecone_admin.cli.profiles.profile import Profile, Profiles, parse_profiles
from pinecone_admin.errors import ConflictError


def find_profile_file() -> Path | None:
    """Return the path of the file, whether or not it exists; None if the user has no folder for it."""
    path = user_config_path("pinecone-admin", appauthor=False) / "profiles.toml"
    return path if path.is_absolute() else None


def load_profiles(path: Path | None) -> Profiles:
    """Return the profiles of a file; none if it does not exist.

    Raises:
        CLIError: The file is damaged, or other users could have read or written it.
    """
    return parse_profiles(read_profiles(path), source=describe_path(path))


def change_profiles(
    path: Path | None, change: Callable[[str], str], *, beside: AbstractContextManager[object] | None = None
) -> tuple[Profiles, Profiles]:
    """Replace the text of the file atomically, and return its profiles before and after; the new file has mode 0600.

    Args:
        path: The file, which need not exist.
        change: Function that returns the new text, given the old one, which no other process changes at the same time.
        beside: A context for further changes while no other process changes the profiles. The file is replaced within
            it.

    Raises:
        CLIError: The file cannot be written, the old one is not private, or the new text is not valid.
    """
    if path is None:
        raise CLIError("There is no folder for profiles. Set HOME.")
    target = Path(os.path.realpath(path))  # the file may be a link into a folder of settings
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with lock_file(target):
            before = read_profiles(path)
            old = parse_profiles(before, source=describe_path(path))
            text = change(before)
            new = parse_profiles(text, source=describe_path(path))
            with beside or nullcontext():
                replace_private_file(target, text.encode())
            return old, new
    except OSError as exc:
        raise CLIError(f"{describe_unwritable(path, exc)}.", cause=exc) from exc


def read_profiles(path: Path | None) -> str:
    """Return the text of the file, which is valid; empty if it does not exist.

    Raises:
        CLIError: As for ``load_profiles``.
    """
    found = None if path is None else read_file(path, forbidden=OTHERS_CAN_ACCESS)
    text = "" if found is None else found[0]
    parse_profiles(text, source=describe_path(path))
    return text


def check_profile(profile: Profile, *, env: Mapping[str, str]) -> None:
    """Raise if a client would refuse a part of a profile.

    Args:
        profile: The profile.
        env: The environment, which can allow plain http.

    Raises:
        CLIError: A text is empty or contains control characters, or one of the two addresses is missing.
        PineconeValueError: The client id, an address or the expected organization is not valid.
    """
    parse_profiles(put_profile("", profile, make_default=False, overwrite=False), source="The profile cannot be saved")
    check_secret_text("client_id", profile.client_id)
    if profile.expect_organization is not None and not is_visible_ascii(profile.expect_organization):
        raise value_error("expect_organization", "is not an id: give the id of the organization, not its name")
    check_schemes(profile.api_url, profile.oauth_url)
    allow_http = resolve_allow_http(allow_http=False, env=env)
    resolve_api_url(profile.api_url, allow_http=allow_http, env={})
    resolve_oauth_url(profile.oauth_url, allow_http=allow_http, env={})
    names = {"host": "--api-url", "oauth_url": "--oauth-url"}
    require_both_addresses(identity_of_profile(profile), names=names)


def find_secret_file(profiles: Path, name: str) -> Path:
    """Return the file where ``login`` keeps the client secret of a profile."""
    return profiles.parent / f"{name}.secret"


@contextmanager
def secret_written(path: Path, secret: str) -> Generator[None, None, None]:
    """Write the secret file of a profile; if what follows fails, the file is as before.

    Raises:
        CLIError: It cannot be written.
    """
    with ExitStack() as stack:
        try:
            # A copy needs no room on the disk when it takes the place of the file again.
            before = stack.enter_context(written_beside(path, path.read_bytes())) if path.exists() else None
            replace_private_file(path, f"{secret}\n".encode())
        except OSError as exc:
            raise CLIError(f"{describe_unwritable(path, exc)}.", cause=exc) from exc
        try:
            yield
        except BaseException:
            if before is None:
                path.unlink(missing_ok=True)
            else:
                before.replace(path)
            raise


@contextmanager
def secret_deleted(path: Path) -> Generator[None, None, None]:
    """Delete the secret file of a profile once what follows is done."""
    yield
    path.unlink(missing_ok=True)


def put_profile(text: str, profile: Profile, *, make_default: bool, overwrite: bool) -> str:
    """Return the text with a profile.

    Args:
        text: Valid text of the file.
        profile: The profile.
        make_default: Whether it becomes the default profile.
        overwrite: Whether it replaces a profile of this name.

    Raises:
        CLIError: There is a profile of this name, and ``overwrite`` is False.
    """
    import tomlkit  # noqa: PLC0415 - only changes need it

    document: Any = tomlkit.parse(text)
    if profile.name in document.get("profiles", {}) and not overwrite:
        raise CLIError(
            f"Profile {profile.name} exists. Add --overwrite to replace it, or choose another name.",
            cause=ConflictError,
        )
    if make_default:
        document["default"] = profile.name
    tables = document.setdefault("profiles", tomlkit.table(is_super_table=True))
    tables[profile.name] = profile.to_table()
    return tomlkit.dumps(document)


def make_default(text: str, name: str) -> str:
    """Return the text with a profile as the default.

    Raises:
        CLIError: There is none of this name.
    """
    import tomlkit  # noqa: PLC0415 - only changes need it

    parse_profiles(text, source="the file of the profiles").find(name)
    document: Any = tomlkit.parse(text)
    document["default"] = name
    return tomlkit.dumps(document)


def remove_profile(text: str, profile: Profile) -> str:
    """Return the text without a profile, which also is no longer the default one.

    Raises:
        CLIError: There is none of this name, or it is another one than what was to be removed.
    """
    import tomlkit  # noqa: PLC0415 - only changes need it

    name = profile.name
    if parse_profiles(text, source="the file of the profiles").find(name) != profile:
        raise CLIError(
            f"Another command has changed profile {name}. Run this again.", cause=BusyError, says_if_unchanged=True
        )
    document: Any = tomlkit.parse(text)
    del document["profiles"][name]
    if document.get("default") == name:
        del document["default"]
    return tomlkit.dumps(document)
