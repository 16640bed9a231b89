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
from collections.abc import Callable, Sequence
from contextlib import suppress

from attrs import frozen

from pinecone_admin._text.printable import make_printable
from pinecone_admin.cli.identity.sources import without_own
from pinecone_admin.cli.interruption import Interruptions
from pinecone_admin.cli.output.file_locks import lock_file
from pinecone_admin.cli.secrets.env_file_text import VARIABLE_NAME, is_set, read_variable, set_variables
from pinecone_admin.cli.secrets.new_secret import LARGEST_SECRET, NewSecret, StoreError
from pinecone_admin.cli.secrets.store_command import run_store_command
from pinecone_admin.cli.secrets.target_files import TargetFile, explain_os_errors, find_target_file

STORE_FORMS = "env-file:PATH#NAME, file:PATH or exec:COMMAND"
# Values of API keys begin with pcsk_ or pckey_.
_KEY_VALUE = re.compile(r"pc(sk|key)_\S+")


class SecretStore(ABC):
    """A place where a new secret is stored."""

    @abstractmethod
    def check(self) -> None:
        """Check that a secret can be stored, without changing anything.

        Raises:
            StoreError: It cannot.
        """

    @property
    def address(self) -> str:
        """What ``--store`` calls it; of a command, only the first word, since others may be confidential."""
        return ""

    @property
    def targets(self) -> Sequence[tuple[str, ...]]:
        """What a secret changes there; two stores that have a target in common would replace each other's secrets.

        Raises:
            StoreError: Nothing can be stored there.
        """
        return []

    def check_unused(self) -> None:  # noqa: B027 - a command may store as many secrets as it likes
        """Check that no other secret would be replaced, which may be its only copy.

        Raises:
            StoreError: One would.
        """

    @abstractmethod
    def store(self, secret: NewSecret) -> None:
        """Store a secret.

        Raises:
            StoreError: It was not, or not surely, stored; a file is as before.
        """


@frozen
class PresentSecret:
    """What is at a place that is to take a secret.

    Attributes:
        value: The secret; empty if there is none.
        client_id: The client id beside the secret of a service account; empty if there is none.
    """

    value: str = ""
    client_id: str = ""


@frozen(kw_only=True)
class FileBackedStore(SecretStore):
    """A file, or a part of one, that takes a secret and from which it can be read again.

    Attributes:
        path: Its path.
        allow_group: Whether its group may have access to it.
        replaces: Whether the secret takes the place of one that is no longer valid, or soon is not.
        is_for_account: Whether the secret is that of a service account.
    """

    path: str
    allow_group: bool
    replaces: bool
    is_for_account: bool

    @property
    @abstractmethod
    def place(self) -> str:
        """What messages call the place of the secret."""

    @property
    def targets(self) -> Sequence[tuple[str, ...]]:
        """The file, as systems that ignore case see it."""
        return [(str(self.find_file().path).casefold(),)]

    @abstractmethod
    def check_unused(self) -> None:
        """Check that nothing is at the place, unless it may be replaced."""

    @abstractmethod
    def parse(self, content: bytes) -> PresentSecret:
        """Return what is at the place.

        Raises:
            StoreError: It is certainly no secret of this kind.
        """

    @abstractmethod
    def compose(self, content: bytes, secret: NewSecret) -> bytes:
        """Return the content of the file with a secret."""

    def check(self) -> None:
        """Check the file, that a copy of it with the secret can be written beside it, and what would be replaced."""
        file = self.find_file()
        with explain_os_errors(file.path), lock_file(file.path):
            file.try_replace(len(file.read()) + LARGEST_SECRET)
        self.check_replaceable()

    def check_replaceable(self, client_id: str | None = None) -> None:
        """Check that what is at the place can be the old secret, as far as that can be known.

        Args:
            client_id: Client id of the service account, if it is known.

        Raises:
            StoreError: It is certainly something else, and perhaps the only copy of it.
        """
        if not self.replaces:
            return
        present = self.parse(self.find_file().read())
        if present.value and bool(_KEY_VALUE.fullmatch(present.value)) == self.is_for_account:
            kind = "an API key" if self.is_for_account else "something else than an API key"
            raise StoreError(f"{self.place} has {kind}: choose another place, or remove it first", is_wrong_place=True)
        if client_id and present.client_id not in {"", client_id}:
            raise StoreError(
                f"{self.place} belongs to another service account, whose client id is beside it: "
                "choose another place, or remove it first",
                is_wrong_place=True,
            )

    def describe_replacement(self) -> str | None:
        """Return what cannot be known of a secret that would be replaced, or None if there is none."""
        present = self.parse(self.find_file().read()) if self.replaces else PresentSecret()
        if not present.value or present.client_id:
            return None
        return f"{self.place} has a value, to be replaced: nothing shows whether it is the old one"

    def store(self, secret: NewSecret) -> None:
        """Put the secret in its place, and keep what else is in the file."""
        path = self.find_file().path
        with explain_os_errors(path), lock_file(path):
            self.check_unused()
            self.check_replaceable(secret.client_id)
            file = self.find_file()
            file.replace(self.compose(file.read(), secret))

    def read_present(self) -> PresentSecret:
        """Return what is at the place; nothing if it cannot be read."""
        with suppress(StoreError):
            return self.parse(self.find_file().read())
        return PresentSecret()

    def find_file(self) -> TargetFile:
        """Return the file, after checks that neither open nor change it."""
        return find_target_file(self.path, allow_group=self.allow_group)


