#!/usr/bin/env python3
"""Write docs/images/cli-*.svg: what commands show on a terminal, in an emulated organization.

Usage: cli_pictures.py
"""

from __future__ import annotations

import io
import os
import re
import shlex
import sys
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from pinecone_admin.cli.main import main
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.clock import Clock
from pinecone_admin.testing import emulate

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "images"
COLUMNS = 92
# A picture loads nothing: the viewer's own fonts do.
_FONT = re.compile(r"\s*@font-face {[^}]*}")
PICTURES = {
    "cli-access": "access",
    "cli-stale": "project stale --name 'ci-*' --older-than 7d --yes",
}


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


def fill(emulator: Emulator) -> None:
    """Create what the pictures show."""
    with emulator.admin() as admin:
        for name in ("ci-4711", "ci-4712"):
            emulator.hold(admin.projects.create(name=name).id, "indexes", "articles")
        emulator.clock.advance(timedelta(days=8).total_seconds())
        search, billing = (admin.projects.create(name=name).id for name in ("search", "billing"))
        admin.projects.create(name="ci-4713")
        admin.api_keys.create(project_id=search, name="website", roles=["DataPlaneViewer"])
        admin.api_keys.create(project_id=search, name="nightly-import", roles=["ProjectEditor"])
        admin.service_accounts.create(name="provisioning")
    for email, role in (
        ("ada", ("ProjectEditor", search)),
        ("bob", ("ProjectViewer", search)),
        ("eve", ("ProjectOwner", billing)),
    ):
        emulator.add_user(f"{email}@example.com", roles=["OrgMember", role])


def draw(command: str) -> str:
    """Return a picture of a command and its output."""
    with redirect_stdout(Terminal()) as terminal:
        main(shlex.split(command))
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ pinecone-admin {command}", style="bold"))
    console.print(Text.from_ansi(terminal.getvalue()))
    picture = console.export_svg(title="pinecone-admin", theme=MONOKAI, unique_id="cli")
    return _FONT.sub("", picture)


if __name__ == "__main__":
    os.environ |= {"COLUMNS": f"{COLUMNS}", "TERM": "xterm-256color"}
    organization = Emulator(seed=1, clock=Clock(datetime(2026, 11, 18, 9, 0, tzinfo=UTC)))
    FOLDER.mkdir(exist_ok=True)
    with emulate(organization):
        fill(organization)
        for name, command in PICTURES.items():
            (FOLDER / f"{name}.svg").write_text(draw(command), encoding="utf-8")
    sys.exit(0)
