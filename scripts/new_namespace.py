"""Write the namespace, the commands and the page of a plain resource; scripts/new_namespace calls this.

All is made from the builders and models in generated_client, whose texts are those of the API document. For a command
or an argument of another kind, it names the lines to write by hand.
"""

from __future__ import annotations

import ast
import doctest
import inspect
import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_type_hints

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # before an installed checkout, whose generated client may be another one

from generated_client import api, models  # noqa: E402 - the line above finds it
from tests.support.resources import find_method, name_singular  # noqa: E402

VERBS = ("list", "create", "describe", "update", "delete")
"""The methods that get a command, in the order of a namespace; others come after them."""
KINDS = {"str": ("name", '"x"'), "int": ("count", "1"), "bool": ("switch", "False")}
"""The kinds in the table of tests, each with a valid value, by type."""
DOCSTRINGS = "format.docstring-code-format = true"
PAGING = {
    "limit": "Items per page, 1 to 100; the server's default is 100.",
    "pagination_token": "Token at which to resume, from a page of this list.",
}
HEAD = '''"""Methods of ``admin.{namespace}``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from generated_client import api, models
from generated_client.types import Null
from pinecone_admin._async.pagination import AsyncCompleteList, AsyncPaginator
from pinecone_admin._concurrency.lazy import Namespace

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin
    from pinecone_admin._async.sender import AsyncSender


class {kind}(Namespace):
    """{summary}, as ``admin.{namespace}``.

    Every method also raises the errors of ``AsyncAdmin.send``.
    """

    def __init__(self, admin: AsyncAdmin, sender: AsyncSender) -> None:
        self._admin = admin
        self._sender = sender

'''
COMMANDS_HEAD = '''"""{title}."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pinecone_admin.cli.commands import Noun, argument, limit
from pinecone_admin.cli.parameters import Choice, Count, NameOrId

if TYPE_CHECKING:
    from pinecone_admin import models
    from pinecone_admin.cli.calls.pipeline import Call

NOUN = Noun("{noun}")

_own = argument("{variable}_id", "Name or id of the {words}.", type=NameOrId("{noun}"), metavar="{metavar}")
'''
PAGE = """# {title}

This page describes the methods of `admin.{namespace}`. With `AsyncAdmin`, [await them](client.md#asyncadmin).

<!-- scripts/reference.py: methods admin.{namespace} -->
<!-- end -->
"""
COMMANDS_PAGE = """---
keywords: {words} command
---

# Commands: {noun}

{title}.

<!-- scripts/reference.py: commands {noun} -->
<!-- end -->
"""
ROWS = """
Add to the files that exist:

pinecone_admin/_async/client.py, above and in the class:
    from pinecone_admin._async.{namespace} import {kind}

    @lazy_namespace
    def {namespace}(self) -> type[{kind}]:
        \"\"\"{summary}.\"\"\"
        from pinecone_admin._async.{namespace} import {kind}  # noqa: PLC0415 - imported on first use

        return {kind}

pinecone_admin/cli/nouns/__init__.py, in NOUNS:
    "{noun}": "{title}.",
tests/support/resources.py, in METHODS, with a kind from KINDS in tests/_async/test_validation.py for each "...":
{rows}
tests/unit/test_inventory.py, in NOT_READ, unless an inventory has a field for them:
    "{namespace}": "why an inventory does not read them",
docs/reference/index.md, under Methods:
- [{title}]({page}.md)
docs/reference/commands.md, under Pages:
- [{noun}](commands/{noun}.md)
docs/reference/permissions.md, in the table: {full_names}
CHANGELOG.md, under Added of the first version:
- `admin.{namespace}` and `pinecone-admin {noun}`: {summary}.

For the hand, if there are any:
{by_hand}

Then run scripts/unasync.py, scripts/rule_pages.py and scripts/reference.py, with .venv/bin/python: -m ruff format .,
-m tests.test_public_api and -m tests.test_golden_calls, and the tests."""