@frozen(kw_only=True)
class EnvFileStore(FileBackedStore):
    """A variable of an env file; of a service account, a second one with the client id."""

    name: str

    @property
    def place(self) -> str:
        """The variable and its file."""
        return f"{self.name} in {self.path}"

    @property
    def address(self) -> str:
        """The file and the variable."""
        return f"env-file:{self.path}#{self.name}"

    @property
    def _variables(self) -> list[str]:
        return [self.name, *([name_of_id(self.name)] if self.is_for_account else [])]

    @property
    def targets(self) -> Sequence[tuple[str, ...]]:
        """The variables in their file."""
        return [(*file, name) for file in super().targets for name in self._variables]

    def check_unused(self) -> None:
        """Check that the file does not set the variables, unless they may be replaced."""
        content = b"" if self.replaces else self.find_file().read()
        for name in self._variables:
            if is_set(content, name):
                raise StoreError(
                    f"{self.path} already sets {name}, which may be the only copy of another secret: "
                    "choose another name, or remove that line first",
                    is_wrong_place=True,
                )

    def parse(self, content: bytes) -> PresentSecret:
        """Return the values of the variables."""
        client_id = read_variable(content, name_of_id(self.name)) if self.is_for_account else ""
        return PresentSecret(read_variable(content, self.name), client_id)

    def compose(self, content: bytes, secret: NewSecret) -> bytes:
        """Set the variables, and keep every other line."""
        ids = {} if secret.client_id is None else {name_of_id(self.name): secret.client_id}
        return set_variables(content, {**ids, self.name: secret.value})


@frozen(kw_only=True)
class FileStore(FileBackedStore):
    """A file that contains the secret alone; of a service account, JSON with the client id, too."""

    @property
    def place(self) -> str:
        """The file."""
        return self.path

    @property
    def address(self) -> str:
        """The file."""
        return f"file:{self.path}"

    def check_unused(self) -> None:
        """Check that the file is empty or does not exist, unless it may be replaced."""
        if not self.replaces and self.find_file().read():
            raise StoreError(
                f"{self.path} is not empty, and may be the only copy of another secret: "
                "choose another file, or remove that one first",
                is_wrong_place=True,
            )

    def parse(self, content: bytes) -> PresentSecret:
        """Return the secret, and from the JSON of a service account the client id."""
        text = content.decode(errors="replace").strip()
        if not text or not self.is_for_account:
            return PresentSecret(text)
        with suppress(ValueError, TypeError, KeyError, RecursionError):
            document = json.loads(text)
            return PresentSecret(str(document["client_secret"]), str(document["client_id"]))
        raise StoreError(
            f"{self.path} has something else than the credentials of a service account, as this command stores them: "
            "choose another file, or remove that one first",
            is_wrong_place=True,
        )

    def compose(self, content: bytes, secret: NewSecret) -> bytes:  # noqa: ARG002 - nothing of it is kept
        """Return the secret alone, or as JSON."""
        if secret.client_id is None:
            return secret.value.encode()
        return (json.dumps({"client_id": secret.client_id, "client_secret": secret.value}) + "\n").encode()


