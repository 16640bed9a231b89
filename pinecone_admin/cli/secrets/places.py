"""Places for secrets: a file, a variable of an env file, or what a command stores.

A place is checked before anything is made, and then takes one secret.
"""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import suppress

from attrs import frozen

from pinecone_admin._text.printable import make_printable
from pinecone_admin.auth.private_files import name_copies, replace_private_file, written_beside
from pinecone_admin.cli.failures import StoreError, WrongPlaceError
from pinecone_admin.cli.identity.sources import without_pinecone_variables
from pinecone_admin.cli.interruption import Interruptions
from pinecone_admin.cli.output.file_locks import lock_file
from pinecone_admin.cli.secrets.env_file_text import read_env_file, set_variables
from pinecone_admin.cli.secrets.new_secret import LARGEST_SECRET, NewSecret
from pinecone_admin.cli.secrets.store_command import run_store_command
from pinecone_admin.cli.secrets.target_files import TargetFile, explain_os_errors, find_target_file

# Values of API keys begin with pcsk_ or pckey_. With a separator in it, a text may be several of them.
_KEY_VALUE = re.compile(r"pc(sk|key)_[\w.~+/=-]+")
_SAMPLE = "sample"


@frozen
class Target:
    """A file, a variable of one, or a command that a secret changes.

    Attributes:
        resource: The identity of the file, or the words of the command.
        variable: The variable that is set in the file; None if all of the resource is replaced.
    """

    resource: tuple[object, ...]
    variable: str | None = None

    def overlaps(self, other: Target) -> bool:
        """Return whether a change of this one changes the other one."""
        is_part = None in {self.variable, other.variable} or self.variable == other.variable
        return self.resource == other.resource and is_part


def find_overlaps(targets: Sequence[Sequence[Target]]) -> Iterator[tuple[int, ...]]:
    """Yield for each secret the numbers of those whose targets overlap its own, with its own number."""
    users: dict[tuple[object, ...], dict[str | None, list[int]]] = {}
    for number, each in enumerate(targets):
        for target in each:
            users.setdefault(target.resource, {}).setdefault(target.variable, []).append(number)
    for number, each in enumerate(targets):
        met = {number}
        for target in each:
            of_file = users[target.resource]
            variables = of_file if target.variable is None else (target.variable, None)
            met.update(*(of_file.get(variable, ()) for variable in variables))
        yield tuple(sorted(met))


@frozen
class PresentSecret:
    """The content of a place.

    Attributes:
        value: The secret; empty if there is none.
        client_id: The client id beside the secret of a service account; empty if there is none.
    """

    value: str = ""
    client_id: str = ""


class SecretPlace(ABC):
    """A place for one secret; by default, one that cannot be read.

    Attributes:
        is_readable: Whether the secret can be read there again.
    """

    is_readable: bool = False

    @property
    def address(self) -> str:
        """Its name in ``--store``; of a command, only the first word, since others may be confidential."""
        return ""

    def targets(self) -> Sequence[Target]:
        """Return all that a secret changes there.

        Raises:
            StoreError: Nothing can be stored there.
        """
        return []

    @abstractmethod
    def check(self, tried: set[object] | None = None) -> None:
        """Check that a secret can be stored, and leave everything as it is.

        Args:
            tried: Files and folders that a secret could be written to; this one is added.

        Raises:
            StoreError: It cannot.
        """

    def check_vacant(self) -> None:  # noqa: B027 - a command may store as many secrets as it likes
        """Check that no other secret would be replaced, which may be its only copy.

        Raises:
            StoreError: One would.
        """

    def check_owner(self, client_id: str | None) -> None:  # noqa: B027 - what cannot be read has no known owner
        """Check that what is there can be the old secret of a service account, or of a key, as far as that is known.

        Args:
            client_id: Client id of the service account; None if it is not known, or for a key.

        Raises:
            StoreError: It is certainly something else, and perhaps the only copy of it.
        """

    def read(self) -> PresentSecret:
        """Return what is at the place; nothing if it cannot be read."""
        return PresentSecret()

    def describe_content(self, client_id: str | None) -> str:  # noqa: ARG002 - one that cannot be read knows nobody
        """Return what can be said of the secret of something that exists already; empty if nothing is stored here.

        Args:
            client_id: Client id of the service account; None for a key.
        """
        return f"{self.address} cannot be read, so nothing shows whether it has the secret." if self.address else ""

    @abstractmethod
    def write(self, secret: NewSecret) -> None:
        """Store a secret.

        Raises:
            StoreError: It was not, or not surely, stored.
        """