class Parameter(NamedTuple):
    """An argument of a method, with its place in the request, and its text and example in the document."""

    name: str
    type: str
    is_required: bool
    place: str
    text: str
    example: str

    @property
    def declaration(self) -> str:
        """The argument as a signature has it."""
        return f"{self.name}: {self.type}{'' if self.is_required else ' = None'}"

    @property
    def value(self) -> str:
        """The value that a method passes on: a list, for every sequence."""
        items = f"[*{self.name}]" if self.is_required else f"None if {self.name} is None else [*{self.name}]"
        return items if self.type.startswith("Sequence") else self.name

    @property
    def scalar(self) -> str:
        """``str``, ``int`` or ``bool``, or an empty text for anything else; no command sends null."""
        kind = self.type.removesuffix(" | None").removesuffix(" | Null")
        return kind if kind in KINDS else "int" if self.choices and isinstance(self.choices[0], int) else ""

    @property
    def choices(self) -> tuple[Any, ...]:
        """The values of a literal, or nothing for anything else."""
        name = self.type.removesuffix(" | None").removesuffix(" | Null").removeprefix("models.")
        literal = getattr(models, name, None)
        return tuple(value for each in get_args(literal) for value in get_args(each))

    @property
    def help(self) -> str:
        """The text in a command: its first clause, since the help has one line for it."""
        return re.split(r"[.;] ", self.text)[0].removesuffix(".") + "."


class Method(NamedTuple):
    """A method: its name, and its operation as what a caller passes and gets."""

    name: str
    operation: str
    text: str
    parameters: list[Parameter]
    body: str
    returns: str
    items: str


def read_method(name: str, builder: Callable[..., Any]) -> Method:
    """Return what the builder of an operation says."""
    hints, text = get_type_hints(builder), inspect.getdoc(builder) or ""
    (returned,) = get_args(hints["return"])
    example = "".join(each.source for each in doctest.DocTestParser().get_examples(text))
    parameters = read_parameters(builder, "Args", "", example)
    if body := hints.get("body"):
        parameters = [each for each in parameters if each.name != "body"]
        parameters += read_parameters(body, "Attributes", "body", example)
    items = str(inspect.signature(returned).parameters["data"].annotation) if name.startswith("list") else ""
    return Method(
        name=name,
        operation=builder.__name__,
        text=re.split(r"\n+(?:Args|Example):\n", text)[0].replace("List one page of", "List"),
        parameters=parameters,
        body=body.__name__ if body else "",
        returns="None" if returned is type(None) else f"models.{returned.__name__}",
        items=qualify(items.removeprefix("list[").removesuffix("]")),
    )


def read_parameters(owner: Callable[..., Any], title: str, place: str, example: str) -> list[Parameter]:
    """Return the arguments of a builder or the fields of a model, required ones first."""
    section = re.search(rf"^{title}:\n((?:    .*\n?|\n)+)", inspect.getdoc(owner) or "", re.MULTILINE)
    entries = re.split(r"^    (\w+): ", section[1], flags=re.MULTILINE)[1:] if section else []
    texts = dict(zip(entries[::2], entries[1::2], strict=True))
    keywords = [each for each in ast.walk(ast.parse(example)) if isinstance(each, ast.keyword)]
    values = {str(each.arg): ast.get_source_segment(example, each.value) for each in keywords}
    return [
        Parameter(
            name=name,
            type=qualify(str(each.annotation)).replace("list[", "Sequence["),
            is_required=each.default is each.empty,
            place=place or ("path" if each.default is each.empty else "query"),
            text=PAGING.get(name) or " ".join(texts.get(name, "").split()),
            example=values.get(name) or "",
        )
        for name, each in inspect.signature(owner).parameters.items()
        if name != "extra"
    ]


def qualify(annotation: str) -> str:
    """Return an annotation with the module of the models in it."""
    return re.sub(
        r"\b[A-Z]\w+", lambda found: f"models.{found[0]}" if found[0] in models.__all__ else found[0], annotation
    )


