"""Run a command for each row of a file."""

from __future__ import annotations

import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from functools import cached_property, partial
from itertools import islice
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeAlias

import click

from pinecone_admin import Admin
from pinecone_admin._concurrency.parallel import run_in_parallel
from pinecone_admin._text.counts import count_noun
from pinecone_admin.cli import exit_codes
from pinecone_admin.cli.bulk.row_files import Row, RowFile, RowWriter, open_rows
from pinecone_admin.cli.bulk.templates import (
    Template,
    output_error,
    read_template,
    refuse_placeholders,
    unknown_column,
)
from pinecone_admin.cli.calls.confirmation import (
    Consent,
    RunsAloneError,
    ask,
    confirm_temporary_keys,
    join_first_names,
    list_first,
    needs_answer,
    require_change_allowed,
)
from pinecone_admin.cli.command_line import describe_error, run_in_session
from pinecone_admin.cli.failures import CLIError, describe_problem
from pinecone_admin.cli.identity.caller import CallerOrganization
from pinecone_admin.cli.identity.client import share_client
from pinecone_admin.cli.output.files import check_new_files
from pinecone_admin.cli.output.progress import show_progress
from pinecone_admin.cli.output.writing import write_line
from pinecone_admin.cli.sentences import join_sentences
from pinecone_admin.cli.session import Session
from pinecone_admin.errors import Outcome
from pinecone_admin.workflows import Progress
from pinecone_admin.workflows.sent_changes import SentChange

_OF_EACH = frozenset({"confirm", "overwrite"})
"""Options of ``each`` itself, whatever the command has of that name: the number of rows, and for its own file."""


def run_for_each(
    session: Session, path: str, words: Iterable[str], *, concurrency: int, stop: bool, failed: str | None
) -> None:
    """Run a command for each row of a file.

    Args:
        session: The session.
        path: The file, or ``-`` for standard input.
        words: The command, with placeholders.
        concurrency: How many rows run at once.
        stop: Whether the first failure is the end.
        failed: File for the rows that have to be run again.
    """
    template = read_template(session, list(words))
    session.command = template.command  # so that the client and the questions are those of the command
    if "confirm" in session.settings and not template.deletes:
        raise CLIError(f"{template.command.full_name} deletes nothing, so --confirm has no place here. Leave it out.")
    if template.changes or template.command.makes_temporary_keys:
        require_change_allowed(session)
        if concurrency > 1:
            raise CLIError("--concurrency is only for commands that change nothing. Leave it out")
    if session.settings.get("output") not in {None, "json"}:
        raise output_error()
    refuse_placeholders("--query", session.settings.get("query") or "")
    if path == "-" and session.settings.get("client_secret_stdin"):
        raise CLIError("Standard input has the rows, so --client-secret-stdin cannot read the client secret from it")
    if "overwrite" in session.settings and failed is None:
        raise CLIError(
            "--overwrite before -- is for the file of --failed-rows. For files that rows write, put it after --."
        )
    check_new_files(session, {"--failed-rows": failed}, inputs=(path,))
    with open_rows(path, session.stdin) as file:
        for column in sorted(template.columns.difference(file.columns or template.columns)):
            raise unknown_column(column, [*filter(None, file.columns or ())])
        total = None if file.is_stream else _check_rows(session, file, template)
        _ask(session, template, file, total)
        RowRunner(session, template, file, total=total, stop=stop, failed=failed).run(concurrency)


def _check_rows(session: Session, file: RowFile, template: Template) -> int:
    """Return how many rows a file has, after checks of all of them.

    Raises:
        CLIError: Rows are wrong; each is named, with its line and the reason.
    """
    total = 0
    problems: list[_Problem] = []
    places: list[tuple[Row, Session]] = []
    for row in file.rows():
        total += 1
        try:
            trial = template.check(row, session)
        except CLIError as error:
            problems.append((row, error))
        except click.UsageError as error:
            problems.append((row, CLIError(describe_error(session, error).message, cause=error)))
        else:
            # Requests by hand say themselves what they make.
            places += [(row, trial)] if template.command.makes is not None and "store" in trial.settings else []
    problems += _check_places(places, template) if places and not problems else []
    if problems:
        raise _describe_problems(session, file, total, problems)
    return total


