"""Read rows of CSV, JSON Lines or a JSON list, and write rows in the same format."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO, cast

from attrs import frozen

from pinecone_admin._text.counts import count_noun
from pinecone_admin._text.printable import quote_input
from pinecone_admin.cli.output.files import describe_path, explaining_read_errors, write_report
from pinecone_admin.cli.output.formats import format_csv_line, is_object
from pinecone_admin.workflows.saved_json import collect_repeated

if TYPE_CHECKING:
    from _csv import Reader

_SEPARATORS = ",;\t"
_MAX_LINE = 1 << 20
_MAX_LIST = 1 << 25
"""Characters: what never ends is not read to its end."""


class Row(NamedTuple):
    """A row.

    Attributes:
        number: Its position among the rows, from 1.
        line: The line of the file where it begins, from 1.
        raw: Its content: cells, or the text of a JSON value or of a line that is not JSON.
        values: Its values by column; none if it has a problem.
        problem: Why it cannot be used; empty if it can.
    """

    number: int
    line: int
    raw: Any
    values: Mapping[str, Any]
    problem: str = ""


class RowFile:
    """A file of rows; only a JSON list is kept in memory.

    Args:
        text: The text of the file.
        name: Its name in messages.
        is_stream: Whether it can be read only once, as standard input and pipes can.

    Attributes:
        name: Its name in messages.
        is_stream: Whether it can be read only once.
        is_list: Whether it is a JSON list.
        columns: The columns of CSV; None for JSON, where each row has its own.
        separator: The separator of the cells of CSV.

    Raises:
        CLIError: It cannot be read, or its header is not one.
    """

    def __init__(self, text: TextIO, *, name: str, is_stream: bool) -> None:
        self._text = text
        self.name: str = name
        self.is_stream: bool = is_stream
        with explaining_read_errors(name):
            self._rows: Iterator[Row] = self._begin()

    def rows(self) -> Generator[Row]:
        """Yield the rows, from the first one again if that is possible.

        Raises:
            CLIError: The rest cannot be read.
        """
        with explaining_read_errors(self.name):
            if not self.is_stream:
                self._text.seek(0)
                self._rows = self._begin()
            yield from self._rows

    def _begin(self) -> Iterator[Row]:
        """Read as far as the format and the columns, and return the rows."""
        pieces = iter(lambda: self._text.readline(_MAX_LINE), "")
        first_line, beginning = next(((number, text) for number, text in enumerate(pieces, 1) if text.strip()), (1, ""))
        first = beginning.lstrip()[:1]  # empty if there is nothing: no row, in whatever format
        self.is_list: bool = first == "["
        self.columns: Sequence[str] | None = None
        self.separator: str = max(_SEPARATORS, key=beginning.count)
        if self.is_list:
            return number_objects(parse_list(beginning + self._text.read(_MAX_LIST), first_line))
        lines = _refuse_long_lines(chain([beginning], pieces))
        if first in {"{", ""}:
            numbered = enumerate(lines, first_line)
            return number_objects((number, line.strip(), parse_line(line)) for number, line in numbered if line.strip())
        reader = csv.reader(lines, delimiter=self.separator, strict=True)
        self.columns = [cell.strip() for cell in next(reader)]
        if not any(self.columns):
            raise ValueError("it has no header with the names of columns")
        name, number = Counter(filter(None, self.columns)).most_common(1)[0]
        if number > 1:
            raise ValueError(f"{number} columns are named {quote_input(name)}")
        return _read_cells(reader, first_line, self.columns)


@contextmanager
def open_rows(path: str, stdin: TextIO) -> Generator[RowFile]:
    """Open a file of rows, or for ``-`` standard input, whatever the locale is.

    Raises:
        CLIError: It cannot be read, or its header is not one.
    """
    if path == "-":
        cast("TextIOWrapper", stdin).reconfigure(encoding="utf-8-sig", errors="strict", newline="")
        yield RowFile(stdin, name="standard input", is_stream=True)
        return
    name = describe_path(path)
    with explaining_read_errors(name):
        text = Path(path).open(encoding="utf-8-sig", newline="")  # noqa: SIM115 - closed below
    with text:
        yield RowFile(text, name=name, is_stream=not text.seekable())


def _refuse_long_lines(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if len(line) == _MAX_LINE:
            raise ValueError(f"a line has more than {_MAX_LINE} characters")
        yield line


def _read_cells(reader: Reader, first_line: int, columns: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of CSV that are not empty."""
    number, end = 0, reader.line_num
    try:
        for cells in reader:
            begin, end = end, reader.line_num
            if cells:
                number += 1
                is_row = len(cells) == len(columns)
                found = count_noun(len(cells), "cell")
                problem = "" if is_row else f"The row has {found}, and the header has {len(columns)}"
                values = dict(zip(columns, cells, strict=True)) if is_row else {}
                yield Row(number, first_line + begin, cells, values, problem)
    except csv.Error as error:
        raise ValueError(f"line {first_line + end}: not CSV: {error}") from error


