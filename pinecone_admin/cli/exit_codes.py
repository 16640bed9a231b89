"""The exit codes, which scripts rely on; ``failures`` chooses one for an error, ``ending`` for all that was done."""

from __future__ import annotations

from typing import Final

DONE: Final = 0
REFUSED: Final = 1
USAGE: Final = 2
IDENTITY: Final = 3
NOT_FOUND: Final = 4
CONFLICT: Final = 5
UNKNOWN_OUTCOME: Final = 6
TRY_LATER: Final = 7
FINDINGS: Final = 8
PARTLY_DONE: Final = 9
NOT_ALLOWED: Final = 10
COMMAND_NOT_RUN: Final = 125
INTERRUPTED: Final = 130

MEANINGS: Final = {
    DONE: "Done.",
    REFUSED: "The server refused the request, a check of doctor failed, or something unexpected happened.",
    USAGE: "The command line, a variable or a file is wrong, or --read-only forbids the change; nothing was changed.",
    IDENTITY: "Credentials are missing or were not accepted, there is no token, or another organization was expected.",
    NOT_FOUND: "There is no such thing, or the account may not see it; project exists says no in this way, too.",
    CONFLICT: (
        "It conflicts with what is there, several things have the name, a file is of another organization, or it would "
        "be unsafe."
    ),
    UNKNOWN_OUTCOME: "The change may have been made, and must not be repeated blindly: look first.",
    TRY_LATER: "Safe to run again: nothing was changed, or the message says what may have been.",
    FINDINGS: "There are findings or differences, and you asked to fail on them.",
    PARTLY_DONE: "Not all of it is done; the message says what was done, or what is left.",
    NOT_ALLOWED: "The account lacks a role, the plan lacks a feature, or a quota is used up.",
    COMMAND_NOT_RUN: (
        "run failed before it started its command, whose own exit code it has otherwise; interrupted before, it has "
        "130."
    ),
    INTERRUPTED: "It was interrupted, or you answered no.",
}