_Problem: TypeAlias = tuple[Row, CLIError]
"""A row that is wrong, and why."""


def _check_places(rows: Sequence[tuple[Row, Session]], template: Template) -> list[_Problem]:
    """Return the rows whose secret cannot be stored, or would replace that of another row."""
    from pinecone_admin.cli.secrets.destination import Destination, RowOwner, refuse  # noqa: PLC0415 - few commands need it

    makes, (first, trial) = template.command.makes, rows[0]
    assert makes is not None  # noqa: S101 - rows have places
    odd = [
        (
            row,
            CLIError(
                f"--store: only one of row {first.number} and row {row.number} has a column {name}, so {{{name}}} "
                "would not mean the same in both."
            ),
        )
        for row, each in rows
        for name in sorted(each.columns.keys() ^ trial.columns.keys())[:1]
    ]
    if odd:
        return odd
    destination = Destination(trial, makes)
    if destination.needs_owner:  # the names of keys are looked up row by row
        return []
    owners = [RowOwner(makes.api_type, row.number, each.columns) for row, each in rows]
    found = zip(rows, destination.find_obstacles(owners), strict=True)
    return [(row, refuse(each)) for (row, _), each in found if each is not None]


def _describe_problems(session: Session, file: RowFile, total: int, problems: Sequence[_Problem]) -> CLIError:
    """Return the error for rows that are wrong, with a line for each."""
    lines = [
        join_sentences([f"{file.name}, line {row.line} (row {row.number}): {error.message}"]) for row, error in problems
    ]
    if len(lines) > 1 and not session.expects_json_errors:
        for line in lines:
            session.notify(line)
    return CLIError(
        lines[0] if len(lines) == 1 else f"{file.name}: {len(lines)} of {count_noun(total, 'row')} are wrong.",
        cause=problems[0][1],
        says_if_unchanged=True,
        problems=[
            describe_problem(file.name, f"line {row.line}: row {row.number}: {error.message}")
            for row, error in problems
        ],
    )


def _ask(session: Session, template: Template, file: RowFile, total: int | None) -> None:
    """Ask once for all rows, with the number of the commands and the first ones; of deletions, for their number.

    Raises:
        CLIError: Nobody can be asked, the answer is no, or ``--confirm`` gives fewer rows than there are.
    """
    name, deletes = template.command.full_name, template.deletes
    changes = template.changes and not session.is_dry_run
    makes_keys = template.command.makes_temporary_keys and (session.is_dry_run or not template.changes)
    if total == 0 or not (deletes or changes or makes_keys):
        return
    if total is None and not (session.is_dry_run if deletes else session.settings.get("yes")):
        option = "--confirm N, the number of rows that may be deleted" if deletes else "--yes"
        if "confirm" not in session.settings:
            once = "can be read only once, so its rows cannot be shown and counted first."
            raise CLIError(f"{file.name.capitalize()} {once} Add {option}.")
    rows = "the rows" if total is None else count_noun(total, "row")
    what = f"{name}, for {rows} of {file.name}"
    if session.is_interactive and needs_answer(session, wants_typed=deletes):
        for line in list_first(map(template.show, file.rows()), total or 0):
            session.notify(line)
    if deletes or changes:
        notes: list[str] = []
        if deletes and not session.is_dry_run:
            # On a terminal, the question itself has this.
            notes = [] if session.is_interactive else [f"This runs {name} for {rows} of {file.name}."]
            notes += [template.command.rows_warning] if template.command.rows_warning else []
        typed = "" if total is None or not deletes else str(total)
        details = filter(None, [template.command.consequence])
        consent = Consent(what=what, notes=notes, details=details, typed=typed, is_number=deletes, wants_typed=deletes)
        ask(session, consent)
    if makes_keys:
        confirm_temporary_keys(session, what)


