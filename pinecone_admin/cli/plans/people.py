"""Read the email addresses of people from a list or a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from functools import partial

from pinecone_admin._http.argument_checks import check_email
from pinecone_admin.errors import PineconeValueError

_HEADINGS = frozenset({"email", "e-mail", "mail", "email address", "e-mail address", "emailaddress", "email_address"})
_SEPARATORS = ",;\t"


def parse_people(text: str) -> list[str]:
    """Return the email addresses in a CSV file with a column ``email``, or in a list with one address a line.

    Fields are separated by commas, semicolons or tabs. Empty lines and lines that begin with ``#`` are skipped.

    Raises:
        PineconeValueError: A line has no address or several, or there is none at all; the message names the line.
    """
    rows = _read_rows(text)
    column = _find_email_column(rows[0][1]) if rows else None
    people = rows if column is None else rows[1:]
    if not people:
        raise PineconeValueError("the list has no email address")
    find = _find_only_address if column is None else partial(_read_column, column=column)
    addresses = [(number, find(number, cells)) for number, cells in people]
    for number, address in addresses:
        check_email(f"line {number} of the list", address)
    return [address for _, address in addresses]


def _read_rows(text: str) -> list[tuple[int, list[str]]]:
    """Return each line that is no comment, with its number and its fields."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    try:
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        raise PineconeValueError(f"line {reader.line_num} of the list is not CSV: {error}") from error
    return [(number, cells) for number, cells in rows if any(cells) and not cells[0].startswith("#")]


def _find_email_column(cells: Sequence[str]) -> int | None:
    return next((number for number, cell in enumerate(cells) if cell.casefold() in _HEADINGS), None)


def _find_only_address(number: int, cells: Sequence[str]) -> str:
    addresses = [cell for cell in cells if "@" in cell]
    if len(addresses) != 1:
        found = "several email addresses" if addresses else "no email address"
        raise PineconeValueError(f"line {number} of the list has {found}: a column named email says which to take")
    return addresses[0]


def _read_column(number: int, cells: Sequence[str], column: int) -> str:
    value = cells[column] if column < len(cells) else ""
    if "@" not in value:
        raise PineconeValueError(f"line {number} of the list has no email address in its column email")
    return value
