"""What a new resource costs: ``harpies`` with feathers are added whole to a copy of the project, and counted.

They are listed, created, fetched, updated and deleted, and have an enum; feathers are listed, added and removed.
The document of the copy gets ``new_resource/harpies.yaml``. What ``scripts/generate.sh``, ``scripts/new_namespace`` and
``scripts/unasync.py`` write costs nothing; each file of ``INSERTIONS`` does, and each of its lines.
"""

from __future__ import annotations

import difflib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MOST_FILES, MOST_LINES = 15, 200

METHODS = (
    "list",
    "create",
    "describe",
    "update",
    "delete",
    "add_feather",
    "list_feathers",
    "remove_feather",
)
# The lines to add by hand: file, beginning of the line before, new lines. The first comes before the generation.
SETTING = ("openapi/generator.yaml", "  ErrorCode:", "  HarpyMood: Harpy.mood\n  HarpyLevel: Harpy.level\n")
INSERTIONS = [
    (
        "pinecone_admin/_async/client.py",
        "    from pinecone_admin._async.api_keys import",
        "    from pinecone_admin._async.harpies import AsyncHarpies\n",
    ),
    (
        "pinecone_admin/_async/client.py",
        "        return AsyncRoleBindings",
        '''
    @lazy_namespace
    def harpies(self) -> type[AsyncHarpies]:
        """List, create, describe, update and delete harpies."""
        from pinecone_admin._async.harpies import AsyncHarpies  # noqa: PLC0415 - imported on first use

        return AsyncHarpies
''',
    ),
    ("pinecone_admin/cli/nouns/__init__.py", '    "role":', '    "harpy": "Guards of the organization.",\n'),
    (
        "pinecone_admin/cli/nouns/harpy.py",
        "    call.admin.harpies.delete(",
        '''

@NOUN.command("reads", example="pinecone-admin harpy list-feathers Celaeno")
@_own
@limit
def list_feathers(call: Call, *, harpy_id: str) -> object:
    """List the feathers of a harpy."""
    return call.admin.harpies.list_feathers(harpy_id=harpy_id, limit=call.page_size)


@NOUN.command("changes", example="pinecone-admin harpy add-feather Celaeno brown --yes")
@_own
@argument("color", "Color of the feather.", metavar="COLOR")
def add_feather(call: Call, *, harpy_id: str, color: str) -> object:
    """Add a feather to a harpy."""
    return call.admin.harpies.add_feather(harpy_id=harpy_id, color=color)


@NOUN.command(
    "deletes", example="pinecone-admin harpy remove-feather Celaeno 61067a8c-d7a3-483c-a7e9-69e2c8bf23fb --yes"
)
@_own
@argument("feather_id", "Id of the feather.", metavar="FEATHER")
def remove_feather(call: Call, *, harpy_id: str, feather_id: str) -> None:
    """Remove a feather from a harpy."""
    call.admin.harpies.remove_feather(harpy_id=harpy_id, feather_id=feather_id)
''',
    ),
    (
        "tests/support/resources.py",
        '    "role_bindings.delete":',
        """    "harpies.list": {"limit": LIMIT, "pagination_token": TOKEN},
    "harpies.create": {
        "name": Argument("name", "body", "Celaeno"),
        "mood": Argument("id", "body", "calm"),
        "level": Argument("optional count", "body", 2),
    },
    "harpies.describe": {"harpy_id": ID},
    "harpies.update": {
        "harpy_id": ID,
        "name": Argument("optional name", "body", "x"),
        "mood": Argument("optional id", "body", "wild"),
        "level": Argument("optional count", "body", 3),
        "note": Argument("optional name", "body", "x"),
    },
    "harpies.delete": {"harpy_id": ID},
    "harpies.add_feather": {"harpy_id": ID, "color": Argument("name", "body", "brown")},
    "harpies.list_feathers": {"harpy_id": ID, "limit": LIMIT, "pagination_token": TOKEN},
    "harpies.remove_feather": {"harpy_id": ID, "feather_id": ID},
""",
    ),
    ("tests/unit/test_inventory.py", '"""Namespaces that an', 'NOT_READ["harpies"] = "not asked for"\n'),
    ("docs/reference/index.md", "- [Role bindings]", "- [Harpies](harpies.md)\n"),
    ("docs/reference/commands.md", "- [role]", "- [harpy](commands/harpy.md)\n"),
    (
        "docs/reference/permissions.md",
        "| `organizations.update`",
        f"| {', '.join(f'`harpies.{each}`' for each in METHODS)} | OrgOwner | — |\n",
    ),
    ("CHANGELOG.md", "### Added", "\n- `admin.harpies` and `pinecone-admin harpy`: harpies and their feathers.\n"),
]
# Stand in for the type checkers: what they find goes into the report, which is not read here.
CHECKERS = {"mypy.py": "", "basedpyright.py": "print('{\"generalDiagnostics\": []}')\n"}
RECORDS = {"tests/public_api.txt": "tests.test_public_api", "tests/golden_calls.txt": "tests.test_golden_calls"}
# Of tests with parameters, those of the new resource alone are run.
TESTS = [
    "tests/_sync/test_operations.py",
    "tests/_sync/test_validation.py",
    "tests/_sync/test_pagination.py",
    "tests/test_public_api.py",
    "tests/test_golden_calls.py",
    "tests/test_least_roles.py",
    "tests/emulator/test_emulator_docs.py",
    "tests/emulator/test_emulator_state.py",
    "tests/cli/test_commands.py",
    "tests/cli/test_examples.py",
    "tests/unit/test_inventory.py",
    "tests/contract/test_document_examples.py",
    "tests/compat/test_official_sdk.py",
    "tests/test_docstrings.py",
    "tests/test_docs.py::test_all_methods_are_listed",
    "tests/test_docs.py::test_every_public_name_is_in_the_reference",
    "tests/test_docs.py::test_every_command_is_on_one_page_of_the_reference",
]


