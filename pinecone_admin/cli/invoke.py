"""Call the method of a command, and write its result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from inspect import signature
from itertools import islice
from typing import Any, TypeGuard

from pinecone_admin import Paginator
from pinecone_admin.cli import exit_codes
from pinecone_admin.cli.arguments import Resolved, parse_values, resolve_values
from pinecone_admin.cli.changes import confirm_change
from pinecone_admin.cli.naming import NameLookup
from pinecone_admin.cli.preview import WouldSend
from pinecone_admin.cli.progress import count_items, show_progress
from pinecone_admin.cli.registry import CommandSpec
from pinecone_admin.cli.secret_commands import call_with_secret, check_destination
from pinecone_admin.cli.session import Session


def call_method(session: Session, spec: CommandSpec, values: Mapping[str, Any]) -> None:
    """Run a command that calls one method of the client.

    Args:
        session: The session.
        spec: The command.
        values: Values of its parameters.
    """
    parsed = parse_values(spec, values)
    check_destination(session, spec)
    names = NameLookup(session.admin)
    resolved = resolve_values(spec, parsed, names)
    if spec.effect != "reads":
        confirm_change(session, spec, parsed, resolved.own, names)
    try:
        result = _call(session, spec, resolved)
    except WouldSend as stopped:
        session.write_preview([stopped.document])
    except KeyboardInterrupt as interrupted:
        interrupted.add_note(describe_interruption(spec))
        raise
    else:
        _write_result(session, spec, resolved, result)


def _call(session: Session, spec: CommandSpec, resolved: Resolved) -> object:
    arguments = resolved.arguments | ({"dry_run": session.is_dry_run} if spec.has_dry_run else {})
    method = find_method(session, spec)
    if spec.secret:
        return call_with_secret(session, spec, method, arguments)  # a store may ask for something on the terminal
    with show_progress(session, spec.name) as advance:
        takes_progress = "progress" in signature(method).parameters
        return method(**arguments, progress=advance) if takes_progress else method(**arguments)


def find_method(session: Session, spec: CommandSpec) -> Callable[..., Any]:
    """Return the method of the client that a command calls."""
    namespace, name = spec.methods[0].split(".")
    method: Callable[..., Any] = getattr(getattr(session.admin, namespace), name)
    return method


def describe_interruption(spec: CommandSpec) -> str:
    """Return what is known after an interruption, besides what the workflow has noted."""
    if spec.effect == "reads":
        return "nothing was changed"
    if spec.has_dry_run:
        return "the same command goes on from here"
    return f"{spec.name} may have taken effect: look before you repeat it"


def _write_items(session: Session, spec: CommandSpec, items: Iterable[object]) -> None:
    if session.output != "table":
        session.write_items(items)
        return
    # A table is written when all of it is known.
    with show_progress(session, spec.name) as advance:
        found = list(count_items(items, advance))
    session.write_items(found)


def _is_listing(result: object) -> TypeGuard[Iterable[object]]:
    return isinstance(result, list | Paginator)


def _write_result(session: Session, spec: CommandSpec, resolved: Resolved, result: object) -> None:
    if result is False:
        session.exit_code = exit_codes.NOT_FOUND
    if _is_listing(result):
        _write_items(session, spec, islice(result, resolved.limit))
    elif session.is_dry_run:
        session.write_preview(result)
    elif result is None:
        session.write({"done": spec.name, "id": None if resolved.own is None else resolved.own.id})
    else:
        session.write(result)
