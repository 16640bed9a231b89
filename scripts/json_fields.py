#!/usr/bin/env python3
"""Write docs/reference/commands/json.md: the fields that each command writes with -o json.

Usage: json_fields.py [--check]

The source is the output of the example of each command, run against the emulator. If a list of a report is empty there,
its class says what an item has. With --check nothing is written, and the exit status is 1 if the page differs.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any, get_args, get_origin
from unittest import mock

import attrs

from derived_page import render_table, write_or_check
from documentation.docstrings import break_lines
from generated_client.types import listed_fields, wire_attributes, wire_name
from pinecone_admin import models
from pinecone_admin._text.messages import Name
from pinecone_admin.cli.commands import Command
from pinecone_admin.cli.output.documents import THINGS
from pinecone_admin.cli.sentences import list_words
from tests.cli.command_line import COMMANDS
from tests.cli.example_runs import example_folder, run_example

PAGE = Path(__file__).resolve().parent.parent / "docs/reference/commands/json.md"
MODELS = ("Organization", "Project", "APIKey", "User", "Invite", "ServiceAccount", "RoleBinding")
FIELDS_OF_MODELS = {name: [field for _, field, _ in wire_attributes(getattr(models, name))] for name in MODELS}
WITHOUT = {"completion", "emulator", "help", "run"}
"""Commands that write no JSON of their own."""
OF_OTHERS = {"each", "send"}
"""Commands whose JSON is that of another command or of the API."""
OPEN = {"after", "before", "changes", "differences", "not_listed", "steps", "target", "would_do"}
"""Fields whose contents are described elsewhere, or are any value."""

INTRODUCTION = """\
---
keywords: json output, jq, output fields, script output, machine readable
---

<!-- Derived by scripts/json_fields.py from the examples of the commands. -->

# The JSON of the commands

This page is for scripts that read the output of `-o json` and `-o yaml`, or select from it with `--query`. The table
lists the fields of each command in the order of the output. A link stands for all fields of a model. `[]` marks a list,
and parentheses contain the fields of its items; without parentheses, the items are texts. `export` also writes
the other fields of [an organization file](../../how-to/organization-in-a-file.md) if they are needed.

- **A resource comes first.** If a command creates, changes or finds one resource, its fields are fields of the output.
  So `--query id` works with `create`, `ensure` and `rotate`.
