"""Write results as tables, JSON, YAML, CSV or raw values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from pinecone_admin.models import to_dict

if TYPE_CHECKING:
    from pinecone_admin.cli.session import Session


def to_plain(value: object) -> Any:
    """Return a result as plain JSON values; secrets are masked."""
    if attrs.has(type(value)):
        return to_dict(value)
    if isinstance(value, Mapping):
        return {str(name): to_plain(each) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [to_plain(each) for each in value]
    return value


def write_value(session: Session, value: object) -> None:
    """Write one result."""
    _write(session, to_plain(value))


def write_items(session: Session, items: Iterable[object]) -> None:
    """Write a list."""
    _write(session, [to_plain(each) for each in items])


def _write(session: Session, plain: Any) -> None:
    query = session.settings.get("query")
    if query:
        plain = search(query, plain)
    session.stdout.write(json.dumps(plain, indent=2, ensure_ascii=False) + "\n")


def search(query: str, plain: Any) -> Any:
    """Return the part of a result that a JMESPath expression selects."""
    import jmespath  # noqa: PLC0415 - only --query needs it

    return jmespath.search(query, plain)
