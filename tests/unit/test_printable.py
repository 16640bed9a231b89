"""Text that others chose is printable wherever it is meant for people."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from random import Random

import pytest
from attrs import evolve

from pinecone_admin._text.printable import make_printable
from pinecone_admin.errors import AmbiguousNameError, ConflictError, LeftoverError, PineconeError
from pinecone_admin.models import User
from pinecone_admin.workflows.changes import Change, Ref, Settings, Step
from pinecone_admin.workflows.escaping import escape_csv, escape_markdown
from pinecone_admin.workflows.findings import Finding
from pinecone_admin.workflows.inventory import InventoryChange, InventoryChanges
from pinecone_admin.workflows.plans import (
    Left,
    OffboardManyReport,
    OffboardPlan,
    StalePlan,
    StaleProject,
    StaleReport,
)
from pinecone_admin.workflows.reports import CleanupReport, Content, Difference, OffboardReport, Progress, RoleChange
from pinecone_admin.workflows.resources import Unread
from tests.support.records import CREATED_AT, make_binding, make_project
from tests.unit.test_access import INVENTORY

FORGED = "x\nnothing was changed\r\n\x1b[2J\x00\x7f\x85\x9b\u061c\u200e\u2028\u2029\u202e\u2066\ud800"
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
PROJECT = make_project("p", FORGED)
ORGANIZATION = evolve(INVENTORY.organizations[0], name=FORGED)


def test_unprintable_characters_are_shown_by_code() -> None:
    """Every character that is not printable is shown by its code, any other as it is, and a cut by an ellipsis."""
    assert make_printable("a\nb\u202e\ud800") == r"a\u000ab\u202e\ud800"
    assert make_printable("é 漢 \U0001f469\u200d\U0001f467 \\n") == "é 漢 \U0001f469\u200d\U0001f467 \\n"
    assert make_printable("x" * 5, most=5) == "x" * 5
    assert make_printable("x" * 6, most=5) == "xxxx…"
    assert len(make_printable("\n" * 60_000, most=100)) == 100


PLACE = Ref("project", FORGED, FORGED)
STEP = Step(
    change=Change(
        action="update",
        target=Ref(FORGED, FORGED, FORGED, PLACE),
        settings=Settings(name=FORGED, roles=(FORGED,)),
        reason=FORGED,
    ),
    state="rejected",
    error=FORGED,
)
OFFBOARDING = OffboardReport(
    email=FORGED,
    dry_run=False,
    user=User(id=FORGED, email=FORGED),
    invites=[],
    bindings=[],
    reach=[],
    keys_to_rotate=[],
    service_accounts_to_rotate=[],
    refusal=FORGED,
    steps=[STEP],
)
CLEANUP = CleanupReport(
    project=PROJECT,
    dry_run=False,
    contents=[Content(kind=FORGED, name=FORGED)],
    unseen=[FORGED],
    deleted=False,
    refusal=FORGED,
    temporary_keys=[FORGED],
    steps=[STEP],
)
LEFT = Left(id=FORGED, name=FORGED, reason=FORGED)
STALE = StalePlan(
    organization_id=FORGED,
    organization=FORGED,
    client_id=FORGED,
    made_at=CREATED_AT,
    name_pattern=FORGED,
    older_than=timedelta(days=1),
    projects=[StaleProject(id=FORGED, name=FORGED, created_at=CREATED_AT, contents=CLEANUP.contents, unseen=[FORGED])],
    left=[LEFT],
    temporary_keys=[FORGED],
)
DELETED = StaleReport(deleted=STALE.projects, left=[LEFT], temporary_keys=[FORGED], steps=[STEP])
LEAVING = OffboardPlan(
    organization_id=FORGED,
    organization=FORGED,
    client_id=FORGED,
    made_at=CREATED_AT,
    not_found=[FORGED],
    unseen=[LEFT],
    reports=[OFFBOARDING],
    owner_ids=[FORGED],
)
ADDED = InventoryChange(
    kind="project", id=FORGED, name=FORGED, description=FORGED, field=None, before=None, after=PROJECT
)
REMOVED = evolve(ADDED, before=PROJECT, after=None)
CHANGED = evolve(ADDED, field=FORGED, before=FORGED, after=FORGED)
# Text for people → how many lines it has.
TEXTS: dict[str, tuple[Callable[[], object], int]] = {
    "error": (lambda: PineconeError(FORGED, operation=FORGED, request_id=FORGED), 1),
    "message": (lambda: PineconeError(FORGED).message, 1),
    "api error": (lambda: ConflictError(FORGED, status_code=409, error_code=FORGED), 1),
    "left": (lambda: LeftoverError(FORGED, left=[FORGED]), 1),
    "ambiguous": (lambda: AmbiguousNameError(FORGED, ids=[FORGED]), 1),
    "offboarding": (lambda: OFFBOARDING, 3),
    "cleanup": (lambda: CLEANUP, 3),
    "cleanup in advance": (lambda: evolve(CLEANUP, dry_run=True, steps=[]), 5),
    "plan of a deletion": (lambda: STALE, 5),
    "deletion": (lambda: DELETED, 4),
    "plan of offboarding": (lambda: LEAVING, 7),
    "many offboarded": (
        lambda: OffboardManyReport(
            dry_run=False, not_found=[FORGED], unseen=[LEFT], reports=[OFFBOARDING], left=[LEFT], steps=[STEP]
        ),
        6,
    ),
    "inventory": (lambda: repr(evolve(INVENTORY, organizations=[ORGANIZATION])), 1),
    "steps": (lambda: RoleChange(binding=make_binding("user", "u", "OrgOwner"), steps=[STEP]).steps[0], 1),
    "progress": (lambda: Progress(done=1, total=1, step=FORGED).step, 1),
    "difference": (lambda: Difference(setting="x", found=FORGED, wanted=FORGED), 1),
    "unread": (lambda: Unread(part="users", project_id=FORGED, error=FORGED), 1),
    "changes": (lambda: InventoryChanges(added=[ADDED], removed=[REMOVED], changed=[CHANGED], unknown=[FORGED]), 4),
    "change": (lambda: CHANGED, 1),
    "finding": (lambda: Finding(kind="invite-expired", text=FORGED).text, 1),
}


@pytest.mark.parametrize("name", TEXTS)
def test_text_for_people_is_printable(name: str) -> None:
    """No name, id or message of a server adds a line to a report or an error, or a character that is not printable."""
    make, lines = TEXTS[name]
    text = str(make())
    assert len(text.split("\n")) == lines
    assert not [line for line in text.split("\n") if UNPRINTABLE.search(line)]
    text.encode()


def test_a_note_is_printable() -> None:
    """A note of an error is one printable line."""
    error = PineconeError("m")
    error.add_note(FORGED)
    assert not UNPRINTABLE.search(error.__notes__[0])


def test_every_format_can_be_encoded() -> None:
    """A page, a table or JSON with unpaired surrogates can be written to a file, and JSON loses nothing."""
    access = evolve(INVENTORY, projects=[make_project("p1", FORGED)]).access()
    for text in (access.to_html(), access.to_csv(), access.to_markdown(), access.to_json(), STALE.to_json()):
        text.encode()
    assert FORGED in {row["project"] for row in json.loads(access.to_json())["access"]}
    assert StalePlan.from_json(STALE.to_json()) == STALE


def test_csv_has_no_formula_for_any_separator() -> None:
    """For every separator of a spreadsheet, no cell is a formula, and csv reads the same rows and columns."""
    random = Random(14)
    pieces = [
        "=1",
        "+",
        "-",
        "@x",
        "x",
        " ",
        '"',
        "'",
        ";",
        ",",
        "\t",
        "\n",
        "\r",
        "|",
        "\u00a0",
        "\uff1d",
        "\ud800",
        "cmd",
    ]
    for _ in range(2_000):
        rows = [["".join(random.choices(pieces, k=random.randint(0, 8))) for _ in range(3)] for _ in range(2)]
        text = io.StringIO()
        escaped = [[escape_csv(cell) for cell in row] for row in rows]
        csv.writer(text).writerows(escaped)
        assert list(csv.reader(io.StringIO(text.getvalue(), newline=""))) == escaped
        for piece in re.split("[;,\t\r\n|]", text.getvalue()):
            assert not re.match('[\\s"]*[=+@\uff1d-]', piece)
    assert escape_csv("x;=cmd|' /C calc'!A0;") == "x;'=cmd|' /C calc'!A0;"


def test_markdown_is_one_line() -> None:
    """A name stays on its line of a table."""
    assert "\n" not in escape_markdown(FORGED)
