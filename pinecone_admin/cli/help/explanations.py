"""The meaning of the codes of the command line: of errors, exits and findings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pinecone_admin._text.help_codes import HELP
from pinecone_admin.cli.exit_codes import MEANINGS


class Explanation(NamedTuple):
    """The meaning of a code.

    Attributes:
        code: The code.
        meaning: The explanation.
        reason: Why it occurs; empty if the meaning says it.
        remedy: The fix.
    """

    code: str
    meaning: str
    reason: str
    remedy: str


_EXIT_REMEDIES: Mapping[int, str] = {
    0: "Nothing.",
    1: "Run pinecone-admin explain with the code in brackets at the end of the message, such as PA200.",
    2: "Correct what the message names. --help shows an example.",
    3: "Sign in with pinecone-admin login, or run pinecone-admin doctor.",
    4: "List what is there, and compare ids and names.",
    5: "If it exists, use it, or run the command ensure. If several things have the name, use an id. If the "
    "change would be unsafe, run pinecone-admin explain PA602.",
    6: "Look whether the change was made, then decide. Rotate a secret again if it may have been rotated.",
    7: "Run the same command again later.",
    8: "Nothing has to be repeated. The output lists the findings or differences.",
    9: "Run the same command again, which usually continues where it stopped; a file that it has written needs another "
    "name. To go on with rows, run pinecone-admin each with the file of --failed-rows.",
    10: "An owner must grant the service account a role, such as OrgOwner. If a quota is used up, delete what you do "
    "not need, or change the plan. If a payment is due, settle it in the console.",
    125: "Check that the program exists and can be run. If the key could not be created, run pinecone-admin explain "
    "with the code in brackets.",
    130: "After a no, nothing was changed. After an interruption, the messages show what was done, and you can run the "
    "command again.",
}

FINDINGS: Mapping[str, tuple[str, str, str]] = {
    "could-not-be-read": (
        "A part of the organization could not be read.",
        "The account lacks a role, or the server failed; a finding may hide there.",
        "Give the account a role that reads it, if it lacks one, and run the command again.",
    ),
    "many-owners": (
        "The organization has many owners.",
        "Each owner can do everything, also delete the organization.",
        "Give those who need less a lesser role, or raise --max-owners.",
    ),
    "invite-pending-long": (
        "An invite was sent long ago, and is still pending.",
        "Whoever reads the mailbox can still accept it, with all its roles.",
        "Resend it or delete it: invite resend, invite delete.",
    ),
    "invite-expired": (
        "An invite has expired, and is still there.",
        "It can be resent, with all its roles.",
        "Delete it or resend it: invite delete, invite resend.",
    ),
    "service-account-without-roles": (
        "A service account has no role.",
        "It can do nothing, and is often forgotten.",
        "Delete it, or grant it a role.",
    ),
    "service-account-owns-organization": (
        "A service account is an OrgOwner.",
        "Whoever has its secret can add people, keys and accounts.",
        "Grant it roles on the projects that it needs, and revoke the one on the organization.",
    ),
    "key-has-project-editor": (
        "An API key has ProjectEditor.",
        "It can create and delete indexes, not only read and write data.",
        "Give it DataPlaneEditor or DataPlaneViewer: api-key update.",
    ),
    "key-is-old": (
        "An API key is older than --max-key-age, and no rotation has replaced it.",
        "The longer a key lives, the more people and machines may know it.",
        "Rotate it: api-key rotate.",
    ),
    "key-age-unknown": (
        "The age of some API keys is not known.",
        "The API does not say when a key was created; role bindings show only a minimum.",
        "Rotate them, then accept the finding until the next rotation: help waivers.",
    ),
    "retired-key-overdue": (
        "An API key that was replaced should have been deleted by now.",
        "It still works.",
        "Delete it: api-key delete-retired.",
    ),
    "principal-is-gone": (
        "A role is held by something that is in no list.",
        "Most often it was deleted, and the role is a leftover.",
        "If you know of no such principal, revoke the role: role revoke.",
    ),
}
"""Meaning, reason and remedy of each kind of finding."""


def list_explanations() -> list[Explanation]:
    """Return the explanations of all codes."""
    helps = {code: (each.meaning, each.reason, each.command_remedy or each.remedy) for code, each in HELP.items()}
    errors = [Explanation(code, *(text.replace("`", "") for text in texts)) for code, texts in helps.items()]
    exits = [Explanation(f"exit-{code}", text, "", _EXIT_REMEDIES[code]) for code, text in MEANINGS.items()]
    return [*errors, *exits, *(Explanation(kind, *texts) for kind, texts in FINDINGS.items())]


def find_explanation(text: str) -> Explanation | None:
    """Return the explanation of a code, in any case; a number is an exit code."""
    code = text.strip().casefold()
    code = f"exit-{code}" if code.isdecimal() else code
    return next((each for each in list_explanations() if each.code.casefold() == code), None)
