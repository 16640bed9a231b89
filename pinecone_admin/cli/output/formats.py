"""Convert results to plain values, and render those as JSON, YAML, CSV or raw values, piece by piece."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import chain, islice
from typing import Any, TypeAlias, TypeGuard

from pinecone_admin._text.printable import make_printable
from pinecone_admin.cli.parameters import DASHED_ID
from pinecone_admin.cli.sentences import leave_out_operations

Plain: TypeAlias = Any
"""A value that JSON can express."""

# The value that scripts want of a thing, most wanted first.
_RAW_KEYS = ("value", "client_secret", "id", "key", "project")


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Return whether a plain value is an object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Return whether a plain value is a list."""
    return isinstance(value, list)


def to_plain(value: object, *, for_people: bool = False, for_columns: bool = False) -> Any:
    """Return a result as plain JSON values, with masked secrets.

    Args:
        value: The result.
        for_people: Whether steps are texts.
        for_columns: Whether a model that is absent has its fields, so that the columns are the same.
    """
    if hasattr(type(value), "__attrs_attrs__"):
        from pinecone_admin.cli.output.documents import build_document  # noqa: PLC0415 - a help needs no models

        return build_document(value, for_people=for_people, for_columns=for_columns)
    convert = partial(to_plain, for_people=for_people, for_columns=for_columns)
    if is_object(value):
        return {name: convert(each) for name, each in value.items()}
    return [*map(convert, value)] if is_list(value) else value


def without_null(value: Any) -> Any:
    """Return a plain value without the fields that are null, which a request leaves out."""
    if is_object(value):
        return {name: without_null(each) for name, each in value.items() if each is not None}
    return [without_null(each) for each in value] if is_list(value) else value


_REASONS = frozenset({"error", "reason", "result"})
"""Fields of documents that may quote an error."""


def clean_reasons(value: Any) -> Any:
    """Return a plain value in which no reason has the name of an operation."""
    if is_object(value):
        return {
            name: leave_out_operations(each) if name in _REASONS and isinstance(each, str) else clean_reasons(each)
            for name, each in value.items()
        }
    return [clean_reasons(each) for each in value] if is_list(value) else value


def render_json(value: Plain, *, ascii_only: bool = False) -> str:
    """Return a value as JSON without control codes for terminals."""
    lines = json.dumps(value, indent=2, ensure_ascii=ascii_only).split("\n")
    return "\n".join(map(make_printable, lines)) + "\n"


def stream_json(items: Iterable[Plain], *, ascii_only: bool = False) -> Iterator[str]:
    """Yield the pieces of a JSON list."""
    opening = "["
    for item in items:
        text = render_json(item, ascii_only=ascii_only).rstrip("\n").replace("\n", "\n  ")
        yield f"{opening}\n  {text}"
        opening = ","
    yield "[]\n" if opening == "[" else "\n]\n"


def render_yaml(value: Plain, *, ascii_only: bool = False) -> str:
    """Return a value as YAML; characters that could drive a terminal are escaped."""
    text = json.dumps(value, ensure_ascii=False)
    is_printable = make_printable(text) == text
    options = {"sort_keys": False, "allow_unicode": is_printable and not ascii_only, "width": 100}
    dumped: str = _load_yaml().dump(value, Dumper=_make_dumper(), **options)
    return dumped.removesuffix("...\n")


def _load_yaml() -> Any:
    import yaml  # noqa: PLC0415 - only this format needs it

    return yaml


@cache
def _make_dumper() -> Any:
    """Return a dumper that quotes what any reader of YAML takes for something else than text, such as ``1e3``."""
    from pinecone_admin.workflows.strict_yaml import needs_quotes  # noqa: PLC0415 - only this format needs it

    yaml = _load_yaml()

    def represent_text(dumper: Any, text: str) -> Any:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="'" if needs_quotes(text) else None)

    kind: Any = type("Dumper", (getattr(yaml, "CSafeDumper", yaml.SafeDumper),), {})
    kind.add_representer(str, represent_text)
    return kind


def stream_yaml(items: Iterable[Plain], *, ascii_only: bool = False) -> Iterator[str]:
    """Yield the items of a YAML list."""
    is_empty = True
    for item in items:
        is_empty = False
        yield render_yaml([item], ascii_only=ascii_only)
    if is_empty:
        yield "[]\n"


