"""Ends of roles, people, service accounts and keys in the organization file."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from attrs import evolve

from generated_client.models import Invite, Project
from pinecone_admin import PineconeValueError, RefusedError
from pinecone_admin.workflows import Change, ChangePlan, DesiredState, Inventory, plan_changes
from pinecone_admin.workflows.ends import NO_DATE
from pinecone_admin.workflows.guard import Caller
from pinecone_admin.workflows.organization_index import OrganizationIndex
from pinecone_admin.workflows.plan_execution import review_plan
from tests.support.errors import raises
from tests.unit.test_desired_state import make_inventory

LAST_DAY = date(2027, 1, 31)
ENDED, STILL = "2027-01-31", "2027-02-28"
DAY_AFTER = datetime(2027, 2, 1, 0, 0, tzinfo=UTC)
BOB = "bob@example.com"


def make(*, now: datetime = DAY_AFTER, **parts: Any) -> Inventory:
    """Return an inventory of a time, with bob as a member and an editor of search."""
    roles = [("user", BOB, "OrgMember", None), ("user", BOB, "ProjectEditor", "search")]
    given = {"projects": ["search"], "users": [BOB], "roles": roles, **parts}
    return evolve(make_inventory(**given), taken_at=now)


def plan(inventory: Inventory, base: dict[str, Any] | None = None, **sections: Any) -> ChangePlan:
    """Plan a file."""
    former = None if base is None else DesiredState.from_dict({"organization": "Acme", **base})
    desired = DesiredState.from_dict({"organization": "Acme", **sections})
    return plan_changes(inventory, desired, client_id="c-runner", base=former)


def bob(*roles: Any, **fields: Any) -> dict[str, Any]:
    """Return the item of bob."""
    return {"email": BOB, "roles": ["OrgMember", *roles], **fields}


def ending(role: str, until: str = ENDED) -> dict[str, str]:
    """Return a role with an end."""
    return {"role": role, "until": until}


def causes(found: ChangePlan) -> list[tuple[str, str | None]]:
    """Return the changes with their causes."""
    return [(f"{each.action} {each.target.name}", each.cause) for each in found.changes]


def test_a_file_with_ends_is_read_in_every_form() -> None:
    """A day of YAML, with quotes or without them, of JSON and of Python is the same, and is written again."""
    yaml = "{organization: a, people: [{email: bob@example.com, until: UNTIL, roles: [OrgMember, {role: ROLE}]}]}"
    role = '"search:ProjectEditor", until: 2027-01-31'
    plain = DesiredState.from_text(yaml.replace("UNTIL", STILL).replace("ROLE", role))
    assert plain == DesiredState.from_text(yaml.replace("UNTIL", f'"{STILL}"').replace("ROLE", role))
    people: list[dict[str, Any]] = [bob(ending("search:ProjectEditor"), until=date(2027, 2, 28))]
    assert plain == DesiredState.from_dict({"organization": "a", "people": people})
    assert DesiredState.from_text(json.dumps(plain.to_dict())) == plain
    assert plain.to_dict()["people"][0]["roles"] == ["OrgMember", ending("search:ProjectEditor")]


@pytest.mark.parametrize(
    ("section", "item", "problem"),
    [
        ("people", bob(until="2027-02-30"), "is '2027-02-30', which is not an existing day: write YYYY-MM-DD"),
        ("people", bob(until="2027-1-5"), "is not an existing day"),
        ("people", bob(until="20270105"), "is not an existing day"),
        ("people", bob(until=20270105), "is not an existing day"),
        ("people", bob(until=True), "is not an existing day"),
        ("people", bob(until=datetime(2027, 1, 5, tzinfo=UTC)), "is not an existing day"),
        ("people", bob(until=None), "until is empty"),
        ("people", bob(until=""), "until is empty"),
        ("people", bob(ending("search:ProjectEditor", "2027-13-01")), r"roles\[1\].until is '2027-13-01', which is no"),
        ("people", bob({"role": "search:ProjectEditor", "untill": ENDED}), "did you mean until"),
        ("people", bob({"until": ENDED}), r"roles\[1\] needs the field role"),
        ("people", bob(ending("OrgMember")), "has 'OrgMember' twice"),
        ("people", bob(ending("search:ProjectEditr")), "which is no role"),
        ("people", {"email": BOB, "until": ENDED, "absent": True}, "so that until must be left out"),
        ("people", {"email": BOB, "roles": [ending("OrgMember")]}, "on the organization all end after 2027-01-31"),
        ("people", {"email": BOB, "roles": [ending("OrgMember")], "until": STILL}, "give the person an until that is"),
        ("projects", {"name": "a", "until": ENDED}, "a file deletes no project"),
        ("projects", {"name": "a", "api_keys": [{"name": "k", "until": ENDED}]}, "needs the field roles"),
        (
            "projects",
            {"name": "a", "api_keys": [{"name": "k", "roles": [ending("ProjectViewer")]}]},
            r"roles\[0\].until is of a role of a key: give the key an until",
        ),
    ],
)
def test_what_no_file_can_have(section: str, item: dict[str, Any], problem: str) -> None:
    """An item that is wrong on every day is refused when the file is read."""
    with raises(PineconeValueError, match=problem):
        DesiredState.from_dict({"organization": "a", section: [item]})


@pytest.mark.parametrize("fields", [{"until": ENDED}, {"until": "2027-01-01"}])
def test_a_person_may_end_with_the_last_role(fields: dict[str, Any]) -> None:
    """The last role on the organization may end when the person does, or later."""
    people = [{"email": BOB, "roles": [ending("OrgMember")], **fields}]
    assert DesiredState.from_dict({"organization": "a", "people": people}).people


def test_the_last_day_is_inclusive_and_in_utc() -> None:
    """A second before midnight in UTC nothing has ended; then the role is revoked, and the next end is named."""
    people = [bob(ending("search:ProjectEditor"), until=STILL)]
    before = plan(make(now=DAY_AFTER - timedelta(seconds=1)), people=people)
    assert (before.changes, before.next_end) == ([], DAY_AFTER)
    after = plan(make(), people=people)
    revoked = "revoke ProjectEditor on project search (p-search) from user bob@example.com (u-bob@example.com)"
    assert [str(each).partition(" to ")[0] for each in after.changes] == [f"{revoked} (its end date has passed)"]
    assert after.next_end == datetime(2027, 3, 1, tzinfo=UTC)
    last = plan(make(), people=[bob("search:ProjectEditor", until="9999-12-31")])
    assert (last.changes, last.next_end) == ([], None)


def test_a_saved_inventory_with_the_time_of_another_zone_is_of_its_day_in_utc() -> None:
    """Half past midnight in Berlin is still the last day."""
    saved = Inventory.from_dict({**make().to_dict(), "taken_at": "2027-02-01T00:30:00+01:00"})
    found = plan(saved, people=[bob(ending("search:ProjectEditor"))])
    assert (found.changes, found.next_end) == ([], DAY_AFTER)


@pytest.mark.parametrize("taken_at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59Z"])
def test_nothing_ends_by_a_time_that_cannot_be_right(taken_at: str) -> None:
    """A saved inventory may have any time; at an end of the calendar, it may have no day in UTC."""
    inventory = Inventory.from_dict(make().to_dict() | {"taken_at": taken_at})
    found = plan(inventory, people=[bob("search:ProjectEditor", until=ENDED)])
    assert ([each.action for each in found.changes], found.stopped) == ([], [f"ends (until): {NO_DATE}"])


def test_an_end_takes_away_what_absent_does() -> None:
    """Once their ends have come, people with their invites, accounts and keys are deleted, each by its end."""
    inventory = make(
        accounts=["ci"],
        keys=[("search", "k")],
        invites=[Invite(id="i-1", email=BOB, status="pending", created_at=DAY_AFTER)],
    )
    found = plan(
        inventory,
        projects=[{"name": "search", "api_keys": [{"name": "k", "roles": ["ProjectEditor"], "until": ENDED}]}],
        service_accounts=[{"name": "ci", "roles": ["OrgMember"], "until": ENDED}],
        people=[bob(until=ENDED), {"email": "nobody@example.com", "roles": ["OrgMember"], "until": ENDED}],
    )
    assert {(each.target.kind, each.action, each.cause) for each in found.changes} == {
        (kind, "delete", "end") for kind in ("api_key", "service_account", "user", "invite")
    }


def test_an_end_is_no_drift_and_drift_of_the_same_person_is_left() -> None:
    """With the file itself as base, what an end takes away is an end, and what somebody changed by hand is drift."""
    people = [bob(ending("search:ProjectEditor"), "search:ProjectViewer")]
    inventory = make(roles=[("user", BOB, "ProjectEditor", "search"), ("user", BOB, "OrgManager", None)])
    found = plan(inventory, {"people": people}, people=people)
    assert [(str(each).partition(" (")[0], each.cause) for each in found.changes] == [
        ("grant OrgMember on the organization to user bob@example.com", "drift"),
        ("grant ProjectViewer on project search", "drift"),
        ("revoke ProjectEditor on project search", "end"),
        ("revoke OrgManager on the organization from user bob@example.com", "drift"),
    ]


def test_a_removal_that_replaces_an_end_is_carried_out() -> None:
    """A person whose end has come, and whom the new file has as absent, is deleted: the end of base is no drift."""
    found = plan(make(), {"people": [bob(until=ENDED)]}, people=[{"email": BOB, "absent": True}])
    assert causes(found) == [("delete bob@example.com", "change")]
    assert found.reviewed_ends == frozenset()


def test_a_person_who_returns_is_drift_if_both_files_have_them_as_absent() -> None:
    """The guide on organization files says so: only without a base, ``apply`` deletes the person again by itself."""
    absent = {"people": [{"email": BOB, "absent": True}]}
    assert causes(plan(make(), absent, **absent)) == [("delete bob@example.com", "drift")]
    assert causes(plan(make(), {"people": []}, **absent)) == [("delete bob@example.com", "change")]


@pytest.mark.parametrize("keep_other_roles", [True, False])
def test_a_role_given_by_hand_after_its_end_is_revoked_again(keep_other_roles: bool) -> None:
    """Also if other roles are kept, and the other ones are."""
    roles = [("user", BOB, each, "search") for each in ("ProjectEditor", "ProjectViewer")]
    inventory = make(roles=[("user", BOB, "OrgMember", None), *roles])
    people = [bob(ending("search:ProjectEditor"), keep_other_roles=keep_other_roles)]
    found = plan(inventory, {"people": people}, people=people)
    revoked = [(each.roles[0].role, each.cause) for each in found.changes]
    assert revoked == [("ProjectEditor", "end"), *([] if keep_other_roles else [("ProjectViewer", "drift")])]


def test_a_later_day_is_a_grant() -> None:
    """A role whose end is moved to a later day is granted again."""
    inventory = make(roles=[("user", BOB, "OrgMember", None)])
    base = {"people": [bob(ending("search:ProjectEditor"))]}
    found = plan(inventory, base, people=[bob(ending("search:ProjectEditor", STILL))])
    assert [(each.action, each.cause) for each in found.changes] == [("grant", "change")]


def test_a_role_whose_end_is_removed_after_its_day_is_granted_again() -> None:
    """If the end was carried out, and the file lists the role without an end, the plan has a note and a grant."""
    inventory = make(roles=[("user", BOB, "OrgMember", None)])
    base = {"people": [bob(ending("search:ProjectEditor"))]}
    found = plan(inventory, base, people=[bob("search:ProjectEditor")])
    assert [(each.action, each.cause) for each in found.changes] == [("grant", "change")]
    assert found.notes == [f"role 'search:ProjectEditor' of person {BOB} had an end, 2027-01-31, and has none now"]


def test_an_end_that_was_lifted_or_lost_is_a_note() -> None:
    """No step, but a note for each end that the former file had: lifted, or lost with its item or by an export."""
    base = {
        "people": [bob(ending("search:ProjectEditor"), until=STILL)],
        "service_accounts": [{"name": "ci", "roles": ["OrgMember"], "until": ENDED}],
    }
    found = plan(make(), base, people=[bob("search:ProjectEditor")])
    assert not found.changes
    assert found.notes == [
        "service account ci had an end, 2027-01-31, and is not in the file now",
        f"person {BOB} had an end, 2027-02-28, and has none now",
        f"role 'search:ProjectEditor' of person {BOB} had an end, 2027-01-31, and has none now",
    ]
    kept = plan(make(), base, people=[bob(until=STILL)], service_accounts=[{"name": "ci", "absent": True}])
    assert kept.notes == []


@pytest.mark.parametrize(
    ("former", "now", "state"),
    [
        ({"until": STILL}, bob("search:ProjectEditor", until=STILL), "has none now"),
        ({"keep_other_roles": True}, bob(keep_other_roles=True), "is not in the file now"),
        ({}, {"email": BOB}, "is not in the file now"),
    ],
    ids=["the person ends later", "other roles are kept", "roles are not managed"],
)
def test_the_lost_end_of_a_role_that_stays_is_a_note(former: dict[str, Any], now: dict[str, Any], state: str) -> None:
    """Where nothing takes the role away any more on its day, the plan has no change, and says so."""
    base = {"people": [bob(ending("search:ProjectEditor"), **former)]}
    found = plan(make(), base, people=[now])
    assert not found.changes
    assert found.notes == [f"role 'search:ProjectEditor' of person {BOB} had an end, 2027-01-31, and {state}"]


@pytest.mark.parametrize("fields", [{}, {"keep_other_roles": True}], ids=["roles", "other roles are kept"])
def test_an_end_on_a_project_whose_name_another_one_has_is_named(fields: dict[str, Any]) -> None:
    """A second project of the name does not keep a role unseen: the item is left out and named, and others end."""
    twin = Project(id="p-twin", name="search", max_pods=0, force_encryption_with_cmek=False, organization_id="o-1")
    roles = [("user", BOB, "OrgMember", None), ("user", BOB, "ProjectEditor", "search")]
    there = make(users=[BOB, "eve@example.com"], roles=[*roles, ("user", "eve@example.com", "OrgMember", None)])
    people = [
        bob(ending("search:ProjectEditor"), **fields),
        {"email": "eve@example.com", "roles": ["OrgMember"], "until": ENDED},
    ]
    found = plan(evolve(there, projects=[*there.projects, twin]), {"people": people}, people=people)
    assert [each.partition(": ")[2] for each in found.stopped] == [
        "role 'search:ProjectEditor' is on one of 2 projects: write p-search:ProjectEditor or p-twin:ProjectEditor"
    ]
    assert causes(found) == [("delete eve@example.com", "end")]


def test_a_role_on_a_project_that_is_gone_is_skipped_once_it_has_ended() -> None:
    """Before, it stops its own item; after, it is skipped."""
    people = [bob("search:ProjectEditor", ending("gone:ProjectViewer"))]
    others = [{"email": "owner@example.com", "roles": ["OrgOwner", "search:ProjectViewer"]}]
    before = plan(make(now=DAY_AFTER - timedelta(days=1)), people=[*people, *others])
    assert "role 'gone:ProjectViewer' is on a project that is neither" in before.stopped[0]
    assert causes(before) == [("grant owner@example.com", "change")]
    after = plan(make(), people=[*people, *others])
    assert (after.stopped, causes(after)) == ([], [("grant owner@example.com", "change")])


def test_ends_are_not_carried_out_by_the_clock_of_this_machine() -> None:
    """Without a Date, a plan has no end, and names that it leaves them out; an inventory keeps that it had none."""
    inventory = evolve(make(), is_server_time=False)
    assert Inventory.from_dict(json.loads(json.dumps(inventory.to_dict()))) == inventory
    assert "is_server_time" not in make().to_dict()
    found = plan(inventory, people=[bob("search:ProjectEditor", until=ENDED)])
    assert (found.changes, len(found.stopped)) == ([], 1)
    assert "no response of the server had a valid Date" in found.stopped[0]
    assert "1 left out" in found.summary
    assert found.stopped[0] in str(found)
    assert found.stopped[0] in found.to_markdown()
    assert plan(inventory, people=[bob("search:ProjectEditor")]).stopped == []


def review(found: ChangePlan, inventory: Inventory, allow_removals: int | None = None) -> dict[str, str]:
    """Return the state of each change of a plan that is about to be applied, by the name of its target."""
    index = OrganizationIndex(inventory)
    compared = review_plan(
        found, index, inventory, caller=Caller("c-runner"), drift=False, allow_removals=allow_removals
    )
    return {str(each.change.target.name): each.state for each in compared}


@pytest.mark.parametrize(
    ("former", "counts"), [(ENDED, False), ("2027-01-30", False), ("2027-02-01", True), (None, True)]
)
def test_an_end_that_base_has_counts_for_no_brake(former: str | None, counts: bool) -> None:
    """Ends that were reviewed never count; ends that are new, or earlier than in base, count as any removal."""
    names = [f"k{number}" for number in range(4)]
    inventory = make(keys=[("search", each) for each in names])

    def list_keys(until: str | None) -> list[dict[str, Any]]:
        end = {} if until is None else {"until": until}
        keys = [{"name": each, "roles": ["ProjectEditor"], **end} for each in names]
        return [{"name": "search", "api_keys": keys}]

    people = [bob(ending("search:ProjectEditor"))]
    found = plan(inventory, {"projects": list_keys(former)}, projects=list_keys(ENDED), people=people)
    assert {each.cause for each in found.changes} == {"end"}
    assert bool(found.refusals) == counts
    state = "held" if counts else "ready"
    assert review(found, inventory) == {BOB: "ready", **dict.fromkeys(names, state)}
    assert review(found, inventory, 4) == {BOB: "ready", **dict.fromkeys(names, "ready")}


@pytest.mark.parametrize(
    ("former", "state"), [(ENDED, "ready"), ("2027-01-30", "ready"), ("2030-01-31", "held"), (None, "held")]
)
def test_a_mistyped_year_removes_nobody_unasked(former: str | None, state: str) -> None:
    """An end in the past that base does not have is held, unless its number is permitted. Other changes go on."""
    base = {"people": [bob(until=former) if former else bob()]}
    found = plan(inventory := make(), base, people=[bob(until=ENDED)], projects=[{"name": "new"}])
    assert review(found, inventory) == {"new": "ready", BOB: state}
    assert review(found, inventory, 1) == {"new": "ready", BOB: "ready"}
    assert review(found, inventory, 0)[BOB] == state
    refusal = (
        f"user {BOB} (u-{BOB}) would be deleted or lose every role by an end (until) that has passed and is not in the "
        "former file (base); if that is right, allow 1 removal (--confirm on the command line)"
    )
    assert found.refusals == ([refusal] if state == "held" else [])
    saved = ChangePlan.from_json(found.to_json())  # which somebody can review
    assert review(saved, inventory) == {"new": "ready", BOB: "ready"}


def test_what_a_guard_refuses_stops_its_own_steps() -> None:
    """The end of the last owner, and of the caller's account, are held; other ends and changes go on."""
    found = plan(
        inventory := make(accounts=["ci"], roles=[("user", BOB, "OrgMember", None)]),
        service_accounts=[{"name": each, "roles": ["OrgMember"], "until": ENDED} for each in ("runner", "ci")],
        people=[
            {"email": "owner@example.com", "roles": ["OrgOwner"], "until": ENDED},
            bob("search:ProjectViewer"),
        ],
    )
    assert len(found.refusals) == 3
    assert "the account of this client" in found.refusals[1]
    assert review(found, inventory)["ci"] == "held"
    assert review(found, inventory, 3) == {"runner": "held", "owner@example.com": "held", "ci": "ready", BOB: "ready"}


