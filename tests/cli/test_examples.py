"""Every command has an example in its help, and each example works in the organization that the examples name."""

from __future__ import annotations

import shlex

from pinecone_admin.cli.commands import COMMANDS
from tests.cli.command_line import example_organization, run


def test_the_example_of_every_help_works() -> None:
    """The example that a help shows ends with exit code 0, and writes nothing to stderr."""
    failed = {}
    for spec in COMMANDS:
        with example_organization():
            done = run(*shlex.split(spec.example)[1:])
        if (done.exit, done.stderr) != (0, ""):
            failed[spec.example] = done
    assert failed == {}
