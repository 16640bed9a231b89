"""The sources that ``scripts/new_namespace`` writes, for the resources that exist."""

from __future__ import annotations

import ast

import pytest
from new_namespace import VERBS, main, read_method, write_command, write_method, write_row

from generated_client import api
from tests.support.resources import METHODS, SINGLE, find_method

BUILDERS = {find_method(name): getattr(api, name) for name in api.__all__}
PLAIN = sorted(method for method in SINGLE if method.partition(".")[2] in VERBS)


@pytest.mark.parametrize("name", PLAIN)
def test_a_method_has_the_arguments_that_were_written_by_hand(name: str) -> None:
    """The method, the command and the row of tests that would be written have the arguments of the method that is."""
    namespace, _, verb = name.partition(".")
    method = read_method(verb, BUILDERS[name])
    (function,) = ast.parse(f"class Space:\n{write_method(namespace, 'thing', method)}").body[0].body  # type: ignore[attr-defined]
    arguments = [each.arg for each in function.args.kwonlyargs]
    assert isinstance(function, ast.FunctionDef if verb == "list" else ast.AsyncFunctionDef)
    assert set(arguments) == METHODS[name].keys()
    assert ast.get_docstring(function)
    command = ast.parse(write_command(namespace, "thing", method, '"x"')).body[0]
    assert isinstance(command, ast.FunctionDef)
    assert {each.arg for each in command.args.kwonlyargs} <= set(arguments)
    assert [key.value for key in ast.parse(write_row(method), mode="eval").body.keys] == arguments  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("namespace", "problem"), [("projects", "exists already"), ("invites", "no plain"), ("x", "no plain")]
)
def test_what_exists_or_is_not_plain_is_refused(namespace: str, problem: str) -> None:
    """Nothing is written for a resource that has its files, or with other operations than the five."""
    with pytest.raises(SystemExit, match=problem):
        main(namespace)
