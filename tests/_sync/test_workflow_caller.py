# Derived from tests/_async/test_workflow_caller.py by scripts/unasync.py: change that, not this file.
"""Whose account a workflow takes from: with each client, and each client id that can be passed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from inspect import getmembers, ismethod, signature
from itertools import product
from operator import attrgetter
from typing import Any

import pytest
from attrs import frozen

from pinecone_admin import Admin, PineconeValueError, RefusedError, on_organization
from pinecone_admin._sync.client import NAMESPACES
from pinecone_admin.emulator import Emulator
from pinecone_admin.workflows import DesiredState
from pinecone_admin.workflows.name_tags import tag_as_unfinished
from tests.support import resources
from tests.support.errors import raises
from tests.support.fault_injection import FaultyTransport
from tests.support.resources import DRY_RUN, ID, METHODS, Argument, add_second, fill_ids, populate

pytestmark = pytest.mark.anyio


@frozen
class Call:
    """A call of a workflow that takes something from a service account.

    Attributes:
        admin: The client.
        owner: A client that has credentials.
        organization: Id of the organization.
        account: The account.
        arguments: Its client id, if that is passed, and whether it is a dry run.
    """

    admin: Admin
    owner: Admin
    organization: str
    account: Any
    arguments: Mapping[str, Any]

    def describe(self) -> DesiredState:
        """Return the file that takes a role from the account."""
        account = {"name": self.account.name, "roles": ["OrgMember"]}
        return DesiredState.from_dict({"organization": self.organization, "service_accounts": [account]})


def _plan(call: Call) -> bool:
    plan = call.admin.plan(call.describe(), client_id=call.arguments["client_id"])
    return not plan.refusals


def _apply(call: Call) -> bool:
    plan = call.owner.plan(call.describe())
    return bool((call.admin.apply(plan, client_id=call.arguments["client_id"])).done)


def _change_role(call: Call) -> bool:
    changed = call.admin.role_bindings.change_role(
        principal_type="service_account",
        principal_id=call.account.id,
        resource_type="organization",
        from_role="OrgOwner",
        to_role="OrgMember",
        **call.arguments,
    )
    return bool(changed.steps)


def _ensure(call: Call) -> bool:
    ensured = call.admin.service_accounts.ensure(
        name=call.account.name,
        role_bindings=[on_organization("OrgMember")],
        on_difference="update",
        revoke_unlisted=True,
        **call.arguments,
    )
    return ensured.steps[-1].state != "skipped"


def _rotate_due(call: Call) -> bool:
    due: dict[str, Any] = {"older_than": timedelta(days=1), "names": [call.account.name]}
    rotate = call.admin.service_accounts.rotate_due
    return bool((rotate(**due, store=str, allow_unreadable=True, **call.arguments)).rotated)


def _call_plainly(method: str, call: Call) -> bool:
    """Call a workflow on the account; of two, on the one that it takes from."""
    ids = {"service_account_id": call.account.id}
    if "from_service_account_id" in METHODS[method]:
        other = call.owner.service_accounts.create(name="other")
        ids = {"service_account_id": other.service_account.id, "from_service_account_id": call.account.id}
    namespace, _, name = method.partition(".")
    done = getattr(getattr(call.admin, namespace), name)(**{**fill_ids(method, ids), **call.arguments})
    return not hasattr(done, "steps") or any(each.state != "skipped" for each in done.steps)


SPECIAL: Mapping[str, Callable[[Call], bool]] = {
    "plan": _plan,
    "apply": _apply,
    "role_bindings.change_role": _change_role,
    "service_accounts.ensure": _ensure,
    "service_accounts.rotate_due": _rotate_due,
}
WORKFLOWS: Mapping[str, Callable[[Call], bool]] = {
    **{method: partial(_call_plainly, method) for method, row in METHODS.items() if "client_id" in row},
    **SPECIAL,
}
"""A function that calls each workflow, and returns whether the workflow takes something from the account."""


def find_parameters(admin: Admin, method: str) -> Mapping[str, Any]:
    """Return the parameters of a method."""
    return signature(attrgetter(method)(admin)).parameters


def test_every_workflow_that_takes_a_client_id_is_here(emulator: Emulator) -> None:
    """A new one is called in all ways, too."""
    admin = emulator.admin()
    owners = {"": admin, **{f"{each}.": getattr(admin, each) for each in NAMESPACES}}
    methods = [f"{prefix}{name}" for prefix, owner in owners.items() for name, _ in getmembers(owner, ismethod)]
    assert {each for each in methods if "client_id" in find_parameters(admin, each)} == WORKFLOWS.keys()


@pytest.mark.parametrize("name", WORKFLOWS)
@pytest.mark.parametrize("passed", ["none", "mistyped", "own", "other"])
@pytest.mark.parametrize("credentials", [True, False])
def test_nothing_is_taken_from_the_caller(name: str, passed: str, *, credentials: bool) -> None:
    """With a token alone, the argument says who calls; one that no account has, and none at all, are refused."""
    for target, dry_run in product(("own", "other"), (True, False)):
        emulator = Emulator(seed=1)
        owner, transport = emulator.admin(), FaultyTransport(emulator)
        made = owner.service_accounts.create(name="robot", role_bindings=[on_organization("OrgOwner")])
        (own,) = (each for each in emulator.state.service_accounts.listing if each.name != "robot")
        accounts: dict[str, Any] = {"own": own, "other": made.service_account}
        ids = {**{name: each.client_id for name, each in accounts.items()}, "mistyped": own.client_id[::-1]}
        admin = transport.admin()
        if not credentials:
            admin = Admin(access_token=(owner.token()).value, transport=transport)
        arguments = {"client_id": ids.get(passed), "dry_run": dry_run}
        call = Call(admin, owner, emulator.organization_id, accounts[target], arguments)
        is_caller = target == ("own" if credentials else passed) or (name == "apply" and target == "own")  # its plan's
        if credentials and passed in {"mistyped", "other"}:
            with raises(PineconeValueError, match="client_id is another account than that of the credentials"):
                WORKFLOWS[name](call)
        elif passed == "mistyped":
            with raises(RefusedError, match="no service account has the client id"):
                WORKFLOWS[name](call)
        elif passed == "none" and not credentials:
            kind = PineconeValueError if name == "plan" else RefusedError
            with raises(
                kind, match="client_id is needed, because an access token|an access token does not .*; pass client_id"
            ):
                WORKFLOWS[name](call)
        elif is_caller and "allow_own" in find_parameters(admin, name):
            with raises(RefusedError, match="the account of this client, would .* allow_own"):
                WORKFLOWS[name](call)
        else:
            assert WORKFLOWS[name](call) != is_caller
            continue
        assert all(each.startswith("GET") for each in transport.requests)


@pytest.mark.parametrize("credentials", [True, False])
@pytest.mark.parametrize("passed", [True, False])
@pytest.mark.parametrize("workflow", ["ensure", "apply"])
def test_a_leftover_that_may_be_the_account_of_the_caller_stays(
    workflow: str, *, passed: bool, credentials: bool
) -> None:
    """A program may use the account of an interrupted run, whose secret it has, to run the workflow again."""
    emulator = Emulator(seed=1)
    owner = emulator.admin()
    (own,) = emulator.state.service_accounts.listing
    own.name = tag_as_unfinished("robot")
    left = (owner.service_accounts.create(name=tag_as_unfinished("robot"))).service_account
    admin = owner if credentials else Admin(access_token=(owner.token()).value, transport=emulator.transport)
    client_id = own.client_id if passed else None
    if workflow == "ensure":
        steps = (admin.service_accounts.ensure(name="robot", store=str, client_id=client_id)).steps
    else:
        account = {"name": "robot", "roles": ["OrgMember"]}
        desired = DesiredState.from_dict({"organization": emulator.organization_id, "service_accounts": [account]})
        report = admin.apply(owner.plan(desired), store=str, client_id=client_id)
        assert report.failed == []
        steps = report.steps
    states = {each.change.target.id: each.state for each in steps if each.change.action == "delete"}
    assert states == {own.id: "skipped", left.id: "done" if credentials or passed else "skipped"}
    assert own in emulator.state.service_accounts.listing


def test_a_token_takes_nothing_from_the_account_of_the_plan_either(emulator: Emulator) -> None:
    """With a token, nobody knows which of the two client ids is right."""
    owner, other = emulator.admin(), emulator.add_client(roles=["OrgOwner"], name="other")
    [own] = [each for each in owner.service_accounts.list() if each.name != "other"]
    described = [{"name": own.name, "roles": ["OrgMember"]}]
    desired = {"organization": emulator.organization_id, "service_accounts": described}
    admin = Admin(access_token=(owner.token()).value, transport=emulator.transport)
    plan = admin.plan(DesiredState.from_dict(desired), client_id=own.client_id)
    with raises(RefusedError, match="would lose a role"):
        admin.apply(plan, client_id=other.client_id)
    assert (admin.apply(plan, client_id=other.client_id, allow_own=True)).failed == []


def test_a_wrong_client_id_is_refused_before_an_account_is_created(emulator: Emulator) -> None:
    """Else it would be refused once the secret is stored, at the leftover, and each repetition would add an account."""
    admin = emulator.admin()
    left = (admin.service_accounts.create(name=tag_as_unfinished("robot"))).service_account
    before = [*emulator.state.service_accounts.listing]
    stored: list[object] = []
    with raises(PineconeValueError, match="client_id is another account") as caught:
        admin.service_accounts.ensure(name="robot", store=stored.append, client_id=left.client_id)
    assert caught.value.outcome == "not_sent"
    assert ([*emulator.state.service_accounts.listing], stored) == (before, [])


def test_a_workflow_on_two_accounts_finds_both(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests of calls create a second account for ``from_service_account_id``."""
    method = "service_accounts.swap"
    row = {"service_account_id": ID, "from_service_account_id": Argument("id", "none", "f"), "dry_run": DRY_RUN}
    monkeypatch.setitem(METHODS, method, row)
    monkeypatch.setattr(resources, "PREVIEWED", {method})
    ids = populate(emulator)
    add_second(emulator, method, ids)
    arguments = fill_ids(method, ids)
    accounts = {arguments["service_account_id"], arguments["from_service_account_id"]}
    assert accounts < {each.id for each in emulator.state.service_accounts.listing}
    assert len(accounts) == 2