def number_objects(items: Iterable[tuple[int, str, Any]]) -> Iterator[Row]:
    """Yield the rows of JSON, given the line, the text and the value of each."""
    for number, (line, text, item) in enumerate(items, 1):
        is_row = is_object(item)
        problem = "" if is_row else "The row is not a JSON object"
        if isinstance(item, _Repeated):
            problem = f"The row has the column {quote_input(item.column)} twice"
        yield Row(number, line, text, item if is_row else {}, problem)


@frozen
class _Repeated:
    """An object that has a column more than once, of which Python would take the last one."""

    column: str


def _make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Repeated:
    repeated: list[str] = []
    made = collect_repeated(repeated)(pairs)
    return _Repeated(repeated[0]) if repeated else made


def parse_line(line: str) -> Any:
    """Return the JSON value in a line, or None if it is not JSON."""
    try:
        return json.loads(line, object_pairs_hook=_make_object)
    except (ValueError, RecursionError):
        return None


def parse_list(text: str, line: int) -> list[tuple[int, str, Any]]:
    """Return the items of a JSON list, each with its line, and its text: Python cannot hold all of its numbers.

    Args:
        text: The list.
        line: The line where it begins.

    Raises:
        ValueError: It is not one, or it is too long.
    """
    if len(text) > _MAX_LIST:
        raise ValueError(f"it has more than {_MAX_LIST} characters: write JSON Lines, which are read one by one")
    try:
        json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"line {line + error.lineno - 1}: not JSON: {error.msg}") from error
    items: list[tuple[int, str, Any]] = []
    decoder, position = json.JSONDecoder(object_pairs_hook=_make_object), text.index("[") + 1
    while text[position] != "]":
        if text[position] in " \t\r\n,":
            line += text[position] == "\n"
            position += 1
        else:
            value, end = decoder.raw_decode(text, position)
            items.append((line, text[position:end], value))
            line += text.count("\n", position, end)
            position = end
    return items


class RowWriter:
    """Writes rows to a file of mode 0600, in the format of another one, each as soon as it is known.

    Args:
        path: The file, which is deleted at the end if there is no row.
        like: The other file.

    Attributes:
        is_whole: Whether no attempt to write has failed.
    """

    def __init__(self, path: str, like: RowFile) -> None:
        self._like = like
        self.is_whole: bool = True
        self._is_empty = True
        write_report(path, "")
        self._path = Path(path)
        self._file = self._path.open("a", encoding="utf-8", newline="")

    def add(self, row: Row) -> None:
        """Write a row."""
        with self._adding_failure_note():
            self._file.write(self._format(row))
            self._file.flush()
        self._is_empty = False

    def close(self) -> None:
        """Complete the file, or delete it if it has no row."""
        with self._adding_failure_note(), self._file:
            if self._like.is_list and not self._is_empty:
                self._file.write("\n]\n")
        # A link, a device or a pipe was there before.
        if self._is_empty and self.is_whole and self._path.is_file() and not self._path.is_symlink():
            with suppress(OSError):  # it is empty, so that nobody takes it for rows
                self._path.unlink()

    @contextmanager
    def _adding_failure_note(self) -> Generator[None]:
        try:
            yield
        except OSError:
            self.is_whole = False
            raise

    def _format(self, row: Row) -> str:
        if self._like.columns is not None:
            header = format_csv_line(self._like.columns, self._like.separator) if self._is_empty else ""
            return header + format_csv_line(row.raw, self._like.separator)
        if self._like.is_list:
            return f"{'[' if self._is_empty else ','}\n{row.raw}"
        return f"{row.raw}\n"
