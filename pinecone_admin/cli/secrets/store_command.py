"""Run the command that stores a secret."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from threading import Thread
from typing import IO

from pinecone_admin._http.redaction import redact_text
from pinecone_admin.cli.interruption import Interruptions
from pinecone_admin.cli.secrets.store_error import StoreError

_MAX_OUTPUT = 4096
_MAX_SHOWN = 300
_OUTPUT_TIMEOUT = 1.0
_INTERVAL = 1.0
_GRACE = 5.0
"""Seconds that a command has after a signal; whoever sends SIGTERM usually sends SIGKILL after 10."""


def run_store_command(
    command: Sequence[str], secret: str, environment: Mapping[str, str], interruptions: Interruptions
) -> None:
    """Run a command with the secret on its standard input, without a shell.

    Its output could repeat the secret, so only the end of what it writes on its standard error is shown, redacted, and
    only if it fails.

    Raises:
        StoreError: It could not be run, or did not exit with 0.
    """
    try:
        process = subprocess.Popen(  # noqa: S603 - the user names the command
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise StoreError(f"{command[0]} cannot be run: {reason}") from error
    output = bytearray()
    with interruptions.second_kills(process):
        # A process that the command leaves behind may keep the pipe open, so nothing waits for its end.
        reader = Thread(target=_keep_end, args=(process.stderr, output), daemon=True)
        reader.start()
        _write_all(process.stdin, secret)
        status = _wait(process, interruptions)
        reader.join(_OUTPUT_TIMEOUT)
    if status != 0:
        ending = f"exit status {status}" if status > 0 else f"signal {-status}"
        raise StoreError(f"{command[0]} ended with {ending}{_describe_output(bytes(output), secret)}")


def _wait(process: subprocess.Popen[bytes], interruptions: Interruptions) -> int:
    """Return the exit status of a process, which is killed if it goes on for long after a signal."""
    remaining = _GRACE
    while True:
        # Without a timeout, a signal that arrives just before the system call would wait for the end of the process.
        with suppress(subprocess.TimeoutExpired):
            return process.wait(_INTERVAL)
        remaining -= _INTERVAL if interruptions.received else 0.0
        if remaining <= 0:
            process.kill()


def _write_all(stream: IO[bytes] | None, secret: str) -> None:
    if stream is not None:
        with suppress(BrokenPipeError):  # its exit status alone says whether it stored the secret
            stream.write(secret.encode())
        with suppress(BrokenPipeError):
            stream.close()


def _keep_end(stream: IO[bytes], output: bytearray) -> None:
    """Read a stream line by line, so that what is cut off is never the beginning of a secret alone."""
    with stream:
        for line in stream:
            output += line
            while len(output) > _MAX_OUTPUT:
                del output[: output.find(b"\n") + 1 or len(output)]


def _describe_output(output: bytes, secret: str) -> str:
    words = " ".join(redact_text(output.decode(errors="replace"), [secret]).split())
    return f": {words[-_MAX_SHOWN:]}" if words else ""