def write_method(namespace: str, variable: str, method: Method) -> str:
    """Return the source of a method of the namespace."""
    sent = [f"{each.name}={each.name}" for each in method.parameters if each.place != "body"]
    if method.body:
        fields = [f"{each.name}={each.value}" for each in method.parameters if each.place == "body"]
        sent.append(f"body=models.{method.body}({', '.join(fields)})")
    operation = f"api.{method.operation}({', '.join(sent)})"
    # An id in an example of the document is none of the organization in which examples run.
    ids = [f"{each.name}={each.name.removesuffix('_id')}.id" for each in method.parameters if each.place == "path"]
    given = [f"{each.name}={each.example}" for each in method.parameters if each.place == "body" and each.example]
    call = f"await admin.{namespace}.{method.name}({', '.join(ids + given)})"
    declared = ", ".join(["self", *["*"][: len(method.parameters)], *(each.declaration for each in method.parameters)])
    held = method.name.partition("_")[2]
    if method.items:
        is_paged = any(each.name == "pagination_token" for each in method.parameters)
        kind = "AsyncPaginator" if is_paged else "AsyncCompleteList"
        head, body = f"def {method.name}({declared}) -> {kind}[{method.items}]:", f"{kind}(self._sender, {operation})"
        body, example = f"return {body}", f"{held or namespace} = {call}{'.to_list()' * is_paged}"
    else:
        head, body = f"async def {method.name}({declared}) -> {method.returns}:", f"await self._admin.send({operation})"
        if method.returns == "None":
            example = call
        else:
            body, example = f"return {body}", f"{name_singular(held) or variable} = {call}"
    described = [
        textwrap.fill(f"{each.name}: {each.text}", 108, initial_indent="    ", subsequent_indent="        ")
        for each in method.parameters
    ]
    paragraphs = [*(textwrap.fill(each, 112) for each in method.text.split("\n\n"))]
    paragraphs += ["\n".join(["Args:", *described])] if described else []
    text = "\n\n".join([*paragraphs, f"Example:\n    >>> {example}"])
    return textwrap.indent(f'{head}\n    """{textwrap.indent(text, "    ").lstrip()}\n    """\n    {body}\n', "    ")


def write_command(namespace: str, noun: str, method: Method, sample: str) -> str:
    """Return the source of a command; an argument that is no text, number, switch or choice stays to be written."""
    options, declared, passed, words = [], [], [], []
    for each in method.parameters:
        if each.name in PAGING or not (each.scalar or each.choices):
            continue
        flag = each.name.replace("_", "-")
        text = f'help="{each.help}"'
        if each.name == f"{noun.replace('-', '_')}_id":
            options.append("@_own")
            words.append(shell_word(sample))
        elif each.place == "path":
            options.append(
                f'@click.option("--{flag[:-3]}", "{each.name}", type=NameOrId("{flag[:-3]}"), required=True, {text})'
            )
        elif each.choices and not each.scalar:
            kind = f"type=Choice({each.choices}), {'required=True, ' * each.is_required}"
            options.append(f'@click.option("--{flag}", {kind}{text})')
            if each.is_required or each.example:
                words += [f"--{flag}", shell_word(each.example or repr(each.choices[0]))]
        elif each.is_required:
            options.append(f'@argument("{each.name}", "{each.help}", metavar="{flag.upper()}")')
            words.append(shell_word(each.example))
        elif each.scalar == "bool":
            options.append(f'@click.option("--{flag}/--no-{flag}", default=None, {text})')
        else:
            options.append(f'@click.option("--{flag}", {"type=Count(0), " * (each.scalar == "int")}{text})')
            words += [f"--{flag}", shell_word(each.example)] if each.example else []
        declared.append(each.declaration.replace(" | Null", ""))
        passed.append(f"{each.name}={each.name}")
    if method.name == "list":
        options.append("@limit")
        passed += ["limit=call.page_size"] if any(each.name == "limit" for each in method.parameters) else []
    effect = {"list": "reads", "describe": "reads", "delete": "deletes"}.get(method.name, "changes")
    example = " ".join(["pinecone-admin", noun, method.name, *words, *["--yes"] * (effect != "reads")])
    returns, statement = ("None", "") if method.returns == "None" else ("object", "return ")
    signature = ", ".join(["call: Call", *["*"][: len(declared)], *declared])
    lines = [
        f'@NOUN.command("{effect}", example="{example}")',
        *options,
        f"def {method.name}{'_' * (method.name == 'list')}({signature}) -> {returns}:",
        f'    """{method.text.splitlines()[0]}"""',
        f"    {statement}call.admin.{namespace}.{method.name}({', '.join(passed)})",
    ]
    return "\n".join(["", *lines, ""])


def shell_word(example: str) -> str:
    """Return the example of an argument as a word of a command line."""
    return shlex.quote(str(ast.literal_eval(example))) if example else "x"


