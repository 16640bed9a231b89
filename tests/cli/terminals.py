"""Read what a program shows on a terminal."""

from __future__ import annotations

import os
import select

from tests.support.concurrency import PATIENCE


def read_piece(terminal: int) -> str:
    """Return what is shown next; nothing at the end."""
    assert select.select([terminal], [], [], PATIENCE)[0]
    try:
        return os.read(terminal, 65536).decode()
    except OSError:  # Linux says so when the other end is closed
        return ""