def stream_csv(items: Iterable[Plain], *, ascii_only: bool = False) -> Iterator[str]:  # noqa: ARG001 - one signature
    """Yield the lines of a CSV table; its columns are the fields of all items of a list, or of the first one."""
    rows = map(_flatten, items)
    known = list(rows if is_list(items) else islice(rows, 1))
    columns = _list_columns(known)
    if known:
        yield format_csv_line(columns)
    for row in chain(known, rows):
        yield format_csv_line(_csv_cell(row.get(name)) for name in columns)


def _list_columns(rows: Sequence[Mapping[str, Plain]]) -> list[str]:
    """Return the columns of rows; a field that is null in some and an object in others has only those of the object."""
    names = list(dict.fromkeys(chain.from_iterable(rows)))
    within = {name: [each for each in names if each.startswith(f"{name}.")] for name in names}
    objects = {name for name in names if within[name] and all(row.get(name) is None for row in rows)}
    columns = chain.from_iterable(within[name] if name in objects else [name] for name in names)
    return [name for name in dict.fromkeys(columns) if name not in objects]


def _flatten(item: Plain, prefix: str = "") -> dict[str, Plain]:
    """Return the fields of an object by dotted names; any other value is one field."""
    if not is_object(item):
        return {prefix.rstrip(".") or "value": item}
    parts = (_flatten(value, f"{prefix}{name}.") for name, value in item.items())
    return dict(chain.from_iterable(part.items() for part in parts))


def format_csv_line(cells: Iterable[str], separator: str = ",") -> str:
    """Return a line of a CSV table."""
    line = io.StringIO()
    csv.writer(line, delimiter=separator, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _csv_cell(value: Plain) -> str:
    from pinecone_admin.workflows.escaping import escape_csv  # noqa: PLC0415 - loads the tables of html

    is_flat = is_list(value) and not any(isinstance(each, list | dict) for each in value)
    parts = [*map(str, value)] if is_flat else [text_of(value)]
    # Words such as roles have spaces between them, and sentences such as steps can be told apart.
    text = ("; " if any(" " in each for each in parts) else " ").join(parts)
    # Every other text that starts like a formula may have been chosen to be read as one.
    return text if DASHED_ID.fullmatch(text) else escape_csv(text)


def text_of(value: Plain) -> str:
    """Return a value as text: a string as it is, nothing for null, anything else as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def stream_raw(items: Iterable[Plain], *, ascii_only: bool = False) -> Iterator[str]:  # noqa: ARG001 - one signature
    """Yield a line for each item: its value, or those of a list, separated by tabs."""
    for item in items:
        values = item if is_list(item) else [item]
        yield "\t".join(make_printable(text_of(_raw_value(each))) for each in values) + "\n"


def split_columns(selected: Plain, source: Plain) -> Plain:
    """Return what a query selects, with a list of the values in the place of each object that the query itself makes.

    Args:
        selected: The expression.
        source: The value to select from. An object of it stays, so that raw output has the id of a resource.
    """
    things = {id(each) for each in _find_objects(source)}
    items = selected if is_list(selected) else [selected]
    return [[*item.values()] if is_object(item) and id(item) not in things else item for item in items]


def _find_objects(value: Plain) -> Iterator[Plain]:
    if is_object(value):
        yield value
    for each in value.values() if is_object(value) else value if is_list(value) else ():
        yield from _find_objects(each)


def _raw_value(value: Plain) -> Plain:
    """Return the value that stands for an object: its secret if there is one, else its id, else all of it."""
    if not is_object(value):
        return value
    name = next((name for name in _RAW_KEYS if value.get(name) is not None), None)
    return value if name is None else _raw_value(value[name])


STREAMS: Mapping[str, Callable[..., Iterator[str]]] = {
    "csv": stream_csv,
    "json": stream_json,
    "raw": stream_raw,
    "yaml": stream_yaml,
}
"""How a list is rendered in each format but the table."""


def render_value(value: Plain, output: str, *, ascii_only: bool = False) -> Iterator[str]:
    """Yield the pieces of a single result."""
    if output == "json":
        yield render_json(value, ascii_only=ascii_only)
    elif output == "yaml":
        yield render_yaml(value, ascii_only=ascii_only)
    else:
        yield from STREAMS[output](value if is_list(value) else [value], ascii_only=ascii_only)
