"""Serve the emulator, in this process or in the background, and print how a shell is connected to it."""

from __future__ import annotations

import json
import logging
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

from pinecone_admin.cli import exit_codes
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.identity.sources import TOKEN_VARIABLE, without_pinecone_variables
from pinecone_admin.cli.sentences import as_sentences
from pinecone_admin.cli.session import Session
from pinecone_admin.cli.variables import EMULATOR_PID_VARIABLE
from pinecone_admin.emulator.__main__ import CREDENTIALS, ServingError, StateNotSavedError
from pinecone_admin.emulator.__main__ import serve as serve_here
from pinecone_admin.emulator.control.announcement import format_exports

_MODULE = "pinecone_admin.cli.emulator.process"


def serve(session: Session, arguments: Sequence[str], *, form: str, background: bool) -> None:
    """Serve the emulator.

    Args:
        session: The session.
        arguments: Arguments of ``python -m pinecone_admin.emulator``, without ``--format``.
        form: ``json`` or ``env``.
        background: Whether to return once it listens.

    Raises:
        CLIError: It cannot start, or its state cannot be written at the end.
    """
    if background:
        session.stdout.write(start_in_background(arguments, for_shell=form == "env"))
        return
    if session.expects_json_errors:  # then the log of requests would be the only lines that are no JSON
        logging.basicConfig(handlers=[logging.NullHandler()])
    try:
        serve_here(["--format", form, *arguments])
    except StateNotSavedError as error:
        raise CLIError(as_sentences(str(error)), exit=exit_codes.PARTLY_DONE, outcome="done") from error
    except ServingError as error:
        # If it cannot start, the reason is a file, an address or a package that the command line names.
        raise CLIError(as_sentences(str(error))) from error


def start_in_background(arguments: Sequence[str], *, for_shell: bool) -> str:
    """Start a process that serves the emulator and ends with the shell, and return what to print once it listens.

    Args:
        arguments: Arguments of the emulator, without ``--format``.
        for_shell: Whether a shell evaluates the output, which then also tells the emulator which shell that is.

    Raises:
        CLIError: It cannot start; the message says why.
    """
    # Only its owner can write to the folder, so no other user can name a process.
    registration = Path(tempfile.mkdtemp(prefix="pinecone-emulator-")) / "shell" if for_shell else None
    with _removed_on_error(registration), tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        # -P keeps modules in the current folder from replacing those of the package. A new session keeps Ctrl-C in the
        # shell from stopping it. It inherits no credentials but those that it is to have.
        process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-P", "-m", _MODULE, str(os.getppid()), str(registration or ""), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            encoding="utf-8",
            env=without_pinecone_variables(os.environ)
            | {name: os.environ[name] for name in CREDENTIALS if name in os.environ},
            start_new_session=True,
        )
        announcement = _read_announcement(process)
        if not announcement:
            process.wait()
            errors.seek(0)
            raise CLIError(as_sentences(errors.read().strip() or "the emulator ended before it listened"))
    process.returncode = 0  # it goes on, and Popen would warn that nobody waited for it
    return format_announcement(json.loads(announcement), process.pid, registration)


@contextmanager
def _removed_on_error(registration: Path | None) -> Generator[None]:
    try:
        yield
    except BaseException:
        if registration is not None:
            rmtree(registration.parent, ignore_errors=True)
        raise


def _read_announcement(process: subprocess.Popen[str]) -> str:
    """Return the line that says where it listens, or nothing if it ended; stop it if this is interrupted."""
    output = process.stdout
    if output is None:  # pragma: no cover - it was started with a pipe
        return ""
    try:
        with output:
            return output.readline()
    except BaseException:
        process.kill()
        process.wait()
        raise


def format_announcement(line: Mapping[str, str], process_id: int, registration: Path | None) -> str:
    """Return what to print: one line of JSON, or commands for a shell, which also write its process id to a file."""
    if registration is None:
        return json.dumps({**line, "pid": process_id}) + "\n"
    report = f"echo $PPID > {shlex.quote(str(registration))}"
    lines = [
        format_exports(line),
        f"export {EMULATOR_PID_VARIABLE}={process_id}",
        # Bash, zsh, sh and fish name their own process id differently, and all are the parent of this one.
        f"sh -c {shlex.quote(report)} 2>/dev/null || true",
    ]
    if TOKEN_VARIABLE in os.environ:  # it would come before the client credentials
        # fish has no unset; elsewhere, set -e is another thing.
        lines.append(f"command -v unset >/dev/null && unset {TOKEN_VARIABLE} || set -e {TOKEN_VARIABLE}")
    return "\n".join(lines) + "\n"