def test_a_refused_change_that_is_no_end_refuses_the_whole() -> None:
    """As without ends: a removal of the last owner that somebody wrote, and what a saved plan calls an end."""
    inventory = make()
    owner = {"email": "owner@example.com", "absent": True}
    with raises(RefusedError, match="nothing was changed"):
        review(plan(inventory, people=[owner, bob(until=ENDED)]), inventory)
    ended = plan(inventory, people=[{"email": "owner@example.com", "roles": ["OrgOwner"], "until": ENDED}])
    assert review(ended, inventory) == {"owner@example.com": "held"}
    saved = ChangePlan.from_json(ended.to_json())
    assert (saved, saved.reviewed_ends) == (ended, None)
    with raises(RefusedError, match="nothing was changed"):
        review(saved, inventory)


def test_a_plan_is_refused_once_an_end_has_come() -> None:
    """On the day of the plan it is carried out; from midnight in UTC on, it is refused with the reason."""
    before, people = make(now=DAY_AFTER - timedelta(hours=1)), [bob(ending("search:ProjectEditor"))]
    found = ChangePlan.from_json(plan(before, people=people).to_json())
    assert review(found, before) == {}
    with raises(RefusedError, match="an end .until. of the file has come since the plan was made"):
        review(found, make())


def draw_file(random: Random) -> dict[str, Any]:
    """Return a file with ends within ten days, on the organization of ``test_random_files``."""

    def draw_day(least: int = 0) -> str:
        return str(LAST_DAY + timedelta(days=random.randrange(least, 10)))

    def draw_end(item: dict[str, Any]) -> dict[str, Any]:
        return {**item, "until": draw_day()} if random.random() < 0.4 else item

    def draw_roles(*least: str) -> list[Any]:
        roles = [f"{project}:{role}" for project in "ab" for role in ("ProjectViewer", "ProjectEditor")]
        drawn = random.sample(["OrgManager", *roles], random.randrange(4))
        return [*least, *(ending(each, draw_day()) if random.random() < 0.6 else each for each in drawn)]

    keys = [draw_end({"name": each, "roles": ["ProjectEditor"]}) for each in ("x", "y") if random.random() < 0.8]
    accounts = [draw_end({"name": each, "roles": draw_roles()}) for each in ("ci", "new")]
    people = [draw_end({"email": each, "roles": draw_roles("OrgMember")}) for each in (BOB, "eve@example.com")]
    return {"projects": [{"name": "a", "api_keys": keys}], "service_accounts": accounts, "people": people}


