"""The guard finds what changes must not do together, as data: which changes, why, and what allows them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pinecone_admin.workflows import Change, Ref, RoleAt
from pinecone_admin.workflows.guard import Caller, find_excess, find_refusals, find_removed
from pinecone_admin.workflows.organization_index import OrganizationIndex
from tests.unit.test_desired_state import make_inventory

MEMBER, OWNER, VIEWER = RoleAt("OrgMember"), RoleAt("OrgOwner"), RoleAt("ProjectViewer", Ref("project", "a", "p-a"))
RUNNER = Ref("service_account", "runner", "s-runner")
CI = Ref("service_account", "ci", "s-ci")
OWNING = Ref("user", "owner@example.com", "u-owner@example.com")
BOB = Ref("user", "bob@example.com", "u-bob@example.com")
ORGANIZATION = OrganizationIndex(
    make_inventory(
        projects=["a"],
        accounts=["ci"],
        users=["bob@example.com"],
        roles=[
            ("user", "bob@example.com", "OrgMember", None),
            ("user", "bob@example.com", "ProjectViewer", "a"),
            ("service_account", "ci", "OrgMember", None),
        ],
    )
)


def revoke(target: Ref, role: RoleAt) -> Change:
    """Return the change that takes a role."""
    return Change(action="revoke", target=target, roles=(role,))


def grant(target: Ref, role: RoleAt) -> Change:
    """Return the change that gives a role."""
    return Change(action="grant", target=target, roles=(role,))


def delete(target: Ref) -> Change:
    """Return the change that deletes something."""
    return Change(action="delete", target=target)


NO_OWNER = "user owner@example.com (u-owner@example.com) is the last user who is an OrgOwner"
REFUSED: dict[str, Sequence[Change]] = {
    NO_OWNER: [delete(OWNING)],
    f"{NO_OWNER}: make another user an OrgOwner first": [revoke(OWNING, OWNER), grant(OWNING, MEMBER)],
    "service account runner (s-runner), the account of this client, would be deleted": [delete(RUNNER)],
    "service account runner (s-runner), the account of this client, would lose a role": [revoke(RUNNER, OWNER)],
    "would get another secret, and a lost response would lock this client out": [
        Change(action="rotate", target=RUNNER)
    ],
    "user bob@example.com (u-bob@example.com) would keep only roles on projects": [revoke(BOB, MEMBER)],
    "user bob@example.com (u-bob@example.com) would lose every role": [revoke(BOB, MEMBER), revoke(BOB, VIEWER)],
}
ALLOWED: list[Sequence[Change]] = [
    [],
    [delete(BOB)],
    [delete(OWNING), grant(BOB, OWNER)],
    [revoke(OWNING, OWNER), grant(OWNING, MEMBER), grant(BOB, OWNER)],
    [revoke(BOB, MEMBER), grant(BOB, RoleAt("OrgManager"))],
    [revoke(BOB, MEMBER), delete(BOB)],
    [revoke(BOB, VIEWER)],
    [delete(CI), revoke(CI, MEMBER)],
    [delete(Ref("project", "a", "p-a"))],
]


@pytest.mark.parametrize("reason", REFUSED)
def test_changes_that_lock_out_are_refused_with_the_changes(reason: str) -> None:
    """A refusal has its reason, and the changes without which it would not be there."""
    changes = REFUSED[reason]
    [refusal] = find_refusals(changes, ORGANIZATION, Caller("c-runner"))
    assert reason in str(refusal)
    assert {*refusal.changes} <= {*changes}
    assert refusal.changes
    assert (refusal.allowed_by == "allow_own") == (changes[0].target == RUNNER)
    others = [each for each in changes if each not in refusal.changes]
    assert find_refusals(others, ORGANIZATION, Caller("c-runner")) == []


@pytest.mark.parametrize("number", range(len(ALLOWED)))
def test_other_changes_are_allowed(number: int) -> None:
    """An owner who is replaced, a member who keeps a role, and an account of somebody else can be changed."""
    assert find_refusals(ALLOWED[number], ORGANIZATION, Caller("c-runner")) == []


def test_the_own_account_can_be_allowed() -> None:
    """With ``allow_own``, the account itself may lose what it has."""
    changes = [delete(RUNNER), revoke(RUNNER, OWNER)]
    assert find_refusals(changes, ORGANIZATION, Caller("c-runner"), allow_own=True) == []


@pytest.mark.parametrize("change", [delete(CI), revoke(CI, MEMBER), Change(action="rotate", target=CI)])
def test_an_unknown_caller_takes_from_no_service_account(change: Change) -> None:
    """A token does not show whose it is: it may be that of any service account."""
    [refusal] = find_refusals([change], ORGANIZATION, Caller(None))
    assert refusal.allowed_by == "client_id"
    assert "service account ci (s-ci) may be the caller's own" in str(refusal)
    assert find_refusals([delete(BOB), grant(CI, OWNER)], ORGANIZATION, Caller(None)) == []


def test_removals_are_counted_with_who_loses_every_role() -> None:
    """A deleted resource and an account without a remaining role count. An account that gets another role does not."""
    assert [*find_removed([delete(BOB), revoke(CI, MEMBER)], ORGANIZATION)] == [BOB, CI]
    assert [*find_removed([revoke(CI, MEMBER), grant(CI, VIEWER)], ORGANIZATION)] == []
    assert [*find_removed([revoke(BOB, VIEWER)], ORGANIZATION)] == []


@pytest.mark.parametrize("action", ["delete", "revoke"])
def test_many_removals_need_their_number(action: str) -> None:
    """More than three, and more than a third, are refused unless their number is permitted."""
    names = [f"a{number}" for number in range(4)]
    organization = OrganizationIndex(
        make_inventory(accounts=names, roles=[("service_account", each, "OrgMember", None) for each in names])
    )
    targets = [Ref("service_account", each, f"s-{each}") for each in names]
    changes = [delete(each) if action == "delete" else revoke(each, MEMBER) for each in targets]
    [refusal] = find_excess(changes, organization, None)
    assert str(refusal) == (
        "4 of 5 service accounts would be deleted or lose every role, which is more than a third; "
        "if that is right, allow 4 removals (--confirm on the command line)"
    )
    assert (refusal.changes, refusal.allowed_by) == (tuple(changes), "allow_removals")
    assert find_excess(changes, organization, 3) == [refusal]
    assert find_excess(changes, organization, 4) == find_excess(changes[1:], organization, None) == []


@pytest.mark.parametrize("allowed", [0, 1])
def test_a_number_of_removals_is_the_greatest(allowed: int) -> None:
    """Few removals, too, are refused if fewer are permitted: 0 permits none."""
    changes = [delete(BOB), delete(CI)]
    [refusal] = find_excess(changes, ORGANIZATION, allowed)
    assert str(refusal).startswith(f"2 removals would be made, and {allowed} allowed")
    assert (refusal.changes, refusal.allowed_by) == (tuple(changes), "allow_removals")
    assert find_excess(changes, ORGANIZATION, 2) == find_excess(changes, ORGANIZATION, None) == []