@frozen(kw_only=True)
class FilePlace(SecretPlace):
    """A file, or a variable of an env file; of a service account, with the client id beside the secret.

    Attributes:
        path: The path of the file.
        variable: The variable; None if the file has nothing but the secret.
        allow_group: Whether the group of the file may have access to it.
        replaces: Whether the secret takes the place of one that is no longer valid, or soon is not.
        is_for_account: Whether the secret is that of a service account.
        interruptions: Says how long the command may still wait.
    """

    is_readable = True

    path: str
    variable: str | None
    allow_group: bool
    replaces: bool
    is_for_account: bool
    interruptions: Interruptions

    @property
    def address(self) -> str:
        """The path, and the variable."""
        return f"file:{self.path}" if self.variable is None else f"env-file:{self.path}#{self.variable}"

    @property
    def _name(self) -> str:
        """The name of the place in messages."""
        return self.path if self.variable is None else f"{self.variable} in {self.path}"

    @property
    def _owner(self) -> str:
        return "service account" if self.is_for_account else "key"

    @property
    def _doubt(self) -> str:
        """What cannot be known of a value without a client id beside it."""
        return f"Nothing shows whether it is that of this {self._owner}."

    def _variables(self) -> list[str]:
        """Return the variables that a secret sets, first the one of the secret itself."""
        if self.variable is None:
            return []
        return [self.variable, *([name_of_id(self.variable)] if self.is_for_account else [])]

    def _find_file(self) -> TargetFile:
        return find_target_file(self.path, allow_group=self.allow_group)

    def targets(self) -> Sequence[Target]:
        """Return the variables in their file, or all of the file."""
        resource = self._find_file().identity
        names = self._variables()
        return [Target(resource, each) for each in names] if names else [Target(resource)]

    def check(self, tried: set[object] | None = None) -> None:
        """Check the file, its lock, that it can be replaced by a copy with the secret, and what would be replaced."""
        file = self._find_file()
        file.check_replaceable()
        content = file.read()
        self._compose(content, _SAMPLE, _SAMPLE)
        tried = set() if tried is None else tried
        place = file.folder if file.status is None else file.identity
        with explain_os_errors(file.path), lock_file(file.path, self.interruptions.time_left):
            if place not in tried:
                size = len(content) + LARGEST_SECRET
                with written_beside(file.path, bytes(size), like=file.status):
                    pass
        tried.add(place)
        self._check_owner(content, None)

    def check_vacant(self) -> None:
        """Check that neither the file nor the variables have a value, unless they may be replaced."""
        self._check_vacant(self._find_file().read())

    def check_owner(self, client_id: str | None) -> None:
        """Check that what would be replaced is a secret of this kind, and not that of another account."""
        self._check_owner(self._find_file().read(), client_id)

    def describe_replacement(self) -> str | None:
        """Return what cannot be known of a secret that would be replaced, or None if there is none."""
        present = self._parse(self._find_file().read()) if self.replaces else PresentSecret()
        if not present.value or present.client_id:
            return None
        return f"{self._name} exists, and --store replaces its value. {self._doubt}"

    def read(self) -> PresentSecret:
        """Return what is at the place; nothing if it cannot be read."""
        with suppress(StoreError):
            return self._parse(self._find_file().read())
        return PresentSecret()

    def describe_content(self, client_id: str | None) -> str:
        """Return whether there is a value, and whether it is known to be that of this account."""
        try:
            present = self._parse(self._find_file().read())
        except StoreError:
            return f"{self._name} cannot be read, or has something else than the secret of a {self._owner}."
        if not present.value:
            return f"{self._name} has no value."
        if present.client_id:
            whose = "this" if present.client_id == client_id else "another"
            return f"{self._name} has a secret beside the client id of {whose} service account."
        return f"{self._name} has a value. {self._doubt}"

    def write(self, secret: NewSecret) -> None:
        """Put the secret in its place under the lock of the file, and read it back."""
        path = self._find_file().path
        with explain_os_errors(path), lock_file(path, self.interruptions.time_left):
            file = self._find_file()
            if file.path != path:
                raise StoreError(f"{self.path} has become a link to another file")
            file.check_replaceable()
            # What processes that were killed were about to put in place of the file: it has secrets.
            for each in path.parent.glob(f"{glob.escape(name_copies(path))}*"):
                each.unlink(missing_ok=True)
            content = file.read()
            self._check_vacant(content)
            self._check_owner(content, secret.client_id)
            new = self._compose(content, secret.value, secret.client_id or "")
            replace_private_file(path, new, like=file.status)
            if self._parse(self._find_file().read()) != PresentSecret(secret.value, secret.client_id or ""):
                raise StoreError(f"{self.path} was changed by another program while the secret was written to it")

    def _check_vacant(self, content: bytes) -> None:
        if self.replaces:
            return
        file = read_env_file(content)
        for name in self._variables():
            if file.may_set(name):
                raise WrongPlaceError(
                    f"{self.path} already has a value for {name}, perhaps the only copy of it. Choose another name, or "
                    "remove that line first",
                )
        if self.variable is None and content:
            raise WrongPlaceError(
                f"{self.path} is not empty, and perhaps the only copy of a secret. Choose another file, or remove that "
                "one first",
            )

    def _check_owner(self, content: bytes, client_id: str | None) -> None:
        if not self.replaces:
            return
        present = self._parse(content)
        problem = ""
        if present.value and bool(_KEY_VALUE.fullmatch(present.value)) == self.is_for_account:
            problem = f"{self._name} has {'an API key' if self.is_for_account else 'something else than an API key'}"
        elif client_id and present.client_id not in {"", client_id}:
            # The text there is not quoted, because it may be a secret.
            problem = (
                f"{self._name} belongs to another service account: the client id beside it is not that of this one"
            )
        elif self.is_for_account and present.value and (other := self._find_name_of_secret(content)):
            problem = f"{self._name} may be the client id that belongs to {other}"
        if problem:
            raise WrongPlaceError(f"{problem}. Choose another place, or remove it first")

    def _find_name_of_secret(self, content: bytes) -> str | None:
        """Return the variable of another account whose client id is where the secret of this one belongs."""
        name, file = self.variable or "", read_env_file(content)
        if file.may_set(name_of_id(name)):
            return None
        names = (re.sub("_ID$", "", name), re.sub("ID$", "SECRET", name))
        return next((each for each in names if each != name and file.may_set(each)), None)

    def _parse(self, content: bytes) -> PresentSecret:
        """Return what is at the place.

        Raises:
            StoreError: It is certainly no secret of this kind.
        """
        if self.variable is not None:
            file, client_id = read_env_file(content), ""
            if self.is_for_account:
                client_id = file.read(name_of_id(self.variable))
            return PresentSecret(file.read(self.variable), client_id)
        text = content.decode(errors="replace").strip()
        if not text or not self.is_for_account:
            return PresentSecret(text)
        with suppress(ValueError, AttributeError, RecursionError):
            document: dict[str, object] = json.loads(text)
            # With any other field, the file has something that its replacement would lose.
            if document.keys() == {"client_id", "client_secret"}:
                return PresentSecret(str(document["client_secret"]), str(document["client_id"]))
        raise WrongPlaceError(
            f"{self.path} has other text than the credentials of a service account. "
            "Choose another file, or remove that one first",
        )

    def _compose(self, content: bytes, value: str, client_id: str) -> bytes:
        """Return the content of the file with a secret."""
        if self.variable is not None:
            ids = {name_of_id(self.variable): client_id} if self.is_for_account else {}
            try:
                return set_variables(content, {**ids, self.variable: value})
            except StoreError as error:
                raise type(error)(f"{self.path}: {error}") from error
        if not self.is_for_account:
            return value.encode()
        return (json.dumps({"client_id": client_id, "client_secret": value}) + "\n").encode()