- **`ensure` of a person** returns a user or an invite, which `kind` names. The fields of both are always there.
- **`steps`** contains a [Step](../workflows.md#step) for each change, and `changes` of a plan the
  [Change](../workflows.md#change) alone. `target` and the items of `not_listed` are a [Ref](../workflows.md#ref).
- **`differences`** contains a [Difference](../workflows/ensuring.md#difference) for each setting that differs.
- **Fields with a default** are left out of steps and changes if they have it. So are `is_server_time` and
  `may_be_deleted`.
- **A dry run** writes `dry_run`, `organization`, `caller`, `names` and `would_do`, which contains steps. `report`
  contains the other fields of a report, and `notes` what else would change.
- **`each`** writes one object for each row on a line of its own. If the row fails, the object has `error` in place of
  `result`.
- **`send`** writes the response of the API.
- **Plans of projects and people**: `apply` writes a [StaleReport](../workflows/deleting-projects.md#stalereport) or an
  [OffboardManyReport](../workflows/offboarding.md#offboardmanyreport), and `user offboard --people` an
  [OffboardPlan](../workflows/offboarding.md#offboardplan).

"""


def main(arguments: Sequence[str]) -> int:
    """Write or check the page, and return the exit status."""
    levels = list_words([f"`{field}` of `{name}`" for name, field in sorted(THINGS.items())])
    others = list_words([f"`{name}`" for name in sorted(WITHOUT)])
    paragraphs = [
        f"In Python, `to_dict` of a report has such a resource in a field of its own: {levels}.",
        (
            "The table shows the output with `--store`. [With `--reveal`](../../command-line.md#use-it-in-scripts), "
            "some fields are missing, and the secret is there. Errors, warnings and notes are [objects on standard "
            f"error](../../command-line.md#use-it-in-scripts). {others} write no JSON of their own."
        ),
    ]
    text = INTRODUCTION + "".join(f"{break_lines(each)}\n\n" for each in paragraphs)
    return write_or_check(PAGE, text + render_table(["command", "output"], list_rows()), arguments)


def list_rows() -> Iterator[tuple[str, str]]:
    """Yield each command with the fields of its output."""
    with example_folder(), showing_all_fields():
        for spec in (each for each in COMMANDS if each.full_name not in WITHOUT | OF_OTHERS):
            done = run_example(without_other_output(spec), "-o", "json").done
            if not done.stdout:
                raise RuntimeError(f"the example of {spec.full_name} writes nothing: {done.stderr}")
            yield f"`{spec.full_name}`", describe(json.loads(done.stdout))


@contextmanager
def showing_all_fields() -> Generator[None]:
    """Let JSON show every field of each report, and an item of its class in each empty list."""
    convert = models._model_to_dict  # noqa: SLF001 - every report becomes JSON there

    def convert_and_fill(place: Name, model: object, *, reveal: bool) -> dict[str, Any]:
        shown = convert(place, model, reveal=reveal)
        items = build_item(type(model))
        return {**shown, **{name: items[name] for name, value in shown.items() if value == []}}

    with (
        mock.patch.object(models, "_model_to_dict", convert_and_fill),
        mock.patch.object(models, "_values_to_leave_out", return_value={}),
    ):
        yield


def build_item(kind: Any, within: tuple[Any, ...] = ()) -> dict[str, Any]:
    """Return the fields of a class as ``to_dict`` and the commands name them, with one item in each list of records."""
    kind = get_origin(kind) or kind
    attrs.resolve_types(kind)
    fields = {
        wire_name(each): build_value(each.type, (*within, kind))
        for each in listed_fields(kind)
        if not each.metadata.get("only_in_memory")
    }
    thing: dict[str, Any] | None = fields.pop(THINGS.get(kind.__name__, ""), None)
    return {**(thing or {}), **fields}


def build_value(kind: Any, within: tuple[Any, ...]) -> Any:
    """Return what a field of this type contains; None for a plain value, and for a record that contains itself."""
    record = next((each for each in (kind, *get_args(kind)) if attrs.has(each) and each not in within), None)
    item = None if record is None else build_item(record, within)
    return ([] if item is None else [item]) if get_origin(kind) is list else item


def without_other_output(spec: Command) -> Command:
    """Return a command whose example chooses no format, stores its secret, and takes effect."""
    found = copy(spec)
    words = re.sub(r" (?:-o|--output) \w+", "", spec.example)
    found.example = (
        words.replace("--reveal", f"--store file:{'-'.join(spec.path)}") if spec.makes is not None else words
    )
    return found


def describe(value: Any) -> str:
    """Return what a document is, with its fields."""
    if isinstance(value, list):
        items: list[Any] = value
        return f"list of {list_fields(items[0]) if items else 'objects'}"
    return list_fields(value) if isinstance(value, dict) else "`true` or `false`"


def list_fields(document: Mapping[str, Any]) -> str:
    """Return the fields of an object, with those of a model as a link to it."""
    fields, parts = list(document), list[str]()
    while fields:
        # Of a person, the fields of two models are mixed.
        models_here = {} if "kind" in document else FIELDS_OF_MODELS
        name = next((name for name, own in models_here.items() if fields[: len(own)] == own), None)
        if name is not None:
            parts.append(f"[{name}](../models.md#{name.lower()})")
            del fields[: len(FIELDS_OF_MODELS[name])]
        else:
            parts.append(describe_field(fields[0], document[fields.pop(0)]))
    return ", ".join(parts)


def describe_field(name: str, value: Any) -> str:
    """Return a field, with the fields that any of the objects in it has."""
    fields: dict[str, Any] = {}
    for each in value if isinstance(value, list) else [value]:
        of_item = each if isinstance(each, dict) else {}
        fields |= {name: field for name, field in of_item.items() if field or name not in fields}
    inner = f" ({list_fields(fields)})" if name not in OPEN and fields else ""
    return f"`{name}[]`{inner}" if isinstance(value, list) else f"`{name}`{inner}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
