"""Each change of a plan is compared with the organization on its own: it is ready, already so, or stale."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from pinecone_admin.models import Invite, RoleBinding
from pinecone_admin.workflows import Change, Inventory, Ref, RoleAt, Settings
from pinecone_admin.workflows.comparison import Compared, compare_changes
from pinecone_admin.workflows.name_tags import tag_as_unfinished
from pinecone_admin.workflows.organization_index import OrganizationIndex
from tests.unit.test_desired_state import NOW, make_inventory

A, B = Ref("project", "a", "p-a"), Ref("project", "b", "p-b")
KEY = Ref("api_key", "k", "k-a-k", A)
BOB = Ref("user", "bob@example.com", "u-bob@example.com")
MEMBER = RoleAt("OrgMember")
EDITOR = Settings(roles=("ProjectEditor",))
LATER, EARLIER = NOW + timedelta(minutes=1), NOW - timedelta(minutes=1)


def compare(inventory: Inventory, *changes: Change) -> list[Compared]:
    """Compare changes of a plan that was made at the time of the inventories of these tests."""
    return compare_changes(changes, OrganizationIndex(inventory), made_at=NOW)


def organization(**changes: Any) -> Inventory:
    """Return an organization with two projects, a key and a member."""
    known: dict[str, Any] = {
        "projects": ["a", "b"],
        "keys": [("a", "k")],
        "users": ["bob@example.com"],
        "roles": [("user", "bob@example.com", "OrgMember", None)],
    }
    return make_inventory(**(known | changes))


READY: list[Change] = [
    Change(action="create", target=Ref("project", "new")),
    Change(action="create", target=Ref("api_key", "new", None, A), settings=EDITOR),
    Change(action="create", target=Ref("api_key", "k", None, B), settings=EDITOR),
    Change(action="create", target=Ref("api_key", "k", None, Ref("project", "new")), settings=EDITOR),
    Change(action="invite", target=Ref("invite", "eve@example.com"), roles=(MEMBER,)),
    Change(action="grant", target=BOB, roles=(RoleAt("ProjectViewer", A),)),
    Change(action="revoke", target=BOB, roles=(MEMBER,)),
    Change(action="update", target=KEY, before=EDITOR, settings=Settings(roles=("ProjectViewer",))),
    Change(action="update", target=A, before=Settings(name="a"), settings=Settings(name="c")),
    Change(action="delete", target=KEY, before=EDITOR),
    Change(action="delete", target=BOB, roles=(MEMBER, RoleAt("ProjectViewer", A))),
    Change(action="delete", target=evolve(BOB, name="BOB@example.com"), roles=(MEMBER,)),
]
DONE: list[Change] = [
    Change(action="grant", target=BOB, roles=(MEMBER,)),
    Change(action="revoke", target=BOB, roles=(RoleAt("ProjectViewer", A),)),
    Change(action="revoke", target=BOB, roles=(RoleAt("ProjectViewer", Ref("project", "gone", "p-gone")),)),
    Change(action="revoke", target=Ref("user", "gone@example.com", "u-gone"), roles=(MEMBER,)),
    Change(action="update", target=KEY, before=Settings(roles=("ProjectViewer",)), settings=EDITOR),
    Change(action="update", target=evolve(A, name="old"), before=Settings(name="old"), settings=Settings(name="a")),
    Change(action="delete", target=Ref("user", "gone@example.com", "u-gone"), roles=(MEMBER,)),
]
STALE: dict[str, Change] = {
    "there is now project a (p-a)": Change(action="create", target=Ref("project", "a")),
    "there is now key k (k-a-k) in project a (p-a)": Change(
        action="create", target=Ref("api_key", "k", None, A), settings=Settings(roles=("ProjectViewer",))
    ),
    "there is now user bob@example.com (u-bob@example.com)": Change(
        action="invite", target=Ref("invite", "Bob@example.com"), roles=(RoleAt("OrgManager"),)
    ),
    "the project is now named a": Change(
        action="grant", target=BOB, roles=(RoleAt("ProjectViewer", evolve(A, name="z")),)
    ),
    "there is no project gone (p-gone)": Change(
        action="grant", target=BOB, roles=(RoleAt("ProjectViewer", Ref("project", "gone", "p-gone")),)
    ),
    "the user is now named bob@example.com": Change(
        action="delete", target=evolve(BOB, name="eve@example.com"), roles=(MEMBER,)
    ),
    "it no longer exists": Change(action="grant", target=evolve(BOB, id="u-gone"), roles=(RoleAt("OrgManager"),)),
    "roles is now ProjectEditor": Change(
        action="update", target=KEY, before=Settings(roles=("A",)), settings=Settings(roles=("B",))
    ),
    "there is now project b (p-b)": Change(
        action="update", target=A, before=Settings(name="a"), settings=Settings(name="b")
    ),
    "it is in another project": Change(action="delete", target=evolve(KEY, project=B), before=EDITOR),
    "it also has ProjectEditor": Change(action="delete", target=KEY),
    "it also has OrgMember": Change(action="delete", target=BOB),
    "key k (k-a-k) in project a (p-a) would be replaced, but key k in new project new cannot replace it": Change(
        action="create", target=Ref("api_key", "k", None, Ref("project", "new")), settings=EDITOR, replaces=(KEY,)
    ),
    "no plan has such a change": Change(action="rotate", target=Ref("service_account", "runner", "s-runner")),
}


@pytest.mark.parametrize("number", range(len(READY)))
def test_what_fits_is_ready(number: int) -> None:
    """A change whose things are as the plan has them is carried out as it is."""
    [found] = compare(organization(), READY[number])
    assert (found.state, found.reason) == ("ready", "")


@pytest.mark.parametrize("number", range(len(DONE)))
def test_what_is_already_so_is_skipped(number: int) -> None:
    """A change that a killed run of the plan or another person has made is skipped."""
    [found] = compare(organization(), DONE[number])
    assert (found.state, found.reason) == ("skipped", "this step is no longer needed")


@pytest.mark.parametrize("reason", STALE)
def test_what_no_longer_fits_is_stale(reason: str) -> None:
    """An id and a name that do not belong together, another value, and a name that something else has, are stale."""
    [found] = compare(organization(), STALE[reason])
    assert (found.state, found.reason) == ("stale", reason)


@pytest.mark.parametrize("action", ["delete", "revoke"])
@pytest.mark.parametrize("gone", ["key", "account", "user", "invite", "project"])
def test_what_is_gone_is_not_taken_while_something_newer_has_its_name(gone: str, action: str) -> None:
    """A key that was rotated, or a person who has come again since the plan, is not what the plan leaves alone."""
    bob, project = "bob@example.com", Ref("project", "a", "p-gone")
    target = {
        "key": evolve(KEY, id="k-gone"),
        "account": Ref("service_account", "ci", "s-gone"),
        "user": evolve(BOB, name=bob.title(), id="u-gone"),
        "invite": Ref("user", "eve@example.com", "u-gone"),
        "project": KEY if action == "delete" else BOB,
    }[gone]
    change = Change(action=action, target=target, roles=() if target.kind == "api_key" else (MEMBER,))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    if gone == "project":
        place = {"target": evolve(KEY, id="k-gone", project=project)}
        change = evolve(change, **(place if action == "delete" else {"roles": (RoleAt("ProjectEditor", project),)}))
    newer = organization(
        accounts=["ci"],
        invites=[Invite(id="i-new", email="eve@example.com", status="pending", created_at=LATER)],
    )

    def date(created_at: Any) -> Inventory:
        lists: dict[str, Any] = {
            name: [evolve(each, created_at=created_at) for each in getattr(newer, name)]
            for name in ("projects", "api_keys", "service_accounts")
        }
        return evolve(newer, **lists)

    [stale] = compare(date(LATER), change)
    assert stale.state == "stale"
    assert "no longer exists, and there is now" in stale.reason
    # The plan itself has made it, or is about it in another step.
    holder = {"account": "service_account", "key": "api_key"}.get(gone, gone)
    made = Change(action="create", target=evolve(target if gone != "project" else project, id=None))
    own = {
        "user": Change(action="delete", target=BOB, roles=(MEMBER,)),
        "invite": Change(action="delete", target=Ref("invite", "eve@example.com", "i-new"), roles=()),
    }.get(gone, made)
    assert holder == own.target.kind
    assert compare(date(LATER), own, change)[-1].state == "skipped"
    if own is made:  # an address has one holder, whatever its date
        assert compare(date(EARLIER), change)[0].state == "skipped"


@pytest.mark.parametrize(
    ("created_at", "dated", "state"),
    [(LATER, None, "skipped"), (EARLIER, None, "stale"), (None, LATER, "skipped"), (None, None, "stale")],
)
def test_a_key_of_the_name_is_that_of_the_plan_only_if_it_is_newer(created_at: Any, dated: Any, state: str) -> None:
    """A key without a date has that of its oldest role binding; without any, its value may be nobody's."""
    inventory = organization()
    keys = [evolve(each, created_at=created_at) for each in inventory.api_keys]
    binding = RoleBinding(
        id="b",
        principal_type="api_key",
        principal_id="k-a-k",
        resource_type="project",
        resource_id="p-a",
        role="ProjectEditor",
        created_at=dated or NOW,
    )
    inventory = evolve(
        inventory, api_keys=keys, role_bindings=[*inventory.role_bindings, *([binding] if dated else [])]
    )
    [found] = compare(inventory, Change(action="create", target=Ref("api_key", "k", None, A), settings=EDITOR))
    assert (found.state, found.found) == (state, KEY if state == "skipped" else None)


