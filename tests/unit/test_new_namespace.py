"""The sources that ``scripts/new_namespace`` writes, for the resources that exist."""

from __future__ import annotations

import ast

import pytest
from new_namespace import VERBS, list_by_hand, main, read_method, read_methods, write_command, write_method, write_row

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
    by_hand = {each.partition("option for ")[2].partition(":")[0] for each in list_by_hand("F", [method])}
    assert {each.arg for each in command.args.kwonlyargs} == set(arguments) - by_hand - {"limit", "pagination_token"}
    assert [key.value for key in ast.parse(write_row(method), mode="eval").body.keys] == arguments  # type: ignore[attr-defined]


def test_an_enum_is_an_option_with_its_values() -> None:
    """The option of a command takes what the API document lists, and the row of tests has one of the values."""
    method = read_method("create", api.create_role_binding)
    command = write_command("role_bindings", "thing", method, "")
    assert "\"--resource-type\", type=Choice(('organization', 'project')), required=True, help=" in command
    assert "resource_type: models.ResourceType" in command
    assert '"resource_type": Argument("id", "body", "project")' in write_row(method)
    assert '"principal_id": Argument("id", "body", ' in write_row(method)


def test_a_help_is_the_first_clause() -> None:
    """An option has one line for its help: what an API document says after the first clause is left out."""
    (name,) = (each for each in read_method("create", api.create_project).parameters if each.name == "name")
    assert name._replace(text="The name, 1 to 80 characters; or else. More").help == "The name, 1 to 80 characters."
    assert name.help in write_command("projects", "thing", read_method("create", api.create_project), "")
    assert name.help != name.text


def test_what_is_not_plain_is_named_for_the_hand() -> None:
    """Every operation gets a method and a row; what its command needs beyond that is told with the file."""
    methods = read_methods("service_accounts")
    assert [each.name for each in methods] == [*VERBS, "rotate_secret"]
    assert list_by_hand("FILE", methods) == [
        "FILE: create: add an option for role_bindings: Sequence[models.RoleBindingInput] | None",
        "FILE: write a command for rotate_secret, which sends rotate_service_account_secret",
    ]


def test_no_method_hides_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of operations that would get one name, the shortest gets it, and the others keep their own."""
    monkeypatch.setattr("new_namespace.find_method", lambda _: "users.describe")
    names = {each.name: each.operation for each in read_methods("users")}
    assert names == {"describe": "fetch_user", "list_users": "list_users", "delete_user": "delete_user"}


@pytest.mark.parametrize(
    ("namespace", "problem"), [("projects", "exists already"), ("x", "no folder generated_client/api/x")]
)
def test_what_exists_is_refused(namespace: str, problem: str) -> None:
    """Nothing is written for a resource that has its files, or that the client was not generated with."""
    with pytest.raises(SystemExit, match=problem):
        main(namespace)
