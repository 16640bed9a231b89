"""How a command ends: its exit code and what its last line says was done, from its ledger."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from pinecone_admin._text.printable import mask_key_values
from pinecone_admin.cli import exit_codes
from pinecone_admin.cli.error_output import CommandFailure
from pinecone_admin.cli.ledger import Ledger, SecretEntry, describe_changes
from pinecone_admin.cli.nouns import NOUNS
from pinecone_admin.cli.sentences import join_sentences
from pinecone_admin.workflows.sent_changes import Effects, SentChange

_NOTHING = "Nothing was changed."
_UNDONE = "Nothing remains of what was done."
_TAKEN_BACK = "What had been done was taken back."
_SECRETS = {"create_api_key": ("key", "value"), "create_service_account": ("service account", "secret")}
"""What an operation creates, and the secret of that, which only its response contains."""


def conclude(
    reason: CommandFailure,
    ledger: Ledger,
    *,
    is_interrupted: bool = False,
    is_completed: bool = False,
    goes_on: str = "",
    says_if_unchanged: bool = False,
) -> CommandFailure:
    """Return the last line and the exit code of a command that failed or was interrupted.

    The reason alone decides only if none of the changes remains. Values of API keys are not repeated.

    Args:
        reason: Why it ends, with the exit code and the facts of that alone.
        ledger: The changes that it has made.
        is_interrupted: Whether it was interrupted.
        is_completed: Whether it reached its end although it was interrupted; the reason says so.
        goes_on: How the rest of an interrupted command is done, as a sentence; empty if no run goes on with it.
        says_if_unchanged: Whether the line also says that nothing was changed.
    """
    effects = ledger.effects
    if is_interrupted:
        exit_code = exit_codes.INTERRUPTED
    elif effects.remaining and ledger.is_complete:
        exit_code = exit_codes.UNKNOWN_OUTCOME  # it need not be repeated, although its result is lost
    else:
        exit_code = choose_exit(reason.exit, effects, ledger)
    said = [] if is_completed else _describe_effects(effects, ledger, reason.message)
    if not effects.remaining and not is_completed and (is_interrupted or says_if_unchanged):
        undone = _TAKEN_BACK if is_interrupted else _UNDONE
        if effects.undone or _NOTHING not in reason.message:
            said.append(undone if effects.undone else _NOTHING)
    can_go_on = bool(goes_on) and is_interrupted and not is_completed and not ledger.is_complete
    if can_go_on and effects.remaining and ledger.is_repeatable(effects, goes_on=True):
        said.append(goes_on)
    elif exit_code == exit_codes.UNKNOWN_OUTCOME and not ledger.is_complete:
        said += _advise_check(effects)
    return CommandFailure(
        message=mask_key_values(join_sentences([reason.message, *said])),
        exit=exit_code,
        details={
            **reason.details,
            "worth_retrying": exit_code == exit_codes.TRY_LATER,
            # That of all changes, as it fits the exit code and what the line says.
            "outcome": effects.outcome or reason.details.get("outcome", "not_sent"),
            **_find_help(reason, exit_code, effects),
        },
    )


def choose_exit(reason: int, effects: Effects, ledger: Ledger) -> int:
    """Return the exit code of a command that did not succeed, or of whose report a part has failed.

    Args:
        reason: The exit code of its error, or of the failures.
        effects: The result of its changes.
        ledger: The changes that it has made.
    """
    if not effects.remaining:
        return reason
    if effects.done and effects.outcome == "done":
        return exit_codes.PARTLY_DONE
    if not ledger.is_repeatable(effects):
        return exit_codes.UNKNOWN_OUTCOME
    if effects.unread:
        return exit_codes.PARTLY_DONE
    # A safe change can be repeated later, if that may succeed.
    return reason if reason == exit_codes.TRY_LATER else exit_codes.UNKNOWN_OUTCOME


def advise_on_repeat(exit_code: int, again: str) -> str:
    """Return what to do before a command that did not do all of its work is run again, as a sentence.

    Args:
        exit_code: The exit code of the command.
        again: The clause that says to run it again.
    """
    before = {
        exit_codes.UNKNOWN_OUTCOME: "Check what was done",
        exit_codes.TRY_LATER: "Wait a while",
    }
    return f"{before.get(exit_code, 'Fix what the lines above say')}, then {again}."


def _describe_effects(effects: Effects, ledger: Ledger, reason: str) -> list[str]:
    """Return what remains of the changes of a command, and where its new secrets are, each as a sentence.

    What the reason names by its id is not named again, and neither is a secret that it says is stored.
    """
    vanished = {each.made for each in effects.undone}
    secrets = [
        str(each)
        for each in ledger.secrets
        if each.owner_id not in vanished and not _says_that_it_arrived(each, reason)
    ]
    if effects.remaining and ledger.is_complete:
        return [*describe_changes(effects), _advise_after_lost_result(effects.remaining), *secrets]
    return [*describe_changes(effects, reason), *secrets]


def _says_that_it_arrived(secret: SecretEntry, reason: str) -> bool:
    """Return whether a note of a workflow, for which ``--reveal`` is a store, says of a secret that it is stored."""
    is_said = re.search(rf"{re.escape(secret.owner_id)}\b[^.;]* is stored\b", reason) is not None
    return is_said and secret.state in {"stored", "shown"}


def _advise_after_lost_result(changes: Sequence[SentChange]) -> str:
    """Return how to see what was done, since the result of the command could not be shown."""
    advice = "Only the result could not be shown. Do not run the command again."
    created = [each for each in changes if each.made is not None]
    noun = _spell_group(changes[0])
    if len(changes) == len(created) == 1 and noun in NOUNS:
        name = shlex.quote(created[0].name or str(created[0].made))
        return f"{advice} See it with: pinecone-admin {noun} describe {name}."
    return advice


def _advise_check(effects: Effects) -> list[str]:
    """Return as sentences what to do before a command is run again whose changes may have been made."""
    lost = {each.kind: secret for each in effects.unknown if (secret := _SECRETS.get(each.operation)) is not None}
    advice = [
        f"If the {noun} exists, its {secret} cannot be read any more, so delete the {noun}."
        for noun, secret in lost.values()
    ]
    changes = [*effects.unread, *effects.unknown] or effects.remaining
    if all(each.operation == "rotate_service_account_secret" for each in changes):
        # No list shows whether a secret was rotated, and nobody has the new one.
        return ["Rotate the secret again to get a new one."]
    groups = {_spell_group(each) for each in changes}
    shows = [f": pinecone-admin {group} list" for group in groups if len(groups) == 1 and group in NOUNS]
    return [*advice, f"Before you run the command again, check what was done{''.join(shows)}."]


def _spell_group(change: SentChange) -> str:
    """Return the group of the commands on what a change is about, if there is one."""
    return change.kind.replace("_", "-").replace("role-binding", "role")


def _find_help(reason: CommandFailure, exit_code: int, effects: Effects) -> dict[str, str]:
    """Return the code that explains the end, unless that of the error does."""
    explains_only_its_exit = reason.exit == exit_codes.USAGE or str(reason.details.get("help_code")).startswith("exit-")
    return {"help_code": f"exit-{exit_code}"} if effects.remaining and explains_only_its_exit else {}
