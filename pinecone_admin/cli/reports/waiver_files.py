"""Read waivers from a file, and describe them beside findings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TextIO, cast

from attrs import fields

from pinecone_admin._text.printable import quote_input
from pinecone_admin.cli.output.files import describe_path
from pinecone_admin.cli.output.files import read_text as read_file
from pinecone_admin.errors import PineconeTypeError, PineconeValueError
from pinecone_admin.workflows import Waiver
from pinecone_admin.workflows.strict_yaml import NotText, read_text

_FIELDS = tuple(each.name for each in fields(Waiver))
_REQUIRED = ("kind", "reason", "until")


def read_waivers(path: str, stdin: TextIO) -> list[Waiver]:
    """Return the waivers in a file, or in standard input for ``-``.

    Raises:
        PineconeValueError: It is not a list of waivers; the message names the file, the entry and the field.
    """
    name = "standard input" if path == "-" else describe_path(path)
    try:
        return parse_waivers(read_file(path, stdin))
    except PineconeValueError as error:
        raise PineconeValueError(f"{name}: {error.message}") from error


def parse_waivers(text: str) -> list[Waiver]:
    """Return the waivers in a YAML or JSON document.

    Raises:
        PineconeValueError: It is not a list of waivers; the message names the entry and the field.
    """
    document, problems = read_text(text)
    if problems:
        raise PineconeValueError(f"the waivers cannot be read: {problems[0]}")
    if not isinstance(document, list):
        raise PineconeValueError(f"the waivers must be a list of entries with {', '.join(_REQUIRED)}")
    return [_read_waiver(number, each) for number, each in enumerate(cast("list[object]", document), 1)]


def _read_waiver(number: int, entry: object) -> Waiver:
    where = f"waiver {number}"
    if not isinstance(entry, Mapping):
        raise PineconeValueError(f"{where} must have {', '.join(_REQUIRED)}")
    # A day is no text in YAML; a message can quote an impossible one.
    given = {
        name: each.text if isinstance(each, NotText) else each
        for name, each in cast("Mapping[object, object]", entry).items()
    }
    if unknown := [each for each in given if each not in _FIELDS]:
        raise PineconeValueError(f"{where} has the field {_quote(unknown[0])}; there are {', '.join(_FIELDS)}")
    # Without its value, key_id would accept the findings about any key.
    if missing := [each for each in (*_REQUIRED, *given) if given.get(each) is None or given.get(each) == ""]:
        raise PineconeValueError(f"{where} has no {missing[0]}")
    values: dict[str, Any] = {name: given.get(name) for name in _FIELDS} | {"until": _read_date(where, given["until"])}
    try:
        return Waiver(**values)
    except (PineconeTypeError, PineconeValueError) as error:
        raise PineconeValueError(f"{where}: {error.message}") from error


def _quote(value: object) -> str:
    """Return a value of the file for a message: of anything but text, which may be endless, only its type."""
    return quote_input(value) if isinstance(value, str) else f"of type {type(value).__name__}"


def _read_date(where: str, value: object) -> date:
    try:
        return datetime.fromisoformat(value if isinstance(value, str) else "").date()
    except ValueError:
        raise PineconeValueError(f"{where}: until must be a day such as 2027-01-31, not {_quote(value)}") from None


def describe_waiver(waiver: Waiver) -> str:
    """Return what follows the text of an accepted finding."""
    return f" (accepted until {waiver.until}: {waiver.reason})"
