"""The examples of all helps, each run once in the organization that they name."""

from __future__ import annotations

import json
import shlex
from collections.abc import Generator
from contextlib import chdir, contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen

from pinecone_admin.cli.commands import Command
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.control.request_log import LoggedRequest
from tests.cli.command_line import COMMANDS, Run, example_organization, retire_key, run

ORGANIZATION_FILE = """
organization: Emulated Organization
projects:
  - name: search
    api_keys:
      - {name: writer, roles: [DataPlaneEditor]}
people:
  - {email: carol@example.com, roles: [OrgMember, "search:ProjectViewer"]}
"""

# A shell evaluates what it prints: test_emulator_command.py runs it.
_ENDLESS = {("emulator",)}


@frozen
class ExampleRun:
    """The result of an example.

    Attributes:
        spec: The command.
        done: How it ended.
        requests: Its requests, without those for tokens.
    """

    spec: Command
    done: Run
    requests: list[LoggedRequest]


@cache
def run_examples(*options: str, terminal: bool = False, first: int = 0, step: int = 1) -> list[ExampleRun]:
    """Run the example of every command that ends by itself, in a folder with a plan, a list of people and a program.

    Args:
        options: Options that precede the command.
        terminal: Whether all streams are terminals.
        first: Number of the first command that is run, from 0.
        step: The step from it to the next one.
    """
    specs = [spec for spec in COMMANDS if spec.path not in _ENDLESS][first::step]
    with example_folder(terminal=terminal):
        return [run_example(spec, *options, terminal=terminal) for spec in specs]


@contextmanager
def example_folder(*, terminal: bool = False) -> Generator[None]:
    """Change into a folder with the files that the examples read.

    Args:
        terminal: Whether the streams of the commands that write them are terminals.
    """
    with TemporaryDirectory() as folder, chdir(folder):
        program = Path("run-tests")
        program.write_text("#!/bin/sh\n")
        program.chmod(0o700)
        Path("people.csv").write_text("email\ncarol@example.com\n")
        Path("org.yaml").write_text(ORGANIZATION_FILE)
        with example_organization():
            run("inventory", "--out", "inventory.json", terminal=terminal)
            run(
                "project",
                "stale",
                "--match",
                "ci-*",
                "--older-than",
                "7d",
                "--out",
                "plan.json",
                "--yes",
                terminal=terminal,
            )
        yield


def run_example(spec: Command, *options: str, terminal: bool = False) -> ExampleRun:
    """Run the example of a command; the arguments are those of ``run_examples``."""
    with example_organization(spec) as emulator:
        if spec.full_name == "api-key delete-retired":
            retire_key(emulator)
        if spec.full_name == "api-key rotate-due":
            emulator.clock.advance(91 * 86_400)
        if spec.full_name == "service-account rotate-due":
            _age_account(emulator, "ci")
        value = _make_leaked_key(emulator) if spec.full_name == "api-key identify" else ""
        # The profile of the example is one for production, and login refuses it in a shell that is wired to a server.
        env = dict.fromkeys(("PINECONE_CONTROLLER_HOST", "PINECONE_OAUTH_URL")) if spec.full_name == "login" else {}
        done = run(*options, *shlex.split(spec.example)[1:], stdin=value, terminal=terminal, env=env)
        return ExampleRun(spec, done, [each for each in emulator.requests if each.operation_id != "get_token"])


def _make_leaked_key(emulator: Emulator) -> str:
    """Create a key that may list the indexes of its project, and return its value."""
    with emulator.admin() as admin:
        project = admin.projects.describe_by_name(name="search")
        return admin.api_keys.create(project_id=project.id, name="leaked", roles=["ProjectViewer"]).value


def _age_account(emulator: Emulator, name: str) -> None:
    """Make an account old, and put its credentials where its programs read them."""
    account = next(each for each in emulator.state.service_accounts.listing if each.name == name)
    account.updated_at = emulator.clock.now() - timedelta(days=91)
    credentials = {"client_id": account.client_id, "client_secret": account.client_secret}
    path = Path(f"service-account-{name}.json")
    path.touch(mode=0o600)
    path.write_text(json.dumps(credentials))
