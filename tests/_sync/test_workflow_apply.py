# Derived from tests/_async/test_workflow_apply.py by scripts/unasync.py: change that, not this file.
"""An organization in a file: planning, applying, and applying again after every kind of interruption."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import timedelta
from random import Random
from typing import Any
from unicodedata import normalize
from urllib.parse import quote_plus

import pytest
from attrs import evolve

from pinecone_admin import (
    Admin,
    ConflictError,
    ForbiddenError,
    PineconeValueError,
    ReadOnlyError,
    RefusedError,
    ServiceError,
    on_organization,
    on_project,
)
from pinecone_admin._text.quoting import quote_name
from pinecone_admin.emulator import Emulator
from pinecone_admin.models import APIKeyWithSecret, ServiceAccountWithSecret
from pinecone_admin.workflows import ApplyReport, Change, ChangePlan, DesiredState, Inventory, Ref, RoleAt, Settings
from pinecone_admin.workflows.change_plan import rank_change
from pinecone_admin.workflows.name_tags import tag_as_successor, tag_as_unfinished
from pinecone_admin.workflows.readable_store import PlacedStore, SecretOwner, StoreByName
from tests.support.errors import raises
from tests.support.fault_injection import FaultyTransport, InjectedFault, KilledError, OtherDates, fail_to_store
from tests.support.interruption import InterruptingTransport, run_interruptibly

pytestmark = pytest.mark.anyio

Made = APIKeyWithSecret | ServiceAccountWithSecret


class Vault:
    """Keeps the secrets of keys and accounts by their names."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}

    def __call__(self, made: Made) -> None:
        """Store a secret."""
        if isinstance(made, APIKeyWithSecret):
            self.secrets[made.key.name] = made.value
        else:
            self.secrets[made.service_account.name] = made.client_secret


def describe(organization: str, **sections: Any) -> DesiredState:
    """Return a file on an organization."""
    return DesiredState.from_dict({"organization": organization, **sections})


def populate(emulator: Emulator) -> Admin:
    """Add a project with three keys, an account and four people, two of them invited."""
    admin = emulator.admin()
    project = admin.projects.create(name="search")
    for name, role in (("reader", "DataPlaneViewer"), ("old-batch", "ProjectEditor"), ("by-hand", "ProjectViewer")):
        admin.api_keys.create(project_id=project.id, name=name, roles=[role])  # type: ignore[list-item]
    admin.service_accounts.create(name="ci", role_bindings=[on_organization("OrgMember")])
    admin.service_accounts.create(name="old-ci", role_bindings=[on_organization("OrgMember")])
    emulator.add_user("Bob@example.com", roles=["OrgManager"])
    emulator.add_user("eve@example.com", roles=["OrgMember", ("ProjectViewer", project.id)])
    admin.invites.create(email="dan@example.com", role_bindings=[on_organization("OrgMember")])
    return admin


def want_changes(emulator: Emulator) -> DesiredState:
    """Return a file that needs every kind of step."""
    return describe(
        emulator.organization_id,
        projects=[
            {
                "name": "search",
                "api_keys": [
                    {"name": "reader", "roles": ["DataPlaneViewer", "ControlPlaneViewer"]},
                    {"name": "writer", "roles": ["DataPlaneEditor"]},
                    {"name": "old-batch", "absent": True},
                    {"name": "never-there", "absent": True},
                ],
            },
            {"name": "shop", "api_keys": [{"name": "shop-reader", "roles": ["DataPlaneViewer"]}]},
        ],
        service_accounts=[
            {"name": "ci", "roles": ["OrgMember", "search:ProjectOwner"]},
            {"name": "shop-ci", "roles": ["OrgMember", "shop:ProjectEditor"]},
            {"name": "old-ci", "absent": True},
        ],
        people=[
            {"email": "bob@example.com", "roles": ["OrgMember", "search:ProjectViewer"]},
            {"email": "dan@example.com", "roles": ["OrgMember", "shop:ProjectViewer"]},
            {"email": "ada@example.com", "roles": ["OrgMember", "shop:ProjectOwner"]},
            {"email": "eve@example.com", "absent": True},
        ],
    )


def test_a_file_is_planned_and_applied_once(emulator: Emulator) -> None:
    """A plan has one line for each step, carrying it out gives the desired state, and a second plan is empty."""
    admin, desired, vault = populate(emulator), want_changes(emulator), Vault()
    plan = admin.plan(desired, commit="c0ffee")
    report = admin.apply(plan, store=vault)
    assert report.is_complete
    # In the order of execution, and what was created has its id.
    assert [each.change.action for each in report.steps] == [each.action for each in plan.changes]
    assert [each.change.target.name for each in report.done] == [each.target.name for each in plan.changes]
    assert all(each.change.target.id for each in report.done)
    assert {type(each.resource).__name__ for each in report.done if each.change.creates} == {
        "Project",
        "ServiceAccount",
        "Invite",
        "APIKey",
    }
    assert sorted(vault.secrets) == ["shop-ci", "shop-reader", "writer"]
    again = admin.plan(desired)
    assert again.changes == []
    assert (report.commit, report.digest, report.client_id) == ("c0ffee", desired.digest, emulator.client_id)
    document = json.loads(json.dumps(report.to_dict()))
    assert [each["state"] for each in document["steps"]] == ["done"] * len(plan.changes)
    assert document["steps"][0]["change"]["action"] == "create"


def test_the_text_of_a_plan(emulator: Emulator) -> None:
    """A plan reads in the order of execution, every role is named, and what is not listed is counted."""
    admin = populate(emulator)
    plan = admin.plan(want_changes(emulator))
    shown = [re.sub(r" \([0-9a-f-]{36}\)", "", line) for line in str(plan).splitlines()]
    roles = ["DataPlaneViewer"]
    assert shown == [
        f"organization 'Emulated Organization' ({emulator.organization_id}): 14 changes, 3 not listed",
        "would create project shop",
        "would create service account shop-ci with OrgMember and ProjectEditor on new project shop",
        "would invite ada@example.com with OrgMember and ProjectOwner on new project shop",
        "would grant ProjectOwner on project search to service account ci",
        "would grant OrgMember on the organization to user Bob@example.com",
        "would grant ProjectViewer on project search to user Bob@example.com",
        "would grant ProjectViewer on new project shop to invite for dan@example.com",
        f"would update key reader in project search: roles from {roles[0]} to ControlPlaneViewer and {roles[0]}",
        "would create key writer in project search with DataPlaneEditor",
        "would create key shop-reader in new project shop with DataPlaneViewer",
        "would revoke OrgManager on the organization from user Bob@example.com",
        "would delete key old-batch in project search with ProjectEditor",
        "would delete service account old-ci with OrgMember",
        "would delete user eve@example.com with OrgMember and ProjectViewer on project search",
        "not in the file, so not changed: 1 key, 1 service account, 1 person",
    ]
    first = plan.to_markdown().split("### Changes")[0]
    secrets = ("create service account", "create key", "delete key", "delete service account")
    assert all(each in first for each in secrets)


def test_applying_reads_only_the_inventory(emulator: Emulator) -> None:
    """Carrying out every kind of step takes no read beyond one inventory, which planning takes, too."""
    admin = populate(emulator)
    plan = admin.plan(want_changes(emulator))
    transport = FaultyTransport(emulator)
    transport.admin().apply(plan, store=Vault())
    reads = [each for each in transport.requests if each.startswith("GET")]
    assert len(reads) == len(set(reads)) == 7


def test_nothing_is_removed_for_being_missing(emulator: Emulator) -> None:
    """Sections that list nothing change nothing, and say what is there; sections that are missing say nothing."""
    admin = populate(emulator)
    plan = admin.plan(describe(emulator.organization_id, projects=[], service_accounts=[], people=[]))
    assert plan.changes == []
    assert len(plan.not_listed) == 8
    assert (admin.plan(describe(emulator.organization_id))).not_listed == []


def test_a_guard_stays(emulator: Emulator) -> None:
    """An absent resource needs no step, and is removed if somebody creates it again."""
    admin = populate(emulator)
    desired = describe(emulator.organization_id, people=[{"email": "zoe@example.com", "absent": True}])
    assert (admin.plan(desired)).changes == []
    emulator.add_user("Zoe@example.com")
    plan = admin.plan(desired)
    assert [(each.action, each.target.kind) for each in plan.changes] == [("delete", "user")]
    admin.apply(plan)
    assert (admin.plan(desired)).changes == []


def test_an_absent_person_loses_invites_too(emulator: Emulator) -> None:
    """The invites of an absent person are deleted, expired ones, too."""
    admin = populate(emulator)
    emulator.clock.advance(8 * 86400)
    plan = admin.plan(describe(emulator.organization_id, people=[{"email": "Dan@Example.com", "absent": True}]))
    assert [(each.action, each.target.kind) for each in plan.changes] == [("delete", "invite")]
    admin.apply(plan)
    assert admin.invites.list().to_list() == []


def test_an_invite_that_expires_before_apply_gets_no_role(emulator: Emulator) -> None:
    """A role would go to nobody, so the plan is stale; another plan replaces the invite."""
    admin = populate(emulator)
    roles = ["OrgMember", "search:ProjectViewer"]
    desired = describe(emulator.organization_id, people=[{"email": "dan@example.com", "roles": roles}])
    plan = admin.plan(desired)
    emulator.clock.advance(8 * 86400)
    with raises(RefusedError, "the invite cannot be accepted any more, so that nobody would get the role"):
        admin.apply(plan)
    admin.apply(admin.plan(desired))
    assert (admin.invites.describe_by_email(email="dan@example.com")).status == "pending"