def copy_project(copy: Path) -> None:
    """Copy what is under version control, and what will be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    for name in listed.split("\0"):
        if name and (ROOT / name).exists():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)


def extend_document(document: str, additions: str) -> str:
    """Return the text of a document with each part of the additions at the end of the part of that name."""
    for part, follower in (("tags", "\npaths:\n"), ("paths", "\ncomponents:\n"), ("  schemas", "\n  parameters:\n")):
        _, _, rest = additions.partition(f"\n{part}:\n")
        lines = rest.splitlines(keepends=True)
        indent = len(part) - len(part.lstrip())
        end = next((n for n, line in enumerate(lines) if len(line) - len(line.lstrip()) <= indent), len(lines))
        assert document.count(follower) == 1
        document = document.replace(follower, f"\n{''.join(lines[:end])}{follower[1:]}")
    return document


def run_unchecked(copy: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the copy with this Python."""
    # The copy comes before the checkout that is installed.
    env = os.environ | {"PYTHONPATH": str(copy)}
    return subprocess.run([sys.executable, *command], cwd=copy, env=env, capture_output=True, text=True, check=False)


def run(copy: Path, *command: str) -> None:
    """Run a command of the copy with this Python; it must succeed."""
    done = run_unchecked(copy, *command)
    if done.returncode:
        pytest.fail(f"{' '.join(command)}\n{done.stdout[-5000:]}\n{done.stderr[-5000:]}")


def insert(file: Path, before: str, added: str) -> None:
    """Add lines to a file after the first one that begins so."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    number = next(number for number, line in enumerate(lines) if line.startswith(before))
    file.write_text("".join([*lines[: number + 1], added, *lines[number + 1 :]]), encoding="utf-8")


def count_changed_lines(before: str, after: str) -> int:
    """Return how many lines were added or removed."""
    changes = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return sum(line[0] in "+-" and line[:3] not in {"+++", "---"} for line in changes)


@pytest.mark.long(30)
def test_a_new_resource_costs_few_places(tmp_path: Path) -> None:
    """A resource is added with at most 15 files edited by hand, at most 200 lines in them, and its tests pass."""
    copy_project(tmp_path)
    additions = (ROOT / "tests/new_resource/harpies.yaml").read_text(encoding="utf-8")
    published = tmp_path / "published.yaml"
    published.write_text(extend_document((tmp_path / "openapi/admin.yaml").read_text(encoding="utf-8"), additions))
    insert(tmp_path / SETTING[0], *SETTING[1:])
    for name, text in CHECKERS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    run(tmp_path, "scripts/generate.py", "published.yaml")
    for name in CHECKERS:
        (tmp_path / name).unlink()
    run(tmp_path, "scripts/new_namespace.py", "harpies")
    files = sorted({SETTING[0], *(path for path, _, _ in INSERTIONS), *RECORDS})
    # What new_namespace wrote is not in the project.
    texts = {each: ((ROOT if (ROOT / each).exists() else tmp_path) / each).read_text("utf-8") for each in files}
    for path, before, added in INSERTIONS:
        insert(tmp_path / path, before, added)
    run(tmp_path, "scripts/unasync.py")
    run(tmp_path, "scripts/reference.py")
    for module in RECORDS.values():
        run(tmp_path, "-m", module)
    run(tmp_path, "-m", "ruff", "check", "--quiet", ".")
    lines = {each: count_changed_lines(text, (tmp_path / each).read_text("utf-8")) for each, text in texts.items()}
    assert len(lines) <= MOST_FILES, lines
    assert sum(lines.values()) <= MOST_LINES, lines
    run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not long", "-k", "harp or not [", *TESTS)
