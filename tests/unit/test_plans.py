"""Plans: saving, reading back, and refusing files that are no plan."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import evolve

from pinecone_admin import PineconeTypeError, PineconeValueError
from pinecone_admin.models import APIKey, User
from pinecone_admin.workflows import (
    Change,
    Content,
    Left,
    OffboardPlan,
    OffboardReport,
    Reach,
    Ref,
    StalePlan,
    StaleProject,
    Step,
)
from pinecone_admin.workflows.plans import check_plan, describe_left
from tests.support.errors import raises
from tests.support.records import CREATED_AT, make_binding, make_project

HOSTILE = 'a"\n\u202e\x1b[31m nothing was deleted'
STALE = StalePlan(
    organization_id="o",
    organization="Acme",
    client_id="c",
    made_at=CREATED_AT,
    name_pattern="ci-*",
    older_than=timedelta(days=7, microseconds=1),
    projects=[
        StaleProject(
            id="p1",
            name="ci-1 ü",
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
            contents=[Content(kind="index", name="articles"), Content(kind="backup", name="b", leaving=True)],
        )
    ],
    left=[Left(id="p2", name="ci-2", reason="it has no date of creation")],
    temporary_keys=["k1"],
)
REPORT = OffboardReport(
    email="ada@example.com",
    dry_run=True,
    user=User(id="u1", email="Ada@example.com", name="Ada"),
    invites=[],
    bindings=[make_binding("user", "u1", "ProjectViewer", "p1")],
    reach=[Reach(project=make_project("p1", "search"), roles=["ProjectViewer"])],
    keys_to_rotate=[APIKey(id="k1", name="reader", project_id="p1", roles=["ProjectViewer"])],
    service_accounts_to_rotate=[],
    refusal=None,
    steps=[Step(change=Change(action="delete", target=Ref("user", "ada@example.com", "u1")), state="planned")],
)
OFFBOARD = OffboardPlan(
    organization_id="o",
    organization="Acme",
    client_id="c",
    made_at=CREATED_AT,
    not_found=["eve@example.com"],
    unseen=[Left(id="", name="x@example.com", reason="403")],
    reports=[REPORT],
    owner_ids=["u1", "u2"],
)
PLANS: list[tuple[Any, Any]] = [(StalePlan, STALE), (OffboardPlan, OFFBOARD)]


def test_a_plan_survives_saving() -> None:
    """from_json restores the plan that to_json converted, also with values that need escapes."""
    for kind, plan in PLANS:
        assert kind.from_json(plan.to_json()) == plan
        assert json.loads(plan.to_json())["organization_id"] == "o"
    hostile = evolve(STALE, projects=[evolve(STALE.projects[0], name=HOSTILE, contents=[])])
    assert StalePlan.from_json(hostile.to_json()) == hostile


def test_a_saved_plan_is_readable() -> None:
    """The JSON has one value per line, with names as they are, and an age in seconds."""
    lines = [line.strip(" ,") for line in STALE.to_json().splitlines()]
    assert lines[1:3] == ['"plan_of": "projects.delete_stale"', '"version": 3']
    assert '"name": "ci-1 ü"' in lines
    assert '"older_than_seconds": 604800.000001' in lines


def test_a_part_of_a_file_is_refused() -> None:
    """A file that was saved only in part raises an error that says so, wherever it ends."""
    for kind, plan in PLANS:
        text = plan.to_json()
        for end in range(0, len(text), 7):
            with raises(PineconeValueError, match="saved only in part"):
                kind.from_json(text[:end])


def test_a_plan_that_is_nested_too_deep_is_refused() -> None:
    """A reference takes another one, but not so deep that Python reads it and cannot write it, which differs."""
    for levels in (93, 94, 300, 600, 900):
        project, end = '"project": {"kind": "project", "name": null', "}" * levels
        target = '"id": "u1"\n            }'
        deep = OFFBOARD.to_json().replace(target, f'"id": "u1", {", ".join([project] * levels)}{end}}}')
        assert deep != OFFBOARD.to_json()
        if levels == 93:  # seven are around them
            assert json.loads(OffboardPlan.from_json(deep).to_json()) == json.loads(deep)
            continue
        with raises(PineconeValueError, match="text (has more than 100 levels|is not a JSON object)"):
            OffboardPlan.from_json(deep)


def test_a_foreign_file_is_refused() -> None:
    """A file of another kind, of another version, or with a missing or invalid field raises an error that names it."""
    for kind, plan in PLANS:
        document = json.loads(plan.to_json())
        cases: list[tuple[Any, str]] = [
            ([], "not a JSON object"),
            ({}, "text is not a plan of"),
            (document | {"plan_of": "terraform"}, "text is not a plan of"),
            (document | {"version": 1}, "is a plan of version 1, and this release reads version 3"),
            (document | {"made_at": "yesterday"}, "made_at must be a date-time"),
            (document | {"organization_id": 5}, "organization_id must be a string"),
            ({name: value for name, value in document.items() if name != "made_at"}, "made_at is missing"),
        ]
        for found, match in cases:
            with raises(PineconeValueError, match=match):
                kind.from_json(json.dumps(found))
        with raises(PineconeTypeError, match="text must be a str"):
            kind.from_json(document)
    for kind, text in ((StalePlan, OFFBOARD.to_json()), (OffboardPlan, STALE.to_json())):
        with raises(PineconeValueError, match="text is not a plan of .*: it is one of "):
            kind.from_json(text)


def test_whether_a_deletion_was_sent_is_no_matter_of_words() -> None:
    """A name or an error of somebody else may have the sentence in it."""
    left = Left(id="p", name="a", reason="its name is 'the server may have done it all the same'")
    assert [describe_left(each, "project").state for each in (left, evolve(left, may_be_deleted=True))] == [
        "skipped",
        "sent",
    ]


def test_a_plan_with_a_repeated_field_is_refused() -> None:
    """Python takes the last of two fields, and whoever has reviewed the plan may have read the first."""
    for kind, text in ((StalePlan, STALE.to_json()), (OffboardPlan, OFFBOARD.to_json())):
        for field in ("organization", "id"):
            name = f'"{field}": '
            with raises(PineconeValueError, f"text has the field '{field}' twice in an object: make another plan"):
                kind.from_json(text.replace(name, f'{name}"other", {name}', 1))


def test_a_plan_with_a_project_or_a_person_twice_is_refused() -> None:
    """The second one would be reported as deleted by others, or before the call."""
    shouted = evolve(REPORT, email="ADA@example.com")
    repeated = {
        "'p1' twice": evolve(STALE, projects=[*STALE.projects, evolve(STALE.projects[0], name="another")]),
        "'ada@example.com' twice": evolve(OFFBOARD, reports=[*OFFBOARD.reports, shouted]),
    }
    for problem, plan in repeated.items():
        with raises(PineconeValueError, f"text is not a valid plan: it has {problem}"):
            type(plan).from_json(plan.to_json())
        with raises(PineconeValueError, f"plan is not a valid plan: it has {problem}"):
            check_plan(plan, type(plan))
