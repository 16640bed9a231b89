"""The columns of the tables of things, and what their cells say."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from pinecone_admin._text.printable import make_printable
from pinecone_admin.cli.output.formats import Plain, text_of
from pinecone_admin.cli.output.plain import is_list

Row: TypeAlias = Mapping[str, Plain]
Column: TypeAlias = Callable[[Row], str]
"""Returns the text of a cell."""
Layout: TypeAlias = Mapping[str, Column]
"""The columns of a table by their headings."""

_DATE_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)[\d:.]*(?:\+00:00|Z)")
_SHORT_ID_LENGTH = 6
_CUT = "…"
_SHORT_TYPES = {"service_account": "account", "api_key": "key"}


def show(value: Plain) -> str:
    """Return a value for people, on one line: dates to the minute in UTC, yes and no, lists with commas."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if is_list(value):
        return ", ".join(map(show, value))
    text = make_printable(text_of(value))
    moment = _DATE_TIME.fullmatch(text)
    return f"{moment[1]} {moment[2]} UTC" if moment else text


def fields(*names: str) -> Column:
    """Return a column that shows these fields, separated by spaces."""
    return lambda row: " ".join(filter(None, (show(row.get(name)) for name in names)))


def _day(name: str) -> Column:
    return lambda row: show(row.get(name)).partition(" ")[0]


def _shorten(id: Any) -> str:
    return show(id)[:_SHORT_ID_LENGTH] + _CUT


def _show_principal(row: Row) -> str:
    kind = show(row.get("principal_type"))
    return f"{_SHORT_TYPES.get(kind, kind)} {_shorten(row.get('principal_id'))}"


def _show_resource(row: Row) -> str:
    return _shorten(row.get("resource_id")) if row.get("resource_type") == "project" else "org"


def _shorten_tag(row: Row) -> str:
    """Return the name of a key, with only the first character of the tag that a rotation puts before it."""
    from pinecone_admin.workflows.name_tags import parse_tag  # noqa: PLC0415 - explain loads no client

    name = show(row.get("name"))
    tag = parse_tag(name)
    return name if tag is None else f"{name[0]}{_CUT} {tag.rest}"


def describe_omissions(layout: Layout, fullest: Layout) -> str:
    """Return a sentence about what a table leaves out for lack of room, or nothing if it shows all."""
    columns = layout.values()
    left_out = [f"there is no room for {name.upper()}" for name in fullest if name not in layout]
    if _shorten_tag in columns:
        left_out.append("some names of old keys are cut off")
    elif not {_show_principal, _show_resource}.isdisjoint(columns):
        left_out.append("some ids are cut off")
    sentence = f"{', and '.join(left_out)}; a wider terminal or --output json shows all."
    return sentence[0].upper() + sentence[1:] if left_out else ""


_CREATED: Sequence[Layout] = (
    {"name": fields("name"), "created": fields("created_at"), "id": fields("id")},
    {"name": fields("name"), "created": _day("created_at"), "id": fields("id")},
    {"name": fields("name"), "id": fields("id")},
)

LAYOUTS: Mapping[str, Sequence[Layout]] = {
    "APIKey": (
        {"name": fields("name"), "roles": fields("roles"), "id": fields("id")},
        {"name": _shorten_tag, "roles": fields("roles"), "id": fields("id")},
    ),
    "Invite": (
        {"email": fields("email"), "status": fields("status"), "expires": fields("expires_at"), "id": fields("id")},
        {"email": fields("email"), "status": fields("status"), "expires": _day("expires_at"), "id": fields("id")},
        {"email": fields("email"), "status": fields("status"), "id": fields("id")},
    ),
    "KeyOfProject": (
        {"project": fields("project_name"), "name": fields("name"), "roles": fields("roles"), "id": fields("id")},
        {"project": fields("project_name"), "name": _shorten_tag, "roles": fields("roles"), "id": fields("id")},
    ),
    "Organization": (
        {"name": fields("name"), "plan": fields("plan"), "payment": fields("payment_status"), "id": fields("id")},
    ),
    "Project": _CREATED,
    "RoleBinding": (
        {
            "role": fields("role"),
            "who": fields("principal_type", "principal_id"),
            "on": fields("resource_type", "resource_id"),
            "id": fields("id"),
        },
        {"role": fields("role"), "who": _show_principal, "on": _show_resource, "id": fields("id")},
    ),
    "ServiceAccount": _CREATED,
    "User": (
        {"email": fields("email"), "name": fields("name"), "id": fields("id")},
        {"email": fields("email"), "id": fields("id")},
    ),
}
"""The tables of each model, the fullest first; each shows the whole id of the thing itself."""