def test_an_expired_invite_is_replaced(emulator: Emulator) -> None:
    """An expired invite is deleted, not resent: the new one carries the roles of the file only."""
    admin = populate(emulator)
    project = admin.projects.describe_by_name(name="search")
    bindings = [on_organization("OrgMember"), on_project(project.id, "ProjectOwner")]
    old = admin.invites.create(email="zoe@example.com", role_bindings=bindings)
    emulator.clock.advance(8 * 86400)
    desired = describe(emulator.organization_id, people=[{"email": "zoe@example.com", "roles": ["OrgMember"]}])
    plan = admin.plan(desired)
    assert old.id in str(plan)
    admin.apply(plan)
    new = admin.invites.describe_by_email(email="zoe@example.com")
    assert new.id != old.id
    held = admin.role_bindings.list(principal_id=new.id, principal_type="invite").to_list()
    assert [each.role for each in held] == ["OrgMember"]


def test_an_invite_that_is_accepted_meanwhile(emulator: Emulator) -> None:
    """Roles that a plan gives to an invite are given to the person who has accepted it."""
    admin = populate(emulator)
    roles = ["OrgMember", "search:ProjectViewer"]
    desired = describe(emulator.organization_id, people=[{"email": "dan@example.com", "roles": roles}])
    plan = admin.plan(desired)
    assert [(each.action, each.target.kind) for each in plan.changes] == [("grant", "invite")]
    emulator.accept_invite((admin.invites.describe_by_email(email="dan@example.com")).id)
    report = admin.apply(plan)
    assert [(each.change.action, each.change.target.kind) for each in report.done] == [("grant", "user")]
    assert (admin.plan(desired)).changes == []


@pytest.mark.parametrize("number", range(1, 4))
def test_an_invite_that_is_accepted_during_the_run(emulator: Emulator, number: int) -> None:
    """Whichever change of apply is next when the person joins, nothing fails, and the member has exactly the roles."""
    transport = FaultyTransport(emulator)
    with transport.admin() as admin:
        admin.projects.create(name="search")
        invite = admin.invites.create(email="ada@example.com", role_bindings=[on_organization("OrgManager")])
        roles = ["OrgMember", "search:ProjectViewer"]
        desired = describe(emulator.organization_id, people=[{"email": "ada@example.com", "roles": roles}])
        plan = admin.plan(desired)
        transport.requests.clear()

        def accept() -> None:
            changes = [each for each in transport.requests if not each.startswith("GET")]
            if len(changes) == number and transport.requests[-1] == changes[-1] and [*emulator.state.open_invites]:
                emulator.accept_invite(invite.id)

        transport.before_request = accept
        report = admin.apply(plan)
        assert [each.change.action for each in report.done] == ["grant", "grant", "revoke"]
        assert report.steps == report.done
        granted = report.steps[0]
        assert granted.change.target.kind == granted.resource.principal_type  # type: ignore[union-attr]
        assert (admin.plan(desired)).changes == []


@pytest.mark.parametrize("held", [["OrgBillingAdmin"], ["OrgManager", "OrgBillingAdmin"]])
def test_a_person_who_becomes_a_member_before_the_invite_is_sent(emulator: Emulator, held: list[str]) -> None:
    """A member whom a plan invites gets the missing roles, and the report has them and the skipped invite."""
    transport = FaultyTransport(emulator)
    with transport.admin() as admin:
        roles = ["OrgManager", "OrgMember"]
        people = [{"email": "ada@example.com", "roles": roles, "keep_other_roles": True}]
        desired = describe(emulator.organization_id, people=people)
        plan = admin.plan(desired)

        def join() -> None:
            if transport.requests[-1] == "POST /admin/invites":
                emulator.add_user("ada@example.com", roles=held)

        transport.before_request = join
        report = admin.apply(plan)
        missing = [each for each in roles if each not in held]
        assert [(each.state, each.change.action, each.change.target.kind) for each in report.steps] == [
            ("skipped", "invite", "invite"),
            *[("done", "grant", "user")] * len(missing),
        ]
        assert [each.change.roles[0].role for each in report.done] == missing
        assert (admin.plan(desired)).changes == []


@pytest.mark.parametrize("operation", ["create_role_binding", "list_role_bindings"])
def test_a_failure_for_a_person_who_becomes_a_member_before_the_invite_is_sent(
    emulator: Emulator, operation: str
) -> None:
    """If a member cannot get the roles of the invite, the report has a step with the error."""
    transport = FaultyTransport(emulator)
    with transport.admin() as admin:
        people = [{"email": "ada@example.com", "roles": ["OrgManager", "OrgMember"]}]
        plan = admin.plan(describe(emulator.organization_id, people=people))

        def join() -> None:
            if transport.requests[-1] == "POST /admin/invites":
                emulator.add_user("ada@example.com", roles=["OrgBillingAdmin"])
                emulator.faults.add(operation, status=403, times=None)

        transport.before_request = join
        report = admin.apply(plan)
        assert [each.error is not None for each in report.failed] == [True]
        assert report.done == []


def test_a_refused_grant_to_an_invite_that_is_still_pending(emulator: Emulator) -> None:
    """If nobody has joined, a grant to an invite that the server refuses has failed."""
    admin = populate(emulator)
    people = [{"email": "dan@example.com", "roles": ["OrgManager"], "keep_other_roles": True}]
    plan = admin.plan(describe(emulator.organization_id, people=people))
    emulator.faults.add("create_role_binding", status=409, times=None)
    report = admin.apply(plan)
    assert [(each.state, each.change.target.kind) for each in report.steps] == [("rejected", "invite")]


def test_a_rename_by_id(emulator: Emulator) -> None:
    """An id beside another name renames, and roles are meant by the new name."""
    admin = populate(emulator)
    project = admin.projects.describe_by_name(name="search")
    account = admin.service_accounts.describe_by_name(name="ci")
    key = admin.api_keys.describe_by_name(project_id=project.id, name="reader")
    desired = describe(
        emulator.organization_id,
        projects=[
            {
                "name": "find",
                "id": project.id,
                "api_keys": [{"name": "read", "id": key.id, "roles": ["DataPlaneViewer"]}],
            }
        ],
        service_accounts=[{"name": "build", "id": account.id, "roles": ["OrgMember", "find:ProjectViewer"]}],
    )
    plan = admin.plan(desired)
    assert [each.action for each in plan.changes] == ["update", "update", "grant", "update"]
    admin.apply(plan)
    assert (admin.plan(desired)).changes == []
    assert (admin.api_keys.describe(api_key_id=key.id)).name == "read"


@pytest.mark.parametrize("name", [" new ", "nu\u0308"], ids=["blanks", "decomposed"])
def test_what_the_server_has_named_in_another_form_is_not_created_again(emulator: Emulator, name: str) -> None:
    """Neither the same plan nor the next one does; nothing is changed or deleted by a name that is not exactly its."""
    admin, organization = emulator.admin(), emulator.state.organization.id
    project = admin.projects.create(name="p")

    def want(**fields: Any) -> DesiredState:
        item: dict[str, Any] = {"name": name, **fields}
        roles = {} if fields else {"roles": ["ProjectViewer"]}
        keys = {"name": "p", "api_keys": [item | roles]}
        return describe(organization, projects=[{"name": name}, keys], service_accounts=[item])

    plan = admin.plan(want())
    assert (admin.apply(plan, store=str)).is_complete
    state = emulator.state

    def list_made() -> list[Any]:
        keys = [each for each in state.api_keys.values() if each.project_id == project.id]
        accounts = [each for each in state.service_accounts.listing if each.client_id != emulator.client_id]
        return [*(each for each in state.projects.values() if each.id != project.id), *keys, *accounts]

    made = list_made()
    for each in made:
        assert each.name == name
        each.name = normalize("NFC", name).strip()
    assert (admin.apply(plan, store=str)).is_complete
    for wanted in (want(), want(absent=True)):
        again = admin.plan(wanted)
        assert (again.changes, len(again.stopped)) == ([], 3)
        for each, text in zip(made, again.stopped, strict=True):
            assert f"this may be {quote_name(each.name)} ({each.id})" in text
        assert (admin.apply(again, store=str)).steps == []
    assert [each.id for each in list_made()] == [each.id for each in made]
    # What has exactly the name comes first. A file with both names must have the ids of both, as an export has.
    exact = admin.projects.create(name=name)
    listed = describe(organization, projects=[{"name": name, "max_pods": 3}])
    assert [each.target.id for each in (admin.plan(listed)).changes] == [exact.id]
    names = sorted([quote_name(name), quote_name(made[0].name)])
    with raises(PineconeValueError, match="differs only in blanks or in the form of letters") as caught:
        describe(organization, projects=[{"name": name}, {"name": made[0].name}])
    assert all(f"project {each}" in str(caught.value) for each in names)
    both = (admin.inventory()).to_desired_state()
    assert (admin.plan(DesiredState.from_dict(both.to_dict()))).changes == []


@pytest.mark.parametrize("name", [" new ", "nu\u0308"], ids=["blanks", "decomposed"])
def test_what_the_server_has_renamed_in_another_form_is_not_renamed_again(emulator: Emulator, name: str) -> None:
    """The same plan skips the rename, and the next one says which name to write."""
    admin = emulator.admin()
    project = admin.projects.create(name="p")
    key = (admin.api_keys.create(project_id=project.id, name="k", roles=["ProjectViewer"])).key
    account = (admin.service_accounts.create(name="a")).service_account
    keys = [{"name": name, "id": key.id, "roles": ["ProjectViewer"]}]
    in_project = {"name": "p", "api_keys": keys}
    others = {"projects": [{"name": name, "id": project.id}], "service_accounts": [{"name": name, "id": account.id}]}
    state = emulator.state
    cases: list[tuple[DesiredState, list[Any]]] = [
        (describe(state.organization.id, projects=[in_project]), [state.api_keys[key.id]]),
        (describe(state.organization.id, **others), [state.projects[project.id], state.service_accounts[account.id]]),
    ]
    for wanted, records in cases:
        plan = admin.plan(wanted)
        assert [each.action for each in plan.changes] == ["update"] * len(records)
        assert (admin.apply(plan)).is_complete
        for each in records:
            assert each.name == name
            each.name = normalize("NFC", name).strip()
        assert [each.state for each in (admin.apply(plan)).steps] == ["skipped"] * len(records)
        again = admin.plan(wanted)
        assert (again.changes, len(again.stopped)) == ([], len(records))
        assert all("write that name" in each for each in again.stopped)