def write_row(method: Method) -> str:
    """Return the arguments of a method as a row of the table of tests."""
    is_only = sum(each.place == "body" for each in method.parameters) == 1
    cells = []
    for each in method.parameters:
        optional = "" if each.is_required else "only " if method.name == "update" and is_only else "optional "
        kind, valid = KINDS.get(each.scalar, ("...", "..."))
        if each.choices or each.name.endswith("_id"):
            kind, valid = "id", repr(next(iter(each.choices), "x"))
        cell = "ID" if each.place == "path" else {"limit": "LIMIT", "pagination_token": "TOKEN"}.get(each.name)
        made = f'Argument("{optional}{kind}", "{each.place}", {each.example or valid})'
        cells.append(f'"{each.name}": {cell or made}')
    return f"{{{', '.join(cells)}}}"


def list_by_hand(file: str, methods: list[Method]) -> list[str]:
    """Return what the module of the commands lacks: options of arguments of other types, and commands."""
    return [
        f"{file}: {method.name}: add an option for {each.name}: {each.type}"
        for method in methods
        for each in method.parameters
        if method.name in VERBS and each.name not in PAGING and not each.scalar and not each.choices
    ] + [
        f"{file}: write a command for {each.name}, which sends {each.operation}"
        for each in methods
        if each.name not in VERBS
    ]


def read_methods(namespace: str) -> list[Method]:
    """Return the methods of a namespace in their order; of two with one name, the second has that of its operation."""
    operations = [each for each in api.__all__ if f".api.{namespace}." in getattr(api, each).__module__]
    names: dict[str, str] = {}
    for operation in sorted(operations, key=len):
        name = find_method(operation).partition(".")[2]
        names[operation if name in names else name] = operation
    ordered = [*(each for each in VERBS if each in names), *sorted(names.keys() - set(VERBS))]
    return [read_method(name, getattr(api, names[name])) for name in ordered]


def main(namespace: str) -> None:
    """Write the files, and print the rows for others."""
    methods = read_methods(namespace)
    if not methods:
        sys.exit(f"new_namespace: there is no folder generated_client/api/{namespace}: run scripts/generate.sh SPEC")
    plain = [each for each in methods if each.name in VERBS]
    verbs, plural = [each.name for each in methods], namespace.replace("_", " ")
    *most, last = [each.name for each in plain]
    variable = name_singular(namespace)
    noun = variable.replace("_", "-")
    words = {
        "namespace": namespace,
        "variable": variable,
        "noun": noun,
        "metavar": noun.upper(),
        "words": variable.replace("_", " "),
        "page": namespace.replace("_", "-"),
        "title": plural.capitalize(),
        "kind": f"Async{namespace.title().replace('_', '')}",
        "summary": f"{' and '.join(filter(None, [', '.join(most), last]))} {plural}".capitalize(),
    }
    sample = next((p.example for each in methods if each.name == "create" for p in each.parameters if p.example), "")
    files = {
        f"pinecone_admin/_async/{namespace}.py": HEAD.format(**words)
        + "\n".join(write_method(namespace, variable, each) for each in methods),
        f"pinecone_admin/cli/nouns/{variable}.py": COMMANDS_HEAD.format(**words)
        + "\n".join(write_command(namespace, noun, each, sample) for each in plain),
        f"docs/reference/{words['page']}.md": PAGE.format(**words),
        f"docs/reference/commands/{noun}.md": COMMANDS_PAGE.format(**words),
    }
    if existing := [path for path in files if (ROOT / path).exists()]:
        sys.exit(f"new_namespace: {', '.join(existing)} exists already; nothing was written")
    for path, text in files.items():
        (ROOT / path).write_text(text, encoding="utf-8")
    for command in (["check", "--fix", "--select", "F401,I"], ["format", "--config", DOCSTRINGS]):
        subprocess.run([sys.executable, "-m", "ruff", *command, "--quiet", *list(files)[:2]], cwd=ROOT, check=True)
    rows = ROWS.format(
        **words,
        rows="\n".join(f'    "{namespace}.{each.name}": {write_row(each)},' for each in methods),
        full_names=", ".join(f"`{namespace}.{each}`" for each in verbs),
        by_hand="\n".join(list_by_hand(list(files)[1], methods)),
    )
    print("wrote", *files, rows, sep="\n  ")


if __name__ == "__main__":
    main(sys.argv[1])
