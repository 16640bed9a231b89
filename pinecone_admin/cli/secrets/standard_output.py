"""Show a secret on stdout, as one of the places that store it."""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import copy
from typing import TYPE_CHECKING, Any, TextIO

from attrs import evolve

from pinecone_admin.cli.failures import StoreError
from pinecone_admin.cli.output.writing import write_document, write_value
from pinecone_admin.cli.parameters import Secret
from pinecone_admin.cli.secrets.new_secret import NewSecret, describe_owner
from pinecone_admin.cli.secrets.places import SecretPlace
from pinecone_admin.cli.secrets.store_command import has_unread_bytes
from pinecone_admin.cli.session import Session
from pinecone_admin.models import APIKey, ServiceAccount, to_dict

if TYPE_CHECKING:
    from pinecone_admin.workflows import Difference

_PLACEHOLDER = "placeholder0of0a0secret"
_PATIENCE = 2000
_INTERVAL = 10
"""Milliseconds."""


class StandardOutput(SecretPlace):
    """The stdout of a command that shows a secret.

    Args:
        session: The session, whose format and query apply.
        makes: The secret.
    """

    def __init__(self, session: Session, makes: Secret) -> None:
        self._session, self._makes = session, makes

    def check(self, tried: set[object] | None = None) -> None:  # noqa: ARG002 - it writes no file
        """Check that there is a stdout, and that the query keeps the secret."""
        owner: dict[str, Any] = {"id": "x", "name": "x", "project_id": "x", "roles": ["x"]}
        if self._makes.is_of_account:
            owner = dict.fromkeys(("id", "name", "client_id", "created_at", "updated_at"), "x")
        sample = NewSecret(value=_PLACEHOLDER, kind=self._makes.kind, id="x", identifiers={}, owner=owner)
        self._require_secret(self._describe(sample), _PLACEHOLDER)

    def write(self, secret: NewSecret) -> None:
        """Write the secret, with what it belongs to, and wait until stdout has taken it."""
        document = self._describe(secret)
        self._require_secret(document, secret.value)
        try:
            write_document(self._session, document)
            flush_secret(self._session.stdout)
        except (OSError, ValueError) as error:
            discard_output(self._session.stdout)
            reason = "stdout was closed" if isinstance(error, BrokenPipeError) else f"stdout cannot be written: {error}"
            raise StoreError(f"The secret may not have been shown whole: {reason}") from error

    def write_existing(self, owner: APIKey | ServiceAccount, differences: Sequence[Difference] = ()) -> None:
        """Write what exists already with the fields of what is new; raw, which is the secret alone, has no line.

        Args:
            owner: The key or service account.
            differences: The settings that differ from the requested ones.
        """
        if self._session.output == "raw":
            return
        known = NewSecret(value="", kind=self._makes.kind, id=owner.id, identifiers={}, owner=describe_owner(owner))
        name = "client_secret" if self._makes.is_of_account else "value"
        write_value(self._session, {**self._describe(known, is_new=False, differences=differences), name: None})

    def _describe(
        self, secret: NewSecret, *, is_new: bool = True, differences: Sequence[Difference] = ()
    ) -> dict[str, Any]:
        """Return the fields that the command has with ``--store``, as far as they are known by now, and the secret."""
        is_table = self._session.output == "table" and not self._session.settings.get("query")
        outcome: dict[str, Any] = {"created": is_new} if self._makes.may_exist else {}
        if outcome and not is_table:
            outcome["differences"] = [to_dict(each) for each in differences]
        described = evolve(secret, owner={**secret.owner, **outcome})
        document = described.to_document() if self._makes.nested else described.to_flat_document()
        *others, (name, value) = document.items()
        return document if is_table else {**dict(others), "stored_in": None, name: value}

    def _require_secret(self, document: Mapping[str, Any], value: str) -> None:
        # Rendered apart first: what has been written cannot be taken back.
        trial = copy(self._session)
        trial.settings = {**trial.settings, "output": self._session.output}
        trial.stdout = io.StringIO()
        write_document(trial, document)
        if value not in trial.stdout.getvalue():
            raise StoreError("With this --query, the output does not contain the secret.")


def flush_secret(stream: TextIO) -> None:
    """Write what a stream still holds; if it is a pipe, also wait a moment for somebody to read it.

    Raises:
        OSError: It cannot be written, or it was closed before it was read.
    """
    stream.flush()
    with suppress(ImportError, io.UnsupportedOperation):
        from select import poll  # noqa: PLC0415 - missing on Windows, where nothing is waited for

        descriptor = stream.fileno()
        if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            closing = poll()
            closing.register(descriptor, 0)  # an event without being asked for: the other end is closed
            for _ in range(_PATIENCE // _INTERVAL):
                is_closed = bool(closing.poll(_INTERVAL))
                if not has_unread_bytes(descriptor):
                    return
                if is_closed:
                    raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def discard_output(stream: TextIO) -> None:
    """Let what a stream still holds go nowhere, so that closing it does not fail a second time."""
    with suppress(OSError, ValueError):
        descriptor = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
        stream.flush()