def test_a_key_that_appears_meanwhile(emulator: Emulator) -> None:
    """A key that got the planned name, with other roles, makes the plan stale, so that nothing is done."""
    admin = populate(emulator)
    plan = admin.plan(want_changes(emulator))
    project = admin.projects.describe_by_name(name="search")
    admin.api_keys.create(project_id=project.id, name="writer", roles=["ProjectEditor"])
    before = emulator.dump()
    with raises(RefusedError, match="create key writer in .*: there is now key writer"):
        admin.apply(plan, store=Vault())
    assert emulator.dump() == before


def test_an_account_that_appears_meanwhile(emulator: Emulator) -> None:
    """An account with the planned name, whose secret somebody else has, gets none of the planned roles."""
    admin = populate(emulator)
    account = {"name": "boss", "roles": ["OrgMember", "OrgOwner"]}
    plan = admin.plan(describe(emulator.organization_id, service_accounts=[account]))
    admin.service_accounts.create(name="boss", role_bindings=[on_organization("OrgMember")])
    with raises(RefusedError, match="create service account boss .*: there is now service account boss"):
        admin.apply(plan, store=Vault())


def test_a_project_that_is_renamed_meanwhile(emulator: Emulator) -> None:
    """A plan does not create a project beside one that was renamed in the console."""
    admin = populate(emulator)
    desired = describe(emulator.organization_id, projects=[{"name": "search", "force_encryption_with_cmek": True}])
    plan = admin.plan(desired)
    project = admin.projects.describe_by_name(name="search")
    admin.projects.update(project_id=project.id, name="found")
    with raises(RefusedError, match="what it shows: update project search .*: .* is now named found"):
        admin.apply(plan)


@pytest.mark.parametrize(
    "sections",
    [
        {"people": [{"email": "zoe@example.com", "roles": ["OrgMember", "search:ProjectOwner"]}]},
        {"service_accounts": [{"name": "new", "roles": ["search:ProjectOwner"]}]},
        {"service_accounts": [{"name": "ci", "roles": ["OrgMember", "search:ProjectOwner"]}]},
        {"projects": [{"name": "search", "api_keys": [{"name": "new", "roles": ["ProjectEditor"]}]}]},
    ],
)
def test_a_name_that_another_project_gets_meanwhile(emulator: Emulator, sections: dict[str, Any]) -> None:
    """A role on a project is not granted on another project that has taken its name."""
    admin = populate(emulator)
    plan = ChangePlan.from_json((admin.plan(describe(emulator.organization_id, **sections))).to_json())
    prod = admin.projects.create(name="prod")
    search = admin.projects.describe_by_name(name="search")
    admin.projects.update(project_id=search.id, name="old")
    admin.projects.update(project_id=prod.id, name="search")
    with raises(RefusedError, match="something changed since the plan was made.* is now named old"):
        admin.apply(plan, store=Vault())
    admin.projects.update(project_id=prod.id, name="prod")
    admin.projects.update(project_id=search.id, name="search")
    assert (admin.apply(plan, store=Vault())).done


@pytest.mark.parametrize("kind", ["api_key", "service_account", "invite"])
def test_what_would_be_replaced_appears_meanwhile(emulator: Emulator, kind: str) -> None:
    """A plan deletes no leftover of a run, and no expired invite, that it does not name."""
    admin = populate(emulator)
    project = admin.projects.describe_by_name(name="search")
    sections: dict[str, dict[str, Any]] = {
        "api_key": {"projects": [{"name": "search", "api_keys": [{"name": "new", "roles": ["ProjectViewer"]}]}]},
        "service_account": {"service_accounts": [{"name": "new", "roles": ["OrgMember"]}]},
        "invite": {"people": [{"email": "new@example.com", "roles": ["OrgMember"]}]},
    }
    desired = describe(emulator.organization_id, **sections[kind])
    plan = admin.plan(desired)
    if kind == "api_key":
        admin.api_keys.create(project_id=project.id, name=tag_as_unfinished("new"))
    elif kind == "service_account":
        admin.service_accounts.create(name=tag_as_unfinished("new"))
    else:
        admin.invites.create(email="new@example.com", role_bindings=[on_organization("OrgMember")])
        emulator.clock.advance(8 * 86400)
        admin.organizations.list()  # with another token
    before = emulator.dump()
    with raises(RefusedError, match="an interrupted run left|there is now invite for new@example.com"):
        admin.apply(plan, store=Vault())
    assert emulator.dump() == before
    report = admin.apply(ChangePlan.from_json((admin.plan(desired)).to_json()), store=Vault())
    assert [(each.change.action, each.change.target.kind) for each in report.done if not each.change.creates] == [
        ("delete", kind)
    ]
    assert [each.change.target.kind for each in report.done if each.change.creates] == [kind]
    assert (admin.plan(desired)).unfinished == []


def test_what_is_done_meanwhile_is_skipped(emulator: Emulator) -> None:
    """Steps that are no longer needed are skipped and named; the rest is done."""
    admin = populate(emulator)
    desired = describe(emulator.organization_id, projects=[{"name": "shop"}, {"name": "docs"}])
    plan = admin.plan(desired)
    admin.projects.create(name="shop")
    report = admin.apply(plan)
    assert [each.change.target.name for each in report.done] == ["docs"]
    [skipped] = report.skipped
    assert re.fullmatch(r"skipped: create project shop \(.*\), because this step is no longer needed", str(skipped))


def test_drift_is_left_alone(emulator: Emulator) -> None:
    """An item of both files that was removed in the console is drift. It is restored only on request."""
    admin = populate(emulator)
    eve = {"email": "eve@example.com", "roles": ["OrgMember"]}
    base = describe(emulator.organization_id, people=[eve])
    admin.apply(admin.plan(base))
    admin.users.offboard(email="eve@example.com", dry_run=False)
    desired = describe(emulator.organization_id, people=[eve], projects=[{"name": "shop"}])
    plan = admin.plan(desired, base=base)
    assert [(each.target.name, each.cause) for each in plan.changes] == [
        ("shop", "change"),
        ("eve@example.com", "drift"),
    ]
    assert "would invite eve@example.com with OrgMember (drift)" in str(plan)
    restored = ChangePlan.from_json(plan.to_json())
    assert restored == plan
    report = admin.apply(restored)
    assert [each.change.target.name for each in report.done] == ["shop"]
    assert [each.change.reason for each in report.skipped] == ["it is drift"]
    report = admin.apply(restored, drift=True)
    assert [each.change.target.name for each in report.done] == ["eve@example.com"]


@pytest.mark.parametrize(
    ("people", "accounts", "problem"),
    [
        (
            [{"email": "owner@example.com", "roles": ["OrgMember"]}],
            [],
            "is the last user who is an OrgOwner",
        ),
        ([{"email": "owner@example.com", "absent": True}], [], "is the last user who is an OrgOwner"),
        ([], [{"name": "emulator", "roles": []}], "would lose a role"),
        ([], [{"name": "emulator", "absent": True}], "would be deleted: use another account, or allow_own"),
    ],
)
def test_a_plan_that_locks_out_is_refused(
    emulator: Emulator, people: list[Any], accounts: list[Any], problem: str
) -> None:
    """A plan that leaves no owner, or ends the account that carries it out, says so and is refused."""
    admin = populate(emulator)
    plan = admin.plan(describe(emulator.organization_id, people=people, service_accounts=accounts))
    assert re.search(f"apply refuses this: .*{problem}", str(plan))
    requests = len(emulator.requests)
    with raises(RefusedError, match=problem):
        admin.apply(plan)
    assert {each.method for each in list(emulator.requests)[requests:]} == {"GET"}


def test_an_owner_can_be_replaced(emulator: Emulator) -> None:
    """A new owner is granted the role before the old one loses it."""
    admin = populate(emulator)
    people = [
        {"email": "bob@example.com", "roles": ["OrgOwner"]},
        {"email": "owner@example.com", "roles": ["OrgMember"]},
    ]
    desired = describe(emulator.organization_id, people=people)
    report = admin.apply(admin.plan(desired))
    assert [each.change.action for each in report.done] == ["grant", "grant", "revoke", "revoke"]
    assert (admin.plan(desired)).changes == []


@pytest.mark.parametrize(("status", "was_not"), [(403, "was not"), (500, "may not have been")])
def test_nobody_is_removed_while_what_comes_first_is_not_done(emulator: Emulator, status: int, was_not: str) -> None:
    """An owner stays without another one, and a user while the invite to the address is open."""
    admin = populate(emulator)
    admin.users.ensure(email="owner@example.com", role_bindings=[on_organization("OrgMember")])
    admin.invites.create(email="gil@example.com", role_bindings=[on_organization("OrgMember")])
    emulator.add_user("gil@example.com")
    people = [
        {"email": "bob@example.com", "roles": ["OrgOwner"]},
        {"email": "owner@example.com", "roles": ["OrgMember"]},
        {"email": "gil@example.com", "absent": True},
    ]
    plan = admin.plan(describe(emulator.organization_id, people=people))
    for operation in ("role_bindings.create", "invites.delete"):
        emulator.faults.add(operation, status=status, times=None)
    report = admin.apply(plan)
    assert report.done == []
    assert {str(each.change.target.name): each.change.reason for each in report.not_run} == {
        "Bob@example.com": f"another role {was_not} granted",
        "owner@example.com": f"another one {was_not} made an OrgOwner",
        "gil@example.com": f"an invite to the address {was_not} deleted",
    }


