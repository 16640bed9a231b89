#!/usr/bin/env python3
"""Write the pages in docs/reference, but for its index: what the docstrings and signatures of public names say.

Usage: reference.py [--check]

With --check nothing is written, and the exit status is 1 if a page differs.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from types import ModuleType

from documentation.commands import render_commands
from documentation.docstrings import parse_docstring, render_item
from documentation.entries import is_for_users, render_entry

import pinecone_admin
from derived_page import write_or_check
from pinecone_admin._sync.client import NAMESPACES
from pinecone_admin.emulator.control import faults, request_log

FOLDER = Path(__file__).resolve().parent.parent / "docs/reference"
NOTE = """\
<!-- Derived by scripts/reference.py from signatures and docstrings. -->
<!-- fmt: off -->
"""

LAYOUTS = {
    "client": """\
# Client

Import from `pinecone_admin`. `AsyncAdmin` has the same constructor and methods as `Admin`: await those that send
requests.

names pinecone_admin: Admin AsyncAdmin __version__
""",
    "lists": """\
# Lists and pages

What `list` of users, invites, service accounts and role bindings returns. Import from `pinecone_admin`.

names pinecone_admin: Paginator Page AsyncPaginator AsyncCompleteList
""",
    "models": """\
# Models

Import from `pinecone_admin.models`. `pinecone_admin` has `RoleBindingDict`, `Unlisted`, `on_organization`, `on_project`
and `to_dict`, too.

## Resources

A field of a response that the API document does not list is in `extra`, by its name in JSON: `project.extra["region"]`.
`repr` masks the values of all such fields, because nobody has said which of them are secrets. `created_at` of an API
key is not listed either, but known from Pinecone's pages: it is an attribute, and None if a response does not have it.

names pinecone_admin.models: Organization Project APIKey APIKeyWithSecret User Invite ServiceAccount
names pinecone_admin.models: ServiceAccountWithSecret RoleBinding CLASSES

## Role bindings to create

names pinecone_admin.models: on_organization on_project RoleBindingInput RoleBindingDict RoleBindingLike

## Conversion

names pinecone_admin.models: to_dict

## Roles and other values

names pinecone_admin.models: ORGANIZATION_ROLES PROJECT_ROLES API_KEY_ROLES RoleName OrganizationRoleName
names pinecone_admin.models: ProjectRoleName APIKeyRole VALUES Unlisted Null

## Bodies of requests

The namespaces build these from their arguments. You need them only to
[send an operation](../how-to/send-an-operation.md).

names pinecone_admin.models: *Request

## Bodies of responses

names pinecone_admin.models: *List *Response ErrorResponseError
""",
    "errors": """\
# Errors

Import from `pinecone_admin`. [Errors and outcomes](../errors.md) says what to do about each.

names pinecone_admin.errors: PineconeError Outcome PineconeValueError ValidationError PineconeTypeError ReadOnlyError
names pinecone_admin.errors: ClientClosedError ApiError BadRequestError UnauthorizedError PaymentRequiredError
names pinecone_admin.errors: ForbiddenError NotFoundError ConflictError FailedPreconditionError UnprocessableEntityError
names pinecone_admin.errors: RateLimitError ServiceError TokenError InvalidCredentialsError PineconeConnectionError
names pinecone_admin.errors: PineconeTimeoutError ResponseParsingError Masked PaginationError AmbiguousNameError
names pinecone_admin.errors: RefusedError SecretNotStoredError LeftoverError
""",
    "workflows": """\
# Results of workflows

What [workflows](../workflows.md) take and return. Import from `pinecone_admin.workflows`; `pinecone_admin` has
`Ensured`, `Inventory` and `ProjectRole`, too.

## What was done

names pinecone_admin.workflows: Step

## Ensure and provision

names pinecone_admin.workflows: Ensured Difference OnDifference Provisioned ProjectRole ProjectRoleDict

## Rotate keys and change roles

names pinecone_admin.workflows: Rotation RetiredKeys KeptKey DueRotations FailedRotation RoleChange

## Offboard people

names pinecone_admin.workflows: OffboardReport Reach OffboardPlan OffboardManyReport Left

## Delete projects

names pinecone_admin.workflows: CleanupReport Content Progress StalePlan StaleProject StaleReport

## An organization in a file

names pinecone_admin.workflows: DesiredState plan_changes ChangePlan ApplyReport FailedStep NewSecret

## Take an inventory and audit access

names pinecone_admin.workflows: Inventory Unread Changes Change Access AccessRow Holder Finding Waiver Review
""",
    "auth": """\
# Tokens

Import from `pinecone_admin.auth`.

names pinecone_admin.auth: AccessToken TokenCache FileTokenCache
""",
    "retry": """\
# Retries

Import from `pinecone_admin.retry`. `pinecone_admin` has `RetryPolicy` and `AttemptEvent`, too.

names pinecone_admin.retry: RetryPolicy AttemptEvent RetryTransport AsyncRetryTransport
""",
    "operations": """\
# Operations