class RowSession(Session):
    """A run of the command for one row: it asks nobody, and its output is kept for the line of the row.

    Args:
        parent: The session of ``each``, whose names, connections and token all rows share.
        settings: Values of the options that hold for all rows.
        number: The number of the row.
    """

    def __init__(self, parent: Session, settings: Mapping[str, Any], number: int) -> None:
        self._parent, self._number = parent, number
        self._output = io.StringIO()
        super().__init__(stdin=io.StringIO(), stdout=self._output, stderr=io.StringIO(), env=parent.env)
        self.settings.update(settings)
        self.is_row = True
        self.claimed: dict[tuple[object, ...], set[str | None]] = parent.claimed
        self.written: dict[str, str] = parent.written
        self.identity = parent.identity
        self.names = parent.names

    @property
    def admin(self) -> Admin:
        """The client."""
        return self._client

    @cached_property
    def _client(self) -> Admin:
        """A client over the connections and the token of all rows, whose changes are in the ledger of this one."""
        return share_client(self, self._parent.admin)

    @cached_property
    def organization(self) -> CallerOrganization:
        """The organization of the caller, which only previews of changes show: they do not run beside one another."""
        return self._parent.organization

    def notify(
        self,
        text: str,
        *,
        kind: Literal["note", "warning"] = "note",
        facts: Mapping[str, Any] = MappingProxyType({}),
        indent: str = "",
    ) -> None:
        """Write one line for people, with the number of the row."""
        self._parent.notify(f"Row {self._number}: {text}", kind=kind, facts=facts, indent=indent)

    def show_wait(self, reason: str, seconds: float) -> None:
        """Show in the progress of all rows that this one waits."""
        self._parent.show_wait(reason, seconds)

    def pause_progress(self) -> AbstractContextManager[None]:
        """Return a context without progress on the terminal."""
        return self._parent.pause_progress()

    def read_result(self) -> Any:
        """Return what the command wrote: JSON, or the text of a page of help."""
        text = self._output.getvalue()
        try:
            return json.loads(text) if text else None
        except ValueError:
            return text


RowEnd: TypeAlias = Literal["failed", "answered no", "interrupted"]
"""How a row ended whose work is not done."""


class RowOutcome(NamedTuple):
    """How a row ended.

    Attributes:
        exit: The exit code.
        document: The result or the error, under that name.
        is_done: Whether its work is done: also if it was interrupted, and its only change was completed all the same.
        remaining: The outcome of its changes that remain; None if there are none.
        is_repeatable: Whether it can be run again without a second effect.
        runs_alone: Whether ``each`` refuses it, and would again.
    """

    exit: int
    document: Mapping[str, Any]
    is_done: bool
    remaining: Outcome | None
    is_repeatable: bool
    runs_alone: bool

    @property
    def end(self) -> RowEnd:
        """How a row ended whose work is not done."""
        if self.exit == exit_codes.INTERRUPTED:
            return "interrupted"
        return "answered no" if self.document.get("result") is False else "failed"


class _Stopped(Exception):  # noqa: N818 - it is no failure
    """No further row is to be run."""