def test_many_removals_need_a_number(emulator: Emulator) -> None:
    """More than three, and more than a third, go only where their number is permitted."""
    admin = populate(emulator)
    project = admin.projects.create(name="keys")
    for number in range(4):
        admin.api_keys.create(project_id=project.id, name=f"k{number}")
    keys = [{"name": f"k{number}", "absent": True} for number in range(4)]
    desired = describe(emulator.organization_id, projects=[{"name": "keys", "api_keys": keys}])
    plan = admin.plan(desired)
    for permitted in (None, 3):
        with raises(RefusedError, match="4 of 7 keys would be deleted or lose every role.*allow 4 removals"):
            admin.apply(plan, allow_removals=permitted)
    assert len((admin.apply(plan, allow_removals=4)).done) == 4


@pytest.mark.parametrize("field", ["id", "name", "role", "cause", "project"])
def test_an_edited_plan_permits_nothing_else(emulator: Emulator, field: str) -> None:
    """If a value in a change of a saved plan is swapped, the change is refused, or its text shows all of its effects.

    An id without the name that belongs to it, and a name without the id, are refused; another role or cause makes
    another sentence, and a deletion shows all roles that go.
    """
    admin = populate(emulator)
    plan = admin.plan(want_changes(emulator))
    saved, document = json.loads(plan.to_json()), emulator.dump()
    inventory = admin.inventory()
    others = {
        "user": next(each.id for each in inventory.users if each.email == "owner@example.com"),
        "service_account": next(each.id for each in inventory.service_accounts if each.name == "emulator"),
        "api_key": next(each.id for each in inventory.api_keys if each.name == "by-hand"),
        "invite": next(each.id for each in inventory.users if each.email == "owner@example.com"),
        "project": (admin.projects.create(name="prod")).id,
    }
    document = emulator.dump()
    for number, change in enumerate(saved["changes"]):
        edited = json.loads(json.dumps(change))
        target = edited["target"]
        match field:
            case "id" if "id" in target:
                target["id"] = others[target["kind"]]
            case "name" if "id" in target:
                target["name"] = "owner@example.com" if "@" in target["name"] else "emulator"
            case "project" if "project" in target and "id" in target["project"]:
                target["project"]["id"] = others["project"]
            case "role" if edited["action"] == "delete":
                edited.pop("roles", None)
                edited.pop("before", None)
            case "role" if "roles" in edited:
                role = edited["roles"][-1]
                role["role"] = "ProjectManager" if "project" in role else "OrgBillingAdmin"
            case "cause" if edited["action"] in {"delete", "revoke"}:
                edited["cause"] = "end"
            case _:
                continue
        emulator.load(document)
        changes = [edited if position == number else each for position, each in enumerate(saved["changes"])]
        swapped = ChangePlan.from_json(json.dumps(saved | {"changes": changes}))
        try:
            report = admin.apply(swapped, store=Vault(), drift=True, allow_removals=99)
        except RefusedError:
            assert field != "cause", edited
            continue
        assert field in {"role", "cause"}, edited
        assert report.failed == []
        assert any(each in str(swapped) for each in ("ProjectManager", "OrgBillingAdmin")) == (field == "role")
        permitted = [(each.action, each.target.name, len(each.roles)) for each in swapped.changes]
        changes = [each.change for each in report.done]
        assert all((each.action, each.target.name, len(each.roles)) in permitted for each in changes)


def rename(id: str, name: str) -> Change:
    """Return the rename of a project."""
    return Change(
        action="update",
        target=Ref("project", "search", id),
        settings=Settings(name=name),
        before=Settings(name="search"),
    )


@pytest.mark.parametrize(
    ("flaw", "edit"),
    [
        ("refers to project shop, which is created twice", lambda changes: [*changes, *changes]),
        ("refers to project shop, which no change creates", lambda changes: changes[1:]),
        (
            "must not delete a thing of kind 'project'",
            lambda changes: [*changes, Change(action="delete", target=Ref("project", "search", "p1"))],
        ),
        ("must not be an end (until)", lambda changes: [evolve(each, cause="end") for each in changes]),
        ("must have no reason", lambda changes: [evolve(each, reason="as agreed") for each in changes]),
        (
            "roles[0] 'ProjectOwner' is not a role for an API key",
            lambda changes: [
                evolve(each, settings=Settings(roles=("ProjectOwner",))) if each.target.kind == "api_key" else each
                for each in changes
            ],
        ),
        (
            "role 'ProjectOwner' ",
            lambda changes: [
                *changes,
                Change(action="grant", target=Ref("user", "bob@example.com", "u1"), roles=(RoleAt("ProjectOwner"),)),
            ],
        ),
        ("changes[1] contradicts changes[0]", lambda _: [rename("p1", "a"), rename("p1", "b")]),
        ("changes[1] contradicts changes[0]", lambda _: [rename("p1", "a"), rename("p2", "a")]),
        ("changes[1] contradicts changes[0]", lambda _: [rename("p1", "caf\u00e9"), rename("p2", "cafe\u0301")]),
        (" contradicts changes[", lambda changes: [*changes, rename("p1", "shop")]),
        (
            "changes[1] contradicts changes[0]",
            lambda _: [
                Change(action=each, target=Ref("user", "bob@example.com", "u1"), roles=(RoleAt("OrgMember"),))
                for each in ("revoke", "grant")
            ],
        ),
        (
            "changes[1] contradicts changes[0]",  # otherwise, the new owner would count as the one that remains
            lambda _: [
                Change(action=each, target=Ref("user", "bob@example.com", "u1"), roles=(RoleAt("OrgOwner"),))
                for each in ("grant", "delete")
            ],
        ),
        (
            "changes[1] contradicts changes[0]",
            lambda _: [
                Change(
                    action="update",
                    target=Ref("api_key", "k", "k1", Ref("project", "search", "p1")),
                    settings=Settings(roles=(each,)),
                    before=Settings(roles=("ProjectEditor",)),
                )
                for each in ("ProjectViewer", "DataPlaneViewer")
            ],
        ),
    ],
)
def test_a_plan_that_was_changed_in_python_is_checked_like_a_saved_one(
    emulator: Emulator, flaw: str, edit: Callable[[list[Change]], list[Change]]
) -> None:
    """What ``from_json`` refuses, ``apply`` refuses in the same words, before it sends a request."""
    admin = populate(emulator)
    plan = admin.plan(want_changes(emulator))
    changed, sent = evolve(plan, changes=edit(plan.changes)), len(emulator.requests)
    with raises(PineconeValueError) as read:
        ChangePlan.from_json(changed.to_json())
    with raises(PineconeValueError) as applied:
        admin.apply(changed, store=Vault(), drift=True, allow_removals=99)
    assert flaw in str(applied.value)
    assert str(applied.value) == f"apply: {str(read.value).replace('text', 'plan', 1)}"
    assert len(emulator.requests) == sent


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_a_changed_plan_does_not_matter(emulator: Emulator, seed: int) -> None:
    """However a plan was shuffled, or joined with another one, the changes are made in the order of the planner."""
    admin, random = populate(emulator), Random(seed)
    plan, document = admin.plan(want_changes(emulator)), emulator.dump()
    shuffled = evolve(plan, changes=random.sample(plan.changes, len(plan.changes)))
    read = ChangePlan.from_json(shuffled.to_json())
    assert [*map(rank_change, read.changes)] == [*map(rank_change, plan.changes)]
    for each in (shuffled, read):
        emulator.load(document)
        before = len(emulator.requests)
        report = admin.apply(each, store=Vault(), allow_removals=99)
        assert report.is_complete
        assert [rank_change(step.change) for step in report.steps] == [*map(rank_change, plan.changes)]
        sent = [(one.method, one.path.split("/")[2]) for one in emulator.requests[before:] if one.method != "GET"]
        assert sent[0] == ("POST", "projects")
        last_grant = max(place for place, one in enumerate(sent) if one == ("POST", "role-bindings"))
        assert last_grant < sent.index(("DELETE", "role-bindings"))
    emulator.load(document)
    emulator.faults.add("create_role_binding", status=403, times=None)
    report = admin.apply(shuffled, store=Vault(), allow_removals=99)
    assert "revoke" not in {each.change.action for each in report.done}


def test_a_plan_that_calls_a_deletion_an_end_needs_the_number_all_the_same(emulator: Emulator) -> None:
    """The cause of a saved plan exempts nothing from a guard."""
    admin = populate(emulator)
    project = admin.projects.create(name="keys")
    for number in range(4):
        admin.api_keys.create(project_id=project.id, name=f"k{number}")
    keys = [{"name": f"k{number}", "absent": True} for number in range(4)]
    desired = describe(emulator.organization_id, projects=[{"name": "keys", "api_keys": keys}])
    saved = json.loads((admin.plan(desired)).to_json())
    for each in saved["changes"]:
        each["cause"] = "end"
    with raises(RefusedError, match="4 of 7 keys would be deleted or lose every role"):
        admin.apply(ChangePlan.from_json(json.dumps(saved)))


