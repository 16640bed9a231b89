"""The session of one row, which shares the client, the names and the identity of the session of ``each``."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pinecone_admin._concurrency.locks import ensure_released
from pinecone_admin.cli.calls.naming import NameLookup
from pinecone_admin.cli.identity.caller import CallerOrganization
from pinecone_admin.cli.identity.client import share_client
from pinecone_admin.cli.identity.sources import CallerIdentity
from pinecone_admin.cli.session import Session
from pinecone_admin.workflows.sent_changes import SentChange

if TYPE_CHECKING:
    from pinecone_admin import Admin
    from pinecone_admin.cli.commands import Command

_OF_EACH = frozenset({"confirm", "overwrite"})
"""Options of ``each`` itself, whatever the command has of that name: the number of rows, and for its own file."""

_T = TypeVar("_T")


class SharedByRows:
    """The parts that all rows share. Each part is created for the first row that needs it.

    Args:
        session: The session of ``each``.
        command: The command that runs for each row.

    Attributes:
        session: The session of ``each``.
        settings: Values of the options that hold for all rows.
    """

    def __init__(self, session: Session, command: Command) -> None:
        self.session: Session = session
        known = {each.name for each in command.params} - _OF_EACH
        given = {name: value for name, value in session.settings.items() if name in known}
        self.settings: dict[str, Any] = {**given, "output": "json", **({"yes": True} if "yes" in known else {})}
        self._lock = RLock()

    def get(self, read: Callable[[], _T]) -> _T:
        """Return a part, while no other row makes one."""
        with ensure_released(self._lock), self._lock:
            return read()

    @cached_property
    def names(self) -> NameLookup:
        """Finds things by names that are looked up once for all rows."""
        return NameLookup(self.session.admin, lists_users=True)

    def forget_names(self, changes: Iterable[SentChange]) -> None:
        """Let names be looked up again whose meaning changes of a row may have changed."""
        if "names" in vars(self):
            self.names.forget(changes)


class RowSession(Session):
    """A run of the command for one row: it asks nobody, and its output is kept for the line of the row.

    Args:
        shared: The parts that all rows share.
        number: The number of the row.
    """

    def __init__(self, shared: SharedByRows, number: int) -> None:
        self._shared, self._number = shared, number
        self._output = io.StringIO()
        super().__init__(stdin=io.StringIO(), stdout=self._output, stderr=io.StringIO(), env=shared.session.env)
        self.settings.update(shared.settings)
        self.is_row = True
        self.claimed: dict[tuple[object, ...], set[str | None]] = shared.session.claimed
        self.written: list[str] = shared.session.written

    @property
    def admin(self) -> Admin:
        """The client."""
        return self._client

    @cached_property
    def _client(self) -> Admin:
        """A client over the connections and the token of all rows, whose changes are in the ledger of this one."""
        return share_client(self, self._shared.get(lambda: self._shared.session.admin))

    @cached_property
    def names(self) -> NameLookup:
        """Finds things by names, for all rows."""
        return self._shared.get(lambda: self._shared.names)

    @cached_property
    def organization(self) -> CallerOrganization:
        """The organization of the caller."""
        return self._shared.get(lambda: self._shared.session.organization)

    @cached_property
    def identity(self) -> CallerIdentity:
        """The identity that all rows use."""
        return self._shared.get(lambda: self._shared.session.identity)

    def notify(self, text: str, *, kind: Literal["note", "warning"] = "note") -> None:
        """Write one line for people, with the number of the row."""
        self._shared.session.notify(f"Row {self._number}: {text}", kind=kind)

    def show_wait(self, reason: str, seconds: float) -> None:
        """Show in the progress of all rows that this one waits."""
        self._shared.session.show_wait(reason, seconds)

    def pause_progress(self) -> AbstractContextManager[None]:
        """Return a context without progress on the terminal."""
        return self._shared.session.pause_progress()

    def read_result(self) -> Any:
        """Return what the command wrote: JSON, or the text of a page of help."""
        text = self._output.getvalue()
        try:
            return json.loads(text) if text else None
        except ValueError:
            return text
