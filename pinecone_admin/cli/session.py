"""The session of a command: the streams, the options of every command, and a client that is created when needed."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import cached_property
from io import TextIOWrapper
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Self, TextIO

from pinecone_admin._text.printable import make_printable, mask_key_values
from pinecone_admin.cli.error_output import fit, render_notice
from pinecone_admin.cli.exit_codes import DONE, FINDINGS, PARTLY_DONE
from pinecone_admin.cli.interruption import Interruptions
from pinecone_admin.cli.ledger import Ledger
from pinecone_admin.cli.output.progress import DelayedBar, show_progress
from pinecone_admin.cli.sentences import tidy
from pinecone_admin.cli.variables import NO_PROMPT_VARIABLE, read_switch

if TYPE_CHECKING:
    from pinecone_admin import Admin
    from pinecone_admin.cli.calls.naming import NameLookup
    from pinecone_admin.cli.commands import Command
    from pinecone_admin.cli.identity.caller import CallerOrganization
    from pinecone_admin.cli.identity.sources import CallerIdentity
    from pinecone_admin.workflows.guard import Caller


class Session:
    """One run of the command line.

    Args:
        stdin: Where confirmations and ``-`` are read from.
        stdout: Where data is written to, and nothing else.
        stderr: Where everything else is written to.
        env: The environment.

    Attributes:
        settings: Values of the options that every command has, by their names, such as ``output`` or ``read_only``;
            only those that were given.
        command: The command, once it has begun.
        expects_json_errors: Whether an error, and what else is written to stderr, is JSON.
        interruptions: The signals that interrupt the command.
        ledger: The changes of the command so far.
        bar: The progress that the terminal shows, or may show later, if any.
        has_lost_output: Whether stdout was closed before a result was written to it.
        is_row: Whether it runs a row of ``each``, whose changes were agreed to before the first row.
        columns: Values of the row, by the columns that ``--store`` has in it; empty unless it runs one.
        claimed: The places that secrets of this run have: variables by their files, or None for all of a file.
        written: Files that the command itself writes, so that they are no places for secrets; each with the option that
            must name another file in the next run, or an empty text if that run may replace the file.
        is_filtered: Whether options of a list select some of all things.
    """

    def __init__(self, *, stdin: TextIO, stdout: TextIO, stderr: TextIO, env: Mapping[str, str]) -> None:
        self.stdin: TextIO = stdin
        self.stdout: TextIO = stdout
        self.stderr: TextIO = stderr
        self.env: Mapping[str, str] = env
        self.settings: dict[str, Any] = {}
        self.command: Command | None = None
        self._exit_code, self._has_lost_entry = DONE, False
        self.expects_json_errors = False
        self.ledger: Ledger = Ledger()
        self.interruptions: Interruptions = Interruptions(self.notify, self.ledger)
        self.bar: DelayedBar | None = None
        self.has_lost_output: bool = False
        self.is_row: bool = False
        self.columns: Mapping[str, str] = {}
        self.claimed: dict[tuple[object, ...], set[str | None]] = {}
        self.written: dict[str, str] = {}
        self.is_filtered: bool = False
        self._admin: Admin | None = None

    @classmethod
    def of_process(cls) -> Session:
        """Return a session with the streams and the environment of this process."""
        for stream in (sys.stdout, sys.stderr):
            # A name may have characters that the terminal's encoding lacks.
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return cls(stdin=sys.stdin, stdout=sys.stdout, stderr=sys.stderr, env=os.environ)

    @property
    def exit_code(self) -> int:
        """The exit code of the run, unless it ends in an error; a change that the audit log lacks leaves none done."""
        return PARTLY_DONE if self._has_lost_entry and self._exit_code == DONE else self._exit_code

    @exit_code.setter
    def exit_code(self, code: int) -> None:
        self._exit_code = code

    def fail_on(self, what: str, kinds: str = "") -> None:
        """End with the code for findings and differences, if an option asks for that.

        If the exit code already shows that parts are missing, or that something is refused, it stays.

        Args:
            what: The findings.
            kinds: The details; empty if they are in the output.
        """
        also = " also" if self._exit_code else ""  # a warning has the reason for the code that stays
        self.notify(f"This{also} fails on {what}, as you asked{f': {kinds}' if kinds else ''}.")
        self.exit_code = self._exit_code or FINDINGS

    # The question of the command

    @property
    def is_interactive(self) -> bool:
        """Whether a person can be asked: both ends of the dialogue are a terminal, and no variable forbids it."""
        permits = read_switch(NO_PROMPT_VARIABLE, self.env) is False  # a value that is neither 1 nor 0 ends questions
        return self.stdin.isatty() and self.stderr.isatty() and permits

    def explain_silence(self) -> str:
        """Return why nobody can be asked, as a sentence."""
        reasons = {True: f"{NO_PROMPT_VARIABLE} is 1", None: f"{NO_PROMPT_VARIABLE} is neither 1 nor 0"}
        reason = reasons.get(read_switch(NO_PROMPT_VARIABLE, self.env), "there is no terminal")
        return f"Nobody can be asked here, since {reason}."

    @property
    def output(self) -> str:
        """The format of the output: table, json, yaml, csv or raw."""
        return self.settings.get("output") or ("table" if self.stdout.isatty() else "json")

    @property
    def is_dry_run(self) -> bool:
        """Whether nothing may be changed."""
        return bool(self.settings.get("dry_run"))

    def advise_on_written_files(self) -> str:
        """Return which options of the same command need another file next time, as the end of a clause; or nothing."""
        from pathlib import Path  # noqa: PLC0415 - takes 2 ms, and few commands fail after they wrote a file

        options = dict.fromkeys(option for path, option in self.written.items() if option and Path(path).is_file())
        return f" with {' and '.join(f'another {each}' for each in options)}" if options else ""

    # The client

    @property
    def admin(self) -> Admin:
        """The client, made on first use."""
        if self._admin is None:
            from pinecone_admin.cli.identity.client import make_client  # noqa: PLC0415 - loads httpx

            with self.pause_progress():  # the command that prints the secret may use the terminal
                self._admin = make_client(self)
        return self._admin

    @cached_property
    def names(self) -> NameLookup:
        """Finds things by their names."""
        from pinecone_admin.cli.calls.naming import NameLookup  # noqa: PLC0415 - loads the client

        return NameLookup(self.admin, self.ledger.note_name)

    def find_names(self, noun: str) -> list[str]:
        """Return the names that a shell completes."""
        from pinecone_admin.cli.completion import find_names  # noqa: PLC0415 - only completion needs it

        return find_names(self, noun)

    @cached_property
    def organization(self) -> CallerOrganization:
        """The organization of the caller, read on first use."""
        from pinecone_admin.cli.identity.caller import read_organization  # noqa: PLC0415 - loads the client

        with show_progress(self, "reading the organization"):
            return read_organization(self.admin)

    @cached_property
    def identity(self) -> CallerIdentity:
        """The identity of the command, without the secret of a command or of stdin."""
        from pinecone_admin.cli.identity.client import find_identity  # noqa: PLC0415 - loads what only it needs

        return find_identity(self)

    @property
    def account(self) -> Caller:
        """The account that makes changes: that of the credentials or, with a token alone, that of ``--own-client-id``.

        Raises:
            PineconeValueError: ``--own-client-id`` names another account than the credentials.
        """
        from pinecone_admin.workflows.guard import identify_caller  # noqa: PLC0415 - loads the models

        uses_token = self.identity.access_token is not None and not self.settings.get("client_secret_stdin")
        return identify_caller(None if uses_token else self.identity.client_id, self.settings.get("client_id"))

    @property
    def client_id(self) -> str | None:
        """The client id of the account, or None if there is only a token, and no ``--own-client-id``."""
        return self.account.client_id

    @property
    def caller(self) -> str:
        """The client id of the account, or ``unknown`` if there is only a token."""
        return self.client_id or "unknown"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Close the client, and write what is still buffered."""
        if self._admin is not None:
            self._admin.close()
        # A failure to write must not replace the error of the command.
        with nullcontext() if kind is None else suppress(OSError):
            self.stdout.flush()

    # Output

    @contextmanager
    def until_closed(self) -> Generator[None, None, None]:
        """Let the command go on if whoever reads stdout has enough: what follows chooses its exit code."""
        try:
            yield
        except BrokenPipeError:
            self.has_lost_output = True

    def warn(self, text: str) -> None:
        """Write a sentence on something that is not as the user wants it to stderr."""
        self.notify(text, kind="warning")

    def notify(
        self,
        text: str,
        *,
        kind: Literal["note", "warning"] = "note",
        facts: Mapping[str, Any] = MappingProxyType({}),
        indent: str = "",
    ) -> None:
        """Write one line to stderr, as JSON where errors are; if nobody can read it, the command goes on.

        Args:
            text: The line.
            kind: The name of the object in JSON.
            facts: Further fields of the object.
            indent: What the further lines begin with on a terminal, where others of the same list follow.
        """
        with suppress(OSError):
            shown = mask_key_values(tidy(make_printable(text)))
            as_json = self.expects_json_errors and not self.is_interactive
            line = (
                f"{render_notice(shown, kind, facts)}\n" if as_json else fit(f"{shown}\n", self.stderr, indent=indent)
            )
            if (bar := self.bar) is not None:
                bar.write_above(line)
            else:
                self.stderr.write(line)
                self.stderr.flush()

    @contextmanager
    def prompt(self, text: str) -> Generator[None, None, None]:
        """Show a question while its answer is read; if that is interrupted, what follows begins on a new line."""
        try:
            self.stderr.write(text)
            self.stderr.flush()
            yield
        except KeyboardInterrupt:
            self.notify("")
            raise

    def ask_for_value(self, text: str) -> str:
        """Return what a person types for a value that is missing.

        Args:
            text: The name of the value.
        """
        with self.prompt(f"{text.rstrip('.').removesuffix('; can be repeated')}: "):
            typed = self.stdin.readline()
        if not typed.endswith("\n"):  # the prompt is unfinished
            self.stderr.write("\n")
        return typed.strip()

    def ask_for_secret(self, text: str) -> str:
        """Return what a person types for a value that the terminal does not show; empty if the input ends.

        Args:
            text: The name of the value.
        """
        import getpass  # noqa: PLC0415 - few commands ask for one

        with self.prompt(""), suppress(EOFError):
            return getpass.getpass(f"{text} (it is not shown): ", stream=self.stderr)
        return ""

    def show_wait(self, reason: str, seconds: float) -> None:
        """Show in the progress of the terminal, if there is any, that the command waits.

        Args:
            reason: Why, as the beginning of a sentence.
            seconds: Seconds until it goes on.
        """
        if self.bar is not None:
            self.bar.show_wait(reason, seconds)

    def pause_progress(self) -> AbstractContextManager[None]:
        """Return a context without progress on the terminal."""
        return nullcontext() if self.bar is None else self.bar.paused()

    def note_lost_entry(self, line: str) -> None:
        """Write a line that the audit log did not take to stderr, and let no run end as done."""
        self.notify(line)
        self._has_lost_entry = True