def test_what_the_plan_renames_leaves_its_name() -> None:
    """A name that another change of the plan frees is free, before and after that."""
    rename = Change(action="update", target=A, before=Settings(name="a"), settings=Settings(name="old"))
    create = Change(action="create", target=Ref("project", "a"))
    assert [each.state for each in compare(organization(), rename, create)] == ["ready", "ready"]
    after = organization(projects=["old", "b"], keys=[])
    after = evolve(after, projects=[evolve(each, id=each.id.replace("old", "a")) for each in after.projects])
    assert [each.state for each in compare(after, rename, create)] == ["skipped", "ready"]


def test_what_a_killed_run_created_is_known_to_the_changes_after_it() -> None:
    """A key of a project that exists since is looked for in it, and gets its id."""
    inventory = organization()
    projects = [evolve(each, created_at=LATER) for each in inventory.projects]
    new = Ref("project", "b")
    project, key = compare(
        evolve(inventory, projects=projects),
        Change(action="create", target=new),
        Change(action="create", target=Ref("api_key", "x", None, new), settings=EDITOR),
    )
    assert (project.state, project.found) == ("skipped", B)
    assert (key.state, key.change.target.project) == ("ready", B)


@pytest.mark.parametrize("kind", ["api_key", "service_account"])
def test_what_a_change_replaces_is_a_leftover_of_its_own_name(kind: str) -> None:
    """An edited plan deletes nothing in the place of a leftover, and one that the plan does not name is stale."""
    left = tag_as_unfinished("new")
    inventory = organization(keys=[("a", left), ("a", "live")], accounts=[left, "live"])
    place, prefix = (A, "k-a-") if kind == "api_key" else (None, "s-")
    create = Change(
        action="create", target=Ref(kind, "new", None, place), settings=EDITOR if place is not None else Settings()
    )
    named = evolve(create, replaces=(Ref(kind, left, f"{prefix}{left}", place),))
    [found] = compare(inventory, named)
    assert (found.state, found.change) == ("ready", named)
    for name, reason in {"live": "would be replaced, but", left: "would be replaced, and is now"}.items():
        [found] = compare(inventory, evolve(create, replaces=(Ref(kind, name, f"{prefix}live", place),)))
        assert (found.state, reason in found.reason) == ("stale", True)
    [found] = compare(evolve(inventory, taken_at=NOW), create)
    if kind == "api_key":  # an account has the date of the plan, and the roles, which are none
        assert (found.state, "an interrupted run left" in found.reason) == ("stale", True)
    else:
        assert found.change == named


