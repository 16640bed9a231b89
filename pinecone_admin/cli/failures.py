"""Turn an error into one line for people, an object for scripts, and an exit code."""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping
from types import MappingProxyType

import click

from pinecone_admin import errors
from pinecone_admin._text.printable import make_printable
from pinecone_admin.cli import exit_codes
from pinecone_admin.cli.error_output import CommandFailure
from pinecone_admin.cli.exit_of_error import exit_of_error
from pinecone_admin.errors import Outcome, PineconeError, PineconeValueError

# Values of API keys begin with pcsk_ or pckey_; a name that begins so is shorter.
_KEY_VALUE = re.compile(r"(pc(?:sk|key)_)\w{20,}")

# Arguments stand at the beginning of a message or in a list; elsewhere, only a word with an underscore surely is one.
_ARGUMENT = re.compile(r"(^\w+|(?<=one of )\w+|(?<=, )\w+(?=, |$)|\b\w+_\w+)\b(?:=True)?")
_OPTION_VALUE = re.compile(r"(--[\w-]+)='(\w+)'")
_LINE_BREAK = re.compile(r"\s*\n\s*")

_UNWRITTEN = frozenset(getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG", "EIO") if hasattr(errno, name))
"""Why a disk takes no output, although the command line is right."""


class CLIError(Exception):
    """An error of the command line itself.

    Args:
        message: What went wrong and what to do, on one line.
        exit: The exit code.
        help_code: Its code for ``explain``; None if there is nothing to explain.
        outcome: What happened to the change.
        safe_to_retry: Whether repeating the command cannot apply the change twice.
    """

    def __init__(
        self,
        message: str,
        *,
        exit: int = exit_codes.USAGE,  # noqa: A002 - the name in the error object
        help_code: str | None = PineconeValueError.help_code,
        outcome: Outcome = "not_sent",
        safe_to_retry: bool = True,
    ) -> None:
        super().__init__(make_printable(message))
        self.message: str = make_printable(message)
        self.exit = exit
        self.help_code: str | None = help_code
        self.outcome = outcome
        self.safe_to_retry = safe_to_retry


def describe_failure(
    error: BaseException, *, has_changed: bool = False, spellings: Mapping[str, str] = MappingProxyType({})
) -> CommandFailure:
    """Return what to tell about an error of the library, of the command line, or of the system.

    Values of API keys, which may have been typed where a name belongs, are not repeated.

    Args:
        error: The error with which the command ended.
        has_changed: Whether the command had changed something before.
        spellings: The options and arguments of the command, by the arguments of methods that they supply.
    """
    if isinstance(error, OSError) and error.errno in _UNWRITTEN:
        failure = _describe_lost_output(error)
    elif isinstance(error, PineconeValueError):
        failure = _describe_refused_value(error, spellings)
    else:
        failure = _describe(error)
    if has_changed and (failure.exit == exit_codes.USAGE or isinstance(error, OSError)):  # they say: nothing was sent
        failure = CommandFailure(
            message=f"{failure.message}; the change was made: look before you repeat it",
            exit=exit_codes.UNKNOWN_OUTCOME,
            details={
                **failure.details,
                "help_code": f"exit-{exit_codes.UNKNOWN_OUTCOME}",  # that of the error says that nothing was sent
                "outcome": "done",
                "safe_to_retry": False,
            },
        )
    return failure._replace(message=_KEY_VALUE.sub(r"\1…", failure.message))


def _describe(error: BaseException) -> CommandFailure:
    if isinstance(error, PineconeError):
        return _describe_library_error(error)
    if isinstance(error, CLIError):
        details = {name: getattr(error, name) for name in ("help_code", "outcome", "safe_to_retry")}
        return CommandFailure(message=error.message, exit=error.exit, details=details)
    if isinstance(error, click.Abort | KeyboardInterrupt):
        # An error that an interrupted command has nevertheless ended in is its cause.
        details = {"help_code": getattr(error.__cause__, "help_code", None)}
        return CommandFailure(_with_notes("interrupted", error), exit=exit_codes.INTERRUPTED, details=details)
    not_sent = {"help_code": PineconeValueError.help_code, "outcome": "not_sent", "safe_to_retry": True}
    if isinstance(error, click.ClickException):
        return CommandFailure(message=_describe_usage(error), exit=exit_codes.USAGE, details=not_sent)
    if isinstance(error, OSError):
        return CommandFailure(message=_describe_system_error(error), exit=exit_codes.USAGE, details=not_sent)
    return CommandFailure(
        message=make_printable(f"{type(error).__name__}: {error}"),
        exit=exit_codes.REFUSED,
        details={"help_code": PineconeError.help_code},
    )


def _describe_library_error(error: PineconeError) -> CommandFailure:
    details = {
        "operation": error.operation,
        "status": getattr(error, "status_code", None),
        "error_code": getattr(error, "error_code", None),
        "help_code": error.help_code,
        "outcome": error.outcome,
        "safe_to_retry": error.safe_to_retry,
        "worth_retrying": error.worth_retrying,
        "request_id": error.request_id,
    }
    exit = exit_of_error(error)  # noqa: A001 - the name in the error object
    message = str(error)
    says_outcome = isinstance(error, errors.PineconeConnectionError | errors.PineconeTimeoutError)
    if exit == exit_codes.UNKNOWN_OUTCOME and not says_outcome:
        message += f"; the request {'was' if error.outcome == 'done' else 'may have been'} processed"
    return CommandFailure(message=_with_notes(message, error), exit=exit, details=details)


def _describe_refused_value(error: PineconeValueError, spellings: Mapping[str, str]) -> CommandFailure:
    """Describe why a method refused its arguments, which are called by their options."""
    failure = _describe_library_error(error)
    spelt = _ARGUMENT.sub(lambda found: spellings.get(found[1], found[0]), error.message)
    if spelt == error.message:
        return failure
    return failure._replace(message=_with_notes(_OPTION_VALUE.sub(r"\1 \2", spelt), error))


def read_notes(error: BaseException | None) -> list[str]:
    """Return what a workflow has noted on an error about what was done and undone."""
    notes = [str(note).removesuffix(" after this error") for note in getattr(error, "__notes__", ())]
    return list(dict.fromkeys(notes))  # what asks and what calls it may note the same


def _with_notes(message: str, error: BaseException) -> str:
    return make_printable("; ".join([message, *read_notes(error)]))


def _describe_usage(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    where = f" (see {context.command_path} --help)" if context is not None else ""
    # click puts the choices for an argument that is missing on lines of their own.
    return make_printable(_LINE_BREAK.sub(" ", error.format_message()).rstrip(".")) + where


def _describe_lost_output(error: OSError) -> CommandFailure:
    return CommandFailure(
        message=f"the output cannot be written: {_describe_system_error(error)}",
        exit=exit_codes.TRY_LATER,
        details={"help_code": f"exit-{exit_codes.TRY_LATER}", "outcome": "not_sent", "safe_to_retry": True},
    )


def _describe_system_error(error: OSError) -> str:
    reason = error.strerror or type(error).__name__
    return make_printable(f"{error.filename}: {reason}" if error.filename else reason)
