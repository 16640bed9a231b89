"""Damage to bytes on the wire, drawn from a seeded generator."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random
from typing import TypeAlias

Damage: TypeAlias = Callable[[Random, bytes], bytes]

_SNIPPETS = (
    b"\r\n",
    b"\n",
    b"\r\n\r\n",
    b"\x00",
    b"\xff\xfe",
    b"0\r\n\r\n",
    b"ffffffffffffffff\r\n",
    b"Content-Length: 7\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"Content-Encoding: gzip\r\n",
    b"Connection: close\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/2.0 200 OK\r\n\r\n",
    b'{"data": ',
    b"[" * 200,
    b'"\\ud800"',
    b"1e999",
)
_LENGTHS = (b"0", b"1", b"-1", b"+5", b"5, 6", b"0x10", b"1e3", b"", b"99999999999999999999", b"8388609", b"\xc2\xb2")


def _choose_segment(random: Random, data: bytes) -> tuple[int, int]:
    start = random.randrange(len(data) + 1)
    return start, min(len(data), start + random.choice((1, 2, 5, 20, 100)))


def _flip_bits(random: Random, data: bytes) -> bytes:
    damaged = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 8))):
        damaged[random.randrange(len(damaged))] ^= 1 << random.randrange(8)
    return bytes(damaged)


def _overwrite(random: Random, data: bytes) -> bytes:
    start, end = _choose_segment(random, data)
    return data[:start] + random.randbytes(end - start) + data[end:]


def _truncate(random: Random, data: bytes) -> bytes:
    return data[: random.randrange(len(data))]


def _insert(random: Random, data: bytes) -> bytes:
    at = random.choice((0, random.randrange(len(data)), len(data)))
    return data[:at] + random.choice((*_SNIPPETS, random.randbytes(9))) + data[at:]


def _remove(random: Random, data: bytes) -> bytes:
    start, end = _choose_segment(random, data)
    return data[:start] + data[end:]


def _duplicate(random: Random, data: bytes) -> bytes:
    start, end = random.choice(((0, len(data)), _choose_segment(random, data)))
    return data[:end] + data[start:]


def _exchange(random: Random, data: bytes) -> bytes:
    first, second, third = sorted(random.randrange(len(data) + 1) for _ in range(3))
    return data[:first] + data[second:third] + data[first:second] + data[third:]


def _falsify_number(random: Random, data: bytes) -> bytes:
    """Change one number: mostly a length of the body or of a chunk, or a number in a status line."""
    found = random.choice(list(re.finditer(rb"(?<=[ \n])[0-9a-f]+(?=[\r,])", data)) or [re.match(b"", data)])
    number = found[0] if found else b""
    near = b"%d" % (int(number) + random.choice((-1, 1, 10))) if number.isdigit() else b"f"
    start, end = found.span() if found else (0, 0)
    return data[:start] + random.choice((near, *_LENGTHS)) + data[end:]


DAMAGES: Sequence[Damage] = (
    _flip_bits,
    _overwrite,
    _truncate,
    _insert,
    _remove,
    _duplicate,
    _exchange,
    _falsify_number,
)


def damage_bytes(random: Random, data: bytes) -> bytes:
    """Return bytes with one to three kinds of damage."""
    for _ in range(random.choice((1, 1, 2, 3))):
        if data:
            data = random.choice(DAMAGES)(random, data)
    return data
