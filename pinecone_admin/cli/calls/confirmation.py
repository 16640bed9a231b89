"""Ask before a change: the one place that decides who is asked, for what, and what counts as an answer."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen

from pinecone_admin._text.counts import count_noun, pluralize
from pinecone_admin._text.durations import describe_duration
from pinecone_admin._text.printable import make_printable
from pinecone_admin._text.quoting import describe_resource, quote_name
from pinecone_admin.cli.failures import CLIError, find_exit_code, spell_parameter
from pinecone_admin.cli.identity.client import is_read_only
from pinecone_admin.cli.output.progress import show_progress
from pinecone_admin.cli.parameters import Reference, spell_noun
from pinecone_admin.cli.variables import READ_ONLY_VARIABLE
from pinecone_admin.errors import ConflictError, ForbiddenError, PineconeError, PineconeValueError, ReadOnlyError
from pinecone_admin.workflows.ending import refer_to_parts
from pinecone_admin.workflows.name_tags import describe_name

if TYPE_CHECKING:
    from pinecone_admin.cli.calls.naming import Thing
    from pinecone_admin.cli.calls.pipeline import Call
    from pinecone_admin.cli.commands import Command
    from pinecone_admin.cli.session import Session
    from pinecone_admin.workflows.changes import Ref


class RunsAloneError(CLIError):
    """A row is about the account of this client, or about a name that is taken, so that ``each`` does not run it."""


_MAKES_KEYS = "To read what projects contain, the command creates temporary API keys, and deletes them again."
_ONLY_KEYS = "With --dry-run, nothing else changes: --yes allows only these temporary keys."
_MOST_NAMED = 5
"""Names that a sentence has."""
_MOST_LISTED = 10
"""Lines on what would be done that a question has."""
_CANNOT_BE_UNDONE = "This cannot be undone."


@frozen(kw_only=True)
class Consent:
    """A question before a change.

    Attributes:
        what: The change, as the question shows it.
        notes: Sentences that the question, the refusal and the dry run have before anything else.
        details: Lines that a person sees before the question, and nobody else.
        typed: The name, or the number of deletions, that ``--confirm`` gives; empty if there is none.
        is_number: Whether it is a number, which ``--confirm`` must not be less than.
        wants_typed: Whether it has to be typed, so that ``--yes`` is not enough.
        subject: The kind of resource with the name, such as ``the project``.
        runs_alone: Whether it is refused in a row of ``each``, because the question before all rows is not about it.
        refused_as: The class of errors that decides on the exit code if nobody can be asked.
        is_local: Whether only this machine is changed, and not the organization.
        is_for_dry_run: Whether a dry run asks, too, because it has to change something.
    """

    what: str
    notes: Sequence[str] = ()
    details: Iterable[str] = ()
    typed: str = ""
    is_number: bool = False
    wants_typed: bool = False
    subject: str = ""
    runs_alone: bool = False
    refused_as: type[PineconeError] = PineconeValueError
    is_local: bool = False
    is_for_dry_run: bool = False

    def is_met_by(self, given: str) -> bool:
        """Return whether ``--confirm`` gives what has to be typed, or no lower number."""
        if self.is_number:
            return given.isdecimal() and int(given) >= int(self.typed)
        return self.is_typed_as(given)

    def is_typed_as(self, answer: str) -> bool:
        """Return whether an answer is what has to be typed: exactly, or as the question and the messages show it."""
        return answer in {self.typed, make_printable(self.typed)}


def ask(session: Session, consent: Consent) -> None:
    """Return if a change is agreed to, by an option or by an answer; show the notes in any case.

    A dry run compares ``--confirm`` and refuses a row as the run does, and asks nothing. Rows of ``each`` were agreed
    to together.

    Raises:
        CLIError: ``--confirm`` or the answer is another one, the answer is no, or nobody can be asked.
        RunsAloneError: It is a row that the question before all rows is not about.
    """
    given = None if session.settings.get("confirm") is None else str(session.settings["confirm"])
    if given is not None and consent.typed and not consent.is_met_by(given):
        called = (
            f"{consent.subject} is called {quote_name(consent.typed)}"
            if consent.subject
            else f"it has to be {quote_name(consent.typed)}"
        )
        problem = f"is too low: {consent.typed} would be removed" if consent.is_number else f"does not match: {called}"
        session.ledger.names.pop(given, None)  # what was typed is shown as it was typed
        raise CLIError(f"--confirm {quote_name(given)} {problem}.", says_if_unchanged=True)
    if session.is_row and consent.runs_alone:
        reason = f"{' '.join(consent.notes)} To go ahead, run this command by itself, with {_spell_option(consent)}."
        raise RunsAloneError(reason, cause=consent.refused_as, says_if_unchanged=True)
    is_open = needs_answer(session, wants_typed=consent.wants_typed, is_for_dry_run=consent.is_for_dry_run)
    if is_open and not session.is_interactive:
        raise CLIError(_explain(session, consent), cause=consent.refused_as)
    for each in consent.details if is_open else ():
        session.notify(each)
    # Scripts that ask for JSON have agreed, or find the notes in the dry run: what is left for stderr is a failure.
    for each in consent.notes if session.is_interactive or not session.expects_json_errors else ():
        session.notify(each)
    if is_open:
        _question(session, consent)


def needs_answer(session: Session, *, wants_typed: bool, is_for_dry_run: bool = False) -> bool:
    """Return whether no option has agreed to a change yet; the arguments are those of ``Consent``."""
    is_agreed = "confirm" in session.settings or (bool(session.settings.get("yes")) and not wants_typed)
    return not (is_agreed or session.is_row or (session.is_dry_run and not is_for_dry_run))


def is_question_open(session: Session) -> bool:
    """Return whether a person will be asked for a yes."""
    return session.is_interactive and needs_answer(session, wants_typed=False)


def _spell_option(consent: Consent) -> str:
    return f"--confirm {shlex.quote(consent.typed)}" if consent.wants_typed else "--yes"


def _explain(session: Session, consent: Consent) -> str:
    """Return how to agree where nobody can be asked."""
    preview = "" if consent.is_for_dry_run or consent.is_local else ", or --dry-run to see what would happen"
    if consent.notes or consent.wants_typed:
        why = " ".join(consent.notes) or _CANNOT_BE_UNDONE
        why += " --yes is not enough for this." if consent.wants_typed and session.settings.get("yes") else ""
    else:
        why = session.explain_silence()
    return f"{why} Add {_spell_option(consent)} to go ahead{preview}."


def _question(session: Session, consent: Consent) -> None:
    question = "Go on? [y/N] "
    if consent.wants_typed:
        kind = "the number" if consent.is_number else "the name"
        question = f"Type {kind} {make_printable(consent.typed)} to go on: "
    organization = None if consent.is_local else session.organization  # its failure comes before the question
    session.notify(f"About to: {consent.what}")
    if organization is not None:
        session.notify(
            f"{describe_resource('In organization', organization.name, organization.id)}, as client id {session.caller}"
        )
    with session.prompt(question):
        line = session.stdin.readline()
    if not line.endswith("\n"):
        session.notify("")  # as above
    answer = line.rstrip("\r\n")
    if not (consent.is_typed_as(answer) if consent.wants_typed else answer.lower() in {"y", "yes"}):
        said = f"You did not type {quote_name(consent.typed)}." if consent.wants_typed and answer else "You said no."
        said = said if line else "The input ended without an answer."
        raise CLIError(said, cause=click.Abort, says_if_unchanged=True)


def require_change_allowed(session: Session) -> None:
    """Raise CLIError if the session is read-only, unless it is a dry run; for commands that can change something.

    The client would refuse only the change itself, after a question and after requests that prepare it.
    """
    makes_keys = session.command is not None and session.command.makes_temporary_keys
    if (makes_keys or not session.is_dry_run) and is_read_only(session):
        only_reads = session.is_dry_run or (session.command is not None and session.command.effect == "reads")
        what = "create temporary API keys" if makes_keys and only_reads else "change something"
        reason = "--read-only" if session.settings.get("read_only") else f"{READ_ONLY_VARIABLE}=1"
        raise CLIError(
            f"This session is read-only ({reason}), and the command could {what}.",
            help_code=ReadOnlyError.help_code,
            says_if_unchanged=True,
        )


def describe_change(command: Command, typed: Mapping[str, Any], own: Thing | None) -> str:
    """Return a change as a command line without its secrets, with the name and the id of what it is about."""
    words = [command.full_name]
    for param in command.own_params:
        value = typed.get(str(param.name))
        if value is None or value is False:
            continue
        option = spell_parameter(param) if isinstance(param, click.Option) else ""
        shown = _show_value(value)
        if own is not None and isinstance(value, Reference) and not option:
            shown = str(own).removeprefix(f"{spell_noun(own.noun)} ")
        words.append(f"{option} {shown}".strip() if value is not True else option)
    return " ".join(words)


def _show_value(value: Any) -> str:
    if type(value) is tuple:
        return ", ".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return describe_duration(value) if isinstance(value, timedelta) else str(value)


def confirm_change(
    call: Call, typed: Mapping[str, Any], arguments: Mapping[str, Any], *, planned: Iterable[str] = ()
) -> None:
    """Return if a change is agreed to; raise if it is not, or if nobody can be asked.

    Args:
        call: The call, with the thing that it is about.
        typed: Values of the parameters of its command.
        arguments: The arguments of its function, which have ids in place of names.
        planned: Lines on what it would do, of a command that does not name it.
    """
    session, command, subject = call.session, call.command, call.own or call.principal
    is_own = call.concerns_caller
    has_audit_log = session.ledger.on_settled is not None
    is_told = session.is_dry_run or not session.is_row  # the question before all rows is about all of them
    if command.finds_more is not None and (is_told or has_audit_log):
        with show_progress(session, "reading what else would be deleted"):
            found = command.finds_more(call)
        call.notes += found if is_told else []
    duplicated = _describe_namesakes(call, arguments) if command.may_duplicate else []
    call.notes += duplicated
    if duplicated and session.is_dry_run and not (session.is_interactive or "confirm" in session.settings):
        session.exit_code = find_exit_code(ConflictError)
    if is_own:
        call.notes.append(command.own_warning)
        if call.destination is not None and call.destination.own_place is not None:
            call.notes.append(call.destination.own_place.note)
    wants_typed = command.confirms or bool(call.notes)
    is_named = session.settings.get("confirm") is not None or is_own or (wants_typed and not session.is_row)
    is_asked = session.is_interactive and not session.settings.get("yes")
    if (
        call.own is not None
        and (is_asked or is_named or has_audit_log)  # which has the name, too
        and (not session.is_dry_run or "confirm" in session.settings or (is_own and session.is_row))
    ):
        subject = call.own = call.remember(call.names.describe(call.own))
    consequences = [command.consequence] if command.consequence else []
    details: Iterable[str] = chain(planned, consequences)
    if session.is_dry_run and not session.is_row:
        call.notes, details = [*consequences, *call.notes], ()
    place = None if call.destination is None else call.destination.spelling
    named = "" if subject is None else subject.name or subject.id
    if command.may_duplicate:
        named = str(arguments["name"])
    consent = Consent(
        what=" ".join(filter(None, [describe_change(command, typed, call.own), place])),
        notes=call.notes,
        details=details,
        typed=named if command.may_ask_for_name else "",
        subject=f"the {spell_noun(command.path[0])}" if subject is None else f"the {spell_noun(subject.noun)}",
        wants_typed=wants_typed,
        runs_alone=is_own or bool(duplicated),
        refused_as=ConflictError if duplicated else PineconeValueError,
    )
    if session.is_dry_run and command.makes_temporary_keys:
        confirm_temporary_keys(session, f"{consent.what} --dry-run")
    ask(session, consent)


def _describe_namesakes(call: Call, arguments: Mapping[str, Any]) -> list[str]:
    """Return a sentence on what has the name already that a command gives to a new thing, as far as it can be seen."""
    noun, name = call.command.path[0], str(arguments["name"])
    with show_progress(call.session, "reading what has the name"):
        found = call.names.describe_namesakes(noun, name, project=arguments.get("project_id"))
    if not found:
        return []
    kind = spell_noun(noun)
    first, *others = found
    if others:
        there = f"{count_noun(len(found), kind)} are called {quote_name(name)} already: {join_first_names(found)}."
        return [f"{there} This would create another one."]
    there = f"{describe_resource(kind[0].upper() + kind[1:], name, None)} exists already: {first}."
    return [f"{there} This would create a second one. To use the one that exists, run {noun} ensure."]


def find_parts(call: Call, whole: str, lists: Mapping[str, Callable[[], Iterable[Any]]]) -> list[str]:
    """Read what is deleted with what a command is about, and return sentences on it; an audit log has it as data.

    A dry run has no sentence on what was read, because its step names all of it.

    Args:
        call: The call.
        whole: The beginning of the sentence that lists what is deleted with it.
        lists: The functions that return the resources of each kind, by the singular of the kind.
    """
    parts: dict[str, Sequence[Ref]] = {}
    hidden: list[str] = []
    for noun, read in lists.items():
        try:
            parts[noun] = refer_to_parts(read())
        except ForbiddenError as error:
            if error.error_code is None:
                raise
            plural = pluralize(noun)
            hidden.append(f"{whole} may have {plural} that this account cannot see. They would be deleted with it.")
    assert call.own is not None  # noqa: S101 - only what exists has parts
    call.session.ledger.parts[call.own.id] = tuple(each for refs in parts.values() for each in refs)
    return [*([] if call.session.is_dry_run else describe_parts(whole, parts)), *hidden]


def describe_parts(whole: str, parts: Mapping[str, Sequence[Ref]]) -> list[str]:
    """Return a sentence on what is deleted with something else, if there is anything; names only if it is of one kind.

    Args:
        whole: The beginning of the sentence that lists what is deleted with it.
        parts: The references, by the singular of the kind.
    """
    counts = [count_noun(len(refs), noun) for noun, refs in parts.items() if refs]
    names = [describe_name(each.name or "", quote_name) for refs in parts.values() for each in refs]
    listed = f": {join_first_names(names)}" if len(counts) == 1 else ""
    return [f"{whole} has {', '.join(counts)}, which would be deleted with it{listed}."] if counts else []


def join_first_names(names: Sequence[str]) -> str:
    """Return names for a sentence, of many only the first."""
    return ", ".join(names[:_MOST_NAMED]) + (", …" if names[_MOST_NAMED:] else "")


def list_first(lines: Iterable[str], total: int) -> list[str]:
    """Return the lines before a question: the first ones, and how many there are besides."""
    rest = total - _MOST_LISTED
    return [*islice(lines, _MOST_LISTED), *([f"… and {rest} more."] if rest > 0 else [])]


def ask_for_number(
    session: Session, what: str, notes: Sequence[str], number: int, *, details: Iterable[str] = ()
) -> None:
    """Ask for the number of what a plan or a file removes; for a yes if that is none.

    Args:
        session: The session.
        what: The change.
        notes: Sentences with what is removed.
        number: How many are removed.
        details: Lines that a person sees before the question.
    """
    ask(
        session,
        Consent(
            what=what,
            notes=notes if number else [],
            details=details,
            typed=str(number),
            is_number=True,
            wants_typed=bool(number),
        ),
    )


def confirm_temporary_keys(session: Session, what: str) -> None:
    """Show in the first line that temporary API keys are created, and ask for them, also in a dry run.

    Args:
        session: The session.
        what: The command that creates them.

    Raises:
        CLIError: Nobody can be asked, or the answer is no.
    """
    notes = [_MAKES_KEYS, *([_ONLY_KEYS] if session.is_dry_run else [])]
    ask(session, Consent(what=what, notes=notes, is_for_dry_run=True))