Import from `pinecone_admin.operations`. [Send an operation that has no method](../how-to/send-an-operation.md) shows
how to use them.

names pinecone_admin.operations: Operation API_VERSION [a-z]*
""",
    "testing": """\
# Testing and the emulator

Import `emulate` from `pinecone_admin.testing`, and the others from `pinecone_admin.emulator`. pytest finds the fixture
`pinecone_emulator`, an `Emulator`, by itself. [The emulator](../emulator.md) shows how to use them.

names pinecone_admin.testing: emulate
names pinecone_admin.emulator: Emulator Clock Request serving

## Faults

methods emulator.faults
names pinecone_admin.emulator.control.faults: Fault

## The log of requests

methods emulator.requests
names pinecone_admin.emulator.control.request_log: LoggedRequest
""",
}
"""The pages of classes and functions; a line that begins with "names" or "methods" stands for the entries."""

NAMESPACE = """\
# {title}

Methods of `admin.{namespace}`. All arguments are keyword arguments. In the async client, await them.

methods admin.{namespace}
"""

_LINE = re.compile(r"^(names|methods) ([\w.]+)(?:: (.+))?$")


def main(arguments: list[str]) -> int:
    """Write or check the pages, and return the exit status."""
    pages = {FOLDER / f"{name}.md": text for name, text in render_pages()}
    others = sorted({*FOLDER.glob("*.md")} - {*pages, FOLDER / "index.md"})
    for path in others:
        sys.stderr.write(f"docs/reference/{path.name} has no source in scripts/reference.py\n")
    return max([write_or_check(path, text, arguments) for path, text in pages.items()] + [int(bool(others))])


def render_pages() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each page."""
    for name, layout in LAYOUTS.items():
        yield name, render_page(layout)
    for namespace in NAMESPACES:
        words = re.sub(r"\bapi\b", "API", namespace.replace("_", " "))
        layout = NAMESPACE.format(title=words[0].upper() + words[1:], namespace=namespace)
        yield namespace.replace("_", "-"), render_page(layout)
    yield "commands", NOTE + "\n" + render_commands()


def render_page(layout: str) -> str:
    """Return a page with the entries that its layout names."""
    parts, level = [NOTE], 2
    for line in layout.splitlines():
        level = 3 if line.startswith("## ") else level
        found = _LINE.match(line)
        if found is None:
            parts.append(line)
        elif found[1] == "methods":
            parts.append(render_methods(found[2], find_class(found[2]), level))
        else:
            module = importlib.import_module(found[2])
            names = [name for pattern in found[3].split() for name in match_names(module, pattern, layout)]
            parts += [render_entry(name, getattr(module, name), level) for name in names]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts)).rstrip() + "\n"


def render_methods(path: str, kind: type, level: int) -> str:
    """Return a list of the methods of an object in users' code, such as `admin.projects`, and their entries."""
    members = [(name, each) for name, each in vars(kind).items() if callable(each) and is_for_users(name, each)]
    rows = [render_item(f"[`{name}`](#{anchor(f'{path}.{name}')})", summarize(each)) for name, each in members]
    return "".join(rows) + "\n" + "\n".join(render_entry(f"{path}.{name}", each, level) for name, each in members)


def anchor(heading: str) -> str:
    """Return the anchor of a heading, on the site as in a checkout."""
    return re.sub(r"[^\w-]", "", heading.lower())


def summarize(documented: object) -> str:
    """Return the first sentence of a docstring."""
    return parse_docstring(inspect.getdoc(documented) or "").summary


def find_class(path: str) -> type:
    """Return the class of an object in users' code, such as `admin.projects` or `emulator.faults`."""
    kinds: dict[str, type] = {"emulator.faults": faults.Faults, "emulator.requests": request_log.RequestLog}
    return kinds.get(path) or find_namespace_class(path.removeprefix("admin."))


def find_namespace_class(namespace: str) -> type:
    """Return the class of a namespace of the client."""
    module = importlib.import_module(f"pinecone_admin._sync.{namespace}")
    kind: type = getattr(module, inspect.get_annotations(vars(pinecone_admin.Admin)[namespace].func)["return"])
    return kind


def match_names(module: ModuleType, pattern: str, layout: str) -> list[str]:
    """Return a name, or the public names that a pattern matches, by the modules that define them.

    CLASSES are the classes that no other pattern of the layout matches, and VALUES are the other values.
    """
    if pattern in {"CLASSES", "VALUES"}:
        patterns = [each for line in re.findall(r"^names [\w.]+: (.+)$", layout, re.MULTILINE) for each in line.split()]
        rest = [name for name in module.__all__ if not any(fnmatchcase(name, each) for each in patterns)]
        return [name for name in rest if inspect.isclass(getattr(module, name)) == (pattern == "CLASSES")]
    if not re.search(r"[*\[]", pattern):
        return [pattern]
    found = [name for name in module.__all__ if fnmatchcase(name, pattern)]
    return sorted(found, key=lambda name: (getattr(module, name).__module__.rpartition(".")[0], name))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