def test_ends_are_carried_out_from_the_day_after(emulator: Emulator) -> None:
    """Night after night with the same file: roles, keys, accounts and people end on their days, and drift stays."""
    admin = populate(emulator)
    today = emulator.clock.now().date()
    eve, project = (admin.inventory()).users[-1], (admin.projects.list())[0]
    role = {"role": "search:ProjectViewer", "until": str(today)}
    desired = describe(
        emulator.organization_id,
        projects=[
            {
                "name": "search",
                "api_keys": [{"name": "reader", "roles": ["DataPlaneViewer"], "until": str(today + timedelta(days=1))}],
            }
        ],
        service_accounts=[{"name": "ci", "roles": ["OrgMember"], "until": str(today + timedelta(days=2))}],
        people=[{"email": "eve@example.com", "roles": ["OrgMember", role], "until": str(today + timedelta(days=3))}],
    )
    admin.role_bindings.create(
        principal_type="user", principal_id=eve.id, resource_type="organization", role="OrgManager"
    )
    saved = (admin.plan(desired, base=desired)).to_json()
    assert [each.cause for each in ChangePlan.from_json(saved).changes] == ["drift"]
    nights: list[list[str]] = []
    for _ in range(5):
        emulator.clock.advance(24 * 3600)
        admin = emulator.admin()
        if not nights:
            with raises(RefusedError, match=r"an end \(until\) of the file has come since the plan was made: .*"):
                admin.apply(ChangePlan.from_json(saved))
        report = admin.apply(admin.plan(desired, base=desired))
        nights.append([f"{each.change.action} {each.change.target.kind}" for each in report.done])
        assert {each.change.cause for each in report.done} <= {"end"}
        assert report.is_complete
        if report.offboarded:
            [known] = report.offboarded
            assert (known.email, known.dry_run, known.refusal) == ("eve@example.com", False, None)
            assert [each.change.action for each in known.steps] == ["delete"]
            assert {each.name for each in known.keys_to_rotate} == {"old-batch", "by-hand"}
            assert f"may know the value of API key by-hand ({known.keys_to_rotate[-1].id})" in str(report)
            assert report.to_dict()["offboarded"][0]["user"]["id"] == eve.id
        elif len(nights) < 4:  # somebody gives the role by hand again
            admin.role_bindings.create(
                principal_type="user",
                principal_id=eve.id,
                resource_type="project",
                resource_id=project.id,
                role="ProjectViewer",
            )
    again = "revoke user"
    assert nights == [
        [again],
        [again, "delete api_key"],
        [again, "delete service_account"],
        ["delete user"],
        [],
    ]


def test_an_end_that_is_refused_stops_no_other(emulator: Emulator) -> None:
    """The end of the last owner is not carried out, with the reason. Other ends and the rest of the file are."""
    admin = populate(emulator)
    emulator.clock.advance(24 * 3600)
    yesterday = str((emulator.clock.now() - timedelta(days=1)).date())
    owners = {each.principal_id for each in admin.role_bindings.list() if each.role == "OrgOwner"}
    people = [
        {"email": each.email, "roles": ["OrgOwner" if each.id in owners else "OrgMember"], "until": yesterday}
        for each in admin.users.list()
        if each.id in owners or each.email == "eve@example.com"
    ]
    assert len(people) == 2
    desired = describe(emulator.organization_id, people=people, projects=[{"name": "new"}])
    report = admin.apply(admin.plan(desired), allow_removals=2)
    assert [f"{each.change.action} {each.change.target.name}" for each in report.done] == [
        "create new",
        "delete eve@example.com",
    ]
    [held] = report.not_run
    assert held.change.reason is not None
    assert "OrgOwner" in held.change.reason or "owner" in held.change.reason
    assert (report.is_complete, report.failed) == (False, [])
    assert [each.email for each in report.offboarded] == ["eve@example.com"]


def test_a_second_key_of_a_name_stops_its_own_end_alone(emulator: Emulator) -> None:
    """A second key with the name stops the end of that key, and no other end. The report names it."""
    admin = populate(emulator)
    project = (admin.projects.list())[0]
    admin.api_keys.create(project_id=project.id, name="reader", roles=["ProjectEditor"])
    emulator.clock.advance(24 * 3600)
    yesterday = str((emulator.clock.now() - timedelta(days=1)).date())
    keys = [{"name": each, "roles": ["ProjectViewer"], "until": yesterday} for each in ("reader", "by-hand")]
    desired = describe(emulator.organization_id, projects=[{"name": "search", "api_keys": keys}])
    report = admin.apply(admin.plan(desired, base=desired))
    assert [each.change.target.name for each in report.done] == ["by-hand"]
    assert len(report.stopped) == 1
    assert "key reader: several have this name" in report.stopped[0]
    assert report.stopped[0] in str(report)
    assert not report.is_complete


def test_without_a_date_of_the_server_nothing_ends(emulator: Emulator) -> None:
    """The clock of this machine, which may be ahead, ends nothing: the plan and the report name what they leave out."""
    populate(emulator)
    people = [{"email": "eve@example.com", "roles": ["OrgMember"], "until": "2020-01-31"}]
    desired = describe(emulator.organization_id, people=people)
    admin = emulator.admin(transport=OtherDates(emulator, ""))
    report = admin.apply(admin.plan(desired))
    assert (report.steps, len(report.stopped)) == ([], 1)
    assert "no response of the server had a valid Date" in report.stopped[0]
    assert not report.is_complete


def test_a_report_has_every_id(emulator: Emulator) -> None:
    """Steps that were done have ids, also of the projects and accounts that the same run has made."""
    admin = emulator.admin()
    names = [f"p{number}" for number in range(9)]
    desired = describe(
        emulator.organization_id,
        projects=[{"name": each, "api_keys": [{"name": "reader", "roles": ["ProjectViewer"]}]} for each in names],
        service_accounts=[{"name": "ci", "roles": ["OrgMember", *(f"{each}:ProjectOwner" for each in names)]}],
        people=[{"email": "ada@example.com", "roles": ["OrgMember", "p7:ProjectOwner"]}],
    )
    emulator.configure(project_quota=200)
    report = admin.apply(admin.plan(desired), store=Vault())
    ids = {each.name: each.id for each in admin.projects.list()}
    assert {each.change.action for each in report.done} == {"create", "invite"}
    for step in report.done:
        assert step.change.target.id is not None
        assert all(each.id == ids[each.name or ""] for each in step.change.projects)


@pytest.mark.parametrize("keep_other_roles", [True, False])
def test_a_plan_of_roles_is_refused_or_carried_out(emulator: Emulator, keep_other_roles: bool) -> None:
    """For all roles in a file, a plan that is not refused is carried out, and the next plan is empty."""
    admin = emulator.admin()
    project = admin.projects.create(name="search")
    bindings = [on_organization("OrgMember"), on_project(project.id, "ProjectViewer")]
    document, refused = emulator.dump(), set[str]()
    for kind in ("user", "invite", "service_account", "new"):
        for roles in (["OrgManager"], ["OrgMember"], ["search:ProjectViewer"], ["search:ProjectOwner"], []):
            emulator.load(document)
            name = f"{kind}@example.com"
            if kind == "service_account":
                admin.service_accounts.create(name=name, role_bindings=bindings)
            elif kind != "new":
                invite = admin.invites.create(email=name, role_bindings=bindings)
            if kind == "user":
                emulator.accept_invite(invite.id)
            item: dict[str, Any] = {"roles": roles, "keep_other_roles": keep_other_roles}
            sections: dict[str, Any] = {"people": [{"email": name, **item}]}
            if kind == "service_account":
                sections = {"service_accounts": [{"name": name, **item}]}
            try:
                plan = admin.plan(describe(emulator.organization_id, **sections))
            except PineconeValueError:
                assert not keep_other_roles
                assert not roles or "Org" not in roles[0]
                refused.add(kind)
                continue
            if plan.stopped:  # other roles may have been enough, until the person left
                assert keep_other_roles
                assert not plan.changes
                refused.add(kind)
                continue
            if plan.refusals:
                with raises(RefusedError, match="role"):
                    admin.apply(plan)
                refused.add(kind)
                continue
            report = admin.apply(plan)
            assert report.failed == []
            assert (admin.plan(describe(emulator.organization_id, **sections))).changes == []
    assert refused == {"new", "invite", *([] if keep_other_roles else ["user"])}


def test_a_secret_needs_a_store(emulator: Emulator) -> None:
    """Without store, nothing is changed if a secret would be made."""
    admin = populate(emulator)
    plan = admin.plan(want_changes(emulator))
    requests = len(emulator.requests)
    with raises(PineconeValueError, match="store is needed: 3 secrets would be made"):
        admin.apply(plan)
    assert {each.method for each in list(emulator.requests)[requests:]} == {"GET"}


def test_after_a_store_has_failed_no_secret_is_made(emulator: Emulator) -> None:
    """The second of three secrets is undone, the third is not made, the rest is done; the same call goes on."""
    admin, desired, vault = populate(emulator), want_changes(emulator), Vault()
    plan = admin.plan(desired)

    def fail_second(made: Made) -> None:
        if vault.secrets:
            fail_to_store(made)
        vault(made)

    report = admin.apply(plan, store=fail_second)
    [undone] = report.undone
    assert re.match("created key .*, and undid it", str(undone))
    assert "the vault is sealed" in str(undone.error)
    assert [each.change.reason for each in report.not_run] == ["a secret could not be stored"]
    assert len(report.done) == len(plan.changes) - 2
    assert not report.is_complete
    assert not any(each.name.startswith("~") for each in emulator.state.api_keys.values())
    report = admin.apply(plan, store=vault)
    assert [each.change.action for each in report.done] == ["create", "create"]
    assert (admin.plan(desired)).changes == []


