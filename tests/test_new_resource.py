"""What a new resource costs: ``groups`` (list, create, delete) is added whole to a copy of the project, and counted.

The document of the copy gets ``new_resource/groups.yaml``. What ``scripts/generate.sh``, ``scripts/new_namespace`` and
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

from tests.support.mypy_cache import find_mypy_cache

ROOT = Path(__file__).resolve().parent.parent
MOST_FILES, MOST_LINES = 15, 200

# What is added by hand: file, beginning of the line before, new lines.
INSERTIONS = [
    (
        "pinecone_admin/_async/client.py",
        "    from pinecone_admin._async.api_keys import",
        "    from pinecone_admin._async.groups import AsyncGroups\n",
    ),
    (
        "pinecone_admin/_async/client.py",
        "        return AsyncRoleBindings(self",
        '''
    @lock_free_cached_property
    def groups(self) -> AsyncGroups:
        """Create, list and delete groups."""
        from pinecone_admin._async.groups import AsyncGroups  # noqa: PLC0415 - imported on first use

        return AsyncGroups(self, self._sender)
''',
    ),
    ("pinecone_admin/cli/nouns/__init__.py", '    "role-binding":', '    "group": "Groups of people and accounts.",\n'),
    (
        "tests/support/resources.py",
        '    "role_bindings.delete":',
        """    "groups.list": {"limit": LIMIT, "pagination_token": TOKEN},
    "groups.create": {"name": Argument("name", "body", "on-call")},
    "groups.delete": {"group_id": ID},
""",
    ),
    (
        "tests/unit/test_inventory.py",
        '"""Namespaces that an',
        'NOT_READ["groups"] = "not asked for"\n',
    ),
    ("docs/reference/index.md", "| `admin.role_bindings`", "| `admin.groups` | `list` · `create` · `delete` |\n"),
    ("docs/reference/index.md", "- [Role bindings]", "- [Groups](groups.md)\n"),
    ("docs/reference/models.md", "   Organization Project", "   Group\n"),
    (
        "docs/emulator.md",
        "| `role_bindings` | `list`",
        "| `groups` | `list`, `create`, `delete` | `list_groups`, `create_group`, `delete_group` |\n",
    ),
    (
        "docs/how-to/ci-identity.md",
        "| `organizations.update`",
        "| `groups.list`, `groups.create`, `groups.delete` | OrgOwner | — |\n",
    ),
    ("CHANGELOG.md", "### Added", "\n- `admin.groups` and `pinecone-admin group`: list, create and delete groups.\n"),
]
TESTS = [
    "tests/_sync/test_operations.py",
    "tests/_sync/test_validation.py",
    "tests/_sync/test_pagination.py",
    "tests/test_public_api.py",
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


def run(copy: Path, *command: str) -> None:
    """Run a command of the copy with this Python; it must succeed."""
    # The copy comes before the checkout that is installed.
    env = os.environ | {"PYTHONPATH": str(copy), "MYPY_CACHE_DIR": str(find_mypy_cache())}
    done = subprocess.run([sys.executable, *command], cwd=copy, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"{' '.join(command)}\n{done.stdout[-5000:]}\n{done.stderr[-5000:]}")


def insert(text: str, before: str, added: str) -> str:
    """Return a text with lines after the first one that begins so."""
    lines = text.splitlines(keepends=True)
    number = next(number for number, line in enumerate(lines) if line.startswith(before))
    return "".join([*lines[: number + 1], added, *lines[number + 1 :]])


def count_changed_lines(before: str, after: str) -> int:
    """Return how many lines were added or removed."""
    changes = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return sum(line[0] in "+-" and line[:3] not in {"+++", "---"} for line in changes)


@pytest.mark.long
def test_a_new_resource_costs_few_places(tmp_path: Path) -> None:
    """A resource is added with at most 15 files edited by hand, at most 200 lines in them, and its tests pass."""
    copy_project(tmp_path)
    additions = (ROOT / "tests/new_resource/groups.yaml").read_text(encoding="utf-8")
    published = tmp_path / "published.yaml"
    published.write_text(extend_document((tmp_path / "openapi/admin.yaml").read_text(encoding="utf-8"), additions))
    run(tmp_path, "scripts/generate.py", "published.yaml")
    run(tmp_path, "scripts/new_namespace.py", "groups")
    lines: dict[str, int] = {}
    for path, before, added in INSERTIONS:
        text = (tmp_path / path).read_text(encoding="utf-8")
        changed = insert(text, before, added)
        (tmp_path / path).write_text(changed, encoding="utf-8")
        lines[path] = lines.get(path, 0) + count_changed_lines(text, changed)
    run(tmp_path, "scripts/unasync.py")
    recorded = (tmp_path / "tests/public_api.txt").read_text(encoding="utf-8")
    run(tmp_path, "-m", "tests.test_public_api")
    now = (tmp_path / "tests/public_api.txt").read_text(encoding="utf-8")
    lines["tests/public_api.txt"] = count_changed_lines(recorded, now)
    run(tmp_path, "-m", "ruff", "check", "--quiet", ".")
    assert len(lines) <= MOST_FILES, lines
    assert sum(lines.values()) <= MOST_LINES, lines
    run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not long", *TESTS)