def write_for(document: Any, today: str) -> Any:
    """Return what somebody would write by hand on a day, without ends."""
    if isinstance(document, list):
        ended = [each for each in document if isinstance(each, dict) and "role" in each and each["until"] < today]
        return [write_for(each, today) for each in document if each not in ended]
    if not isinstance(document, dict):
        return document
    if "role" in document:
        return document["role"]
    if document.get("until", today) < today:
        return {name: document[name] for name in ("name", "email") if name in document} | {"absent": True}
    return {name: write_for(each, today) for name, each in document.items() if name != "until"}


def test_random_files(stride: Callable[[int], int]) -> None:
    """A file with ends plans the same steps on each day as one that was written by hand without them, with base too."""
    for seed in range(0, 400, stride(10)):
        random = Random(seed)
        document, base = draw_file(random), draw_file(random)
        held = random.sample([(each, place) for each in ("ProjectViewer", "ProjectEditor") for place in "ab"], 2)
        roles: list[Any] = [("user", BOB, "OrgMember", None), ("service_account", "ci", "OrgManager", None)]
        roles += [(kind, name, *each) for kind, name in (("user", BOB), ("service_account", "ci")) for each in held]
        parts: dict[str, Any] = {"projects": ["a", "b"], "accounts": ["ci"], "keys": [("a", "x"), ("a", "y")]}
        for day in range(12):
            today = str(LAST_DAY + timedelta(days=day))
            inventory = make(now=DAY_AFTER + timedelta(days=day - 1), roles=roles, **parts)
            found, written = plan(inventory, base, **document), plan(inventory, **write_for(document, today))
            assert [evolve(each, cause=None) for each in found.changes] == [
                evolve(each, cause=None) for each in written.changes
            ], (seed, today)
            former = {*map(forget_cause, plan(inventory, **write_for(base, today)).changes)}
            for each in found.changes:
                assert each.cause == "end" or (each.cause == "drift") <= (forget_cause(each) in former), (seed, today)
                assert each.cause != "end" or each.action in {"revoke", "delete"}


def forget_cause(change: Change) -> Change:
    """Return a change without its cause."""
    return evolve(change, cause=None)