@frozen(kw_only=True)
class CommandPlace(SecretPlace):
    """A command that gets the secret on its standard input, and ids and names in its environment.

    Attributes:
        command: The words of the command.
        interruptions: Where a command that stores a secret gets its signals from.
    """

    command: tuple[str, ...]
    interruptions: Interruptions

    @property
    def address(self) -> str:
        """The command without its arguments."""
        return f"exec:{self.command[0]}"

    def targets(self) -> Sequence[Target]:
        """Return the words of the command: what else tells it where a secret goes is unknown."""
        return [Target(("exec", *self.command))]

    def check(self, tried: set[object] | None = None) -> None:  # noqa: ARG002 - it writes no file
        """Check that the command can be found."""
        self._find_executable()

    def write(self, secret: NewSecret) -> None:
        """Run the command; the secret counts as stored if it exits with 0 and leaves nothing unread."""
        identifiers = {name: make_printable(value) for name, value in secret.identifiers.items()}
        environment = without_pinecone_variables(os.environ) | identifiers
        run_store_command([self._find_executable(), *self.command[1:]], secret.value, environment, self.interruptions)

    def _find_executable(self) -> str:
        found = shutil.which(self.command[0])
        if found is None:
            raise StoreError(f"{self.command[0]} is no program that can be run")
        return found


def name_of_id(name: str) -> str:
    """Return the name of the variable for the client id beside one for the client secret."""
    return re.sub("SECRET$", "ID", name) if name.endswith("SECRET") else f"{name}_ID"