def test_only_an_expired_invite_to_the_address_is_replaced() -> None:
    """An edited plan deletes no invite of somebody else, and none that is pending."""
    invites = [
        Invite(id="i-1", email="eve@example.com", status="expired", created_at=EARLIER),
        Invite(id="i-2", email="dan@example.com", status="expired", created_at=EARLIER),
        Invite(id="i-3", email="kim@example.com", status="pending", created_at=EARLIER),
    ]
    inventory = organization(invites=invites)
    states: dict[str, str] = {}
    for each in invites:
        change = Change(
            action="invite",
            target=Ref("invite", "Eve@example.com"),
            roles=(MEMBER,),
            replaces=(Ref("invite", "eve@example.com", "i-1"), Ref("invite", each.email, each.id)),
        )
        [found] = compare(inventory, change)
        states[each.id] = found.state
    assert states == {"i-1": "ready", "i-2": "stale", "i-3": "stale"}


def test_an_accepted_invite_is_the_person(  # the roles of an invite pass to the user
) -> None:
    """Roles of an invite are given to, and taken from, the member who accepted it; a deletion of it is stale."""
    eve = Ref("invite", "Bob@example.com", "i-gone")
    grant, revoke, delete = compare(
        organization(),
        Change(action="grant", target=eve, roles=(RoleAt("ProjectViewer", A),)),
        Change(action="revoke", target=eve, roles=(MEMBER,)),
        Change(action="delete", target=eve, roles=(MEMBER,)),
    )
    assert (grant.state, grant.change.target) == (revoke.state, revoke.change.target) == ("ready", BOB)
    assert (delete.state, delete.reason) == ("stale", f"the person has joined, and is now {BOB}")


