"""The exit codes, which scripts rely on; ``failures`` chooses one for an error, ``ending`` for all that was done."""

from __future__ import annotations

from collections.abc import Collection
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
    DONE: "Done, or nothing to do.",
    REFUSED: "Any other failure, such as a refused request, an unknown host, a refused certificate, a failed --store, "
    "or a failed check of doctor.",
    USAGE: "A word, an option, a variable or a file is wrong, or --read-only forbids the change. Nothing was changed.",
    IDENTITY: "There are no credentials, they were not accepted, the profile does not exist, or another organization "
    "was expected.",
    NOT_FOUND: "What you named does not exist, or the account may not see it.",
    CONFLICT: "It conflicts with what is there, several things have the name, a file is of another organization, or "
    "the change would be unsafe.",
    UNKNOWN_OUTCOME: "A change may have been made. Look before you repeat it.",
    TRY_LATER: "The API limits requests, the server or the network failed, or the disk is full. You can run the same "
    "command again later without harm.",
    FINDINGS: "There are findings or differences, and you asked to fail on them.",
    PARTLY_DONE: "Only a part of the work was done, api-key rotate-due could not store a secret, or a report lacks "
    "parts.",
    NOT_ALLOWED: "The account lacks a role, the organization's plan lacks a feature or its payment is due, or a quota "
    "is used up.",
    COMMAND_NOT_RUN: "run did not start its program.",
    INTERRUPTED: "Interrupted, or you answered no.",
}


def combine(failures: Collection[int], *, is_anything_done: bool) -> int:
    """Return the exit code for many things: that of the cause if all failed of one and nothing was done.

    Args:
        failures: The exit codes of those that failed.
        is_anything_done: Whether others, or a part of them, were done.
    """
    if not failures:
        return DONE
    return next(iter(failures)) if len(set(failures)) == 1 and not is_anything_done else PARTLY_DONE
