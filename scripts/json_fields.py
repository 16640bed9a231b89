#!/usr/bin/env python3
"""Write docs/reference/commands/json.md: the fields that each command writes with -o json.

Usage: json_fields.py [--check]

The source is the output of the example of each command, run against the emulator. With --check nothing is written, and
the exit status is 1 if the page differs.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Any

from derived_page import render_table, write_or_check
from documentation.docstrings import break_lines
from generated_client.types import wire_attributes
from pinecone_admin import models
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
OPEN = {"after", "before", "steps", "would_do"}
"""Fields whose contents are described elsewhere, or are any value."""

INTRODUCTION = """\
---
keywords: json output, jq, output fields, script output, machine readable
---

<!-- Derived by scripts/json_fields.py from the examples of the commands. -->

# The JSON of the commands

This page is for scripts that read the output of `-o json` and `-o yaml`, or select from it with `--query`. The table
lists the fields of each command in the order of the output. A link stands for all fields of a model. `[]` marks a list,
and parentheses contain the fields of its items, if the list is not empty in the example of the command.

- **A resource comes first.** If a command creates, changes or finds one resource, its fields are fields of the output.
  So `--query id` works with `create`, `ensure` and `rotate`.
- **`ensure` of a person** returns a user or an invite, which `kind` names. The fields of both are always there.
- **`steps`** contains a [Step](../workflows.md#step) for each change.
- **A dry run** writes `dry_run`, `organization`, `caller`, `names` and `would_do`, which contains steps. `report`
  contains the other fields of a report, and `notes` what else would change.
- **`each`** writes one object for each row on a line of its own. If the row fails, the object has `error` in place of
  `result`.
- **`send`** writes the response of the API.

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
    with example_folder():
        for spec in (each for each in COMMANDS if each.full_name not in WITHOUT | OF_OTHERS):
            done = run_example(without_other_output(spec), "-o", "json").done
            if not done.stdout:
                raise RuntimeError(f"the example of {spec.full_name} writes nothing: {done.stderr}")
            yield f"`{spec.full_name}`", describe(json.loads(done.stdout))


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
    """Return a field, with the fields of what it contains."""
    items: list[Any] = value if isinstance(value, list) else [value]
    inner = f" ({list_fields(items[0])})" if name not in OPEN and items and isinstance(items[0], dict) else ""
    return f"`{name}[]`{inner}" if isinstance(value, list) else f"`{name}`{inner}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
