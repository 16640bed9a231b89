"""Run a program on a terminal, and read what it shows."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence

from tests.support.concurrency import PATIENCE

_TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


def start_on_terminal(command: Sequence[str], env: Mapping[str, str]) -> tuple[subprocess.Popen[bytes], int]:
    """Start a program on a new terminal; return the process, and our end of the terminal.

    ``pty.fork`` would fork this process, which has threads, and Python 3.15 warns of that.
    """
    ours, its = pty.openpty()
    take = [sys.executable, "-I", "-S", "-c", _TAKE_TERMINAL, *command]
    child = subprocess.Popen(take, env=env, stdin=its, stdout=its, stderr=its, start_new_session=True)
    os.close(its)
    return child, ours


def read_piece(terminal: int) -> str:
    """Return what is shown next; nothing at the end."""
    assert select.select([terminal], [], [], PATIENCE)[0]
    try:
        return os.read(terminal, 65536).decode()
    except OSError:  # Linux says so when the other end is closed
        return ""