def test_a_store_that_quotes_the_secret(emulator: Emulator) -> None:
    """The report contains the exception of the store, with the secret masked."""
    admin, made = populate(emulator), list[str]()

    def quote(secret: Made) -> None:
        made.append(secret.value if isinstance(secret, APIKeyWithSecret) else secret.client_secret)
        raise ValueError(f"cannot keep {made[-1]!r}")

    report = admin.apply(admin.plan(want_changes(emulator)), store=quote)
    assert str(report.undone[0].error).startswith("cannot keep '***'")
    assert made[0] not in str(report) + json.dumps(report.to_dict())


def test_a_store_that_quotes_what_it_has_stored_before() -> None:
    """The secrets of earlier steps are masked, too, also as a URL has them."""
    emulator, made = Emulator(key_prefix="pcsk/&"), list[str]()
    admin = populate(emulator)

    def quote_earlier(secret: Made) -> None:
        made.append(secret.value if isinstance(secret, APIKeyWithSecret) else secret.client_secret)
        if len(made) == 3:
            earlier = " ".join(map(quote_plus, made[:2]))
            raise ValueError(f"the vault is full of {earlier}")

    report = admin.apply(admin.plan(want_changes(emulator)), store=quote_earlier)
    assert str(report.undone[0].error).startswith("the vault is full of *** ***")


class QuotingStore(PlacedStore):
    """A readable store that has no secret, and quotes each that it gets."""

    def __init__(self) -> None:
        self.secrets: list[str] = []

    def __call__(self, made: Made) -> None:
        """Quote a secret."""
        self.secrets.append(made.value if isinstance(made, APIKeyWithSecret) else made.client_secret)
        raise ValueError(f"cannot keep {self.secrets[-1]!r}")

    def check_unused(self) -> None:
        """Find nothing."""

    def read(self, made: object, /) -> None:
        """Find nothing."""


class StoreOfOwners(StoreByName):
    """Keeps the names of the secrets that it is chosen for."""

    def __init__(self) -> None:
        self.owners: list[SecretOwner] = []

    def __call__(self, made: Made) -> None:
        """Store nothing."""

    @property
    def is_readable(self) -> bool:
        """Whether the store is readable."""
        return False

    def find_problems(self, owners: Sequence[SecretOwner], _: object) -> Sequence[None]:
        """Find nothing."""
        return [None] * len(owners)

    def select(self, owner: SecretOwner) -> AbstractContextManager[Callable[[Made], None]]:
        """Keep the name."""
        self.owners.append(owner)
        return nullcontext(self)


@pytest.mark.parametrize("drift", [False, True])
def test_a_secret_is_stored_by_the_name_that_the_project_has_in_the_end(emulator: Emulator, drift: bool) -> None:
    """A rename of a project that is drift, and left alone, does not change where the secrets of its keys go."""
    admin, store = populate(emulator), StoreOfOwners()
    [project] = admin.projects.list()
    renamed = {"name": "shop", "id": project.id}
    new = [{"name": "new", "roles": ["ProjectViewer"]}]
    base = describe(emulator.organization_id, projects=[renamed])
    plan = admin.plan(describe(emulator.organization_id, projects=[{**renamed, "api_keys": new}]), base=base)
    admin.apply(plan, drift=drift, store=store)
    [found] = admin.projects.list()
    assert [each.project for each in store.owners] == [found.name] == ["shop" if drift else "search"]


class StoreOfQuotingStores(StoreByName):
    """Chooses the same store for each secret."""

    def __init__(self, store: QuotingStore) -> None:
        self.store = store

    def __call__(self, made: Made) -> None:
        """Quote a secret."""
        self.store(made)

    @property
    def is_readable(self) -> bool:
        """Whether the store is readable."""
        return True

    def find_problems(self, owners: Sequence[SecretOwner], _: object) -> Sequence[None]:
        """Find nothing."""
        return [None] * len(owners)

    def select(self, _: SecretOwner) -> AbstractContextManager[QuotingStore]:
        """Return the store."""
        return nullcontext(self.store)


@pytest.mark.parametrize("is_chosen", [False, True])
def test_a_readable_store_that_quotes_the_secret(emulator: Emulator, *, is_chosen: bool) -> None:
    """The exception of a readable store is masked, too, also if the store is chosen by the name of the secret."""
    admin, store = populate(emulator), QuotingStore()
    chosen = StoreOfQuotingStores(store) if is_chosen else store
    report = admin.apply(admin.plan(want_changes(emulator)), store=chosen)
    assert str(report.undone[0].error).startswith("cannot keep '***'")
    assert store.secrets[0] not in str(report) + json.dumps(report.to_dict())


@pytest.mark.parametrize("kind", [InjectedFault.KILL_BEFORE, InjectedFault.KILL_AFTER])
def test_a_saved_plan_completes_its_own_interrupted_run(kind: InjectedFault, stride: Callable[[int], int]) -> None:
    """Killed at any request, the same saved plan goes on: nothing is there twice or left, every secret is stored."""
    # The state before a request equals the state after the request before it, except for the store.
    for number in range(8, 200, stride(2)):
        emulator = Emulator(seed=1)
        saved = ((populate(emulator)).plan(want_changes(emulator))).to_json()
        vault = Vault()
        transport = FaultyTransport(emulator, {number: kind})
        with suppress(KilledError, BaseExceptionGroup):
            transport.admin().apply(ChangePlan.from_json(saved), store=vault)
        report = emulator.admin().apply(ChangePlan.from_json(saved), store=vault)
        assert (report.failed, report.not_run) == ([], []), number
        again = emulator.admin().plan(want_changes(emulator))
        assert (again.changes, again.unfinished) == ([], []), number
        secrets = {each.name: each.value for each in emulator.state.api_keys.values()}
        secrets |= {each.name: each.client_secret for each in emulator.state.service_accounts.listing}
        assert len(vault.secrets) == 3
        assert vault.secrets.items() <= secrets.items(), number
        if len(transport.requests) < number:
            break
    assert 20 < number < 199


def test_a_saved_plan_replaces_nothing_else_of_that_name(emulator: Emulator) -> None:
    """A resource that is older than the plan, or has other roles, is not taken for a leftover of a run."""
    admin = populate(emulator)
    project = admin.projects.describe_by_name(name="search")
    older = admin.api_keys.create(project_id=project.id, name="older", roles=["ProjectViewer"])
    emulator.clock.advance(60)
    keys = [{"name": "new", "roles": ["ProjectViewer"]}]
    account = {"name": "robot", "roles": ["OrgMember", "search:ProjectViewer"]}
    projects = [{"name": "search", "api_keys": keys}]
    plan = admin.plan(describe(emulator.organization_id, projects=projects, service_accounts=[account]))
    admin.api_keys.update(api_key_id=older.key.id, name=tag_as_unfinished("new"))
    with raises(RefusedError, match=rf"left .*\({older.key.id}\).*: make another plan, which names what is replaced"):
        admin.apply(plan, store=Vault())
    admin.api_keys.delete(api_key_id=older.key.id)
    other = admin.service_accounts.create(name=tag_as_unfinished("robot"), role_bindings=[on_organization("OrgMember")])
    with raises(RefusedError, match=rf"left .*\({other.service_account.id}\): "):
        admin.apply(plan, store=Vault())
    admin.role_bindings.create(
        principal_type="service_account",
        principal_id=other.service_account.id,
        resource_type="project",
        resource_id=project.id,
        role="ProjectViewer",
    )
    report = admin.apply(plan, store=Vault())
    assert [each.change.action for each in report.done] == ["create", "delete", "create"]


def test_names_of_an_older_version_and_of_this_one_are_finished_together(emulator: Emulator) -> None:
    """Leftovers of 0.3 have no mark in their names, and those of this version have one. A plan finishes both."""
    admin, vault = populate(emulator), Vault()
    project = admin.projects.describe_by_name(name="search")
    reader = admin.api_keys.describe_by_name(project_id=project.id, name="reader")
    for mark in ("", "04be6a1f"):
        for name in ("one", "two"):
            admin.api_keys.create(project_id=project.id, name=tag_as_unfinished(name, mark))
        admin.service_accounts.create(name=tag_as_unfinished("robot", mark))
        admin.api_keys.create(project_id=project.id, name=tag_as_successor(reader.id, "reader", mark))
    keys = [{"name": name, "roles": ["ProjectViewer"]} for name in ("one", "two")]
    desired = describe(
        emulator.organization_id,
        projects=[{"name": "search", "api_keys": [*keys, {"name": "reader", "roles": ["DataPlaneViewer"]}]}],
        service_accounts=[{"name": "robot", "roles": ["OrgMember"]}],
    )
    plan = admin.plan(desired)
    assert [len(each.replaces) for each in plan.changes] == [2, 2, 2]
    assert [each.target.name for each in plan.unfinished] == [
        tag_as_successor(reader.id, "reader"),
        tag_as_successor(reader.id, "reader", "04be6a1f"),
    ]
    report = admin.apply(ChangePlan.from_json(plan.to_json()), store=vault)
    assert report.is_complete
    assert [each.change.action for each in report.steps] == ["create", "delete", "delete"] * 3
    admin.api_keys.rotate(api_key_id=reader.id, store=vault)
    again = admin.plan(desired)
    assert (again.changes, again.unfinished, again.kept) == ([], [], [])
    assert not any(each.name.startswith("~") for each in emulator.state.api_keys.values())


