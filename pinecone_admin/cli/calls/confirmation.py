"""Ask before a change, on a terminal; elsewhere, require ``--yes``."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pinecone_admin._text.durations import describe_duration
from pinecone_admin._text.printable import make_printable
from pinecone_admin.cli.exit_codes import INTERRUPTED
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.identity.caller import is_of_caller
from pinecone_admin.cli.identity.client import is_read_only
from pinecone_admin.cli.output.progress import show_progress
from pinecone_admin.cli.parameters import Reference, spell_parameter
from pinecone_admin.errors import ReadOnlyError

if TYPE_CHECKING:
    from pinecone_admin.cli.calls.naming import Thing
    from pinecone_admin.cli.calls.pipeline import Call
    from pinecone_admin.cli.commands import Command
    from pinecone_admin.cli.session import Session


_MAKES_KEYS = "to read what projects contain, this makes temporary API keys, and deletes them again"


def require_change_allowed(session: Session) -> None:
    """Raise CLIError if the session is read-only, unless it is a dry run; for what is known to change something.

    The client would refuse only the change itself, after a question and after requests that prepare it.
    """
    makes_keys = session.command is not None and session.command.makes_temporary_keys
    if (makes_keys or not session.is_dry_run) and is_read_only(session):
        only_reads = session.is_dry_run or (session.command is not None and session.command.effect == "reads")
        what = _MAKES_KEYS if makes_keys and only_reads else "this changes the organization"
        raise CLIError(
            f"{what}, and --read-only or PINECONE_ADMIN_READ_ONLY=1 is set",
            help_code=ReadOnlyError.help_code,
            says_if_unchanged=True,
        )


def describe_change(command: Command, typed: Mapping[str, Any], own: Thing | None) -> str:
    """Return a change as a command line without its secrets, with the name and the id of what it is about."""
    words = [command.full_name]
    for each in command.own_params:
        value = typed.get(str(each.name))
        if value is None or value is False:
            continue
        option = spell_parameter(each) if isinstance(each, click.Option) else ""
        shown = str(own) if own is not None and isinstance(value, Reference) and not option else _show_value(value)
        words.append(f"{option} {shown}".strip() if value is not True else option)
    return " ".join(words)


def _show_value(value: Any) -> str:
    if type(value) is tuple:
        return ", ".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return describe_duration(value) if isinstance(value, timedelta) else str(value)


def confirm_change(call: Call, typed: Mapping[str, Any]) -> None:
    """Return if a change is wanted; raise if it is not, or if nobody can be asked.

    Args:
        call: The call, with the thing that it is about.
        typed: Values of the parameters of its command.
    """
    session, command, own = call.session, call.command, call.own
    subject = own if own is not None else _find_account(call, typed)
    warning = command.removes_own if command.removes_own and subject is not None and _is_own(session, subject) else ""
    is_name_given = session.settings.get("confirm") is not None
    if subject is not None and (is_name_given or (not session.is_dry_run and (command.confirms or warning))):
        subject = call.names.describe(subject) if own is not None else subject
        refuse_other_name(session, subject.name or subject.id)
    if session.is_dry_run:
        if command.makes_temporary_keys:
            confirm_temporary_keys(session, f"{describe_change(command, typed, own)} --dry-run")
        if warning:
            session.notify(f"warning: {warning}")
    elif subject is not None and (is_name_given or command.confirms or warning):
        what = ": ".join(filter(None, (describe_change(command, typed, subject), warning)))
        confirm_by_name(session, what, subject.name or subject.id, why=warning or _DELETES)
    elif not session.settings.get("yes"):
        _require_terminal(session, "this changes the organization")
        confirm(session, describe_change(command, typed, None if own is None else call.names.describe(own)))


def _find_account(call: Call, typed: Mapping[str, Any]) -> Thing | None:
    """Return the service account from which a command takes a role, if it is about one."""
    given = typed.get("service_account") if call.command.removes_own else None
    return given.find(call) if isinstance(given, Reference) else None


def confirm_temporary_keys(session: Session, what: str) -> None:
    """Say in the first line that temporary API keys are made, and ask for them, although nothing else is changed.

    Args:
        session: The session.
        what: The command that makes them.

    Raises:
        CLIError: Nobody can be asked, or the answer is no.
    """
    is_wanted = session.settings.get("yes") or session.settings.get("confirm") is not None
    if not is_wanted:
        _require_terminal(session, _MAKES_KEYS, alternative="")
    session.notify(_MAKES_KEYS)
    if not is_wanted:
        confirm(session, what)


def confirm(session: Session, what: str) -> None:
    """Ask whether to do something, unless ``--yes`` was given.

    Args:
        session: The session.
        what: What would be done.

    Raises:
        CLIError: Nobody can be asked, or the answer is no.
    """
    if session.settings.get("yes"):
        return
    _require_terminal(session, "this changes the organization")
    if _ask(session, what, "Go on? [y/N] ").lower() not in {"y", "yes"}:
        raise _declined()


def confirm_deletion_of_file(session: Session, path: Path, why: str) -> None:
    """Ask before a local file is deleted, unless ``--yes`` was given.

    Args:
        session: The session.
        path: The file.
        why: What the user has to consider.

    Raises:
        CLIError: Nobody can be asked, or the answer is no.
    """
    if session.settings.get("yes"):
        return
    what = f"This deletes {make_printable(str(path))}: {why}."
    if not session.is_interactive:
        raise CLIError(f"{what} Add --yes to go ahead.")
    session.notify(what)
    session.stderr.write("Go on? [y/N] ")
    session.stderr.flush()
    if session.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise _declined()


def _is_own(session: Session, thing: Thing) -> bool:
    with show_progress(session, "looking up the caller"):
        return is_of_caller(session.admin, thing.noun, thing.id, client_id=session.client_id)


_DELETES = "this deletes what cannot be restored"


def confirm_by_name(session: Session, what: str, name: str, *, why: str = _DELETES) -> None:
    """Ask for the name of what would be deleted, unless ``--confirm`` gives it.

    Args:
        session: The session.
        what: What would be done.
        name: The name that must be typed.
        why: Why it must be typed.

    Raises:
        CLIError: ``--confirm`` or the answer is another name, or nobody can be asked.
    """
    refuse_other_name(session, name)
    if session.settings.get("confirm") is None:
        _require_terminal(session, why, f"--confirm {shlex.quote(name)}")
        if _ask(session, what, f"Type {make_printable(name)} to go on: ") != name:
            raise _declined()


def confirm_number(session: Session, what: str, number: int) -> None:
    """Ask for the number of deletions.

    Raises:
        CLIError: The answer is another one.
    """
    if _ask(session, what, f"Type {number}, the number of deletions, to go on: ") != str(number):
        raise _declined()


def refuse_other_name(session: Session, name: str) -> None:
    """Raise CLIError if ``--confirm`` gives another name, also in a dry run, which shows what the command would do."""
    given = session.settings.get("confirm")
    if given is not None and given != name:
        raise CLIError(f"--confirm: the name is {name!r}, not {given!r}", says_if_unchanged=True)


def _declined() -> CLIError:
    return CLIError("you did not confirm it", exit=INTERRUPTED, help_code=None, says_if_unchanged=True)


def _require_terminal(
    session: Session, why: str, option: str = "--yes", *, alternative: str = ", or --dry-run to see what it would do"
) -> None:
    if not session.is_interactive:
        raise CLIError(f"{why}, and there is no terminal to ask on: give {option}{alternative}")


def _ask(session: Session, what: str, question: str) -> str:
    try:
        organization = session.organization
        session.notify(f"About to: {what}")
        session.notify(f"in organization {organization.name} ({organization.id}), as {session.caller}")
        session.stderr.write(question)
        session.stderr.flush()
        return session.stdin.readline().rstrip("\r\n")
    except KeyboardInterrupt:
        session.notify("")  # the prompt is unfinished
        raise
