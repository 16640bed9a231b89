"""The entry point of ``pinecone-admin``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import NoReturn

_PACKAGES = ("click", "jmespath", "platformdirs", "rich", "tomlkit", "yaml")


def run() -> NoReturn:
    """Run the command line of this process, and exit."""
    sys.exit(main(sys.argv[1:]))


def main(argv: Sequence[str]) -> int:
    """Run a command line and return its exit code; it reads and writes the standard streams.

    Args:
        argv: The words after ``pinecone-admin``.
    """
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        sys.stderr.write(
            f"pinecone-admin needs packages that are not installed ({', '.join(missing)}): "
            "pip install 'pinecone-admin[cli]'\n"
        )
        return 2
    from pinecone_admin.cli.tree import run_command_line  # noqa: PLC0415 - needs the extra

    return run_command_line(argv)