def test_hostile_names(emulator: Emulator) -> None:
    """Names with colons, slashes, line breaks, tildes and markup are applied as they are, and planned once."""
    admin, vault = emulator.admin(), Vault()
    names = ["a:b", "x/y", "line\nbreak", "~odd", " ", "@octocat", "`code`", "\u202egnp", "OrgOwner", "*"]
    roles = ["OrgMember", *(f"{each}:ProjectViewer" for each in names)]
    desired = describe(
        emulator.organization_id,
        projects=[{"name": each, "api_keys": [{"name": each, "roles": ["ProjectViewer"]}]} for each in names],
        service_accounts=[{"name": each, "roles": roles} for each in names],
        people=[{"email": "ada@example.com", "roles": roles}],
    )
    plan = admin.plan(desired)
    assert len(str(plan).splitlines()) == 1 + len(plan.changes) + 1
    lines = [each for each in plan.to_markdown().splitlines() if each.startswith("- `")]
    assert len(lines) == len(plan.changes) + 1
    assert "OrgMember and ProjectViewer on new project ' ' and ProjectViewer on new project '*' and " in str(plan)
    report = admin.apply(ChangePlan.from_json(plan.to_json()), store=vault)
    assert (report.failed, report.not_run) == ([], [])
    assert (admin.plan(desired)).changes == []
    exported = (admin.inventory()).to_desired_state()
    assert (admin.plan(exported)).changes == []


def test_the_first_429_of_invites_ends_them(emulator: Emulator) -> None:
    """Further invites are not tried once the server takes no more."""
    admin = populate(emulator)
    people = [{"email": f"p{number:02}@example.com", "roles": ["OrgMember"]} for number in range(60)]
    plan = admin.plan(describe(emulator.organization_id, people=people))
    emulator.faults.add("invites.create", status=429, headers={"Retry-After": "3600"}, times=None)
    report = admin.apply(plan)
    assert report.done == []
    assert len(report.failed) <= 20
    assert {each.change.reason for each in report.not_run} == {"the server takes no more invites for now"}


@pytest.mark.parametrize("status", [403, 500])
def test_what_depends_on_a_failed_step_is_not_run(emulator: Emulator, status: int) -> None:
    """If a project cannot be created, its keys and the roles on it are not tried, and nothing is revoked for them."""
    admin = populate(emulator)
    emulator.faults.add("projects.create", status=status, times=None)
    report = admin.apply(admin.plan(want_changes(emulator)), store=Vault())
    state, was_not = ("rejected", "was not") if status == 403 else ("sent", "may not have been")
    assert [(each.change.target.name, each.state) for each in report.failed] == [("shop", state)]
    assert {each.change.reason for each in report.not_run} == {f"project shop {was_not} created"}
    assert sorted(str(each.change.target.name) for each in report.not_run) == [
        "ada@example.com",
        "dan@example.com",
        "shop-ci",
        "shop-reader",
    ]


@pytest.mark.parametrize("status", [403, 500])
def test_nothing_is_revoked_after_a_failed_grant(emulator: Emulator, status: int) -> None:
    """A person who could not get the new role keeps the old one."""
    admin = populate(emulator)
    emulator.faults.add("role_bindings.create", status=status, times=None)
    desired = describe(emulator.organization_id, people=[{"email": "bob@example.com", "roles": ["OrgMember"]}])
    report = admin.apply(admin.plan(desired))
    state, was_not = ("rejected", "was not") if status == 403 else ("sent", "may not have been")
    code = ForbiddenError.help_code if status == 403 else ServiceError.help_code
    assert [(each.change.action, each.state, each.help_code) for each in report.failed] == [("grant", state, code)]
    assert [(each.change.action, each.change.reason) for each in report.not_run] == [
        ("revoke", f"another role {was_not} granted")
    ]


def test_a_person_whom_an_identity_provider_manages() -> None:
    """A refusal for a person of an identity provider is a failed step that says so."""
    emulator = Emulator(seed=1)
    admin = populate(emulator)
    plan = admin.plan(want_changes(emulator))
    emulator.configure(managed_people=["bob@example.com", "eve@example.com"])
    report = admin.apply(plan, store=Vault())
    failed = {str(each.change.target.name).lower(): each.error for each in report.failed}
    assert set(failed) == {"bob@example.com", "eve@example.com"}
    assert {each.state for each in report.failed} == {"rejected"}
    assert all("identity provider" in str(each) for each in failed.values())


@pytest.mark.parametrize(
    ("settings", "failed"),
    [
        ({"project_quota": 1}, ["shop"]),
        ({"api_key_quota": 3}, ["writer"]),
        ({"payment_status": "Suspended"}, ["shop", "writer"]),
        ({"plan": "Free"}, ["reader", "shop", "writer"]),
    ],
)
def test_plans_and_quotas(emulator: Emulator, settings: dict[str, Any], failed: list[str]) -> None:
    """A change that a plan, a quota or the billing state refuses is a failed step. The rest is done or explained."""
    admin = populate(emulator)
    plan = admin.plan(want_changes(emulator))
    emulator.configure(**settings)
    report = admin.apply(plan, store=Vault())
    assert set(failed) <= {str(each.change.target.name) for each in report.failed}, report.failed
    assert {each.state for each in report.failed} == {"rejected"}
    assert len(report.done) + len(report.failed) + len(report.not_run) == len(plan.changes)
    assert not any(each.name.startswith("~") for each in emulator.state.api_keys.values())


@pytest.mark.parametrize("roles", [["OrgManager"], ["OrgMember"], []])
def test_a_plan_needs_the_view_of_an_owner(emulator: Emulator, roles: list[str]) -> None:
    """An account that is not seen to be an OrgOwner plans nothing: what it does not see would be made again."""
    populate(emulator)
    admin = emulator.admin(roles=roles)
    with raises(ForbiddenError, match="use an account with OrgOwner"):
        admin.plan(describe(emulator.organization_id))


def test_a_token_needs_a_client_id(emulator: Emulator) -> None:
    """A client that has only a token does not know whose it is."""
    with emulator.admin() as owner:
        token = (owner.token()).value
        admin = Admin(access_token=token, transport=emulator.transport)
        with raises(PineconeValueError, match="client_id is needed"):
            admin.plan(describe(emulator.organization_id))
        desired = describe(emulator.organization_id, projects=[{"name": "shop"}])
        plan = admin.plan(desired, client_id=emulator.client_id)
        report = admin.apply(plan)
        assert (len(report.done), report.client_id) == (1, None)
        absent = describe(emulator.organization_id, service_accounts=[{"name": "old", "absent": True}])
        admin.service_accounts.create(name="old")
        plan = admin.plan(absent, client_id=emulator.client_id)
        with raises(
            RefusedError, match="account old .* may be the caller's own, because an access token .*; pass client_id"
        ):
            admin.apply(plan)
        with raises(PineconeValueError, match="client_id is another account than that of the credentials"):
            owner.apply(plan, client_id="another")
        report = admin.apply(plan, client_id=emulator.client_id)
        assert (len(report.done), report.client_id) == (1, emulator.client_id)


def test_a_file_of_another_organization_is_refused(emulator: Emulator) -> None:
    """A file and a plan are of one organization."""
    admin, other = emulator.admin(), Emulator(seed=2).admin()
    plan = admin.plan(describe(emulator.organization_id))
    with raises(RefusedError, match="is of organization Elsewhere"):
        admin.plan(describe("Elsewhere"))
    with raises(RefusedError, match="this plan is for organization"):
        other.apply(plan)


def test_a_read_only_client_applies_nothing(emulator: Emulator) -> None:
    """A read-only client plans, and refuses to apply."""
    admin = (populate(emulator)).with_options(read_only=True)
    plan = admin.plan(want_changes(emulator))
    with raises(ReadOnlyError):
        admin.apply(plan, store=Vault())


def test_an_interrupted_rotation_counts_as_its_final_key(emulator: Emulator) -> None:
    """A new key that a dead rotation has not named holds the name, and the old one is shown as unfinished."""
    admin = populate(emulator)
    project = admin.projects.describe_by_name(name="search")
    key = admin.api_keys.describe_by_name(project_id=project.id, name="reader")
    keep = timedelta(days=1)
    admin.api_keys.rotate(api_key_id=key.id, store=Vault(), keep_old_for=keep)
    new = admin.api_keys.describe_by_name(project_id=project.id, name="reader")
    admin.api_keys.update(api_key_id=new.id, name=tag_as_successor(key.id, "reader"))
    wanted = {"name": "reader", "roles": ["DataPlaneEditor"]}
    desired = describe(emulator.organization_id, projects=[{"name": "search", "api_keys": [wanted]}])
    plan = admin.plan(desired)
    assert [(each.action, each.target.id) for each in plan.changes] == [("update", new.id)]
    assert [(each.target.id, each.reason) for each in plan.unfinished] == [(key.id, "unfinished work, 0 seconds old")]
    admin.apply(plan)
    again = admin.plan(desired)
    assert (again.changes, again.unfinished) == ([], [])
    assert [each.target.id for each in again.kept] == [key.id]
    assert "the old key of a finished rotation, kept at least until" in str(again)


def test_an_export_applied_elsewhere_gives_an_equal_export(emulator: Emulator) -> None:
    """The export of one organization, applied to an empty one, gives an equal export, and a second run is empty."""
    source = populate(emulator)
    exported = (source.inventory()).to_desired_state()
    assert (source.plan(exported)).changes == []
    target = Emulator(seed=2)
    admin = target.admin()
    document = {**exported.to_dict(), "organization": target.organization_id}
    document["service_accounts"] = [each for each in document["service_accounts"] if each["name"] != "emulator"]
    desired = DesiredState.from_dict(document)
    admin.apply(admin.plan(desired), store=Vault())
    found = (admin.inventory()).to_desired_state().to_dict()
    assert {**found, "organization": exported.organization} == exported.to_dict()
    assert (admin.plan(desired)).changes == []


