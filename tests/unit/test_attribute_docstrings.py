"""The docstrings of attributes, which editors show, and what help shows of the same attributes."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from itertools import pairwise

import pytest

from pinecone_admin import RetryPolicy, errors
from tests.test_docstrings import read_section

KINDS: list[type] = [kind for name in errors.__all__ if inspect.isclass(kind := getattr(errors, name))]


def read_attribute_docstrings(kind: type) -> Iterator[tuple[str, str]]:
    """Yield the name of each attribute that is declared in a class or its constructor, and the docstring below it."""
    (body,) = (each.body for each in ast.parse(inspect.getsource(kind)).body if isinstance(each, ast.ClassDef))
    constructors = [each.body for each in body if isinstance(each, ast.FunctionDef) and each.name == "__init__"]
    for block in [body, *constructors]:
        for declared, below in pairwise(block):
            text = below.value if isinstance(below, ast.Expr) else None
            if isinstance(declared, ast.Assign | ast.AnnAssign) and isinstance(text, ast.Constant):
                target = declared.targets[0] if isinstance(declared, ast.Assign) else declared.target
                yield ast.unparse(target).removeprefix("self."), str(text.value)


@pytest.mark.parametrize("kind", [*KINDS, RetryPolicy])
def test_an_editor_shows_what_help_says_of_an_attribute(kind: type) -> None:
    """Each attribute that a docstring describes has the beginning of that text below it, and no other."""
    described = read_section(inspect.cleandoc(vars(kind)["__doc__"]), "Attributes")
    below = dict(read_attribute_docstrings(kind))
    assert set(below) == set(described)
    for name, text in below.items():
        assert " ".join(described[name].split()).startswith(" ".join(text.split())), name
