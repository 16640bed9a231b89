"""The docstrings of the public names: complete, and with examples that run.

Every function and method names its arguments, and every class those of its constructor or its attributes. Each has an
example, with these exceptions, because a second one would say nothing new:

- A method is shown by the example of its class, if that calls it; a namespace is shown by its methods.
- The value of a call is shown by the example of the call, and what it consists of with it: so are reports and models.
- An error that adds no attributes to its base class is caught as that is.
- A function without arguments is its own example.
- What only the client, the emulator or httpx calls needs none.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import doctest
import importlib
import inspect
import io
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager, redirect_stdout
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from threading import Lock
from types import FunctionType
from typing import Any, NamedTuple, is_typeddict

import attrs
import httpx
import pytest

import pinecone_admin
from pinecone_admin import Admin, AsyncAdmin, errors
from pinecone_admin._sync.client import NAMESPACES
from pinecone_admin.emulator import Clock, Emulator
from pinecone_admin.emulator.control.faults import Faults
from pinecone_admin.testing import emulate
from tests.support.api_documents import is_our_document
from tests.support.resources import PLAIN, create_resources
from tests.test_public_api import MODULES

ROOT = Path(__file__).resolve().parent.parent
NOT_CALLED_BY_USERS = {
    *(f"FileTokenCache.{name}" for name in ("load", "lock", "store")),
    *("Emulator.handle", "Emulator.read_state", "Emulator.served_at"),
    *("RetryTransport.handle_request", "AsyncRetryTransport.handle_async_request"),
    *("RetryTransport.close", "AsyncRetryTransport.aclose"),
    "PineconeError.add_note",
}


# What the description of a number has to say.
UNITS = {
    "float": r"[Ss]econds|from 0 to 1",
    "int": r"[Ss]econds|from \d|\d to \d|[Nn]umber|often|bytes|HTTP status",
}


class Documented(NamedTuple):
    """A public class, function or method.

    Attributes:
        name: Its name, after that of its class.
        value: The class or function.
        owner: The class of a method.
    """

    name: str
    value: Any
    owner: type | None = None

    @property
    def text(self) -> str:
        """Its docstring."""
        return inspect.getdoc(self.value) or ""


def list_documented() -> Iterator[Documented]:
    """Yield every public class, function and method."""
    modules = [pinecone_admin, *(importlib.import_module(f"pinecone_admin.{name}") for name in MODULES)]
    values = {id(value): value for module in modules for value in (getattr(module, name) for name in module.__all__)}
    namespaces = [getattr(client, name) for client in (Admin, AsyncAdmin) for name in NAMESPACES]
    yield from (Documented(f"Faults.{each.__name__}", each, Faults) for each in (Faults.add, Faults.clear))
    for value in [*values.values(), *namespaces]:
        if is_foreign(value):
            continue
        if inspect.isclass(value):
            yield Documented(value.__name__, value)
            yield from list_methods(value)
        elif inspect.isfunction(value):
            yield Documented(value.__name__, value)


def is_foreign(value: object) -> bool:
    """Return whether the docstring comes from an API document of another author, of which nothing is asked."""
    generated = getattr(value, "__module__", "").startswith(("generated_client.api", "generated_client.models"))
    return generated and not is_our_document("admin")


def list_methods(kind: type) -> Iterator[Documented]:
    """Yield the public methods of a class, with those of private base classes in this package."""
    for base in kind.__mro__:
        if base is kind or (base.__name__.startswith("_") and base.__module__.startswith("pinecone_admin")):
            for name, member in vars(base).items():
                if isinstance(member, FunctionType | classmethod) and not name.startswith("_"):
                    yield Documented(f"{kind.__name__}.{name}", getattr(kind, name), kind)


DOCUMENTED = {each.name: each for each in list_documented()}


def read_section(text: str, title: str) -> dict[str, str]:
    """Return the entries of a section of a docstring."""
    found = re.search(rf"^{title}:\n((?:    .*\n?|\n)+)", text, re.MULTILINE)
    entries = re.split(r"^    (\w+): ?", found[1], flags=re.MULTILINE)[1:] if found else []
    return dict(zip(entries[::2], entries[1::2], strict=True))


def list_parameters(value: Any) -> dict[str, inspect.Parameter]:
    """Return the parameters that a caller passes; a mapping has none."""
    return (
        {}
        if is_typeddict(value)
        else {name: each for name, each in inspect.signature(value).parameters.items() if name != "self"}
    )


def list_arguments(value: Any) -> dict[str, inspect.Parameter]:
    """Return the parameters that a docstring describes as arguments or attributes."""
    return {name: each for name, each in list_parameters(value).items() if name in list_expected_names(value)}


def is_made_by_client(kind: type) -> bool:
    """Return whether only the client makes objects of a class, such as a namespace."""
    return not {"admin", "sender"}.isdisjoint(list_parameters(kind))


def list_expected_names(value: Any) -> list[str]:
    """Return what a docstring has to describe: arguments, or the fields of a class of data."""
    if inspect.isclass(value) and (attrs.has(value) or is_typeddict(value)):
        fields = [each.name for each in attrs.fields(value)] if attrs.has(value) else list(value.__annotations__)
        return [name.lstrip("_") for name in fields]
    if inspect.isclass(value) and (getattr(value, "_is_protocol", False) or is_made_by_client(value)):
        return []  # no user calls the constructor
    if inspect.isclass(value) and issubclass(value, errors.PineconeError):
        own = list_parameters(value) if "__init__" in vars(value) else {}
        return [name for name in own if name not in {"message", "context"}]
    return list(list_parameters(value))


def find_undescribed(value: Any, text: str) -> set[str]:
    """Return the names that a docstring fails to describe, and the arguments that it makes up."""
    arguments, attributes = (set(read_section(text, title)) for title in ("Args", "Attributes"))
    expected = set(list_expected_names(value))
    properties = {name for name in expected if isinstance(inspect.getattr_static(value, name, None), property)}
    return (expected - properties - arguments - attributes) | (arguments - expected)


def test_every_public_name_is_described() -> None:
    """A docstring of its own names exactly the arguments, or the attributes of a class of data."""
    wrong = {}
    for each in DOCUMENTED.values():
        own = each.value.__doc__ is not None
        if not own or (undescribed := find_undescribed(each.value, each.text)):
            wrong[each.name] = undescribed if own else "no docstring"
    assert wrong == {}


def test_every_property_and_constant_is_described() -> None:
    """A property has a docstring, and a public constant or type is followed by one in its source."""
    kinds = [each.value for each in DOCUMENTED.values() if inspect.isclass(each.value)]
    properties = [(kind, name) for kind in kinds for name, value in vars(kind).items() if isinstance(value, property)]
    assert [
        (kind, name) for kind, name in properties if not name.startswith("_") and not getattr(kind, name).__doc__
    ] == []
    modules = [pinecone_admin, *(importlib.import_module(f"pinecone_admin.{name}") for name in MODULES)]
    names = {name for module in modules for name in module.__all__ if not is_foreign(getattr(module, name))}
    constants = names - {each.partition(".")[0] for each in DOCUMENTED}
    assert constants - find_described_constants() - {"__version__", "ValidationError"} == set()


def find_described_constants() -> set[str]:
    """Return the names that are assigned in either package and followed by a docstring."""
    described = set()
    for path in (path for package in ("pinecone_admin", "generated_client") for path in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            body = getattr(node, "body", None)
            for statement, text in pairwise(body) if isinstance(body, list) else ():
                if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
                    described |= {each.id for each in ast.walk(statement) if isinstance(each, ast.Name)}
    return described


def test_numbers_have_a_unit_or_a_range() -> None:
    """The description of a number says what it counts: seconds, or from where it goes."""
    vague = []
    for each in DOCUMENTED.values():
        entries = {**read_section(each.text, "Args"), **read_section(each.text, "Attributes")}
        for name, parameter in list_arguments(each.value).items():
            kinds = set(re.findall(r"\w+", str(parameter.annotation))) & UNITS.keys()
            if kinds and not any(re.search(UNITS[kind], entries.get(name, "")) for kind in kinds):
                vague.append((each.name, name))
    assert vague == []


def test_every_error_that_is_named_exists() -> None:
    """A section on what is raised names public errors or those of Python; the namespaces refer to those of send."""
    for each in DOCUMENTED.values():
        for name in read_section(each.text, "Raises"):
            assert name in errors.__all__ or isinstance(getattr(builtins, name, None), type), (each.name, name)
        if each.value in {getattr(client, name) for client in (Admin, AsyncAdmin) for name in NAMESPACES}:
            assert "Every method also raises the errors of" in each.text, each.name


def test_the_limit_of_invite_emails_has_the_same_words_everywhere() -> None:
    """Each method that can meet the limit names it; operations have the words of the API document."""
    naming = {
        name for name, each in DOCUMENTED.items() if "100 invite emails within an hour" in " ".join(each.text.split())
    }
    assert {name for name in naming if not name.startswith("Async")} == {
        "Admin.apply",
        "Invites.create",
        "Invites.ensure",
        "Invites.resend",
        "Users.ensure",
    }


def test_a_method_whose_response_has_the_only_copy_of_a_secret_names_the_error_that_keeps_it() -> None:
    """Where a secret can be lost with its response, the docstring and the runbook name ``raw.reveal()``."""
    only_copy = {
        name
        for name, each in DOCUMENTED.items()
        if "Only this response contains" in each.text and "." in name and not name.startswith("Async")
    }
    assert only_copy == {"APIKeys.create", "ServiceAccounts.create", "ServiceAccounts.rotate_secret"}
    for name in only_copy:
        raised = " ".join(read_section(DOCUMENTED[name].text, "Raises")["PineconeError"].split())
        assert "lost, unless the error is a ResponseParsingError. Then ``raw.reveal()`` returns the response" in raised
    runbook = (ROOT / "docs/runbooks/create-with-unknown-outcome.md").read_text(encoding="utf-8")
    assert "**If the error is a `ResponseParsingError`**" in runbook
    assert "`error.raw.reveal()` returns" in runbook


# ---- examples


def list_examples(text: str) -> list[doctest.Example]:
    """Return the statements of the example of a docstring."""
    return doctest.DocTestParser().get_examples(text)


def has_example(each: Documented) -> bool:
    """Return whether an example shows a name by itself."""
    if each.name in NOT_CALLED_BY_USERS or "Example: " in each.text or list_examples(each.text):
        return True
    if inspect.isclass(each.value):
        is_caught_as_base = issubclass(each.value, errors.PineconeError) and not list_expected_names(each.value)
        return is_caught_as_base or is_made_by_client(each.value)
    shown = "".join(example.source for example in list_examples(inspect.getdoc(each.owner) or ""))
    takes_nothing = each.owner is None and not list_parameters(each.value)
    return takes_nothing or f"{each.value.__name__}(" in shown


def list_annotations(value: Any) -> Iterator[str]:
    """Yield the annotations of a function or of the attributes and properties of a class, as text."""
    if inspect.isclass(value):
        for each in inspect.getmro(value):
            yield from map(str, inspect.get_annotations(each).values())
        for member in vars(value).values():
            if isinstance(member, property) and member.fget is not None:
                yield from list_annotations(member.fget)
    else:
        yield from map(str, inspect.get_annotations(value).values())


def test_every_public_name_has_an_example() -> None:
    """Each has one of its own, or is shown by that of another, as the docstring of this module says."""
    shown = {each.name for each in DOCUMENTED.values() if has_example(each)}
    while found := {
        word
        for name in shown
        for text in list_annotations(DOCUMENTED[name].value)
        for word in re.findall(r"\w+", text)
        if word in DOCUMENTED and word not in shown
    }:
        shown |= found
    assert sorted(DOCUMENTED.keys() - shown) == []


def make_namespace(emulator: Emulator) -> dict[str, Any]:
    """Return the names that examples use: what they import, and some resources."""
    modules = [pinecone_admin, *(importlib.import_module(f"pinecone_admin.{name}") for name in MODULES)]
    names = {name: getattr(module, name) for module in modules for name in module.__all__}
    names |= {each.__name__: each for each in (AbstractContextManager, Path, date, datetime, defaultdict, timedelta)}
    names |= {"Lock": Lock, "UTC": UTC, "asyncio": asyncio, "httpx": httpx, "json": json, "emulator": emulator}
    ada = emulator.add_user("ada@example.com")
    with Admin() as admin:
        project = admin.projects.create(name="search")
        member = [pinecone_admin.on_organization("OrgMember")]
        made: dict[str, Any] = {
            "organization": admin.organizations.list()[0],
            "project": project,
            "key": admin.api_keys.create(project_id=project.id, name="reader", roles=["ProjectViewer"]).key,
            "user": admin.users.describe(user_id=ada.id),
            "invite": admin.invites.create(email="bob@example.com", role_bindings=member),
            "account": admin.service_accounts.create(name="nightly", role_bindings=member).service_account,
            "binding": admin.role_bindings.list(principal_type="user", principal_id=ada.id).to_list()[0],
        }
        others = create_resources(admin, {"project_id": project.id}, PLAIN)
    return names | made | others | {"secret_store": {}, "new_secret": emulator.client_secret}


async def run_statements(statements: list[doctest.Example], names: dict[str, Any]) -> None:
    """Run statements, which may await, as an interactive interpreter does, and compare what they print."""
    for statement in statements:
        code = compile(statement.source, "example", "single", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        with redirect_stdout(io.StringIO()) as printed:
            awaitable = FunctionType(code, names)()
            if inspect.iscoroutine(awaitable):
                await awaitable
        assert not statement.want or printed.getvalue() == statement.want, statement.source


async def run_example(statements: list[doctest.Example], names: dict[str, Any]) -> None:
    """Run an example with a client of the kind that it needs."""
    if any(re.search(r"\b(async|await)\b", each.source) for each in statements):
        async with AsyncAdmin() as client:
            await run_statements(statements, names | {"admin": client})
    else:
        with Admin() as admin:
            await run_statements(statements, names | {"admin": admin})


@pytest.mark.usefixtures("one_authority")
@pytest.mark.parametrize("name", sorted(name for name, each in DOCUMENTED.items() if list_examples(each.text)))
def test_every_example_runs(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every example runs as it stands, and prints what it says."""
    monkeypatch.setattr(sys, "displayhook", print_value)
    monkeypatch.setenv("HOME", str(tmp_path))
    emulator = Emulator(seed=1, clock=Clock(datetime(2026, 7, 1, 12, tzinfo=UTC)))
    with emulate(emulator, ticking=False):
        asyncio.run(run_example(list_examples(DOCUMENTED[name].text), make_namespace(emulator)))


def print_value(value: object) -> None:
    """Print what an expression returns, and keep it nowhere."""
    if value is not None:
        print(repr(value))  # noqa: T201 - as the interactive interpreter does
