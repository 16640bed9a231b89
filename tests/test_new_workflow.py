"""The cost of a new workflow: the test adds ``projects.example_hand_over`` to a copy of the project, as the page tells.

The workflow gives the project of one user to another. Each file of ``WRITTEN`` and ``INSERTIONS`` counts, and each of
its lines. Files that scripts write, such as ``_sync`` and the records of the tests, do not count.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.test_new_resource import RECORDS, copy_project, count_changed_lines, run, run_unchecked

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "tests/new_workflow"
MOST_FILES, MOST_LINES = 10, 200

# New files, each with what it contains.
WRITTEN = {
    "pinecone_admin/_async/workflows/example_hand_over.py": "example_hand_over.txt",
    "tests/_async/test_workflow_example_hand_over.py": "test_workflow_example_hand_over.txt",
}
# Each text that is added by hand: its file, the text that follows it there, and the text.
INSERTIONS = [
    (
        "pinecone_admin/_async/projects.py",
        "    async def delete(self, *, project_id: str)",
        (DATA / "method.txt").read_text(encoding="utf-8"),
    ),
    (
        "pinecone_admin/cli/nouns/project.py",
        "@NOUN.session_command(",
        (DATA / "command.txt").read_text(encoding="utf-8"),
    ),
    (
        "tests/faults/workflow_scenarios.py",
        "def _prepare_leaver(",
        """\
def _prepare_owners(world: World) -> None:
    _prepare_member(world)
    world.grant(Principal("user", world.ids["user"]), ("ProjectOwner", world.ids["project"]))
    world.ids["new"] = world.emulator.state.add_user("eve@example.com").id
    world.grant(Principal("user", world.ids["new"]), "OrgMember")


def _find_handed_over(world: World) -> Iterable[str]:
    yield from _find_roles("user", "new", "OrgMember", "ProjectOwner")(world)
    yield from _find_roles("user", "user", "OrgManager", "ProjectEditor")(world)


""",
    ),
    (
        "tests/faults/workflow_scenarios.py",
        '    "rotate key": Scenario(',
        """\
    "example hand over": Scenario(
        workflow="example_hand_over",
        prepare=_prepare_owners,
        run=lambda world, admin: admin.projects.example_hand_over(
            project_id=world.ids["project"], user_id=world.ids["new"], from_user_id=world.ids["user"]
        ),
        find_lacks=_find_handed_over,
        never_lacks=_find_one_role(("user", "user"), ("user", "new"), roles=["ProjectOwner"]),
        undoes=True,
        namesake=_add_namesakes,
        actor=_grant_role("user", "new", "ProjectOwner"),
    ),
""",
    ),
    (
        "tests/support/resources.py",
        '    "projects.delete_with_cleanup": {',
        """\
    "projects.example_hand_over": {
        "project_id": ID,
        "user_id": Argument("id", "none", "u"),
        "from_user_id": Argument("id", "none", "f"),
        "dry_run": DRY_RUN,
    },
