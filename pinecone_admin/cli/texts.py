"""Read a text that the command line gives as itself, as ``@FILE`` or as ``-`` for stdin."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pinecone_admin.cli.failures import CLIError

if TYPE_CHECKING:
    from pinecone_admin.cli.session import Session


def read_text(session: Session, option: str, value: str) -> str:
    """Return the text itself, that of a file for ``@FILE``, or that of stdin for ``-``.

    Raises:
        CLIError: The file cannot be read, or the text is not UTF-8.
    """
    if value == "-":
        return session.stdin.read()
    return read_file(option, value[1:]) if value.startswith("@") else value


def read_file(option: str, path: str) -> str:
    """Return the text of a file.

    Raises:
        CLIError: It cannot be read, or is not UTF-8.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise CLIError(f"{option}: {path}: {error.strerror or type(error).__name__}") from error
    except ValueError as error:
        raise CLIError(f"{option}: {path}: this is not a text in UTF-8") from error