class RowRunner:
    """Runs the rows of a file, and tells how each ended.

    Args:
        session: The session of ``each``.
        template: The command.
        file: The file.
        total: How many rows it has, if that is known.
        stop: Whether the first failure is the end.
        failed: File for the rows that have to be run again.
    """

    def __init__(
        self, session: Session, template: Template, file: RowFile, *, total: int | None, stop: bool, failed: str | None
    ) -> None:
        self._session, self._template, self._file = session, template, file
        self._total, self._stop, self._failed = total, stop, failed
        self._writer = None if failed is None else RowWriter(failed, file)
        known = {each.name for each in template.command.params} - _OF_EACH
        self._settings = {name: value for name, value in session.settings.items() if name in known}
        self._settings |= {"output": "json", **({"yes": True} if "yes" in known else {})}
        self._running: dict[int, Row] = {}
        self._not_done: dict[RowEnd, list[tuple[int, int]]] = {"failed": [], "answered no": [], "interrupted": []}
        self._latest = 0
        self._has_read_all = False
        self._exits = Counter[int]()
        self._work: defaultdict[Outcome, Counter[str]] = defaultdict(Counter)
        self._unclear: list[tuple[int, int]] = []
        self._for_no_row: list[tuple[int, int]] = []

    def run(self, concurrency: int) -> None:
        """Run the rows.

        Raises:
            KeyboardInterrupt: There was a signal.
            CLIError: The rest of the file cannot be read.
        """
        try:
            self._session.names.lists_users = True  # once, and not one for each address
            title = f"each: {self._template.command.full_name}"
            # On a terminal, the lines of the rows show how far it is.
            shown = nullcontext(bool) if self._session.stdout.isatty() else show_progress(self._session, title)
            with shown as self._advance, suppress(_Stopped):
                if concurrency > 1:
                    run_in_parallel(
                        self._run_beside, self._begin_rows(), limit=concurrency, deliver=self._deliver_and_stop
                    )
                else:
                    for row in self._begin_rows():
                        self._run_alone(row)
        finally:
            self._session.interruptions.hold()
            self._finish()

    def _begin_rows(self) -> Iterable[Row]:
        for row in self._file.rows():
            self._latest, self._running[row.number] = row.number, row
            yield row
        self._has_read_all = True

    def _run_alone(self, row: Row) -> None:
        session = RowSession(self._session, self._settings, row.number)

        def finish(error: BaseException | None) -> None:
            # A signal from here on is only recorded, so that no outcome is lost.
            session.names.forget(session.ledger.changes)
            self._deliver(row, _describe_outcome(session, error))

        run_in_session(session, partial(self._invoke, session, row), finish)
        if session.interruptions.received:
            raise KeyboardInterrupt
        self._stop_if_wanted()

    def _run_beside(self, row: Row) -> RowOutcome:
        session = RowSession(self._session, self._settings, row.number)
        return run_in_session(session, partial(self._invoke, session, row), partial(_describe_outcome, session))

    def _invoke(self, session: Session, row: Row) -> None:
        most: int | None = self._session.settings.get("confirm")
        if most is not None and row.number > most:  # of a stream, whose rows could not be counted first
            raise CLIError(f"--confirm {most} allows no further row.", says_if_unchanged=True)
        context = self._template.parse(row, session)
        with context:
            self._template.command.invoke(context)

    def _deliver(self, row: Row, outcome: RowOutcome) -> None:
        """Write how a row ended."""
        del self._running[row.number]
        self._exits[outcome.exit] += 1
        failed = self._exits.keys() - {exit_codes.DONE}
        self._session.exit_code = exit_codes.combine(failed, is_anything_done=exit_codes.DONE in self._exits)
        if outcome.remaining is not None:
            self._work[outcome.remaining]["the work of" if outcome.is_done else "a part of the work of"] += 1
        if not outcome.is_done:
            self._not_done[outcome.end].append(row[:2])
            self._unclear += [] if outcome.is_repeatable else [row[:2]]
            self._for_no_row += [row[:2]] if outcome.runs_alone else []
        try:  # the disk of one may be full, and that of the other not
            write_line(self._session, {"row": row.number, "exit": outcome.exit, **outcome.document})
        finally:
            if not outcome.is_done and self._writer is not None:
                self._writer.add(row)
        self._advance(Progress(done=self._exits.total(), total=self._total or 0, step=""))

    def _deliver_and_stop(self, row: Row, outcome: RowOutcome) -> None:
        self._deliver(row, outcome)
        self._stop_if_wanted()

    @property
    def _is_unread(self) -> bool:
        """Whether nobody reads the output any longer, which is all that commands without changes have."""
        return self._session.has_lost_output and not self._template.changes

    def _stop_if_wanted(self) -> None:
        # Where no row has got further than its credentials, none will.
        cannot_act = self._exits.keys() == {exit_codes.IDENTITY}
        if cannot_act or self._is_unread or (self._stop and self._session.exit_code):
            raise _Stopped

    def _finish(self) -> None:
        """Complete the file of rows that have to be run again, and say what there is to say."""
        for outcome, works in self._work.items():
            named = " and ".join(f"{work} {count_noun(works[work], 'row')}" for work in sorted(works, reverse=True))
            change = SentChange(named, method="POST", path=self._file.name)
            change.outcome = outcome
            self._session.ledger.changes.append(change)
        if self._unclear:  # these rows would be run again as well
            self._session.ledger.vanishing = self._file.name
        try:
            if self._writer is not None:
                with closing(self._writer):  # the rows that have not ended, and those of a file that have not begun
                    for row in self._running.values():
                        self._writer.add(row)
                    if self._total is not None and self._latest < self._total:
                        for row in islice(self._file.rows(), self._latest, None):
                            self._writer.add(row)
        finally:
            self._warn_of_rows()

    def _warn_of_rows(self) -> None:
        """Say which rows failed, which did not run, and which must not be run again blindly."""
        left = len(self._running) + (self._total or self._latest) - self._latest
        number = sum(map(len, self._not_done.values())) + left
        if self._is_unread:
            return
        if self._has_read_all and not self._latest:
            self._session.notify("There are no rows.")
        if number:
            rows_there = count_noun(self._total or self._exits.total(), "row")
            said = [
                f"{len(rows)} of {rows_there} {_conjugate(end, len(rows))}: {_name_rows(rows)}."
                for end, rows in self._not_done.items()
                if rows
            ]
            said += [f"Check first what {_name_rows(self._unclear)} may have changed."] if self._unclear else []
            said += [f"{count_noun(left, 'row')} did not run."] if left else []
            if self._writer is not None:
                again = "It is" if number == 1 else f"These {number} rows are"
                whole = f"{again} in {self._failed}, to run again."
                said.append(
                    whole if self._writer.is_whole else f"{self._failed} may not have all that is to run again."
                )
                if self._for_no_row:  # also of that run
                    said.append(
                        f"The command each refuses {_name_rows(self._for_no_row)}. Run that command by itself, as the "
                        "error shows."
                    )
            if self._file.is_stream and not self._has_read_all:
                said.append(f"The rest of {self._file.name} was not read.")
            self._session.warn(" ".join(said))