@frozen(kw_only=True)
class CommandStore(SecretStore):
    """A command that gets the secret on its standard input, and ids and names in its environment."""

    command: tuple[str, ...]
    interruptions: Interruptions

    @property
    def address(self) -> str:
        """The command without its arguments."""
        return f"exec:{self.command[0]}"

    @property
    def targets(self) -> Sequence[tuple[str, ...]]:
        """The words of the command: what else tells it where a secret goes is unknown."""
        return [self.command]

    def check(self) -> None:
        """Check that the command can be found."""
        self._find_executable()

    def store(self, secret: NewSecret) -> None:
        """Run the command; the secret counts as stored if it exits with 0 and leaves nothing unread."""
        identifiers = {name: make_printable(value) for name, value in secret.identifiers.items()}
        environment = without_own(os.environ) | identifiers
        run_store_command([self._find_executable(), *self.command[1:]], secret.value, environment, self.interruptions)

    def _find_executable(self) -> str:
        found = shutil.which(self.command[0])
        if found is None:
            raise StoreError(f"{self.command[0]} is not an executable file, and none of this name is in PATH")
        return found


def parse_store(
    text: str,
    *,
    allow_group: bool,
    replaces: bool,
    is_for_account: bool,
    interruptions: Interruptions,
    fill: Callable[[str], str] = str,
) -> SecretStore:
    """Return the store that the text of an option names.

    Args:
        text: ``env-file:PATH#NAME``, ``file:PATH`` or ``exec:COMMAND``.
        allow_group: Whether the group of an existing file may have access to it.
        replaces: Whether the secret takes the place of one that is no longer valid, or soon is not.
        is_for_account: Whether it is the secret of a service account, and not the value of an API key.
        interruptions: Where a command that stores a secret gets its signals from.
        fill: Fills the placeholders of a part: only after the split can no value become a second part.

    Raises:
        StoreError: The text has none of these forms.
    """
    form, _, rest = text.partition(":")
    if form == "env-file":
        path, _, name = rest.rpartition("#")
        path, name = fill(path), fill(name)
        if not path or not VARIABLE_NAME.fullmatch(name):
            raise StoreError("an env file is given as env-file:PATH#NAME, such as env-file:.env#PINECONE_API_KEY")
        return EnvFileStore(
            path=path, name=name, allow_group=allow_group, replaces=replaces, is_for_account=is_for_account
        )
    if form == "file" and rest:
        return FileStore(path=fill(rest), allow_group=allow_group, replaces=replaces, is_for_account=is_for_account)
    if form == "exec":
        command = tuple(map(fill, _split_command(rest)))
        return CommandStore(command=command, interruptions=interruptions)
    # The text is not repeated: it may be a secret that was pasted in the wrong place.
    raise StoreError(f"the place for the secret is given as {STORE_FORMS}")


def name_of_id(name: str) -> str:
    """Return the name of the variable for the client id beside one for the client secret."""
    return re.sub("SECRET$", "ID", name) if name.endswith("SECRET") else f"{name}_ID"


def _split_command(text: str) -> tuple[str, ...]:
    try:
        command = tuple(shlex.split(text))
    except ValueError as error:
        raise StoreError(f"the command after exec: cannot be split into words: {error}") from error
    if not command:
        raise StoreError("exec: needs a command, such as exec:'vault kv put secret/pinecone key=-'")
    return command
