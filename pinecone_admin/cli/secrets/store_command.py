"""Run the command that stores a secret."""

from __future__ import annotations

import os
import re
import subprocess
import time
from base64 import b64encode
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from threading import Thread
from typing import IO
from urllib.parse import quote

from pinecone_admin._concurrency.locks import start_thread
from pinecone_admin.cli.failures import StoreError, reason_of
from pinecone_admin.cli.interruption import Interruptions
from pinecone_admin.cli.secrets.new_secret import LARGEST_SECRET

_READING_TIMEOUT = 2.0
"""Seconds that processes that the command leaves behind have for reading what it has not read."""
_READING_INTERVAL = 0.01
_MAX_OUTPUT = 65536
_MAX_SHOWN = 300
_OUTPUT_TIMEOUT = 1.0
_INTERVAL = 1.0
_REVEALING = 8
"""Consecutive characters of a secret that output must not contain to be shown."""
_URL_SAFE = str.maketrans("+/", "-_")
"""The two characters of base64 that its form for URLs replaces."""


def run_store_command(
    command: Sequence[str], secret: str, environment: Mapping[str, str], interruptions: Interruptions
) -> None:
    """Run a command with the secret on its standard input, without a shell.

    Its output could repeat the secret. So only the end of its standard error is shown, and only if the command fails
    and no part of the secret is recognized in it.

    Raises:
        StoreError: It could not be run, did not exit with 0, or left a part of the secret unread.
    """
    content = secret.encode()
    if len(content) > LARGEST_SECRET:
        raise StoreError(f"The secret has more than {LARGEST_SECRET} bytes, which a pipe may not take at once")
    reader, writer = os.pipe()
    try:
        # Written before anything can read it: a command that ends at once leaves it in the pipe, and breaks nothing.
        with os.fdopen(writer, "wb") as stream:
            stream.write(content)
        _run(command, secret, reader, environment, interruptions)
    finally:
        os.close(reader)


def _run(
    command: Sequence[str], secret: str, stdin: int, environment: Mapping[str, str], interruptions: Interruptions
) -> None:
    try:
        process = subprocess.Popen(  # noqa: S603 - the user names the command
            command, stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment
        )
    except (OSError, ValueError) as error:
        raise StoreError(f"{command[0]} cannot be run: {reason_of(error)}") from error
    output = bytearray()
    # A process that the command leaves behind may keep the pipe open, so nothing waits for its end.
    reading = Thread(target=_keep_end, args=(process.stderr, output), daemon=True)
    start_thread(reading.start)
    status = _wait(process, interruptions)
    is_unread = status == 0 and _take_unread(stdin)
    reading.join(_OUTPUT_TIMEOUT)
    if status != 0 or is_unread:
        ending = f"exit status {status}" if status >= 0 else f"signal {-status}"
        unread = ", but did not read the whole secret" if is_unread else ""
        text = bytes(output).decode(errors="replace")
        words = " ".join(text.split())
        said = f". Its standard error ends with: {words[-_MAX_SHOWN:]}" if words else ""
        if _reveals(text, secret):
            said = ". Its standard error is not shown, because a part of the secret is in it"
        raise StoreError(f"The command of --store, {command[0]}, ended with {ending}{unread}{said}")


def _wait(process: subprocess.Popen[bytes], interruptions: Interruptions) -> int:
    """Return the exit status of a process, which is killed if it goes on for long after a signal."""
    while True:
        # Without a timeout, a signal that arrives just before the system call would wait for the end of the process.
        with suppress(subprocess.TimeoutExpired):
            return process.wait(_INTERVAL)
        if interruptions.time_left() <= 0:
            process.kill()


def _take_unread(pipe: int) -> bool:
    """Return whether a pipe still has bytes after a moment; take them, so that nothing stores them later."""
    deadline = time.monotonic() + _READING_TIMEOUT
    while has_unread_bytes(pipe) and time.monotonic() < deadline:
        time.sleep(_READING_INTERVAL)
    return bool(os.read(pipe, LARGEST_SECRET))  # its writing end is closed, so that this does not wait


def has_unread_bytes(pipe: int) -> bool:
    """Return whether bytes in a pipe wait to be read; False where the system does not tell."""
    try:
        import fcntl  # noqa: PLC0415 - missing on Windows
        import termios  # noqa: PLC0415 - as above

        return any(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))
    except (ImportError, OSError):  # not every system tells it to the writer
        return False


def _keep_end(stream: IO[bytes], output: bytearray) -> None:
    with stream:
        while piece := os.read(stream.fileno(), _MAX_OUTPUT):
            output += piece
            del output[:-_MAX_OUTPUT]


def _reveals(text: str, secret: str) -> bool:
    """Return whether a text has a part of a secret, as it is or encoded, in capitals or not, and with any spaces."""
    text = "".join(text.casefold().split())
    content = secret.encode()
    # The characters of base64 depend on where in a group of three bytes the secret begins.
    encoded = [b64encode(bytes(start) + content).decode()[4 if start else 0 :] for start in range(3)]
    plain = [secret, quote(secret, safe=""), *encoded, *(each.translate(_URL_SAFE) for each in encoded)]
    digits = re.sub("[^0-9a-f]", "", text)  # dumps have punctuation between bytes
    return any(part in text for each in plain for part in _windows(each.casefold(), _REVEALING)) or any(
        part in digits for part in _windows(content.hex(), 2 * _REVEALING)
    )


def _windows(text: str, size: int) -> Generator[str, None, None]:
    """Return each part of a size, or a shorter text itself."""
    return (text[start : start + size] for start in range(max(len(text) - size, 0) + 1))