""",
    ),
    (
        "docs/workflows.md",
        "| `projects.delete_with_cleanup` |",
        "| `projects.example_hand_over` | gives the project of one user to another | `dry_run` |\n",
    ),
    ("docs/reference/permissions.md", "`projects.delete_with_cleanup`", "`projects.example_hand_over`, "),
    (
        "CHANGELOG.md",
        "\n- ",
        "\n- `projects.example_hand_over` and `project example-hand-over` give a project to another user.",
    ),
]
# The tests that fail without what is added to a file, and name it.
TELLING = {
    "pinecone_admin/cli/nouns/project.py": "tests/cli/test_commands.py::test_every_public_method_has_a_command",
    "tests/faults/workflow_scenarios.py": "tests/faults/test_workflow_grid.py::test_every_workflow_has_a_scenario",
    "tests/support/resources.py": "tests/_sync/test_validation.py::test_every_argument_is_covered",
    "docs/workflows.md": "tests/test_docs.py::test_all_workflows_are_listed",
    "docs/reference/permissions.md": "tests/test_least_roles.py::test_page_has_the_least_roles",
}
# Of tests with parameters, those of the new workflow alone are run.
TESTS = [
    "tests/_async/test_workflow_example_hand_over.py",
    "tests/_sync/test_workflow_example_hand_over.py",
    "tests/_sync/test_validation.py",
    "tests/faults/test_workflow_grid.py",
    "tests/test_public_api.py",
    "tests/test_golden_calls.py",
    "tests/test_layers.py",
    "tests/cli/test_commands.py",
    "tests/cli/test_examples.py",
    "tests/cli/test_help_pages.py",
    "tests/test_docstrings.py",
    "tests/test_docs.py::test_every_workflow_previews_or_takes_a_plan",
    "tests/test_docs.py::test_every_public_name_is_in_the_reference",
    "tests/test_docs.py::test_every_command_is_on_one_page_of_the_reference",
    *TELLING.values(),
]
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not long")


def read_section() -> str:
    """Return the section of the page that tells how to add a workflow."""
    page = (ROOT / "docs/contributing/extending.md").read_text(encoding="utf-8")
    return page.partition("\n## Add a workflow\n")[2].partition("\n## ")[0]


def test_the_section_names_what_is_edited_and_run() -> None:
    """The section names each edited file, some of them with a placeholder, and each command."""
    section = read_section()
    named = [re.sub("NAME(SPACE)?|NOUN", r"\\w+", re.escape(each)) for each in re.findall(r"`([\w/.-]+)`", section)]
    edited = {*WRITTEN, *(path for path, _, _ in INSERTIONS)}
    assert [path for path in sorted(edited) if not any(re.fullmatch(each, path) for each in named)] == []
    for command in ("scripts/unasync.py", "scripts/reference.py", *RECORDS.values(), "scripts/test"):
        assert command in " ".join(section.split())


def add_workflow(copy: Path) -> dict[str, int]:
    """Do what the section tells, and return how many lines each file took."""
    files = sorted({*WRITTEN, *(path for path, _, _ in INSERTIONS)})
    texts = {each: (copy / each).read_text("utf-8") if (copy / each).exists() else "" for each in files}
    for path, name in WRITTEN.items():
        (copy / path).write_text((DATA / name).read_text(encoding="utf-8"), encoding="utf-8")
    for path, after, added in INSERTIONS:
        text = (copy / path).read_text(encoding="utf-8")
        before, found, rest = text.partition(after)
        assert found, f"{path} has no {after!r}"
        (copy / path).write_text(f"{before}{added}{found}{rest}", encoding="utf-8")
    return {each: count_changed_lines(text, (copy / each).read_text("utf-8")) for each, text in texts.items()}


@pytest.mark.long(70)
def test_a_new_workflow_costs_few_places(tmp_path: Path) -> None:
    """A workflow is added with at most 10 files edited by hand, at most 200 lines in them, and its tests pass.

    Without what is added to one of them, a test fails that names it.
    """
    copy_project(tmp_path)
    originals = {path: (tmp_path / path).read_bytes() for path in TELLING}
    lines = add_workflow(tmp_path)
    assert len(lines) <= MOST_FILES, lines
    assert sum(lines.values()) <= MOST_LINES, lines
    run(tmp_path, "scripts/unasync.py")
    run(tmp_path, "scripts/reference.py")
    for module in RECORDS.values():
        run(tmp_path, "-m", module)
    run(tmp_path, "-m", "ruff", "check", "--quiet", ".")
    run(tmp_path, "-m", "ruff", "format", "--check", "--quiet", ".")
    chosen = "example_hand_over or hand-over or over] or not [ or projects]"
    run(tmp_path, *PYTEST, "--whole-grids", "-k", chosen, *TESTS)
    run(tmp_path, "scripts/smoke.py")
    for path, test in TELLING.items():
        whole = (tmp_path / path).read_bytes()
        (tmp_path / path).write_bytes(originals[path])
        done = run_unchecked(tmp_path, *PYTEST, test)
        assert done.returncode == 1, test
        place = path.rpartition("/")[0] if "/nouns/" in path else path
        assert re.search(rf"^E .*{re.escape(place)}", done.stdout, re.MULTILINE), done.stdout
        (tmp_path / path).write_bytes(whole)
