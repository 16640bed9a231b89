"""The registry has a command for every public method, and says of each what it does."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator

import click

from cli_registry import public_methods
from cli_table import COVERED, TABLE
from generated_client import api
from pinecone_admin.cli.commands import COMMANDS
from pinecone_admin.cli.tree import PROGRAM, build_root
from tests.cli.example_runs import run_examples

# What reads the contents of a project makes a temporary key for that, and deletes it.
_TEMPORARY_KEY = {"create_api_key", "delete_api_key"}
_MAKES_TEMPORARY_KEYS = {"project delete-with-cleanup", "project stale"}


def test_signatures_resolve_at_run_time() -> None:
    """The types of every public method can be resolved, so that commands are derived from them."""
    for function in public_methods().values():
        assert "return" in typing.get_type_hints(function)


def test_every_public_method_has_a_command() -> None:
    """Each method is called by a command or covered by one."""
    called = {method for spec in COMMANDS for method in spec.methods}
    assert called == public_methods().keys()
    assert COVERED.keys() | TABLE.keys() <= called


def test_every_operation_is_sent_by_the_example_of_a_command() -> None:
    """The operations that the examples send are those of the API."""
    sent = {request.operation_id for each in run_examples() for request in each.requests}
    builders = {name for name in api.__all__ if not name.startswith("_")}
    assert builders - sent == {"delete_organization"}  # its example is a dry run: an organization cannot be had back


def test_the_effect_of_a_command_is_what_it_sends() -> None:
    """A command that reads sends GET only; one that deletes sends DELETE; one that changes sends something else."""
    for each in run_examples():
        spec = each.spec
        ignored = _TEMPORARY_KEY if spec.name in _MAKES_TEMPORARY_KEYS else set()
        methods = {request.method for request in each.requests if request.operation_id not in ignored} - {"GET"}
        if spec.effect == "reads":
            assert methods == set(), spec.name
        elif not spec.module and "--dry-run" not in spec.example:
            assert methods, spec.name
            assert "DELETE" in methods or spec.effect == "changes", spec.name


def test_names_of_commands_and_options_are_distinct() -> None:
    """No two commands have the same words, and no two parameters of a command the same name or spelling."""
    assert len({spec.path for spec in COMMANDS}) == len(COMMANDS)
    for spec in COMMANDS:
        options = [each.option for each in spec.parameters if each.option]
        assert len(set(options)) == len(options), spec.name
        assert len({each.name for each in spec.parameters}) == len(spec.parameters), spec.name


def test_every_argument_and_option_has_a_help() -> None:
    """No command has a parameter without a sentence about it, nor one with the limits of a number as a formula."""
    root = build_root()
    context = click.Context(root, info_name=PROGRAM)
    helps = dict(list_helps(root, context))
    assert [
        name for name, text in helps.items() if not re.match(r"[A-Za-z].*[.\]]$", text) or re.search(r"[<>]=", text)
    ] == []
    assert len(helps) > len(COMMANDS)


def list_helps(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    """Yield each argument and option of a command and of those below it, with its help."""
    for each in command.get_params(context):
        if isinstance(each, click.Argument):
            yield f"{context.command_path} {each.name}", getattr(each, "text", "")
        elif record := each.get_help_record(context):
            yield f"{context.command_path} {each.name}", record[1]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from list_helps(child, click.Context(child, info_name=name, parent=context))


def test_helps_do_not_speak_python() -> None:
    """No text of the registry has words that only a programmer knows."""
    python = "None|True|False|self|callable|callback|dict|str|bool|mapping|models?|keyword|raise[sd]?"
    words = rf"`|\b({python})\b|\w_\w|(?<!-)\bclient\b(?!-)"
    texts = {
        f"{spec.name} {each}": text
        for spec in COMMANDS
        for each, text in [
            ("summary", spec.summary),
            ("details", spec.details),
            *((parameter.name, parameter.help) for parameter in spec.parameters),
        ]
    }
    assert {where: text for where, text in texts.items() if re.search(words, text)} == {}
    assert [where for where, text in texts.items() if not text.endswith(".") and "details" not in where] == []
