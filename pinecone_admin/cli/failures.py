"""Turn an error into one line for people, an object for scripts, and an exit code."""

from __future__ import annotations

import errno
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

import click

from pinecone_admin import errors
from pinecone_admin._text.durations import describe_duration
from pinecone_admin._text.printable import make_printable, mask_key_values
from pinecone_admin.cli import exit_codes
from pinecone_admin.cli.ending import choose_exit, conclude
from pinecone_admin.cli.error_output import CommandFailure
from pinecone_admin.cli.ledger import Ledger
from pinecone_admin.cli.sentences import as_sentences, join_sentences, name_ids, tidy
from pinecone_admin.errors import Outcome, PineconeError, PineconeValueError
from pinecone_admin.workflows.sent_changes import (
    MAY_EXIST,
    NOT_DELETED_IN_TIME,
    RemainingChanges,
    is_foreign_refusal,
    may_have_been_processed,
)

_TOO_MANY_REQUESTS, _SERVER_ERROR = 429, 500  # the enum of the library takes a hundredth of --version

SPELLINGS: Mapping[str, str] = MappingProxyType(
    {
        "allow_http=True": "PINECONE_ADMIN_ALLOW_HTTP=1",
        "allow_unreadable=True": "--allow-unreadable",
        "value": "the value",
    }
)
"""Names of the library in every command."""
_MAX_USAGE_LENGTH = 480
"""Characters of a usage error; with what stands around it, its line has at most 500."""
# These patterns are compiled when something fails: compiling them here would take a hundredth of --version.
_PLACE = r"(?:line (?P<line>\d+): )?(?P<path>\w+\[\d+\][\w.\[\]]*|\w+\.[\w.\[\]]+)?"
"""The place of a problem in a file: a line, and the path of a field, such as ``projects[9].name``."""
_LINE_BREAK = r"\s*\n\s*"

_OUTCOME = r"; the request (was|may have been) processed$"
"""The part of an error's message about its request. The ledger has the request."""

_UNDONE_KEY = r"(?:the new|temporary) API key .* was deleted"
"""The note on a new key that a workflow has deleted again."""

_OF_ARGUMENTS = (
    (r"\bthe account of this client\b", "the account you are using"),
    (r"\bmade by this call\b", "which this command created"),
    (r"client_id \(--own-client-id on the command line\)", "--own-client-id"),
    (r"allow (\d+) removals? \(--confirm on the command line\)", r"add --confirm \1"),
    (r", or allow_own\b", ""),
    (r"\bmust contain at least one organization role", "needs a role on the organization, such as OrgMember"),
    (r"\blift it \(lift_protection, --lift-protection on the command line\)", "add --lift-protection"),
    (r"\bpass names \(--name on the command line\) with its name", "add --name with its name"),
    (r"\bpass project_ids \(--project on the command line\) with the projects that", "add --project for each that"),
)
"""Words about arguments in messages of Python, and their replacements on the command line."""

