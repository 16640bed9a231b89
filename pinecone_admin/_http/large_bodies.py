"""Keep the work and memory that a large response may cost near those of ordinary models of the same size.

``json.loads`` takes up to 35 times as long and 6 times the memory for many small values as for role bindings. So a
large body is parsed only if it can consist of what the API sends: lists that are not paged, whose items have real ids.
A page has at most 100 items, and is large only if their texts are long. ``tests/benchmarks/bodies.py`` measures it.
"""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from generated_client.types import Misfit
from pinecone_admin._http.codec import DecodeFailure, decode_value, parse_json

_T = TypeVar("_T")

# A body has at least so many bytes for each comma, list and object outside of its strings. The densest real items, keys
# without roles and with names of one character, have 120 bytes and need 118 by these figures. Longer names leave room
# for new fields.
_BYTES_PER_COMMA, _BYTES_PER_LIST, _BYTES_PER_OBJECT = 16, 14, 26
# A page of 100 role bindings needs 13,500 bytes. It is large only if it has much text, which may be of any kind.
_NEEDED_BY_A_PAGE = 16 * 1024
# A distinct name takes several times as long to parse as a repeated one, and models repeat theirs.
_BYTES_PER_DISTINCT_NAME = 80
_NAME = re.compile(rb'(?<!\\)"([^"\\]*+(?:\\.[^"\\]*+)*+)"\s*:', re.DOTALL)
_LEAST_SAMPLES, _SAMPLE_BYTES, _BYTES_PER_SAMPLE = 32, 256, 32 * 1024
# The time to convert a number grows with the square of its digits. A 64-bit integer has 20 characters, and the shortest
# text that identifies a float has at most 24.
_MAX_NUMBER_LENGTH = 25
# A body has at least so many bytes for each number; a fraction takes longest. A project has one integer, and no model
# has a fraction yet.
_BYTES_PER_INTEGER, _BYTES_PER_FRACTION = 30, 100
_CHUNK_BYTES = 64 * 1024
_BACKSLASHES = re.compile(rb"\\*")
_NEITHER_COUNTED_NOR_QUOTES = bytes(set(range(256)) - set(b',[{"'))
# The largest models have some 2 KB; the text of what may follow is not parsed, since it may take long.
_MAX_ITEM_BYTES = 8 * 1024
_LIST_START = re.compile(rb'\s*{\s*"(\w+)"\s*:\s*\[\s*')


def decode_large_body(body: bytes, returns: type[_T]) -> _T | DecodeFailure:
    """Decode the body of a model, unless it has more values than the API would send."""
    excess = _find_excess(body)
    with _pause_garbage_collection():
        value = parse_json(body, _load_few_numbers) if excess is None else DecodeFailure("", excess)
        if isinstance(value, DecodeFailure):
            return _first_item_failure(body, returns) or value
        return decode_value(value, returns)


def _first_item_failure(body: bytes, returns: type[_T]) -> DecodeFailure | None:
    """Return why the first item of the list that a body starts with does not fit, or None if it does."""
    start = _LIST_START.match(body)
    if start is None:
        return None
    name, text = start[1].decode(), body[start.end() : start.end() + _MAX_ITEM_BYTES].decode("utf-8", "replace")
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
    samples = _take_samples(body)
    size = sum(map(len, samples))
    # In most bodies there are so few values that not even samples of their strings show more.
    if sum(map(_find_needed_size, samples)) > size and not _has_few_values(body):
        return "has more values than the API would send"
    names = {name for sample in samples for name in _NAME.findall(sample)}
    return "has more names than the API would send" if len(names) * _BYTES_PER_DISTINCT_NAME > size else None


def _take_samples(body: bytes) -> list[bytes]:
    """Return parts of a body from places that its sender cannot know, and could else fill with ordinary models."""
    count = max(_LEAST_SAMPLES, len(body) // _BYTES_PER_SAMPLE)
    distance = len(body) // count
    key = hash(body[:_SAMPLE_BYTES])  # Python hashes bytes with a secret of the process
    starts = (number * distance + hash((key, number)) % distance for number in range(count))
    return [body[start : start + _SAMPLE_BYTES] for start in starts]


def _find_needed_size(text: bytes) -> int:
    """Return how many bytes a body must have for the commas and opening brackets of a text."""
    return (
        text.count(b",") * _BYTES_PER_COMMA + text.count(b"[") * _BYTES_PER_LIST + text.count(b"{") * _BYTES_PER_OBJECT
    )


def _has_few_values(body: bytes) -> bool:
    """Return whether a body has few values. It takes as long as parsing it.

    Strings, such as the names of projects, may contain anything. Their commas, opening brackets and escapes are neither
    counted as values nor as bytes: the items of the API have enough others.
    """
    size, needed_size, is_inside = len(body), 0, 0
    for chunk in _split_into_chunks(body):
        unescaped = chunk.replace(rb"\\", b"").replace(rb"\"", b"")
        # To remove two adjacent quotation marks does not change what is inside of a string, and most are adjacent here.
        counted = unescaped.translate(None, _NEITHER_COUNTED_NOR_QUOTES).replace(b'""', b"")
        parts = counted.split(b'"')
        outside, quotes = b"".join(parts[is_inside::2]), len(parts) - 1
        needed_size += _find_needed_size(outside)
        size -= len(chunk) - len(unescaped) + len(counted) - len(outside) - quotes
        if needed_size > max(size, _NEEDED_BY_A_PAGE):
            return False
        is_inside ^= quotes % 2
    return True


def _split_into_chunks(body: bytes) -> Iterator[bytes]:
    """Yield a body in pieces that fit into the cache of a processor, none of which ends with a backslash."""
    start = 0
    while start < len(body):
        end = start + _CHUNK_BYTES
        if body[end - 1 : end] == b"\\" and (backslashes := _BACKSLASHES.match(body, end)):
            end = backslashes.end() + 1  # with the character that it escapes, if it does
        yield body[start:end]
        start = end


def _load_few_numbers(body: bytes) -> Any:
    """Parse JSON, and refuse long numbers and many of them, which take much longer than text of their length.

    Raises:
        Misfit: It has numbers that the API would not send.
        ValueError: It is not JSON.
        RecursionError: It is nested too deeply.
    """
    bytes_left = len(body)

    def check(text: str, needed_size: int) -> None:
        nonlocal bytes_left
        bytes_left -= needed_size
        if len(text) > _MAX_NUMBER_LENGTH:
            raise Misfit(f"has a number of more than {_MAX_NUMBER_LENGTH} characters")
        if bytes_left < 0:
            raise Misfit("has more numbers than the API would send")

    def read_integer(text: str) -> int:
        check(text, _BYTES_PER_INTEGER)
        return int(text)

    def read_fraction(text: str) -> float:
        check(text, _BYTES_PER_FRACTION)
        return float(text)

    return json.loads(body, parse_int=read_integer, parse_float=read_fraction)


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
            gc.enable()
