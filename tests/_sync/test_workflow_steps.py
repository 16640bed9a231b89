# Derived from tests/_async/test_workflow_steps.py by scripts/unasync.py: change that, not this file.
"""Every change that a workflow sends is a step of its report, whatever happens to it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from pinecone_admin import Admin, PineconeError, on_organization, on_project
from pinecone_admin.emulator import Emulator
from pinecone_admin.workflows import DesiredState, ProjectRole, Step
from tests.support.fault_injection import FaultyTransport, InjectedFault, OtherValues
from tests.support.sampling import some_daily
from tests.support.steps import list_actions

pytestmark = pytest.mark.anyio

OPERATIONS = {
    ("POST", "projects"): ("create", "project"),
    ("POST", "api-keys"): ("create", "api_key"),
    ("POST", "service-accounts"): ("create", "service_account"),
    ("POST", "invites"): ("invite", "invite"),
    ("PATCH", "projects"): ("update", "project"),
    ("PATCH", "api-keys"): ("update", "api_key"),
    ("PATCH", "service-accounts"): ("update", "service_account"),
    ("DELETE", "projects"): ("delete", "project"),
    ("DELETE", "api-keys"): ("delete", "api_key"),
    ("DELETE", "service-accounts"): ("delete", "service_account"),
    ("DELETE", "users"): ("delete", "user"),
    ("DELETE", "invites"): ("delete", "invite"),
}
"""The action of a request, by its method and the last collection in its path."""


def name_change(request: str) -> tuple[str, str]:
    """Return what a request does, as steps name it; to grant or revoke a role is done to its holder."""
    method, _, path = request.partition(" ")
    collection = next(part for part in reversed(path.split("/")) if part.replace("-", "").isalpha())
    if collection == "role-bindings":
        return ("grant" if method == "POST" else "revoke"), "principal"
    return OPERATIONS[method, collection]


def name_steps(steps: list[Step]) -> list[tuple[str, str]]:
    """Return what was sent for steps; what was undone was also deleted."""
    sent: list[tuple[str, str]] = []
    for each in steps:
        if each.state not in {"planned", "skipped", "not_run"}:
            ((action, kind),) = list_actions([each])
            sent.append((action, "principal" if action in {"grant", "revoke"} else kind))
            sent += [("delete", kind)] if each.state == "undone" else []
    return sent


def prepare(admin: Admin, emulator: Emulator) -> dict[str, str]:
    """Create a project with a key, an account and a user who has two roles; return their ids."""
    project = admin.projects.create(name="p")
    key = admin.api_keys.create(project_id=project.id, name="reader")
    made = admin.service_accounts.create(name="robot", role_bindings=[on_organization("OrgManager")])
    user = emulator.add_user("ada@example.com", roles=["OrgMember", ("ProjectViewer", project.id)])
    return {"project": project.id, "key": key.key.id, "account": made.service_account.id, "user": user.id}


def store(_: object) -> None:
    """Store a secret."""


MEMBER = on_organization("OrgMember")
WORKFLOWS: dict[str, Callable[[Admin, dict[str, str]], Any]] = {
    "ensure project": lambda admin, _: admin.projects.ensure(name="new"),
    "update project": lambda admin, _: admin.projects.ensure(
        name="p", force_encryption_with_cmek=True, on_difference="update"
    ),
    "ensure key": lambda admin, ids: admin.api_keys.ensure(project_id=ids["project"], name="k", store=store),
    "ensure account": lambda admin, _: admin.service_accounts.ensure(name="new", role_bindings=[MEMBER], store=store),
    "update account": lambda admin, ids: admin.service_accounts.ensure(
        name="robot",
        role_bindings=[MEMBER, on_project(ids["project"], "ProjectViewer")],
        on_difference="update",
        revoke_unlisted=True,
    ),
    "ensure invite": lambda admin, _: admin.invites.ensure(email="eve@example.com", role_bindings=[MEMBER]),
    "ensure user": lambda admin, _: admin.users.ensure(
        email="ada@example.com", role_bindings=[MEMBER, on_organization("OrgManager")], revoke_unlisted=True
    ),
    "ensure role": lambda admin, ids: admin.role_bindings.ensure(
        principal_type="user", principal_id=ids["user"], resource_type="organization", role="OrgManager"
    ),
    "change role": lambda admin, ids: admin.role_bindings.change_role(
        principal_type="user",
        principal_id=ids["user"],
        resource_type="organization",
        from_role="OrgMember",
        to_role="OrgManager",
    ),
    "provision": lambda admin, ids: admin.projects.provision(
        name="tenant",
        key_roles=["ProjectViewer"],
        store=store,
        bindings=[ProjectRole(principal_type="user", principal_id=ids["user"], role="ProjectViewer")],
    ),
    "rotate": lambda admin, ids: admin.api_keys.rotate(api_key_id=ids["key"], store=store),
    "rotate with overlap": lambda admin, ids: admin.api_keys.rotate(
        api_key_id=ids["key"], store=store, keep_old_for=timedelta(hours=1)
    ),
    "offboard": lambda admin, _: admin.users.offboard(email="ada@example.com", dry_run=False),
}


@pytest.mark.parametrize("name", some_daily(WORKFLOWS, 2))
def test_the_steps_are_the_changes_that_were_sent(name: str) -> None:
    """Also where a request failed first, or its response was lost: what was sent twice for one create is one step."""
    faults = (None, InjectedFault.UNAVAILABLE, InjectedFault.RESPONSE_LOST)
    compared = 0
    for fault in faults:
        for number in range(1, 2 if fault is None else 12):
            emulator = Emulator(seed=1)
            ids = prepare(emulator.admin(), emulator)
            transport = FaultyTransport(emulator, {} if fault is None else {number: fault})
            with suppress(PineconeError):
                report = WORKFLOWS[name](transport.admin(), ids)
                sent = [name_change(each) for each in transport.requests if not each.startswith("GET")]
                steps = name_steps(report.steps)
                if fault is not None:  # a request that was sent again, since the first one failed, is the same step
                    sent, steps = [*dict.fromkeys(sent)], [*dict.fromkeys(steps)]
                assert steps == sent, (fault, number)
                compared += 1
    assert compared > 3


def apply(admin: Admin, **sections: Any) -> list[Step]:
    """Plan and apply a file; return the steps."""
    organization = (admin.organizations.list())[0].id
    desired = DesiredState.from_dict({"organization": organization, **sections})
    return (admin.apply(admin.plan(desired), store=store)).steps


KEY = {"name": "writer", "roles": ["DataPlaneEditor"]}
# What is sent, and what the response shows in its place.
SETTINGS: dict[str, tuple[Callable[[Admin, dict[str, str]], Any], str]] = {
    "create a project": (
        lambda admin, _: admin.projects.ensure(name="q", force_encryption_with_cmek=True),
        "force_encryption_with_cmek False instead of True",
    ),
    "update a project": (
        lambda admin, _: admin.projects.ensure(name="p", force_encryption_with_cmek=True, on_difference="update"),
        "force_encryption_with_cmek False instead of True",
    ),
    "create a key": (
        lambda admin, ids: admin.api_keys.ensure(
            project_id=ids["project"], name="writer", roles=["DataPlaneEditor"], store=store
        ),
        "roles ControlPlaneViewer instead of DataPlaneEditor",
    ),
    "update a key": (
        lambda admin, ids: admin.api_keys.ensure(
            project_id=ids["project"], name="reader", roles=["DataPlaneEditor"], on_difference="update"
        ),
        "roles ControlPlaneViewer instead of DataPlaneEditor",
    ),
    "rotate a key": (
        lambda admin, ids: admin.api_keys.rotate(api_key_id=ids["key"], store=store, keep_old_for=timedelta(0)),
        "roles ControlPlaneViewer instead of ProjectEditor",
    ),
    "provision": (
        lambda admin, _: admin.projects.provision(name="q", store=store, key_roles=["ProjectViewer"]),
        "roles ControlPlaneViewer instead of ProjectViewer",
    ),
    "apply to a project": (
        lambda admin, _: apply(admin, projects=[{"name": "p", "force_encryption_with_cmek": True}]),
        "force_encryption_with_cmek False instead of True",
    ),
    "apply to a key": (
        lambda admin, _: apply(admin, projects=[{"name": "p", "api_keys": [KEY]}]),
        "roles ControlPlaneViewer instead of DataPlaneEditor",
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_step_names_the_values_that_a_response_shows_in_place_of_those_sent(name: str) -> None:
    """The step is done, and its note and its text name them; a response with the values that were sent has no note."""
    call, note = SETTINGS[name]
    for values in ({"force_encryption_with_cmek": False, "roles": ["ControlPlaneViewer"]}, {}):
        emulator = Emulator(seed=1)
        transport = OtherValues(emulator, **values)
        ids = prepare(emulator.admin(), emulator)
        with transport.admin() as admin:
            done = call(admin, ids)
        steps: list[Step] = done if isinstance(done, list) else done.steps
        noted = [each for each in steps if each.note is not None]
        assert [each.note for each in noted] == [f"the response shows {note}"] * bool(values)
        assert [str(each).endswith(f", but the response shows {note}") for each in noted] == [True] * bool(values)
        assert [each.state for each in noted] == ["done"] * bool(values)
