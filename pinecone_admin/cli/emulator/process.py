"""The emulator in the background: a separate process that ends when its shell ends.

``python -m pinecone_admin.cli.emulator.process PID FILE ARGUMENT…`` serves the emulator with these arguments until the
process with this id ends. The shell that evaluates the output of the command writes its process id into the file. From
then on, the emulator waits for that process. An empty FILE means that none will.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from shutil import rmtree
from threading import Thread

from pinecone_admin._concurrency.locks import start_thread
from pinecone_admin.emulator.__main__ import main as serve_emulator

_INTERVAL = 0.1
REGISTRATION_SECONDS = 30.0
"""How long a shell has time to register: what it evaluates runs right after the start."""


def main(arguments: Sequence[str]) -> int:
    """Serve until the owner ends, and return the exit status of the emulator."""
    owner, registration, *rest = arguments
    # Requests are logged nowhere: the terminal belongs to the shell. The emulator keeps a handler that is there.
    logging.basicConfig(handlers=[logging.NullHandler()])
    start_thread(Thread(target=_end_with_owner, args=(int(owner), registration), daemon=True).start)
    return serve_emulator(rest)


def _end_with_owner(launcher: int, registration: str) -> None:
    owner = launcher
    if registration:
        owner = find_owner(launcher, Path(registration), time.monotonic, time.sleep)
        rmtree(Path(registration).parent, ignore_errors=True)
    wait_for_end(owner)
    os.kill(os.getpid(), signal.SIGTERM)


def find_owner(launcher: int, registration: Path, clock: Callable[[], float], sleep: Callable[[float], object]) -> int:
    """Return the process id that is written to a file in time, or else that of the launcher.

    Args:
        launcher: Id of the process that started the command.
        registration: File where the shell writes its process id and a line break.
        clock: Returns monotonic seconds.
        sleep: Sleeps for seconds.
    """
    deadline = clock() + REGISTRATION_SECONDS
    while clock() < deadline:
        owner = _read_process_id(registration)
        if owner is not None:
            return owner
        sleep(_INTERVAL)
    return launcher


def _read_process_id(registration: Path) -> int | None:
    try:
        text = registration.read_text(encoding="ascii")
    except (OSError, ValueError):
        return None
    # Without the line break, the shell is still writing.
    return int(text) if text.endswith("\n") and text.strip().isdecimal() else None


def wait_for_end(process_id: int) -> None:
    """Return when a process has ended."""
    if not hasattr(os, "pidfd_open"):
        while _exists(process_id):
            time.sleep(_INTERVAL)
        return
    try:
        descriptor = os.pidfd_open(process_id)
    except OSError:
        return  # it has ended
    try:
        select.select([descriptor], [], [])
    finally:
        os.close(descriptor)


def _exists(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
