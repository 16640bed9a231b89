"""Call the method of a command, and write its result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any

from pinecone_admin.cli import exit_codes
from pinecone_admin.cli.arguments import Resolved, parse_values, resolve_values
from pinecone_admin.cli.changes import confirm_change
from pinecone_admin.cli.naming import NameLookup
from pinecone_admin.cli.preview import WouldSend
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
    if spec.effect != "reads" and not session.is_dry_run:
        confirm_change(session, spec, resolved, names)
    arguments = resolved.arguments | ({"dry_run": session.is_dry_run} if spec.has_dry_run else {})
    method = find_method(session, spec)
    try:
        result = call_with_secret(session, spec, method, arguments) if spec.secret else method(**arguments)
    except WouldSend as stopped:
        session.write_preview([stopped.document])
        return
    _write_result(session, result, resolved.limit)


def find_method(session: Session, spec: CommandSpec) -> Callable[..., Any]:
    """Return the method of the client that a command calls."""
    namespace, name = spec.methods[0].split(".")
    method: Callable[..., Any] = getattr(getattr(session.admin, namespace), name)
    return method


def _write_result(session: Session, result: object, limit: int | None) -> None:
    if result is False:
        session.exit_code = exit_codes.NOT_FOUND
    if isinstance(result, Iterable) and not isinstance(result, str | Mapping):
        items: Iterable[object] = result
        session.write_items(islice(items, limit))
    elif session.is_dry_run:
        session.write_preview(result)
    elif result is not None:
        session.write(result)
