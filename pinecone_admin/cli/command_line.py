"""Run a command line, and describe how it ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

import click

from pinecone_admin.cli.commands import PROGRAM, ROOT, SETTINGS, make_root_context
from pinecone_admin.cli.error_output import CommandFailure, asks_for_json, write_failure
from pinecone_admin.cli.exit_codes import INTERRUPTED
from pinecone_admin.cli.failures import describe_completion, describe_failure
from pinecone_admin.cli.session import Session
from pinecone_admin.cli.variables import COMPLETION_VARIABLE
from pinecone_admin.errors import InvalidCredentialsError, UnauthorizedError

_Result = TypeVar("_Result")


def run_command_line(argv: Sequence[str]) -> int:
    """Run a command line on the standard streams, and return its exit code."""
    session = Session.of_process()
    asked = session.env.get(COMPLETION_VARIABLE)
    if asked is not None:
        from pinecone_admin.cli.completion import run_completion  # noqa: PLC0415 - only completion needs it

        return run_completion(ROOT, PROGRAM, {**SETTINGS, "obj": session}, asked)
    session.expects_json_errors = asks_for_json(argv)

    def finish(error: BaseException | None) -> int:
        if error is not None:
            failure = describe_error(session, error)
        elif session.interruptions.received:
            failure = describe_completion(session.exit_code, session.ledger)
        else:
            return session.exit_code
        with suppress(OSError):  # nobody reads stderr, but the exit code counts
            write_failure(session.stderr, failure, as_json=session.expects_json_errors)
        return failure.exit

    return run_in_session(session, partial(invoke, session, argv), finish)


def run_in_session(
    session: Session, run: Callable[[], object], finish: Callable[[BaseException | None], _Result]
) -> _Result:
    """Run a command in a session, and return what is made of its end.

    Args:
        session: The session.
        run: Runs the command.
        finish: Gets the error of the command, or None; signals no longer interrupt it.
    """
    with session.interruptions:
        try:
            error = _run_in_session(session, run)
            session.interruptions.hold()
        except KeyboardInterrupt as late:  # only the first signal raises
            error = late
        session.interruptions.end_notices()
        session.ledger.close()
        return finish(error)


def _run_in_session(session: Session, run: Callable[[], object]) -> BaseException | None:
    """Run a command, and return its error."""
    try:
        with session:
            run()
    except BrokenPipeError:
        pass  # whoever reads stdout has enough
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - every error ends in one line and a code
        return error
    return None


def describe_error(session: Session, error: BaseException) -> CommandFailure:
    """Return the message about the error of a command."""
    command = session.command
    failure = describe_failure(
        error,
        ledger=session.ledger,
        is_interrupted=session.interruptions.received,
        goes_on=_advise_on_rest(session),
        spellings={} if command is None else command.spellings,
        remedy=_find_remedy(session, error) if isinstance(error, InvalidCredentialsError | UnauthorizedError) else "",
        is_of_change=command is not None and command.effect != "reads",
    )
    if command is None or command.fails_with is None or failure.exit == INTERRUPTED:
        return failure
    return failure._replace(exit=command.fails_with)


def _advise_on_rest(session: Session) -> str:
    """Return how the rest of an interrupted command is done, as a sentence; empty if no run goes on with it."""
    command = session.command
    if command is None or not command.goes_on or session.is_dry_run:
        return ""
    return f"The same command{session.advise_on_written_files()} does what is left."


def _find_remedy(session: Session, error: InvalidCredentialsError | UnauthorizedError) -> str:
    """Return what to do about credentials or a token that were not accepted, as a clause."""
    from pinecone_admin.cli.identity.sources import (  # noqa: PLC0415 - loads what only it needs
        advise_on_refused_secret,
        advise_on_refused_token,
    )

    if not isinstance(error, InvalidCredentialsError):
        return advise_on_refused_token(session.identity)
    if session.command is not None and session.command.path == ("login",):
        return "nothing was saved"
    advice = advise_on_refused_secret(session.identity, is_piped=bool(session.settings.get("client_secret_stdin")))
    _, _, login = advice.partition("sign in again: ")
    # A note on a lost secret says what comes before it.
    return "" if login and any(login in note for note in getattr(error, "__notes__", ())) else advice


def find_first_word(argv: Sequence[str]) -> str:
    """Return the first word of a command line that is no option; empty if there is none."""
    try:
        _, words, _ = ROOT.make_parser(make_root_context()).parse_args(list(argv))
    except click.UsageError:
        return ""
    return words[0] if words else ""


def invoke(session: Session, argv: Sequence[str]) -> None:
    """Parse a command line, and run its command."""
    try:
        with ROOT.make_context(PROGRAM, list(argv), obj=session, **SETTINGS) as context:
            ROOT.invoke(context)
    except click.exceptions.NoArgsIsHelpError as asked:
        click.echo(asked.format_message())
    except click.exceptions.Exit as ended:
        session.exit_code = ended.exit_code
