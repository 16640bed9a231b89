"""Read the text of a desired state: JSON, or YAML without ambiguous values.

``yaml.safe_load`` drops a repeated key silently, reads ``no`` as False, and repeats what an anchor names elsewhere. So
that a reviewer of the file sees what it does, the events of the parser are read here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from attrs import frozen

from pinecone_admin._text.printable import make_printable, quote_input
from pinecone_admin.workflows.saved_json import collect_repeated

# Text that some version or reader of YAML does not read as text.
_NULL = re.compile(r"~|null|Null|NULL|")
_WHOLE_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_NOT_TEXT = re.compile(
    rf"{_NULL.pattern}"
    r"|(?i:y|yes|n|no|on|off|true|false)"
    r"|[-+]?(0[xob][0-9a-fA-F_]+|[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?|\.(inf|Inf|INF)"
    r"|([0-9][0-9_]*(\.[0-9_]*)?|\.[0-9_]+)([eE][-+]?[0-9]+)?)|\.(nan|NaN|NAN)"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?"
)
# YAML ends a line, and so a comment, at some characters that no reviewer sees; others show a text in another order. A
# byte order mark within the text indents a line for PyYAML, and not for libyaml.
_HIDDEN = re.compile("\ufeff|\r(?!\n)|[\x85\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@frozen(repr=False)
class NotText:
    """A value without quotes that some reader of YAML does not take for text, such as ``no``, ``1e3`` or a day."""

    text: str

    def __repr__(self) -> str:
        return self.text


class _Mapping(dict[str, Any]):
    """A mapping of YAML that knows the lines of its fields, and by an empty name its own."""

    __slots__ = ("lines",)

    def __init__(self, line: int) -> None:
        super().__init__()
        self.lines = {"": line}


def line_of(value: object, key: str) -> int | None:
    """Return the line of a field of a mapping, or of the mapping itself without one; None if it is not of YAML."""
    return value.lines.get(key, value.lines[""]) if isinstance(value, _Mapping) else None


def read_text(text: str) -> tuple[object, list[str]]:
    """Return the document of a text, and what is wrong with how it is written; None if it cannot be read.

    Raises:
        ModuleNotFoundError: It is not JSON, and PyYAML is not installed.
    """
    if (hidden := _HIDDEN.search(text)) is not None:
        line, code = text.count("\n", 0, hidden.start()) + 1, f"\\u{ord(hidden[0]):04x}"
        return None, [
            f"line {line}: has the character {code}, which a reviewer does not see: write its code, in quotes"
        ]
    repeated: list[str] = []
    try:
        document = json.loads(text, object_pairs_hook=collect_repeated(repeated))
    except RecursionError:
        return None, ["the document has too many levels"]
    except ValueError as error:
        problems: list[str] = []
        return _read_yaml(text, problems, error), problems
    return document, [f"the field {quote_input(each)} is there twice" for each in repeated]


def _read_yaml(text: str, problems: list[str], json_error: ValueError) -> object:
    try:
        import yaml  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'the text is not JSON ({json_error}), and YAML needs PyYAML: in a checkout, run pip install ".[cli]"',
            name=error.name,
        ) from error
    try:
        events = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        return _EventReader(events, problems).read_document()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = "" if mark is None else f"line {mark.line + 1}: "
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "the text cannot be read"
        problems.append(f"{line}not YAML: {make_printable(str(problem))}")
    except RecursionError:  # libyaml has no limit
        problems.append("the document has too many levels")
    return None


def needs_quotes(text: str) -> bool:
    """Return whether some reader of YAML takes a text without quotes for something else."""
    return _NOT_TEXT.fullmatch(text) is not None


class _EventReader:
    """Builds values from the events of a YAML parser.

    Args:
        events: The events.
        problems: Gets what is wrong.
    """

    def __init__(self, events: Iterator[Any], problems: list[str]) -> None:
        self._events = events
        self._problems = problems

    def read_document(self) -> object:
        """Return the value of the only document."""
        documents = [
            self._read(next(self._events)) for each in self._events if type(each).__name__ == "DocumentStartEvent"
        ]
        if len(documents) > 1:
            self._problems.append("the file has several documents")
        return documents[0] if documents else None

    def _refuse(self, event: Any, problem: str) -> None:
        self._problems.append(f"line {event.start_mark.line + 1}: {problem}")

    def _read(self, event: Any) -> object:
        kind = type(event).__name__
        if kind == "AliasEvent" or event.anchor is not None:
            self._refuse(event, "anchors and aliases are not allowed: write the value where it belongs")
        elif event.tag is not None:
            self._refuse(event, "tags, which begin with an exclamation mark, are not allowed")
        if kind == "MappingStartEvent":
            return self._read_mapping(event)
        if kind == "SequenceStartEvent":
            return self._read_sequence()
        return None if kind == "AliasEvent" else _read_scalar(event)

    def _read_sequence(self) -> Sequence[object]:
        items: list[object] = []
        while type(event := next(self._events)).__name__ != "SequenceEndEvent":
            items.append(self._read(event))
        return items

    def _read_mapping(self, start: Any) -> _Mapping:
        fields = _Mapping(start.start_mark.line + 1)
        while type(event := next(self._events)).__name__ != "MappingEndEvent":
            read = self._read(event)
            name = read if isinstance(read, str) else str(event.value) if hasattr(event, "value") else "?"
            if name in fields:
                self._refuse(event, f"the field {quote_input(name)} is there twice")
            fields.lines[name] = event.start_mark.line + 1
            fields[name] = self._read(next(self._events))
        return fields


def _read_scalar(event: Any) -> object:
    """Return the value of a scalar; in quotes, or as a block, it is text."""
    text: str = event.value
    if not event.implicit[0]:
        return text
    if _NULL.fullmatch(text):
        return None
    if text in {"true", "false"}:
        return text == "true"
    if _WHOLE_NUMBER.fullmatch(text):
        return int(text)
    return NotText(text) if needs_quotes(text) else text
