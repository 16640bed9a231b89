"""Read files that a command takes, and write reports that only their owner can read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TextIO

from pinecone_admin.cli.output.private_files import describe_path, follow_own_links, replace_file
from pinecone_admin.errors import PineconeValueError

_MAX_CHARACTERS = 1 << 28
"""More than the inventory of any organization; a pipe that never ends stops here."""


def read_text(path: str, stdin: TextIO) -> str:
    """Return the text of a file, or of standard input for ``-``.

    Raises:
        PineconeValueError: It cannot be read, is not UTF-8, or is larger than 256 Mi characters.
    """
    try:
        if path == "-":
            text = stdin.read(_MAX_CHARACTERS + 1).removeprefix("\ufeff")
        else:
            with Path(path).open(encoding="utf-8-sig") as file:
                text = file.read(_MAX_CHARACTERS + 1)
    except OSError as error:
        raise PineconeValueError(f"cannot read {describe_path(path)}: {error.strerror or error}") from error
    except ValueError as error:
        raise PineconeValueError(f"cannot read {describe_path(path)}: it is not UTF-8 text") from error
    if len(text) > _MAX_CHARACTERS:
        raise PineconeValueError(f"cannot read {describe_path(path)}: it is too large")
    return text


def check_writable(path: str) -> None:
    """Raise if a report cannot be written to this path, before work is done for it.

    Raises:
        PineconeValueError: The folder is missing or not writable, or the path is a folder or a link of another user.
    """
    if path == "-":
        raise PineconeValueError("cannot write -: give the name of a file")
    if _is_device(Path(path)):
        return
    try:
        target = follow_own_links(Path(path).absolute())
    except OSError as error:
        raise PineconeValueError(f"cannot write {describe_path(path)}: {error.strerror}") from error
    if target.is_dir():
        raise PineconeValueError(f"cannot write {describe_path(path)}: it is a folder")
    if not target.parent.is_dir():
        raise PineconeValueError(f"cannot write {describe_path(path)}: its folder does not exist")
    if not os.access(target.parent, os.W_OK):
        raise PineconeValueError(f"cannot write {describe_path(path)}: its folder is not writable")


def write_report(path: str, text: str) -> None:
    """Write a file of mode 0600, completely or not at all; a device or a pipe is written as it is.

    Raises:
        PineconeValueError: It cannot be written; a file that was there is unchanged.
    """
    target = Path(path)
    try:
        if _is_device(target):
            target.write_text(text, encoding="utf-8")
        else:
            replace_file(follow_own_links(target.absolute()), text)
    except (OSError, UnicodeError) as error:
        raise PineconeValueError(
            f"cannot write {describe_path(path)}: {getattr(error, 'strerror', None) or error}"
        ) from error


def _is_device(path: Path) -> bool:
    """Return whether a path is neither a file nor a folder; the pipe behind ``/dev/fd/3`` has no path of its own."""
    return path.exists() and not path.is_file() and not path.is_dir()