def _name_rows(rows: Iterable[tuple[int, int]]) -> str:
    """Return the numbers of rows with their lines, of many only the first."""
    return join_first_names([f"row {number} (line {line})" for number, line in sorted(rows)])


def _conjugate(end: RowEnd, number: int) -> str:
    return end if end != "interrupted" else f"{'was' if number == 1 else 'were'} interrupted"


def _describe_outcome(session: RowSession, error: BaseException | None) -> RowOutcome:
    effects, command = session.ledger.effects, session.command
    remaining = effects.remaining
    if error is None:  # a signal that came too late changes nothing of it
        exit_code, document = session.exit_code, {"result": session.read_result()}
        is_done = exit_code == exit_codes.DONE
    else:
        failure = describe_error(session, error)
        exit_code, document = failure.exit, failure.document
        is_one_change = command is not None and not command.is_workflow and command.makes is None
        is_done = isinstance(error, KeyboardInterrupt) and is_one_change and [*effects.done] == remaining != []
    # The same row completes what a workflow has begun, if the next run recognizes all of it.
    is_repeatable = session.ledger.is_repeatable(effects, goes_on=command is not None and command.goes_on)
    outcome, runs_alone = effects.outcome if remaining else None, isinstance(error, RunsAloneError)
    return RowOutcome(exit_code, document, is_done, outcome, is_repeatable, runs_alone)