@pytest.mark.parametrize("status", ["expired", "revoked"])
def test_nothing_is_granted_to_an_invite_that_nobody_can_accept(status: Any) -> None:
    """An invite that expired since the plan was made gets no role, also if it has it already; its roles can go."""
    invite = Invite(id="i-1", email="eve@example.com", status=status, created_at=EARLIER)
    inventory = organization(invites=[invite], roles=[("invite", "eve@example.com", "OrgMember", None)])
    eve = Ref("invite", "eve@example.com", "i-1")
    granted, held = compare(
        inventory,
        Change(action="grant", target=eve, roles=(RoleAt("ProjectViewer", A),)),
        Change(action="grant", target=eve, roles=(MEMBER,)),
    )
    assert (granted.state, held.state) == ("stale", "stale")
    assert granted.reason == held.reason == "the invite cannot be accepted any more, so that nobody would get the role"
    [revoked] = compare(inventory, Change(action="revoke", target=eve, roles=(MEMBER,)))
    assert revoked.state != "stale"


def test_an_invite_that_several_users_may_have_accepted_is_stale() -> None:
    """No one of several users with the address is taken for the person."""
    inventory = organization(users=["bob@example.com", "BOB@example.com"])
    grant = Change(
        action="grant", target=Ref("invite", "bob@example.com", "i-gone"), roles=(RoleAt("ProjectViewer", A),)
    )
    [found] = compare(inventory, grant)
    assert (found.state, found.reason) == (
        "stale",
        "several users have the address now: u-bob@example.com, u-BOB@example.com",
    )