CUTS = [(number, fault) for number in range(1, 60) for fault in (InjectedFault.KILL_BEFORE, InjectedFault.KILL_AFTER)]


def finish(emulator: Emulator, desired: DesiredState, vault: Vault) -> Mapping[str, Any]:
    """Plan and apply until nothing is left to do, and return the export of the organization."""
    admin = emulator.admin()
    report = admin.apply(admin.plan(desired), store=vault)
    assert report.failed == []
    assert (admin.plan(desired)).changes == []
    names = [each.name for each in emulator.state.api_keys.values()]
    names += [each.name for each in emulator.state.service_accounts.values()]
    assert [each for each in names if each.startswith("~")] == []
    return (admin.inventory()).to_desired_state().to_dict()


def check_secrets(emulator: Emulator, vault: Vault) -> None:
    """Assert that every secret of the vault is that of the key or account with its name."""
    values = {each.name: each.value for each in emulator.state.api_keys.values()}
    values |= {each.name: each.client_secret for each in emulator.state.service_accounts.values()}
    assert {name: values[name] for name in vault.secrets} == vault.secrets


def test_a_run_that_dies_at_any_request_is_completed(stride: Callable[..., Any]) -> None:
    """Killed before or after each request, the next run gives the same organization: nothing twice, no secret lost."""
    whole = Emulator(seed=1)
    populate(whole)
    expected = finish(whole, want_changes(whole), Vault())
    for number, fault in CUTS[:: stride(13)]:
        emulator, vault = Emulator(seed=1), Vault()
        admin = populate(emulator)
        desired = want_changes(emulator)
        plan = admin.plan(desired)
        with suppress(KilledError, BaseExceptionGroup):
            FaultyTransport(emulator, {number: fault}).admin().apply(plan, store=vault)
        assert finish(emulator, desired, vault) == expected, (number, fault)
        check_secrets(emulator, vault)
        assert sorted(vault.secrets) == ["shop-ci", "shop-reader", "writer"]


def test_every_lost_response_and_refusal(stride: Callable[..., Any]) -> None:
    """For every fault at every request, the report has each step once, and the next run finishes the work."""
    whole = Emulator(seed=1)
    populate(whole)
    expected = finish(whole, want_changes(whole), Vault())
    kinds = (InjectedFault.RESPONSE_LOST, InjectedFault.RATE_LIMITED, InjectedFault.BAD_REQUEST, InjectedFault.CONFLICT)
    cases = [(number, fault) for number in range(8, 60) for fault in kinds]
    for number, fault in cases[:: stride(19)]:
        emulator, vault = Emulator(seed=1), Vault()
        admin = populate(emulator)
        desired = want_changes(emulator)
        plan = admin.plan(desired)
        report = FaultyTransport(emulator, {number: fault}).admin().apply(plan, store=vault)
        assert [(each.change.action, each.change.target.name) for each in report.steps] == [
            (each.action, each.target.name) for each in plan.changes
        ], (number, fault)
        assert finish(emulator, desired, vault) == expected, (number, fault)
        check_secrets(emulator, vault)


def test_a_cancelled_run_is_completed(stride: Callable[..., Any]) -> None:
    """Cancelled or interrupted at any request, a run notes what it did, and the next run completes it."""
    whole = Emulator(seed=1)
    populate(whole)
    expected = finish(whole, want_changes(whole), Vault())
    for number in range(8, 50, stride(9)):
        emulator, vault = Emulator(seed=1), Vault()
        admin = populate(emulator)
        desired = want_changes(emulator)
        plan = admin.plan(desired)
        transport = InterruptingTransport(emulator, number, after=number % 2 == 0)
        client = transport.admin()

        def work(client: Admin = client, plan: ChangePlan = plan, vault: Vault = vault) -> ApplyReport:
            return client.apply(plan, store=vault)

        def arm(interrupt: Callable[[], object], transport: InterruptingTransport = transport) -> None:
            transport.interrupt = interrupt

        run_interruptibly(work, arm, by_task=False)
        assert finish(emulator, desired, vault) == expected, number
        check_secrets(emulator, vault)


def test_random_files_are_applied_once(stride: Callable[..., Any]) -> None:
    """Random files over random organizations converge in one run, and touch nothing that they do not list."""
    for seed in range(0, 60, stride(7)):
        random, emulator = Random(seed), Emulator(seed=seed)
        admin = populate(emulator)
        desired = draw_file(random, emulator)
        plan = admin.plan(desired)
        untouched = {each.id for each in plan.not_listed}
        assert untouched.isdisjoint({each.target.id for each in plan.changes})
        before = {each.id: each for each in (admin.inventory()).users if each.id in untouched}
        if plan.refusals:
            continue
        report = admin.apply(plan, store=Vault(), allow_removals=99)
        assert report.failed == [], seed
        assert report.not_run == [], seed
        again = admin.plan(desired)
        assert again.changes == [], seed
        assert {each.id: each for each in (admin.inventory()).users if each.id in untouched} == before


def test_random_changes_between_plan_and_apply(stride: Callable[..., Any]) -> None:
    """If somebody changes something in the console during a run, the run changes only what the plan names."""
    endings = Counter[str]()
    for seed in range(0, 200, stride(11)):
        random, emulator = Random(seed), Emulator(seed=seed)
        admin = populate(emulator)
        plan = admin.plan(draw_file(random, emulator))
        for _ in range(random.randint(1, 3)):
            change_something(random, emulator)
        before = summarize(admin.inventory())
        try:
            admin.apply(plan, store=Vault(), allow_removals=99)
            endings["applied"] += 1
        except (RefusedError, PineconeValueError):
            assert summarize(admin.inventory()) == before, seed
            endings["refused"] += 1
            continue
        after = summarize(admin.inventory())
        named = {ref.id for each in plan.changes for ref in (each.target, *each.replaces)}
        targets = [each.target for each in plan.changes]
        people = {str(each.name).lower() for each in targets if each.kind in {"user", "invite"}}
        for id, (name, roles) in before.items():
            is_named = id in named or name.lower() in people
            assert is_named or after.get(id) == (name, roles), (seed, name)
    assert len(endings) == 2


def summarize(inventory: Inventory) -> dict[str, tuple[str, set[tuple[str, str]]]]:
    """Return the name and the roles of everything in an organization by its id."""
    found: list[Any] = [*inventory.projects, *inventory.api_keys, *inventory.service_accounts]
    people: list[Any] = [*inventory.users, *inventory.invites]
    held = inventory.role_bindings
    return {
        id: (name, {(each.role, each.resource_id) for each in held if each.principal_id == id})
        for id, name in [*((each.id, each.name) for each in found), *((each.id, each.email) for each in people)]
    }


def change_something(random: Random, emulator: Emulator) -> None:
    """Make a random change, as somebody does in the console."""
    admin = emulator.admin()
    inventory = admin.inventory()
    project_id = random.choice(inventory.projects).id
    key = random.choice(inventory.api_keys)
    role = random.choice([each for each in inventory.role_bindings if each.role != "OrgOwner"])
    match random.randrange(8):
        case 0:
            admin.projects.update(project_id=project_id, name=random.choice(["search", "shop", "docs"]))
        case 1:
            admin.projects.create(name=random.choice(["search", "shop", "docs"]))
        case 2:
            name = random.choice(["reader", "new"])
            admin.api_keys.create(project_id=project_id, name=name, roles=["DataPlaneViewer"])
        case 3:
            admin.api_keys.update(api_key_id=key.id, name=random.choice(["reader", "new"]))
        case 4 | 5:
            name = random.choice(["new-ci", "old-ci"])
            admin.service_accounts.create(name=name, role_bindings=[on_organization("OrgMember")])
        case 6:
            with suppress(ConflictError):  # the last role of an invite
                admin.role_bindings.delete(role_binding_id=role.id)
        case _:
            for invite in inventory.invites:
                emulator.accept_invite(invite.id)


def draw_file(random: Random, emulator: Emulator) -> DesiredState:
    """Return a random file on the organization of ``populate``."""
    names = [each for each in ("search", "shop", "docs") if random.random() < 0.7]
    places = [*names, *(["search"] if "search" not in names else [])]

    def draw_roles(*, on_organization: bool) -> list[str]:
        roles = {random.choice(["OrgMember", "OrgManager"])} if on_organization else set[str]()
        for place in places:
            if random.random() < 0.5:
                roles.add(f"{place}:{random.choice(['ProjectViewer', 'ProjectEditor', 'ProjectOwner'])}")
        return sorted(roles)

    def draw_item(field: str, name: str, *, on_organization: bool) -> dict[str, Any]:
        if random.random() < 0.3:
            return {field: name, "absent": True}
        item: dict[str, Any] = {field: name, "roles": draw_roles(on_organization=on_organization)}
        return item | ({"keep_other_roles": True} if random.random() < 0.2 else {})

    def draw_key(name: str) -> dict[str, Any]:
        if random.random() < 0.3:
            return {"name": name, "absent": True}
        return {"name": name, "roles": [random.choice(["DataPlaneViewer", "ProjectEditor", "DataPlaneEditor"])]}

    keys = ("reader", "old-batch", "new")
    accounts, people = ("ci", "old-ci", "new-ci"), ("bob", "eve", "dan", "ada", "zoe")
    return describe(
        emulator.organization_id,
        projects=[
            {"name": each, "api_keys": [draw_key(key) for key in keys if random.random() < 0.6]} for each in names
        ],
        service_accounts=[
            draw_item("name", each, on_organization=random.random() < 0.5) for each in accounts if random.random() < 0.7
        ],
        people=[
            draw_item("email", f"{each}@example.com", on_organization=True) for each in people if random.random() < 0.7
        ],
    )
