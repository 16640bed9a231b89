"""The docstrings of attributes, which editors show, and what help shows of the same attributes."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from itertools import pairwise
from typing import is_typeddict

import attrs
import pytest

from pinecone_admin.emulator.control.faults import Fault
from pinecone_admin.emulator.control.request_log import LoggedRequest
from tests.test_docstrings import DOCUMENTED, read_section

# The last two are in the reference, and are had from an emulator rather than imported.
KINDS = [*(each.value for each in DOCUMENTED.values() if inspect.isclass(each.value)), Fault, LoggedRequest]


def read_described(kind: type) -> dict[str, str]:
    """Return what the docstring of a class says of each attribute; those of a class of data are its arguments, too."""
    text = inspect.cleandoc(vars(kind)["__doc__"])
    titles = ("Args", "Attributes") if attrs.has(kind) or is_typeddict(kind) else ("Attributes",)
    return {name: entry for title in titles for name, entry in read_section(text, title).items()}


def read_attribute_docstrings(kind: type) -> Iterator[tuple[str, str]]:
    """Yield the name of each attribute that a class or its constructor declares, and the docstring below it.

    A private base class declares attributes of the class, such as the lists of ``Inventory``.
    """
    bases = [each for each in kind.__mro__[1:] if each.__module__.startswith("pinecone_admin") and each not in KINDS]
    for each in [kind, *bases]:
        yield from read_own_attribute_docstrings(each)


def read_own_attribute_docstrings(kind: type) -> Iterator[tuple[str, str]]:
    """Yield what the source of one class has."""
    (body,) = (each.body for each in ast.parse(inspect.getsource(kind)).body if isinstance(each, ast.ClassDef))
    constructors = [each.body for each in body if isinstance(each, ast.FunctionDef) and each.name == "__init__"]
    for block in [body, *constructors]:
        for declared, below in pairwise(block):
            text = below.value if isinstance(below, ast.Expr) else None
            if isinstance(declared, ast.Assign | ast.AnnAssign) and isinstance(text, ast.Constant):
                target = declared.targets[0] if isinstance(declared, ast.Assign) else declared.target
                yield ast.unparse(target).removeprefix("self."), str(text.value)


@pytest.mark.parametrize("kind", KINDS)
def test_an_editor_shows_what_help_says_of_an_attribute(kind: type) -> None:
    """Each attribute that the docstring of a public class describes has the beginning of that text below it."""
    described = read_described(kind)
    below = {name: text for name, text in read_attribute_docstrings(kind) if not name.startswith("_")}
    assert set(below) == set(described)
    for name, text in below.items():
        assert " ".join(described[name].split()).startswith(" ".join(text.split())), name
