"""Obtain a client secret: from the file or the command of a profile, or from stdin."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from pinecone_admin._text.printable import make_printable
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.identity.sources import (
    CallerIdentity,
    identity_error,
    spell_login,
    without_pinecone_variables,
)
from pinecone_admin.cli.output.files import OTHERS_CAN_ACCESS, describe_path, read_file

_MAX_SECRET_LENGTH = 64 * 1024
# Password managers may wait for a person.
_TIMEOUT = 120.0


def run_secret_command(
    command: Sequence[str], *, env: Mapping[str, str], origin: str, timeout: float = _TIMEOUT
) -> str:
    """Return the secret that a command prints; its stderr and its terminal are those of this program.

    Args:
        command: The command and its arguments; no shell is used.
        env: Environment of this program, whose ``PINECONE_`` variables the command does not get.
        origin: Where the command is from, for errors.
        timeout: Seconds until the command is killed.

    Raises:
        CLIError: The command cannot be run, fails, or does not print one line. The message names the program only: its
            arguments and what it prints could be secret.
    """
    source = f"The secret-command of {origin} ({make_printable(Path(command[0]).name, most=80)})"
    try:
        done = subprocess.run(  # noqa: S603 - running it is what the user asked for
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=without_pinecone_variables(env),
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        done = None
    except (OSError, ValueError) as exc:
        raise identity_error(f"{source} cannot be run: {getattr(exc, 'strerror', None) or 'invalid name'}") from None
    if done is None:  # outside of the except clause, so that no traceback holds what was printed
        raise identity_error(
            f"{source} did not end within {timeout:g} seconds. Run it by itself to see what it waits for."
        )
    if done.returncode:
        raise identity_error(
            f"{source} ended with status {done.returncode}. Run it by itself to see why. It does not get the PINECONE_ "
            "variables."
        )
    return check_secret(done.stdout.decode("utf-8", "replace"), source=source)


def read_secret_file(path: str, *, identity: CallerIdentity) -> str:
    """Return the secret in a file.

    Args:
        path: The file.
        identity: The identity of the profile that names the file, for errors.

    Raises:
        CLIError: The file does not exist, other users can access it, or it does not have one line of text.
    """
    found = read_file(Path(path), forbidden=OTHERS_CAN_ACCESS)
    source = f"The secret-file of {identity.origin} ({describe_path(path)})"
    if found is None:
        raise identity_error(f"{source} does not exist.", advice=f"Sign in again: {spell_login(identity)}.")
    return check_secret(found[0], source=source)


def read_secret_from(stdin: TextIO) -> str:
    """Return the secret on stdin.

    Raises:
        CLIError: Stdin is a terminal, which would show the secret, or it does not have one line of text.
    """
    if stdin.isatty():
        raise CLIError(
            "--client-secret-stdin reads the secret from a pipe or a file, but standard input is a terminal. "
            "Pipe it in."
        )
    try:
        text = stdin.read(_MAX_SECRET_LENGTH + 1)
    except UnicodeDecodeError:
        text = "\ufffd"
    return check_secret(text, source="Standard input (--client-secret-stdin)")


def check_secret(printed: str, *, source: str) -> str:
    """Return the one line that was printed, without its end.

    Raises:
        CLIError: It is empty, too long, several lines, or not text.
    """
    text = printed.removesuffix("\n").removesuffix("\r")
    if not text.strip():
        raise identity_error(f"{source} contains nothing, but should contain the client secret.")
    if len(text) > _MAX_SECRET_LENGTH or not text.isprintable() or "\ufffd" in text:
        raise identity_error(f"{source} must contain one line of text, which is the client secret.")
    return text
