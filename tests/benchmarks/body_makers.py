"""Make bodies of a given size, for body_shapes.py."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import accumulate, count, takewhile
from random import Random
from typing import NamedTuple, TypeAlias

Maker: TypeAlias = Callable[[int], bytes]
"""Returns a body of about this size in bytes, and never a larger one."""
ID = "9f000000-0000-4000-8000-{:012d}"
DATE = "2026-05-06T07:30:00Z"


class Shape(NamedTuple):
    """A shape of bodies.

    Attributes:
        name: Its name.
        make: Returns a body of at most this size in bytes.
        call: The call whose response it is: a list of a namespace, or "describe" for a single project.
        status: The HTTP status of the response.
    """

    name: str
    make: Maker
    call: str = "role_bindings"
    status: int = 200


def fill(head: str, items: Iterator[str] | Callable[[int], str], tail: str, size: int, separator: str = ",") -> bytes:
    """Return a body with as many items as it has room for; a function makes each item from its number."""
    sequence = (items(number) for number in count()) if callable(items) else items
    encoded = (each.encode("utf-8", "surrogatepass") for each in sequence)
    room = size - len(head.encode()) - len(tail.encode())
    gap = separator.encode()
    ends = accumulate_sizes(encoded, len(gap))
    kept = [item for item, _ in takewhile(lambda pair: pair[1] <= room, ends)]
    return head.encode() + gap.join(kept) + tail.encode()


def accumulate_sizes(items: Iterator[bytes], gap: int) -> Iterator[tuple[bytes, int]]:
    """Yield each item with the size of the list up to it."""
    return accumulate(((item, len(item) + gap) for item in items), lambda total, pair: (pair[0], total[1] + pair[1]))


def list_of(item: str | Callable[[int], str], tail: str = "]}") -> Maker:
    """Return a maker of lists of one item, or of items that differ by their number."""
    if callable(item):
        return lambda size: fill('{"data":[', item, tail, size)
    return lambda size: repeat('{"data":[', item + ",", item + tail, size)


def repeat(head: str, item: str, tail: str, size: int) -> bytes:
    """Return a body that repeats a text as often as it has room for."""
    first, each, last = head.encode(), item.encode(), tail.encode()
    return first + each * ((size - len(first) - len(last)) // len(each)) + last


def filling(head: str, items: Iterator[str] | Callable[[int], str], tail: str) -> Maker:
    """Return a maker of such bodies as ``fill`` returns."""
    return lambda size: fill(head, items, tail, size)


def between(head: bytes, make: Maker, tail: bytes = b"") -> Maker:
    """Return a maker of bodies with bytes before and after them."""
    return lambda size: head + make(size - len(head) - len(tail)) + tail


def of_bytes(unit: bytes) -> Maker:
    """Return a maker of bodies that repeat a few bytes."""
    return lambda size: unit * (size // len(unit))


def repeating(head: str, item: str, tail: str) -> Maker:
    """Return a maker of such bodies."""
    return lambda size: repeat(head, item, tail, size)


def compact(value: object) -> str:
    """Return a value as JSON without spaces."""
    return json.dumps(value, separators=(",", ":"))


def binding(number: int, **changes: object) -> str:
    """Return an ordinary role binding."""
    fields: dict[str, object] = {
        "id": ID.format(number),
        "principal_type": "user",
        "principal_id": ID.format(number * 7),
        "resource_type": "project",
        "resource_id": ID.format(number % 50),
        "role": "ProjectEditor",
        "created_at": DATE,
    }
    return compact(fields | changes)


def ordinary(size: int) -> bytes:
    """Return ordinary role bindings, which the others are compared with."""
    return fill('{"data":[', binding, "]}", size)


def short_binding(text: str, date: str) -> str:
    """Return a role binding all of whose texts are short."""
    fields = ["id", "principal_type", "principal_id", "resource_type", "resource_id", "role"]
    return compact(dict.fromkeys(fields, text) | {"created_at": date})


def user(number: int) -> str:
    """Return a user with the shortest texts, as the API could send it."""
    return compact({"id": ID.format(number), "email": "a@b.co"})


def organization(number: int) -> str:
    """Return such an organization."""
    return compact(
        {"id": f"-N{number:018d}", "name": "acme", "plan": "Free", "payment_status": "Active", "created_at": DATE}
        | {"support_tier": "Pro"}
    )


def project(number: int) -> str:
    """Return such a project."""
    return compact(
        {"id": ID.format(number), "name": "A", "max_pods": 0, "force_encryption_with_cmek": True}
        | {"organization_id": "-N123456789012345678"}
    )


ROLES = [
    "ProjectEditor",
    "ProjectViewer",
    "ControlPlaneEditor",
    "ControlPlaneViewer",
    "DataPlaneEditor",
    "DataPlaneViewer",
]


def key(number: int) -> str:
    """Return such an API key with all roles."""
    return compact({"id": ID.format(number), "name": "A", "project_id": ID.format(1), "roles": ROLES})


def empty_key(number: int, name: str = "A") -> str:
    """Return such an API key without roles."""
    return compact({"id": ID.format(number), "name": name, "project_id": ID.format(1), "roles": []})


def invite(number: int) -> str:
    """Return such an invite."""
    return compact(
        {"id": ID.format(number), "email": "a@b.co", "status": "pending", "created_at": DATE}
        | {"expires_at": None, "processed_at": None}
    )


def account(number: int, date: str = DATE) -> str:
    """Return such a service account."""
    return compact(
        {"id": ID.format(number), "name": "A", "client_id": "a" * 32, "created_at": date, "updated_at": date}
    )


def error_with(details: Maker) -> Maker:
    """Return a maker of error bodies with a value as their details."""
    return between(b'{"status":400,"error":{"code":"X","message":"m","details":', details, b"}}")


def padded(text: str, width: int) -> Callable[[int], str]:
    """Return a maker of distinct texts of a width."""
    return lambda number: f'"{text}{number:0{width - len(text)}d}"'


def nested(opening: str, closing: str, middle: str = "") -> Maker:
    """Return a maker of values in values, as deep as there is room for."""

    def make(size: int) -> bytes:
        depth = (size - len(middle) - 12) // (len(opening) + len(closing))
        return ('{"data":[' + opening * depth + middle + closing * depth + "]}").encode()

    return make


def encoded(make: Maker, encoding: str, widths: int) -> Maker:
    """Return a maker of the same in another encoding."""
    return lambda size: make((size - 4) // widths).decode().encode(encoding)


def texts_of(unit: str) -> Maker:
    """Return a maker of a project whose name consists of one text."""
    head = compact({"id": ID.format(1), "max_pods": 0, "force_encryption_with_cmek": True, "organization_id": "o"})[:-1]
    return repeating(head + ',"name":"', unit, '"}')


def bindings_with(extra: str) -> Maker:
    """Return a maker of role bindings that have more fields."""
    return lambda size: fill('{"data":[', lambda number: f"{binding(number)[:-1]},{extra}}}", "]}", size)


def plain(unit: str) -> Maker:
    """Return a maker of bodies that consist of one text."""
    return repeating("", unit, "")


RANDOM = Random(5)
DIGITS = "".join(str(RANDOM.randrange(10)) for _ in range(8000)).replace("0", "7")


def numbers(width: int, prefix: str = "", suffix: str = "") -> str:
    """Return a number of digits that differ."""
    return prefix + DIGITS[:width] + suffix


def after_users(make_item: str) -> Maker:
    """Return a maker of one good user and then other items."""
    return repeating('{"data":[' + user(1) + ",", make_item + ",", make_item + "]}")


def fields_of(name: Callable[[int], str], value: str) -> Maker:
    """Return a maker of an object with many names beside a list."""
    return lambda size: fill('{"data":[],', lambda number: f"{name(number)}:{value}", "}", size)


def named(width: int) -> Callable[[int], str]:
    """Return a maker of objects with one name each, which differs."""
    return lambda number: f'{{"{number:0{width}d}":0}}'


def dated_bindings(date: str) -> Maker:
    """Return a maker of role bindings of one date."""
    return list_of(lambda number: binding(number, created_at=date))


def dated_accounts(date: str) -> Maker:
    """Return a maker of service accounts of one date."""
    return list_of(lambda number: account(number, date))


def named_apart(each: int, width: int, value: str) -> Maker:
    """Return a maker of one good user and then objects of so many names, all of which are distinct."""

    def make(number: int) -> str:
        first = number * each
        return "{" + ",".join(f'"{first + index:0{width}d}":{value}' for index in range(each)) + "}"

    return filling('{"data":[' + user(1) + ",", make, "]}")


def one_object(width: int, every: int, other: str) -> Maker:
    """Return a maker of an object of distinct names and zeros beside a list; each ``every``-th value is ``other``."""
    return filling('{"data":[],', lambda number: f'"{number:0{width}d}":{0 if number % every else other}', "}")
