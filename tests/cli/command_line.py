"""Run the command line in process, with separate streams."""

from __future__ import annotations

import io
import json
import os
import resource
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

from attrs import frozen

from pinecone_admin import on_organization, on_project
from pinecone_admin.cli.commands import Command, load_commands
from pinecone_admin.cli.main import main
from pinecone_admin.cli.profiles.files import find_profile_file
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.records import ProjectRecord
from pinecone_admin.testing import emulate
from tests.support.resources import PLAIN, create_resources

COMMANDS = load_commands()
CTRL_C = "\x03"
"""The input that interrupts a command at a prompt."""
_NEVER = 3600.0


@frozen
class Run:
    """How a command line ended.

    Attributes:
        exit: The exit code.
        stdout: The text on stdout.
        stderr: The text on stderr.
    """

    exit: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """The JSON on stdout."""
        return json.loads(self.stdout)

    @property
    def said(self) -> str:
        """The text on stderr, without the line breaks of a terminal."""
        return " ".join(self.stderr.split())

    @property
    def error(self) -> Any:
        """The error object, which is the last line of stderr with ``--output json``."""
        return json.loads(self.stderr.splitlines()[-1])["error"]


class _Stream(io.TextIOWrapper):
    def __init__(self, text: str = "", *, terminal: bool, encoding: str) -> None:
        super().__init__(io.BytesIO(text.encode(encoding)), encoding=encoding, newline="")
        self._terminal = terminal

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]  # as the stubs do
        line = super().readline(size)
        if line.startswith(CTRL_C):
            raise KeyboardInterrupt
        return line

    def isatty(self) -> bool:
        return self._terminal

    def text(self) -> str:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode(self.encoding)


def run(
    *argv: str,
    stdin: str = "",
    terminal: bool = False,
    encoding: str = "utf-8",
    env: Mapping[str, str | None] | None = None,
    notice_after: float = _NEVER,
) -> Run:
    """Run ``pinecone-admin`` with these words.

    Args:
        argv: The words.
        stdin: The input.
        terminal: Whether all three streams are terminals, of 80 columns.
        encoding: The encoding of the streams.
        env: Changes of the environment; None removes a variable.
        notice_after: Seconds until the command explains why it goes on after a signal.
    """
    streams = [_Stream(text, terminal=terminal, encoding=encoding) for text in (stdin, "", "")]
    changed = {"COLUMNS": "80", **{name: value for name, value in (env or {}).items() if value is not None}}
    with mock.patch.dict("os.environ", changed):
        for name, value in (env or {}).items():
            if value is None:
                os.environ.pop(name, None)
        with (
            mock.patch.multiple(sys, stdin=streams[0], stdout=streams[1], stderr=streams[2]),
            mock.patch("pinecone_admin.cli.interruption._DELAY", notice_after),
            mock.patch("pinecone_admin.cli.output.progress._DELAY", _NEVER),  # shown or not by how busy the machine is
        ):
            code = main(argv)
    return Run(code, streams[1].text(), streams[2].text())


# A context for TLS takes as long as everything else that a command does. The emulation serves these addresses, too.
_PLAIN_ADDRESSES = {
    "PINECONE_CONTROLLER_HOST": "http://localhost:1",
    "PINECONE_OAUTH_URL": "http://localhost:1/oauth/token",
}


@contextmanager
def example_organization(spec: Command | None = None) -> Generator[Emulator, None, None]:
    """Emulate the organization that the examples in the help name; for the one of its deletion, without projects.

    It has the projects ``search``, with the key ``reader`` and an index, and ``empty``; the users owner@example.com and
    ada@example.com, who views ``search``; an invite for bob@example.com; and the service account ``ci``, which has no
    role. For the example of a command, it also has the service account ``nightly``, an OrgMember that edits ``search``.
    On this machine the profile ``production`` is saved.
    """
    emulator = Emulator(seed=0)
    with (
        emulate(emulator),
        TemporaryDirectory() as home,
        mock.patch.dict("os.environ", {"HOME": home, **_PLAIN_ADDRESSES}),
    ):
        os.environ.pop("XDG_CONFIG_HOME", None)
        _save_profile()
        project = fill(emulator)
        if spec is not None:
            roles = [on_organization("OrgMember"), on_project(project.id, "ProjectEditor")]
            with emulator.admin() as admin:
                admin.service_accounts.create(name="nightly", role_bindings=roles)
            emulator.requests.clear()
        if spec is not None and spec.full_name == "organization delete":
            make_deletable(emulator)
        yield emulator


def save_profile(name: str, *options: str, client_id: str = "account") -> Run:
    """Save a profile whose secret nobody tries, with further options of ``login``."""
    command = () if "--secret-command" in options else ("--secret-command", "false")
    words = ("login", "--name", name, "--client-id", client_id, *command, *options, "--no-check")
    return run(*words, env=dict.fromkeys(_PLAIN_ADDRESSES))


def _save_profile() -> None:
    path = find_profile_file()
    assert path is not None
    path.parent.mkdir(parents=True)
    path.touch(mode=0o600)
    path.write_text('[profiles.production]\nclient-id = "ExampleExampleExampleExample0002"\n')


def fill(emulator: Emulator) -> ProjectRecord:
    """Fill an emulator with what the examples name, and return the project ``search``."""
    with emulator.admin() as admin:
        project = admin.projects.create(name="search")
        # First, because an example has the id of this user's role, which comes from the seed and the order.
        emulator.add_user("ada@example.com", name="Ada", roles=["OrgMember", ("ProjectViewer", project.id)])
        admin.projects.create(name="empty")
        admin.api_keys.create(project_id=project.id, name="reader", roles=["DataPlaneViewer"])
        admin.invites.create(
            email="bob@example.com", role_bindings=[{"resource_type": "organization", "role": "OrgMember"}]
        )
        admin.service_accounts.create(name="ci")
        create_resources(admin, {"project_id": project.id}, PLAIN)
    emulator.hold(project.id, "indexes", "documents")
    emulator.requests.clear()
    return emulator.state.projects[project.id]


def make_deletable(emulator: Emulator) -> None:
    """Delete the projects of an organization, and put it on the plan Free."""
    emulator.state.organization.plan = "Free"
    for each in [*emulator.state.projects.values()]:
        emulator.state.remove_project(each)


def retire_key(emulator: Emulator) -> None:
    """Rotate a key ``indexer`` of the project ``search``, and let the time of its predecessor be over."""
    with emulator.admin() as admin:
        project = admin.projects.describe_by_name(name="search")
        old = admin.api_keys.create(project_id=project.id, name="indexer", roles=["DataPlaneEditor"])
        admin.api_keys.rotate(api_key_id=old.key.id, store=lambda key: key, keep_old_for=timedelta(minutes=1))
    emulator.clock.advance(120)
    emulator.requests.clear()


@contextmanager
def limit_file_size(size: int) -> Generator[None, None, None]:
    """Let every write beyond a size fail, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