_UNWRITTEN = frozenset(getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG", "EIO") if hasattr(errno, name))
"""Why a disk takes no output, although the command line is right."""


_PASSING = _UNWRITTEN | {errno.EAGAIN}
"""Temporary failures: a disk that takes no output, and a file that another command has locked."""


class StoreError(Exception):
    """A secret cannot be stored, or was not stored.

    Args:
        message: The problem and the fix, without the secret.
    """

    def __init__(self, message: str) -> None:
        super().__init__(make_printable(message))


class WrongPlaceError(StoreError):
    """The place cannot take the secret as long as nobody changes it or the command line."""


class BusyError(StoreError):
    """Another command is using the destination."""


EXITS: tuple[tuple[type[BaseException], int], ...] = (
    # The first class that fits counts: a subclass stands before its base. What may succeed later is no matter of them.
    (errors.TokenError, exit_codes.IDENTITY),
    (errors.UnauthorizedError, exit_codes.IDENTITY),
    (errors.NotFoundError, exit_codes.NOT_FOUND),
    (errors.ConflictError, exit_codes.CONFLICT),
    (errors.FailedPreconditionError, exit_codes.CONFLICT),
    (errors.AmbiguousNameError, exit_codes.CONFLICT),
    (errors.RefusedError, exit_codes.CONFLICT),
    (errors.PaymentRequiredError, exit_codes.NOT_ALLOWED),
    (errors.ForbiddenError, exit_codes.NOT_ALLOWED),
    (errors.PineconeValueError, exit_codes.USAGE),
    (errors.PineconeTypeError, exit_codes.USAGE),
    (errors.ReadOnlyError, exit_codes.USAGE),
    (PineconeError, exit_codes.REFUSED),
    (WrongPlaceError, exit_codes.USAGE),
    (BusyError, exit_codes.TRY_LATER),
    # Else a nightly job would make keys and delete them again for ever.
    (StoreError, exit_codes.REFUSED),
    (click.ClickException, exit_codes.USAGE),
    (OSError, exit_codes.USAGE),
    (click.Abort, exit_codes.INTERRUPTED),
    (KeyboardInterrupt, exit_codes.INTERRUPTED),
)
"""The exit code of each cause; of whatever is not in it, 1."""


class CLIError(Exception):
    """An error of the command line itself.

    Args:
        message: The problem and the fix, on one line.
        cause: The error, or the class of errors, that decides on the exit code, and on the code for ``explain``.
        exit: The exit code, if something was done, so that no cause decides.
        help_code: Another code for ``explain``.
        is_local: Whether it is about this machine alone, so that the exit code is explained and not the cause.
        outcome: The state of the change, if the ledger does not have it.
        says_if_unchanged: Whether the line also says that nothing was changed, if that is so.
        problems: The problem of a file. If there are several, text has a line for each above this one.
        advice: The fix as sentences, if the message is the problem alone; the whole message ends with it.
    """

    def __init__(
        self,
        message: str,
        *,
        cause: BaseException | type[BaseException] = PineconeValueError,
        exit: int | None = None,  # noqa: A002 - the name in the error object
        help_code: str | None = None,
        is_local: bool = False,
        outcome: Outcome = "not_sent",
        says_if_unchanged: bool = False,
        problems: Sequence[Mapping[str, object]] = (),
        advice: str = "",
    ) -> None:
        self.problem: str = make_printable(message)
        self.advice: str = make_printable(advice)
        self.message: str = join_sentences([self.problem, self.advice]) if advice else self.problem
        super().__init__(self.message)
        self.exit: int = find_exit_code(cause) if exit is None else exit
        of_cause = getattr(cause, "help_code", PineconeValueError.help_code)
        is_wrong_value = of_cause == PineconeValueError.help_code
        explains_exit = is_local or (is_wrong_value and self.exit != exit_codes.USAGE)
        code = help_code or (f"exit-{self.exit}" if explains_exit else of_cause)
        self.help_code: str | None = None if self.exit == exit_codes.INTERRUPTED else code
        self.outcome = outcome
        self.says_if_unchanged = says_if_unchanged
        self.problems: Sequence[Mapping[str, object]] = problems


def describe_problem(file: str, text: str) -> dict[str, object]:
    """Return a problem with a file as the error object has it, without values of API keys.

    Args:
        file: Name of the file.
        text: The problem, without the line and the path of the field if these are known.
    """
    file, text = mask_key_values(file), mask_key_values(text)
    found = re.match(_PLACE, text)
    line, path = (found["line"], found["path"]) if found else (None, None)
    message = text[found.end("line") + 2 :] if found and line else text
    return {
        "file": make_printable(file),
        "line": None if line is None else int(line),
        "path": path,
        "message": make_printable(message),
    }


def describe_failure(
    error: BaseException,
    *,
    ledger: Ledger,
    is_interrupted: bool = False,
    goes_on: str = "",
    spellings: Mapping[str, str] = MappingProxyType({}),
    remedy: str = "",
    is_of_change: bool = False,
) -> CommandFailure:
    """Return what to tell about an error of the library, of the command line, or of the system.

    Values of API keys, which may have been typed where a name belongs, are not repeated.

    Args:
        error: The error of the command.
        ledger: The changes of the command.
        is_interrupted: Whether there was a signal.
        goes_on: How the rest of an interrupted command is done, as a sentence; empty if no run goes on with it.
        spellings: The options and arguments of the command, by the arguments of methods for which they stand.
        remedy: What to do if the credentials were not accepted, as a clause.
        is_of_change: Whether the command is one that changes something.
    """
    if isinstance(error, OSError) and is_full_disk(error):
        details = {"help_code": f"exit-{find_exit_code(error)}", "outcome": "not_sent"}
        message = f"The output cannot be written: {_describe_system_error(error)}."
        reason = CommandFailure(message, exit=find_exit_code(error), details=details)
    else:
        reason = _describe(error, spellings, remedy)
    if isinstance(error, click.Abort | KeyboardInterrupt):
        is_interrupted = True
        if not ledger.effects.remaining:  # the notes say one by one what was undone
            reason = reason._replace(message="Interrupted.")
    elif is_interrupted:
        reason = reason._replace(message=f"Interrupted. {reason.message}")
    failure = conclude(
        reason,
        ledger,
        is_interrupted=is_interrupted,
        goes_on=goes_on,
        says_if_unchanged=_says_if_unchanged(error) or (is_of_change and isinstance(error, errors.RefusedError)),
    )
    retry = _advise_retry(error) if failure.exit == exit_codes.TRY_LATER else ""
    message = tidy(name_ids(f"{failure.message}{retry}", ledger.names))
    if any(secret.state == "shown" for secret in ledger.secrets):  # for the library, --reveal is a store
        message = re.sub(r"\bis stored\b", "is on stdout", message)
    if failure.exit == exit_codes.USAGE:  # it quotes what was typed, or what a file has in it
        message = make_printable(message, most=_MAX_USAGE_LENGTH)
    return failure._replace(message=message)


def _says_if_unchanged(error: BaseException) -> bool:
    if isinstance(error, CLIError):
        return error.says_if_unchanged
    return isinstance(error, errors.TokenError) and not isinstance(error, errors.InvalidCredentialsError)


def _advise_retry(error: BaseException) -> str:
    """Return when to try again, if a server says so or has failed."""
    if not isinstance(error, errors.ApiError):
        return ""
    if error.retry_after is None:
        return " Try again later."
    return f" Try again in {describe_duration(timedelta(seconds=math.ceil(error.retry_after)))}."


def describe_completion(exit_code: int, ledger: Ledger) -> CommandFailure:
    """Return what to tell about a command that was interrupted and went on to its end."""
    end = "was completed" if exit_code == exit_codes.DONE else f"went on to its end, with exit code {exit_code}"
    reason = CommandFailure(f"Interrupted. The command {end}.", exit_codes.INTERRUPTED)
    return conclude(reason, ledger, is_interrupted=True, is_completed=True)


def _describe(error: BaseException, spellings: Mapping[str, str], remedy: str) -> CommandFailure:
    if isinstance(error, PineconeError):
        return _describe_library_error(error, spellings, remedy)
    if isinstance(error, CLIError):
        details = {"help_code": error.help_code, "outcome": error.outcome, "problems": error.problems}
        return CommandFailure(message=_with_notes(error.message, error), exit=error.exit, details=details)
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return CommandFailure(_with_notes("Interrupted.", error), exit=find_exit_code(error))
    not_sent = {"help_code": PineconeValueError.help_code, "outcome": "not_sent"}
    if isinstance(error, click.ClickException):
        return CommandFailure(message=_describe_usage(error), exit=find_exit_code(error), details=not_sent)
    if isinstance(error, OSError):
        return CommandFailure(message=f"{_describe_system_error(error)}.", exit=find_exit_code(error), details=not_sent)
    return CommandFailure(
        message=make_printable(f"Unexpected error, {type(error).__name__}: {error}"),
        exit=find_exit_code(error),
        details={"help_code": PineconeError.help_code},
    )


def _describe_library_error(error: PineconeError, spellings: Mapping[str, str], remedy: str) -> CommandFailure:
    details = {
        "operation": error.operation,
        "status": error.status_code,
        "help_code": error.help_code,
        # The ledger knows every change, so what it does not know was a read.
        "outcome": "rejected" if error.outcome == "rejected" else "not_sent",
        "request_id": error.request_id,
        "retry_after": error.retry_after,
    }
    # A message about a wrong argument names its option, and not the method behind the command.
    is_argument = isinstance(error, errors.PineconeValueError | errors.PineconeTypeError)
    message = error.message_with_names({**SPELLINGS, **spellings}) if is_argument else _describe_refusal(error, remedy)
    if isinstance(error, errors.AmbiguousNameError):  # the names that it was given are looked up before
        message = f"{message}; this command takes no id, so rename or delete all but one"
    return CommandFailure(
        message=_with_notes(describe_refusal(message), error), exit=find_exit_code(error), details=details
    )


def describe_refusal(text: str) -> str:
    """Return a message of the library as sentences, with options in place of arguments of Python."""
    return as_sentences(name_options(text))


def name_options(text: str) -> str:
    """Return a message of the library with options in place of arguments of Python."""
    for pattern, option in _OF_ARGUMENTS:
        text = re.sub(pattern, option, text)
    return text


def _describe_refusal(error: PineconeError, remedy: str) -> str:
    """Return the message of an error as clauses, with what identifies a response, and without internal names."""
    if isinstance(error, errors.InvalidCredentialsError):
        text = "the client id and secret were not accepted"
        advice = "; perhaps the secret was rotated" + (f"; {remedy}" if remedy else "")
    elif isinstance(error, errors.TokenError) and error.status_code == _TOO_MANY_REQUESTS:
        text, advice = "the token endpoint limits requests at the moment", ""
    elif isinstance(error, errors.PineconeConnectionError):
        # What was changed, or may have been, comes first, and explain has the advice, too.
        advice = "" if may_have_been_processed(error) else "; to find out why, run pinecone-admin doctor"
        text = error.message
    elif error.status_code is None or error.error_code is None or isinstance(error, errors.TokenError):
        text, advice = error.message, ""
    else:
        kind = "the server failed" if error.status_code >= _SERVER_ERROR else "the server refused"
        if error.status_code == _TOO_MANY_REQUESTS:
            kind = "the API limits requests at the moment"
        text, advice = f"{kind}: {error.message}", f"; {remedy}" if remedy else ""
    code = f"{error.status_code} {error.error_code or ''}".strip() if isinstance(error, errors.ApiError) else ""
    code = "" if error.status_code is None else code
    facts = ", ".join(filter(None, (code, f"request {error.request_id}" if error.request_id else "")))
    first, semicolon, rest = re.sub(_OUTCOME, "", text).partition("; ")
    first = f"{first.rstrip('.')} ({facts})" if facts else first.rstrip(".")
    return f"{first.replace(') (', ', ')}{semicolon}{rest}{advice}"


def read_notes(error: BaseException | None) -> list[str]:
    """Return the notes of a workflow on an error, without the changes that remain, because the ledger has them.

    New keys that were deleted again are counted if there are several.
    """
    given: Sequence[str] = getattr(error, "__notes__", ())
    # What asks and what calls it may note the same. The ledger has what remains.
    notes = [
        each
        for each in dict.fromkeys(given)
        if not (isinstance(each, RemainingChanges) or each.endswith((MAY_EXIST, NOT_DELETED_IN_TIME)))
    ]
    undone = [each for each in notes if re.fullmatch(_UNDONE_KEY, each)]
    if (number := len(undone)) > 1:  # of each attempt whose response was lost
        others = [each for each in notes if each not in undone]
        return [f"{number} API keys that were created were deleted", *others]
    return notes


def _with_notes(message: str, error: BaseException) -> str:
    return make_printable(join_sentences([message, *map(as_sentences, read_notes(error))]))


def _describe_usage(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    where = f"See {context.command_path} --help" if context is not None else ""
    # click puts the choices for an argument that is missing on lines of their own.
    message = error.format_message()
    if isinstance(error, click.BadParameter) and not isinstance(error, click.MissingParameter) and error.param:
        message = f"{spell_parameter(error.param)} {error.message}"
    if isinstance(error, click.MissingParameter) and error.param:
        message = f"{spell_parameter(error.param)} is missing."
    message = re.sub(r"^Option '(\S+)' requires an argument\.$", r"\1 needs a value.", message)
    message = make_printable(re.sub(_LINE_BREAK, " ", message))
    return join_sentences([message, where])


def spell_parameter(param: click.Parameter | None) -> str:
    """Return how a parameter is written: its option, or the placeholder of an argument."""
    if param is None:
        return ""
    return param.opts[0] if isinstance(param, click.Option) else param.human_readable_name.strip("[]")


def reason_of(error: Exception) -> object:
    """Return the words of the system for an error of it; any other error says itself what is wrong."""
    return getattr(error, "strerror", None) or error


def _describe_system_error(error: OSError) -> str:
    reason = error.strerror or type(error).__name__
    return make_printable(f"{error.filename}: {reason}" if error.filename else reason)


def is_full_disk(error: OSError) -> bool:
    """Return whether a disk takes no output, although the path is right."""
    return error.errno in _UNWRITTEN


def find_exit_code(error: BaseException | type[BaseException]) -> int:
    """Return the exit code of an error, or of a class of errors, which counts if no change remains."""
    if isinstance(error, CLIError):
        return error.exit
    if isinstance(error, errors.RefusedError) and isinstance(error.__cause__, PineconeError):
        return find_exit_code(error.__cause__)
    kind = error if isinstance(error, type) else type(error)
    # An instance may know better than its class.
    if issubclass(kind, PineconeError) and getattr(error, "worth_retrying", False):
        return exit_codes.TRY_LATER
    if isinstance(error, PineconeError) and is_foreign_refusal(error):
        return exit_codes.REFUSED
    if isinstance(error, OSError) and error.errno in _PASSING:
        return exit_codes.TRY_LATER
    return next((code for each, code in EXITS if issubclass(kind, each)), exit_codes.REFUSED)


def find_exit_code_of_report(
    help_codes: Iterable[str | None], ledger: Ledger, *, is_anything_done: bool = False
) -> int:
    """Return the exit code for several things that failed, given the codes of their errors in a report.

    What remains, or may remain, of the changes counts as in a command that makes one change.

    Args:
        help_codes: The code of each error; None for a reason that has none.
        ledger: The changes of the command.
        is_anything_done: Whether a part of the work was done that is no change.
    """
    known = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, PineconeError)]
    kinds = {kind.help_code: kind for kind in known}
    reasons = [kinds.get(code or "") for code in help_codes]
    exits = {exit_codes.PARTLY_DONE if each is None else find_exit_code(each) for each in reasons}
    code = exit_codes.combine(exits, is_anything_done=is_anything_done)
    return code if code in {exit_codes.DONE, exit_codes.PARTLY_DONE} else choose_exit(code, ledger.effects, ledger)
