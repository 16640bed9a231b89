"""Export in docs/how-to/review-access.md: the rows are flat, and the programs run, with stand-ins for packages."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import pytest

from pinecone_admin import to_dict
from pinecone_admin.emulator import Clock, Emulator
from pinecone_admin.testing import emulate
from tests.support.recipes import list_blocks

PROGRAMS = [block for block in list_blocks("docs/how-to/review-access.md") if block.language == "python"]
(ROWS,) = [block for block in PROGRAMS if block.file == "key_rows.py"]


@pytest.fixture
def emulator() -> Emulator:
    """Return an organization with a key that is 91 days old, and one that is new."""
    emulator = Emulator(clock=Clock(datetime(2026, 7, 1, tzinfo=UTC)))
    with emulator.admin() as admin:
        project_id = admin.projects.create(name="search").id
        admin.api_keys.create(project_id=project_id, name="old", roles=["ControlPlaneViewer", "DataPlaneViewer"])
        emulator.clock.advance(91 * 86_400)
    with emulator.admin() as admin:
        admin.api_keys.create(project_id=project_id, name="new", roles=["ProjectEditor"])
    return emulator


def test_each_row_has_the_same_plain_columns(emulator: Emulator) -> None:
    """The rows have names, one text of roles, and the age by the server's clock."""
    variables: dict[str, Any] = {}
    exec(ROWS.text, variables)
    with emulator.admin() as admin:
        inventory = admin.inventory()
    assert variables["list_keys"](inventory) == [
        {"project": "search", "key": "old", "roles": "ControlPlaneViewer DataPlaneViewer", "age": 91},
        {"project": "search", "key": "new", "roles": "ProjectEditor", "age": 0},
    ]
    assert {type(value) for row in to_dict(inventory.users) for value in row.values()} <= {str, type(None)}


class Package:
    """Stands for a package that is not installed: everything in it can be called, indexed and compared.

    Attributes:
        rows: The source of a table.
    """

    rows: list[dict[str, object]]

    def DataFrame(self, rows: list[dict[str, object]], **_: object) -> Package:  # noqa: N802 - as the packages call it
        """Make a table."""
        self.rows = rows
        return self

    def __getattr__(self, name: str) -> Package:
        return self

    def __call__(self, *_: object, **__: object) -> Package:
        """Take anything."""
        return self

    def __getitem__(self, key: object) -> Package:
        return self

    def __gt__(self, other: object) -> Package:
        return self


@pytest.fixture(params=["pandas", "polars"])
def program(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, Package | None]:
    """Return a program of the page, and what stands for its package if that is not installed."""
    name = cast("str", request.param)
    (tmp_path / ROWS.file).write_text(ROWS.text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "key_rows", raising=False)
    monkeypatch.chdir(tmp_path)
    package = None if find_spec(name) is not None else Package()
    if package is not None:
        for each in (name, "matplotlib", "matplotlib.pyplot"):
            monkeypatch.setitem(sys.modules, each, cast("Any", package))
    (text,) = [block.text for block in PROGRAMS if f"import {name}" in block.text]
    return text, package


def test_a_program_makes_a_table_of_the_rows(
    program: tuple[str, Package | None], emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """The package gets a row for each key; where it is installed, the program prints the one that is old."""
    text, package = program
    with emulate(emulator):
        exec(text, {"__name__": "program"})
    if package is None:
        assert "old" in capsys.readouterr().out
    else:
        assert [row["key"] for row in package.rows] == ["old", "new"]


@pytest.mark.parametrize("names", [(), ("old", "new")], ids=["no key", "keys without a date"])
def test_a_program_needs_neither_keys_nor_dates(program: tuple[str, Package | None], names: tuple[str, ...]) -> None:
    """An organization can have no key, and a server that sends no dates of keys: the program runs to its end."""
    emulator = Emulator(key_created_at=False)
    with emulator.admin() as admin:
        project_id = admin.projects.create(name="search").id
        for name in names:
            admin.api_keys.create(project_id=project_id, name=name)
    text, package = program
    with emulate(emulator):
        exec(text, {"__name__": "program"})
    assert package is None or [row["age"] for row in package.rows] == [None] * len(names)
