"""The entry point of ``pinecone-admin``."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import NoReturn, TextIO, cast

from pinecone_admin.cli import exit_codes
from pinecone_admin.cli.error_output import CommandFailure, asks_for_json, write_failure
from pinecone_admin.cli.nouns import NOUNS, SINGLE_COMMANDS

_PACKAGES = ("click", "jmespath", "platformdirs", "rich", "tomlkit", "yaml")
_NOT_SENT = {"outcome": "not_sent"}
_UNUSED = ("h2", "httpx._main", "trio")
"""Modules that httpx and httpcore import if they can, and that no command uses: HTTP/2, the command line of httpx, and
trio."""


def run() -> NoReturn:
    """Run the command line of this process, and exit."""
    # A closed stdout is refused, since a secret or an id would be lost in it; output is discarded with >/dev/null.
    is_closed = cast("TextIO | None", sys.stdout) is None
    argv = [read_word(word) for word in sys.argv[1:]]
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # it is closed
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - open until the end
    cast("dict[str, object]", sys.modules).update(dict.fromkeys(_UNUSED))  # as if they were not installed
    try:
        if is_closed:
            details = {"help_code": "PA101", **_NOT_SENT}
            failure = CommandFailure("Standard output is closed. Nothing was changed.", exit_codes.USAGE, details)
            code = _fail(failure, argv)
        else:
            code = main(argv)
    except KeyboardInterrupt:  # while the modules were loaded, or when the command had ended
        code = _fail(CommandFailure("Interrupted.", exit_codes.INTERRUPTED), argv)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            # Python writes what is buffered once more at its exit, and would complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    gc.freeze()  # else Python looks for garbage as it exits, which takes a fifth of the time of a list
    sys.exit(code)


def read_word(word: str) -> str:
    """Return a word of the command line as UTF-8, if the locale has read it as something else."""
    try:
        return os.fsencode(word).decode()
    except UnicodeError:
        return word


def main(argv: Sequence[str]) -> int:
    """Run a command line and return its exit code; it reads and writes the standard streams.

    Args:
        argv: The words after ``pinecone-admin``.
    """
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        message = f'These packages are not installed: {", ".join(missing)}. In a checkout, run pip install ".[cli]".'
        code = _fail(CommandFailure(message, exit_codes.USAGE, _NOT_SENT), argv)
    else:
        from pinecone_admin.cli.command_line import run_command_line  # noqa: PLC0415 - needs the extra

        code = run_command_line(argv)
    # An emulator that has started ends with 0, or with 9 if it could not save its state.
    if code not in {exit_codes.DONE, exit_codes.PARTLY_DONE} and _first_command(argv) == "emulator":
        from pinecone_admin.emulator.__main__ import FAILING_COMMAND, asks_for_exports  # noqa: PLC0415 - loads the emulator

        if asks_for_exports(argv):
            sys.stdout.write(FAILING_COMMAND)
    return code


def _first_command(argv: Sequence[str]) -> str:
    """Return the first word that is no option or value of one, and names a command; empty if there is none."""
    try:
        from pinecone_admin.cli.command_line import find_first_word  # noqa: PLC0415 - needs the extra
    except ImportError:  # then only the words are known
        return next((word for word in argv if word in NOUNS or word in SINGLE_COMMANDS), "")
    return find_first_word(argv)


def _fail(failure: CommandFailure, argv: Sequence[str]) -> int:
    if failure.exit == exit_codes.USAGE and _first_command(argv) == "run":
        failure = failure._replace(exit=exit_codes.COMMAND_NOT_RUN)
    write_failure(sys.stderr, failure, as_json=asks_for_json(argv))
    return failure.exit
