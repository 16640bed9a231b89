"""Keep the work and memory that a large response may cost near those of ordinary models of the same size.

``json.loads`` takes up to 35 times as long and 6 times the memory for many small values as for role bindings. So a
large body is parsed only if it can consist of what the API sends: lists that are not paged, whose items have real ids.
A page has at most 100 items, and is large only if their texts are long. ``tests/benchmarks/bodies.py`` measures it.
"""

from __future__ import annotations

import gc
import json
import random
import re
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from generated_client.types import Misfit
from pinecone_admin._http.codec import LARGE_FROM_BYTES, DecodeFailure, decode_value, parse_json

_T = TypeVar("_T")

# Commas and brackets outside of strings. The densest that the API can send are keys without roles, which have names of
# one character: 15 bytes for each comma or bracket. An organization has 17, a project 20, a role binding 27.
_BYTES_PER_MARK = 14.9
# A page of 100 items has fewer. Its users may be denser than keys, and the rest of it be the text of names.
_MARKS_BESIDE = 1000
# Many small objects and lists are slow to parse, most of all if their names differ. A key without roles has 120 bytes
# for its object and its list. Objects in new fields may be smaller, but are parts of larger models.
_BYTES_PER_CONTAINER = 50
# The largest model has 7 fields, and a key has at most 13 roles.
_COMMAS_PER_CONTAINER = 20
# A name that differs from all others takes several times as long to parse as one that is repeated, as those of models
# are. Names are compared at random places, because whoever sends the body must not know them.
_BYTES_PER_NAME = 80
_PLACES, _PLACE_BYTES = 32, 256
_NAME = re.compile(rb'"([^"]*)"\s*:')
_LIST_START = re.compile(rb'\s*{\s*"(\w+)"\s*:\s*\[\s*')
_CHUNK_BYTES = 64 * 1024
_NEITHER_MARKS_NOR_QUOTES = bytes(set(range(256)) - set(b',[{"'))
_BACKSLASHES = re.compile(rb"\\*")
# A 64-bit integer has 20 characters, and the shortest text that identifies a float has at most 24.
_MAX_NUMBER_LENGTH = 25
# The API sends no fractions yet. If it did, there would be one or two in a model.
_BYTES_PER_FRACTION = 100


def decode_large_body(body: bytes, returns: type[_T]) -> _T | DecodeFailure:
    """Decode the body of a model, unless it has more values than the API would send."""
    excess = _find_excess(body)
    if excess is not None:
        return _first_item_failure(body, returns) or DecodeFailure("", excess)
    with _pause_garbage_collection():
        value = parse_json(body, _load_short_numbers)
        return value if isinstance(value, DecodeFailure) else decode_value(value, returns)


def _first_item_failure(body: bytes, returns: type[_T]) -> DecodeFailure | None:
    """Return why the first item of the list that a body starts with does not fit, or None if it does."""
    start = _LIST_START.match(body)
    if start is None:
        return None
    name, text = start[1].decode(), body[start.end() : start.end() + LARGE_FROM_BYTES].decode("utf-8", "replace")
    try:
        item, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None
    decoded = decode_value({name: [item]}, returns)
    if isinstance(decoded, DecodeFailure) and decoded.path.startswith(f"{name}[0]"):
        return decoded
    return None


def _find_excess(body: bytes) -> str | None:
    """Return why a large body cannot consist of models, as far as that is known without parsing it."""
    if not json.detect_encoding(body).startswith("utf-8"):
        return "is not in UTF-8"
    # Strings, such as the names of projects, may contain anything. To leave them out takes several times as long.
    chunks = ((chunk, 0) for chunk in _split_into_chunks(body))
    if _have_few_marks(chunks, len(body)) or _have_few_marks(_leave_out_strings(body), len(body)):
        return "has more names than the API would send" if _have_names_of_their_own(body) else None
    return "has more values than the API would send"


