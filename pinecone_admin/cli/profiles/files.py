"""The file of the profiles: in the platform's config folder, and private to its owner."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from platformdirs import user_config_path

from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.output.private_files import (
    OTHERS_CAN_ACCESS,
    describe_path,
    lock_folder,
    read_file,
    replace_file,
)
from pinecone_admin.cli.profiles.profile import Profiles, parse_profiles


def find_profile_file() -> Path | None:
    """Return the path of the file, whether or not it exists; None if the user has no folder for it."""
    path = user_config_path("pinecone-admin", appauthor=False) / "profiles.toml"
    return path if path.is_absolute() else None


def load_profiles(path: Path | None) -> Profiles:
    """Return the profiles of a file; none if it does not exist.

    Raises:
        CLIError: The file is damaged, or other users could have read or written it.
    """
    if path is None:
        return Profiles()
    return parse_profiles(_read_text(path), source=describe_path(path))


def change_profiles(path: Path | None, change: Callable[[str], str]) -> None:
    """Replace the text of the file atomically; the new file has mode 0600.

    Args:
        path: The file, which need not exist.
        change: Function that returns the new text, given the old one, which no other process changes meanwhile.

    Raises:
        CLIError: The file cannot be written, the old one is not private, or the new text is not valid.
    """
    if path is None:
        raise CLIError("there is no folder for profiles: set HOME")
    target = Path(os.path.realpath(path))  # the file may be a link into a folder of settings
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with lock_folder(target.parent):
            before = _read_text(path)
            parse_profiles(before, source=describe_path(path))
            text = change(before)
            parse_profiles(text, source=describe_path(path))
            replace_file(target, text)
    except OSError as exc:
        raise CLIError(f"{describe_path(path)} cannot be written: {exc.strerror}") from exc


def _read_text(path: Path) -> str:
    file = read_file(path, forbidden=OTHERS_CAN_ACCESS)
    return "" if file is None else file.text
