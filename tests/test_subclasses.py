"""Classes that inherit from a class that we do not own: what they store does not replace what that class stores."""

from __future__ import annotations

import dis
import inspect
import pkgutil
import re
import threading
from enum import Enum
from importlib import import_module
from itertools import chain
from typing import Any, Generic

import pinecone_admin
import tests.support

OWN_PACKAGES = (pinecone_admin, tests.support)
OWN = tuple(f"{package.__name__}." for package in OWN_PACKAGES)
DELIBERATE = {
    "click.core.Command.context_class",  # click has it for subclasses to set
    "httpx.AsyncHTTPTransport._pool",  # our transports are one connection, and use the methods of httpx
    "httpx.HTTPTransport._pool",
    "uvicorn.protocols.http.h11_impl.H11Protocol.app",  # our protocol wraps the application
}


def find_classes() -> list[type]:
    """List the classes that our modules define, but exceptions, enums and protocols."""
    found: list[type] = []
    for package in OWN_PACKAGES:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                namespace = vars(import_module(module.name)).values()
                found += [each for each in namespace if isinstance(each, type) and each.__module__ == module.name]
    return [each for each in found if not issubclass(each, BaseException | Enum) and not is_protocol(each)]


def is_protocol(kind: type) -> bool:
    """Tell whether a class is a protocol itself."""
    return bool(vars(kind).get("_is_protocol"))


def find_replaced(kind: type) -> set[str]:
    """Return what our part of a class stores, or names with an underscore, that a foreign base has, too."""
    ours = {name for each in kind.__mro__ if is_own(each) for name in find_stored(each) | find_private(each)}
    replaced: set[str] = set()
    for base in kind.__mro__:
        if not is_own(base) and base not in (object, Generic):
            names = ours & {*vars(base), *find_stored(base)}
            replaced |= {f"{base.__module__}.{base.__name__}.{name}" for name in names}
    return replaced


def is_own(kind: type) -> bool:
    """Tell whether our packages or this module define a class."""
    return kind.__module__.startswith((*OWN, __name__))


def find_stored(kind: type) -> set[str]:
    """Return the attributes that methods of a class store, unknown to ``dir``, and the fields of ours."""
    functions = filter(inspect.isfunction, vars(kind).values())
    instructions = chain.from_iterable(map(dis.get_instructions, functions))
    stored = {each.argval for each in instructions if each.opname == "STORE_ATTR"}
    return stored | set(kind.__annotations__) if is_own(kind) else stored


def find_private(kind: type) -> set[str]:
    """Return the private methods of a class: nobody overrides one knowingly, as a public one."""
    return {name for name, value in vars(kind).items() if re.match("_[^_]", name) and inspect.isroutine(value)}


class _Thread(threading.Thread):
    """Stores an attribute that threads have: the name is private, and ``dir`` does not list it."""

    def __init__(self, target: Any) -> None:
        super().__init__()
        self._started = target


def test_no_subclass_replaces_what_a_foreign_class_stores() -> None:
    """A later Python or library may use a name for itself, as ``Thread._context`` since 3.14."""
    assert find_replaced(_Thread) == {"threading.Thread._started"}
    classes = find_classes()
    assert any(not is_own(base) for kind in classes for base in kind.__bases__)
    assert set().union(*map(find_replaced, classes)) == DELIBERATE