def _have_few_marks(parts: Iterable[tuple[bytes, int]], size: int) -> bool:
    """Return whether a body of this size may have the commas and opening brackets of its parts.

    Args:
        parts: Text of the body, and how many bytes of it do not make room for more.
        size: The size of the body in bytes.
    """
    commas = containers = 0
    for text, unused in parts:
        commas += text.count(b",")
        containers += text.count(b"{") + text.count(b"[")
        size -= unused
        marks = commas + 2 * containers  # what opens is also closed
        if (marks - _MARKS_BESIDE) * _BYTES_PER_MARK > size or containers * _BYTES_PER_CONTAINER > size:
            return False
    return commas <= _MARKS_BESIDE + _COMMAS_PER_CONTAINER * containers


def _leave_out_strings(body: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield the commas and opening brackets outside of strings, and how many escapes and commas strings consist of.

    Items are no denser if their names are empty, so what names have of these makes no room. To find it takes time, too.
    """
    is_inside = 0
    for chunk in _split_into_chunks(body):
        without_escapes = chunk.replace(rb"\\", b"").replace(rb"\"", b"")
        # Without the pairs, which are most quotation marks, each part is still as much inside or outside.
        marks = without_escapes.translate(None, _NEITHER_MARKS_NOR_QUOTES).replace(b'""', b"")
        parts = marks.split(b'"')
        outside, quotes = b"".join(parts[is_inside::2]), len(parts) - 1
        yield outside, len(chunk) - len(without_escapes) + len(marks) - quotes - len(outside)
        is_inside ^= quotes % 2


def _have_names_of_their_own(body: bytes) -> bool:
    """Return whether many names in a body differ from all others."""
    choose = random.Random().randrange  # noqa: S311 - not that of the program, whose sequence may be seeded
    starts = [choose(len(body)) for _ in range(_PLACES)]
    names = {name for start in starts for name in _NAME.findall(body, start, start + _PLACE_BYTES)}
    return len(names) * _BYTES_PER_NAME > _PLACES * _PLACE_BYTES


def _split_into_chunks(body: bytes) -> Iterator[bytes]:
    """Yield a body in pieces that fit into the cache of a processor, none of which ends with a backslash."""
    start = 0
    while start < len(body):
        end = start + _CHUNK_BYTES
        if body[end - 1 : end] == b"\\" and (backslashes := _BACKSLASHES.match(body, end)):
            end = backslashes.end() + 1  # with the character that it escapes, if it does
        yield body[start:end]
        start = end


def _load_short_numbers(body: bytes) -> Any:
    """Parse JSON, and refuse long numbers and many fractions, which take much longer than text of their length.

    Raises:
        Misfit: It has a number or fractions that the API would not send.
        ValueError: It is not JSON.
        RecursionError: It is nested too deeply.
    """
    fractions = iter(range(len(body) // _BYTES_PER_FRACTION))

    def read_float(text: str) -> float:
        if next(fractions, None) is None:
            raise Misfit("has more fractions than the API would send")
        return float(_check_length(text))

    return json.loads(body, parse_int=_read_integer, parse_float=read_float)


def _read_integer(text: str) -> int:
    # The time to convert a number grows with the square of its digits.
    return int(_check_length(text))


def _check_length(text: str) -> str:
    if len(text) > _MAX_NUMBER_LENGTH:
        raise Misfit(f"has a number of more than {_MAX_NUMBER_LENGTH} characters")
    return text


@contextmanager
def _pause_garbage_collection() -> Generator[None, None, None]:
    """Collect no garbage in the block, which makes many objects and no garbage.

    A collection visits all objects that were made so far, again and again: up to twice the time of decoding.
    """
    was_enabled = gc.isenabled()
    try:
        gc.disable()
        yield
    finally:
        if was_enabled:
            if not gc.get_freeze_count():  # the program may have frozen objects of its own
                # All objects are old now, so the next collection of young ones does not visit those of the block.
                gc.freeze()
                gc.unfreeze()
            gc.enable()
