"""Call the method of a command, and write its result."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from functools import partial
from inspect import signature
from itertools import islice
from typing import Any, TypeGuard

from pinecone_admin import Paginator
from pinecone_admin._concurrency.waiting import complete_if_interrupted
from pinecone_admin._sync.workflows.rollback import COMPLETION_TIMEOUT
from pinecone_admin._text.counts import count_noun
from pinecone_admin.cli import exit_codes
from pinecone_admin.cli.calls.all_keys import list_all_keys
from pinecone_admin.cli.calls.arguments import VALUES, Resolved, parse_values, resolve_values
from pinecone_admin.cli.calls.confirmation import confirm_change, require_change_allowed
from pinecone_admin.cli.calls.naming import NameLookup
from pinecone_admin.cli.calls.preview import WouldSend
from pinecone_admin.cli.output.progress import count_items, show_progress
from pinecone_admin.cli.registry import CommandSpec
from pinecone_admin.cli.secrets.delivery import make_secret, preview_secret
from pinecone_admin.cli.secrets.options import check_destination
from pinecone_admin.cli.session import Session
from pinecone_admin.workflows import Ensured


def call_method(session: Session, spec: CommandSpec, values: Mapping[str, Any]) -> None:
    """Run a command that calls one method of the client.

    Args:
        session: The session.
        spec: The command.
        values: Values of its parameters.
    """
    if spec.effect != "reads":
        require_change_allowed(session)
    parsed = parse_values(spec, values)
    check_destination(session, spec)
    names = NameLookup(session.admin)
    with show_progress(session, "looking up names"):
        resolved = resolve_values(spec, parsed, names)
    if spec.effect != "reads":
        confirm_change(session, spec, parsed, resolved.own, names)
    try:
        _run(session, spec, resolved)
    except WouldSend as stopped:
        session.write_preview([stopped.document])


def _run(session: Session, spec: CommandSpec, resolved: Resolved) -> None:
    arguments = resolved.arguments | ({"dry_run": session.is_dry_run} if spec.has_dry_run else {})
    fails = arguments.get("on_difference") == VALUES["fail"]
    if fails:  # the result shows what differs, and the exit code says that it does
        arguments["on_difference"] = "report"
    method = find_method(session, spec.methods[0])
    if spec.name == "api-key list" and not arguments:
        method = partial(list_all_keys, session.admin)
    if spec.secret and not session.is_dry_run:
        # Of several methods, the last one stores the secret itself.
        result = make_secret(session, spec, find_method(session, spec.methods[-1]), arguments)
        _fail_on_differences(session, result if fails else None)
        return
    with show_progress(session, spec.name) as advance:
        if "progress" in signature(method).parameters:
            arguments["progress"] = advance
        result = _call(session, spec, method, arguments)
    session.ledger.is_complete = True
    _write_result(session, spec, resolved, result)
    _fail_on_differences(session, result if fails else None)


def _fail_on_differences(session: Session, result: object) -> None:
    if isinstance(result, Ensured) and result.differences:
        session.notify(f"failed on {count_noun(len(result.differences), 'difference')}")
        session.exit_code = session.exit_code or exit_codes.FINDINGS


def _call(session: Session, spec: CommandSpec, method: Callable[..., Any], arguments: Mapping[str, Any]) -> object:
    if spec.secret:
        return preview_secret(session, spec, method, arguments)
    if spec.effect == "reads" or spec.has_dry_run:
        result: object = method(**arguments)
        return result
    return complete_if_interrupted(lambda: method(**arguments), COMPLETION_TIMEOUT)


def find_method(session: Session, method_name: str) -> Callable[..., Any]:
    """Return a method of the client by its name, such as ``projects.list``."""
    namespace, name = method_name.split(".")
    method: Callable[..., Any] = getattr(getattr(session.admin, namespace), name)
    return method


def _write_items(session: Session, spec: CommandSpec, items: Iterable[object]) -> None:
    if session.output != "table":
        session.write_items(items)
        return
    # A table is written when all of it is known.
    with show_progress(session, spec.name) as advance:
        found = list(count_items(items, advance))
    session.write_items(found)


def _is_listing(result: object) -> TypeGuard[Iterable[object]]:
    return isinstance(result, list | Paginator | Generator)


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
