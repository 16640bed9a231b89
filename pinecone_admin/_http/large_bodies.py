"""Keep the work and memory that a large response may cost near those of ordinary models of the same size.

``json.loads`` takes up to 35 times as long and 6 times the memory for many small values as for role bindings. So a
large body is parsed only if it has no more values for its size than the lists that the API sends whole, whose items
have real ids. Of a page, which has at most 100 items, only long texts can make a large body.
``tests/benchmarks/bodies.py`` measures it.
"""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from generated_client.types import Misfit
from pinecone_admin._http.codec import DecodeFailure, decode_value, parse_json

_T = TypeVar("_T")

# A body has at least so many bytes for each comma, quotation mark, list and object. The densest items of the API are
# keys without roles, which have at least 120 bytes and need 107 by these figures, and organizations, whose names need
# four characters on average. With names of ten characters or more, keys have room for a new list and a boolean.
_BYTES_PER_COMMA, _BYTES_PER_QUOTE, _BYTES_PER_LIST, _BYTES_PER_OBJECT = 5, 4, 17, 14
# A page of 100 role bindings needs 16,200 bytes. It is large only if it has much text, which may be of any kind.
_NEEDED_BY_A_PAGE = 16 * 1024
# A distinct name takes several times as long to parse as a repeated one, and models repeat theirs.
_BYTES_PER_DISTINCT_NAME = 100
_NAME = re.compile(rb'(?<!\\)"([^"\\]*+(?:\\.[^"\\]*+)*+)"\s*:', re.DOTALL)
_LEAST_SAMPLES, _SAMPLE_BYTES, _BYTES_PER_SAMPLE = 32, 256, 32 * 1024
# A fraction takes longest of all values, and no model has one yet. The shortest text that identifies one has at most 24
# characters.
_BYTES_PER_FRACTION, _MAX_FRACTION_LENGTH = 100, 25
# The time to convert an integer grows with the square of its digits: 1000 take as long as 1000 bytes of role bindings.
_LINEAR_DIGITS = 1000
_LONG_INTEGER = re.compile(rb"\d{200}")
_BYTES_PER_INTEGER = 30  # where a function is called for each, because some may be long
_NEVER = 2**31 - 1  # the largest threshold that Python takes
_CHUNK_BYTES = 64 * 1024
_BACKSLASHES = re.compile(rb"\\*")
_NEITHER_COUNTED_NOR_QUOTES = bytes(set(range(256)) - set(b',[{"'))
# The largest models have some 2 KB; the text of what may follow is not parsed, since it may take long.
_MAX_ITEM_BYTES = 8 * 1024
_LIST_START = re.compile(rb'\s*{\s*"(\w+)"\s*:\s*\[\s*')


def decode_large_body(body: bytes, returns: type[_T]) -> _T | DecodeFailure:
    """Decode the body of a model, unless it has more values than the API would send."""
    samples = _take_samples(body)
    excess = _find_excess(body, samples)
    with _postpone_full_collections():
        value = parse_json(body, _make_loader(body, samples)) if excess is None else DecodeFailure("", excess)
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


def _find_excess(body: bytes, samples: list[bytes]) -> str | None:
    """Return why a large body cannot consist of models, as far as that is known without parsing it."""
    if not json.detect_encoding(body).startswith("utf-8"):
        return "is not in UTF-8"
    # Samples also contain commas and brackets of strings. Most bodies have few values even if those are counted, but
    # not if escaped quotation marks are. A text that ends with an escaped backslash loses its last quotation mark, too:
    # that counts one byte too few.
    unescaped = [sample.replace(rb"\"", b"") for sample in samples]
    if sum(map(find_needed_size, unescaped)) > sum(map(len, unescaped)) and not _has_few_values(body):
        return "has more values than the API would send"
    names = {name for sample in samples for name in _NAME.findall(sample)}
    if len(names) * _BYTES_PER_DISTINCT_NAME > sum(map(len, samples)):
        return "has more names than the API would send"
    return None


