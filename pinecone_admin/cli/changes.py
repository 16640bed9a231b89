"""Ask before a change, on a terminal; elsewhere, require ``--yes``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pinecone_admin._text.printable import make_printable
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.registry import CommandSpec

if TYPE_CHECKING:
    from pinecone_admin.cli.arguments import Resolved
    from pinecone_admin.cli.naming import NameLookup
    from pinecone_admin.cli.session import Session


def confirm_change(session: Session, spec: CommandSpec, resolved: Resolved, names: NameLookup) -> None:
    """Return if the change is wanted; raise if it is not, or if nobody can be asked."""
    if spec.confirms and resolved.own is not None:
        own = names.describe(resolved.own)
        confirm_by_name(session, f"{spec.name}: {own}", own.name or own.id)
        return
    if session.settings.get("yes"):
        return
    if not session.is_interactive:
        raise CLIError("this changes the organization, and there is no terminal to ask on: give --yes, or --dry-run")
    own = None if resolved.own is None else names.describe(resolved.own)
    confirm(session, f"{spec.name}{'' if own is None else f': {own}'}")


def confirm(session: Session, what: str) -> None:
    """Ask whether to do something, unless ``--yes`` was given.

    Args:
        session: The session.
        what: What would be done, such as ``project delete: project 'search' (…)``.

    Raises:
        CLIError: Nobody can be asked.
        click.Abort: The answer is no.
    """
    if session.settings.get("yes"):
        return
    if not session.is_interactive:
        raise CLIError("this changes the organization, and there is no terminal to ask on: give --yes, or --dry-run")
    if _ask(session, what, "Go on? [y/N] ").lower() not in {"y", "yes"}:
        raise click.Abort


def confirm_by_name(session: Session, what: str, name: str) -> None:
    """Ask for the name of what would be deleted, unless ``--confirm`` gives it.

    Args:
        session: The session.
        what: What would be done.
        name: The name that must be typed.

    Raises:
        CLIError: ``--confirm`` gives another name, or nobody can be asked.
        click.Abort: The answer is another name.
    """
    given = session.settings.get("confirm")
    if given is not None:
        if given != name:
            raise CLIError(f"--confirm: it is named {name!r}, not {given!r}; nothing was changed")
        return
    if not session.is_interactive:
        raise CLIError(f"this deletes what cannot be restored: give --confirm {name!r}, or --dry-run")
    if _ask(session, what, f"Type {make_printable(name)} to go on: ") != name:
        raise click.Abort


def _ask(session: Session, what: str, question: str) -> str:
    organization = session.organization
    session.notify(what)
    session.notify(f"in organization {organization.name!r} ({organization.id}), as {session.caller}")
    session.stderr.write(question)
    session.stderr.flush()
    answer = session.stdin.readline()
    if not answer:
        raise click.Abort
    return answer.rstrip("\r\n")
