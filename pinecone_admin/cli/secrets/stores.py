"""The places where a new secret is stored: a variable of an env file, a file of its own, or a command.

A store is parsed, checked before anything is created, and then called with the secret.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping

from attrs import frozen

from pinecone_admin._text.printable import make_printable
from pinecone_admin.cli.identity.sources import without_own
from pinecone_admin.cli.interruption import Interruptions
from pinecone_admin.cli.output.private_files import lock_folder
from pinecone_admin.cli.secrets.env_file_text import VARIABLE_NAME, is_set, set_variables
from pinecone_admin.cli.secrets.new_secret import NewSecret
from pinecone_admin.cli.secrets.options import STORE_FORMS
from pinecone_admin.cli.secrets.store_command import run_store_command
from pinecone_admin.cli.secrets.store_error import StoreError
from pinecone_admin.cli.secrets.target_files import TargetFile, find_target_file

_LARGEST_SECRET = 4096
"""Bytes; more than any secret of the service with its ids."""


class SecretStore(ABC):
    """A place where a new secret is stored."""

    @abstractmethod
    def check(self) -> None:
        """Check that a secret can be stored, without changing anything.

        Raises:
            StoreError: It cannot.
        """

    def check_unused(self) -> None:  # noqa: B027 - a command may store as many secrets as it likes
        """Check that no other secret would be replaced, which may be its only copy.

        Raises:
            StoreError: One would.
        """

    @abstractmethod
    def store(self, secret: NewSecret) -> None:
        """Store a secret.

        Raises:
            StoreError: It was not stored; the place is as before.
        """


@frozen(kw_only=True)
class EnvFileStore(SecretStore):
    """A variable of an env file; of a service account, a second one with the client id."""

    path: str
    name: str
    allow_group: bool
    replaces: bool

    def check(self) -> None:
        """Check the file, and that a copy of it with the secret can be written beside it."""
        file = self._find_file()
        file.try_replace(len(file.read()) + _LARGEST_SECRET)

    def check_unused(self) -> None:
        """Check that the file does not set the variable."""
        if not self.replaces and is_set(self._find_file().read(), self.name):
            raise StoreError(
                f"{self.path} already sets {self.name}, which may be the only copy of another secret: "
                "choose another name, or remove that line first"
            )

    def store(self, secret: NewSecret) -> None:
        """Set the variable, and keep every other line."""
        with lock_folder(self._find_file().path.parent):
            self.check_unused()
            file = self._find_file()
            file.replace(set_variables(file.read(), self._list_variables(secret)))

    def _find_file(self) -> TargetFile:
        return find_target_file(self.path, allow_group=self.allow_group)

    def _list_variables(self, secret: NewSecret) -> dict[str, str]:
        if secret.client_id is None:
            return {self.name: secret.value}
        return {name_of_id(self.name): secret.client_id, self.name: secret.value}


@frozen(kw_only=True)
class FileStore(SecretStore):
    """A file that contains the secret alone; of a service account, JSON with the client id, too."""

    path: str
    allow_group: bool
    replaces: bool

    def check(self) -> None:
        """Check the file, and that a new one can be written beside it."""
        self._find_file().try_replace(_LARGEST_SECRET)

    def check_unused(self) -> None:
        """Check that the file is empty or does not exist."""
        if not self.replaces and self._find_file().read():
            raise StoreError(
                f"{self.path} is not empty, and may be the only copy of another secret: "
                "choose another file, or remove that one first"
            )

    def store(self, secret: NewSecret) -> None:
        """Replace the content of the file."""
        content = secret.value
        if secret.client_id is not None:
            content = json.dumps({"client_id": secret.client_id, "client_secret": secret.value}) + "\n"
        with lock_folder(self._find_file().path.parent):
            self.check_unused()
            self._find_file().replace(content.encode())

    def _find_file(self) -> TargetFile:
        return find_target_file(self.path, allow_group=self.allow_group)


@frozen(kw_only=True)
class CommandStore(SecretStore):
    """A command that gets the secret on its standard input, and ids and names in its environment."""

    command: tuple[str, ...]
    interruptions: Interruptions

    def check(self) -> None:
        """Check that the command can be found."""
        self._find_executable()

    def store(self, secret: NewSecret) -> None:
        """Run the command; the secret is stored if it exits with 0."""
        environment = command_environment(os.environ, secret.identifiers)
        run_store_command([self._find_executable(), *self.command[1:]], secret.value, environment, self.interruptions)

    def _find_executable(self) -> str:
        found = shutil.which(self.command[0])
        if found is None:
            raise StoreError(f"{self.command[0]} is not an executable file, and none of this name is in PATH")
        return found


def parse_store(text: str, *, allow_group: bool, replaces: bool, interruptions: Interruptions) -> SecretStore:
    """Return the store that the text of an option names.

    Args:
        text: ``env-file:PATH#NAME``, ``file:PATH`` or ``exec:COMMAND``.
        allow_group: Whether the group of an existing file may have access to it.
        replaces: Whether the secret takes the place of one that is no longer valid, or soon is not.
        interruptions: Where a command that stores a secret gets its signals from.

    Raises:
        StoreError: The text has none of these forms.
    """
    form, _, rest = text.partition(":")
    if form == "env-file":
        path, _, name = rest.rpartition("#")
        if not path or not VARIABLE_NAME.fullmatch(name):
            raise StoreError("an env file is given as env-file:PATH#NAME, such as env-file:.env#PINECONE_API_KEY")
        return EnvFileStore(path=path, name=name, allow_group=allow_group, replaces=replaces)
    if form == "file" and rest:
        return FileStore(path=rest, allow_group=allow_group, replaces=replaces)
    if form == "exec":
        return CommandStore(command=_split_command(rest), interruptions=interruptions)
    # The text is not repeated: it may be a secret that was pasted in the wrong place.
    raise StoreError(f"the place for the secret is given as {STORE_FORMS}")


def name_of_id(name: str) -> str:
    """Return the name of the variable for the client id beside one for the client secret."""
    return re.sub("SECRET$", "ID", name) if name.endswith("SECRET") else f"{name}_ID"


def command_environment(environment: Mapping[str, str], identifiers: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a command that stores a secret."""
    return without_own(environment) | {name: make_printable(value) for name, value in identifiers.items()}


def _split_command(text: str) -> tuple[str, ...]:
    try:
        command = tuple(shlex.split(text))
    except ValueError as error:
        raise StoreError(f"the command after exec: cannot be split into words: {error}") from error
    if not command:
        raise StoreError("exec: needs a command, such as exec:'vault kv put secret/pinecone key=-'")
    return command
