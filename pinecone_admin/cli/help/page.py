"""The help of commands."""

from __future__ import annotations

from collections.abc import Iterable

import click

from pinecone_admin.cli.parameters import CommonOption, Positional

WIDEST = 100
"""Columns that a help uses at most."""


def write_help(command: click.Command, context: click.Context, formatter: click.HelpFormatter) -> None:
    """Write the help of a command but for its example: usage, what it does, arguments, options."""
    command.format_usage(context, formatter)
    command.format_help_text(context, formatter)
    params = command.get_params(context)
    arguments = [each for each in params if isinstance(each, Positional)]
    _write_section(formatter, "Arguments", ((each.make_metavar(context), each.text) for each in arguments))
    write_options(command, context, formatter)


def write_options(command: click.Command, context: click.Context, formatter: click.HelpFormatter) -> None:
    """Write the options of a command: its own, and those that every command has."""
    params = command.get_params(context)
    common = [each for each in params if isinstance(each, CommonOption)]
    own = [each for each in params[:-1] if each not in common]
    _write_section(formatter, "Options", _describe(own, context))
    _write_section(formatter, "Options of every command", _describe([*common, params[-1]], context))


def _describe(params: Iterable[click.Parameter], context: click.Context) -> Iterable[tuple[str, str]]:
    options = (each.get_help_record(context) for each in params if isinstance(each, click.Option))
    return filter(None, options)


def _write_section(formatter: click.HelpFormatter, title: str, rows: Iterable[tuple[str, str]]) -> None:
    listed = list(rows)
    if listed:
        with formatter.section(title):
            formatter.write_dl(listed)


def write_example(example: str, formatter: click.HelpFormatter) -> None:
    """Write the example as it is typed: a line that is too long is not broken."""
    with formatter.section("Example"):
        formatter.write(f"  {example}\n")