def _take_samples(body: bytes) -> list[bytes]:
    """Return parts of a body from places that its sender cannot know, and could else fill with ordinary models."""
    count = max(_LEAST_SAMPLES, len(body) // _BYTES_PER_SAMPLE)
    distance = len(body) // count
    key = hash(body[:_SAMPLE_BYTES])  # Python hashes bytes with a secret of the process
    starts = (number * distance + hash((key, number)) % distance for number in range(count))
    return [body[start : start + _SAMPLE_BYTES] for start in starts]


def find_needed_size(text: bytes) -> int:
    """Return how many bytes a large body must have for the values of a text."""
    return (
        text.count(b",") * _BYTES_PER_COMMA
        + text.count(b'"') * _BYTES_PER_QUOTE
        + text.count(b"[") * _BYTES_PER_LIST
        + text.count(b"{") * _BYTES_PER_OBJECT
    )


def _has_few_values(body: bytes) -> bool:
    """Return whether a body has few values. It takes about half of the time of parsing role bindings.

    Strings, such as the names of projects, may contain anything. Their commas, opening brackets and escapes are neither
    counted as values nor as bytes: the items of the API have enough others.
    """
    size, needed_size, is_inside = len(body), 0, 0
    for chunk in _split_into_chunks(body):
        unescaped = chunk.replace(rb"\\", b"").replace(rb"\"", b"") if b"\\" in chunk else chunk
        counted = unescaped.translate(None, _NEITHER_COUNTED_NOR_QUOTES)
        # To remove two adjacent quotation marks does not change what is inside of a string, and most are adjacent here.
        parts = counted.replace(b'""', b"").split(b'"')
        outside, inside = b"".join(parts[is_inside::2]), b"".join(parts[1 - is_inside :: 2])
        needed_size += find_needed_size(outside) + counted.count(b'"') * _BYTES_PER_QUOTE
        size -= len(chunk) - len(unescaped) + len(inside)
        if needed_size > max(size, _NEEDED_BY_A_PAGE):
            return False
        is_inside ^= (len(parts) - 1) % 2
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


def _make_loader(body: bytes, samples: list[bytes]) -> Callable[[bytes], Any]:
    """Return ``json.loads`` that raises Misfit for numbers which take much longer than text of their length.

    It also refuses surrogates in UTF-8, which no JSON contains: Python decodes each by a call of a function.
    """
    bytes_left = len(body)

    def spend(needed_size: int, numbers: str) -> None:
        nonlocal bytes_left
        bytes_left -= needed_size
        if bytes_left < 0:
            raise Misfit(f"has more {numbers} than the API would send")

    def read_integer(text: str) -> int:
        spend(max(len(text) ** 2 // _LINEAR_DIGITS, _BYTES_PER_INTEGER), "digits")
        return int(text)

    def read_fraction(text: str) -> float:
        spend(_BYTES_PER_FRACTION, "fractions")
        if len(text) > _MAX_FRACTION_LENGTH:
            raise Misfit(f"has a fraction of more than {_MAX_FRACTION_LENGTH} characters")
        return float(text)

    # To call a function for each integer takes as long as the rest of a project.
    parse_int = read_integer if any(map(_LONG_INTEGER.search, samples)) else int
    return lambda encoded: json.loads(encoded.decode("utf-8-sig"), parse_int=parse_int, parse_float=read_fraction)


@contextmanager
def _postpone_full_collections() -> Generator[None, None, None]:
    """Let the garbage collector visit only young objects in the block, which makes many objects and no garbage.

    Else it visits all objects that were made so far, again and again: up to twice the time of decoding. The program
    collects them later as usual.
    """
    full_threshold = gc.get_threshold()[-1]
    if full_threshold == _NEVER:  # another thread is in the block, and sets it back
        yield
        return
    try:
        _set_full_threshold(_NEVER)
        yield
    finally:
        if gc.get_threshold()[-1] == _NEVER:  # else the program has changed it
            _set_full_threshold(full_threshold)


def _set_full_threshold(threshold: int) -> None:
    gc.set_threshold(*gc.get_threshold()[:-1], threshold)
