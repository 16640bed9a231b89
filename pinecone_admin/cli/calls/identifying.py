"""Find out what the value of an API key is, without showing it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pinecone_admin._text.counts import count_noun
from pinecone_admin.cli import exit_codes
from pinecone_admin.cli.calls.confirmation import confirm_temporary_keys, require_change_allowed
from pinecone_admin.cli.failures import CLIError, name_options
from pinecone_admin.cli.identity.client import limit_core_dumps
from pinecone_admin.cli.output.progress import show_progress
from pinecone_admin.cli.output.tables import write_sentences
from pinecone_admin.cli.output.writing import write_value
from pinecone_admin.errors import Masked

if TYPE_CHECKING:
    from pinecone_admin.cli.parameters import Reference
    from pinecone_admin.cli.session import Session
    from pinecone_admin.workflows import KeyState

_MAX_LENGTH = 1000
_EXITS: dict[KeyState, int] = {
    "accepted": exit_codes.DONE,
    "restricted": exit_codes.DONE,
    "not_accepted": exit_codes.FINDINGS,
    "no_response": exit_codes.TRY_LATER,
}


def identify_value(session: Session, projects: Sequence[Reference]) -> None:
    """Read a value, write what it shows, and set the exit code.

    Raises:
        CLIError: Nothing was typed, or nobody can be asked for temporary API keys.
        PineconeError: A project cannot be read, or a temporary API key cannot be deleted.
    """
    limit_core_dumps(0)
    if projects:
        require_change_allowed(session)
    with show_progress(session, "looking up names"):
        found = [session.names.find(each.noun, each.text) for each in projects]
    value = Masked(_read_value(session))  # no local of a traceback shows it
    with show_progress(session, "asking the API"):
        result = session.admin.api_keys.identify(value=value.reveal())
    if found and result.slugs:  # only a value that lists an index can be compared
        confirm_temporary_keys(session, f"api-key identify {' '.join(f'--project {each}' for each in found)}")
        with show_progress(session, "comparing the projects"):
            result = session.admin.api_keys.identify(value=value.reveal(), project_ids=[each.id for each in found])
    if session.output == "table":
        write_sentences(session, name_options(str(result)).split("\n"))
    else:
        write_value(session, result)
    session.exit_code = _EXITS[result.state]
    if session.exit_code == exit_codes.DONE and not result.candidates and len(result.compared) < len(found):
        missing = count_noun(len(found) - len(result.compared), "project")
        if result.slugs:
            why = "The output shows why."
        elif result.state == "restricted":
            why = "The roles of the value do not permit listing indexes, so it shows no project."
        else:
            why = "The value lists no index, so it shows no project."
        session.warn(f"{missing} could not be compared. {why}")
        session.exit_code = exit_codes.PARTLY_DONE


def _read_value(session: Session) -> str:
    """Return the value on stdin, or that is typed at a prompt that does not show it."""
    if session.is_interactive:
        typed = session.ask_for_secret("Value of the API key")
    else:
        typed = session.stdin.read(_MAX_LENGTH)
    if not typed.strip():
        raise CLIError("There is no value on standard input. Pipe it in, or type it at the prompt of a terminal.")
    return typed.strip()
