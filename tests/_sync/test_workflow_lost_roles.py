# Derived from tests/_async/test_workflow_lost_roles.py by scripts/unasync.py: change that, not this file.
"""An account that loses its roles during a workflow gets 404 for what exists: nothing is reported as deleted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from attrs import define, field

from pinecone_admin import Admin, NotFoundError, PineconeError
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.records import Principal
from pinecone_admin.workflows import DesiredState
from tests.support.fault_injection import FaultyTransport, fail_to_store

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


@define
class Organization:
    """An organization with a project, two keys of which one is retired, a user and an account.

    Attributes:
        emulator: The organization.
        ids: Ids by names.
    """

    emulator: Emulator
    ids: dict[str, str] = field(factory=dict)

    def fill(self) -> None:
        """Create everything."""
        admin = self.emulator.admin()
        project = admin.projects.create(name="p")
        key = (admin.api_keys.create(project_id=project.id, name="reader")).key
        new = (admin.api_keys.rotate(api_key_id=key.id, store=str, keep_old_for=HOUR)).key
        self.emulator.clock.advance(7200)
        user = self.emulator.add_user("leo@example.com")
        account = (admin.service_accounts.create(name="robot")).service_account
        self.ids = {"project": project.id, "retired": key.id, "key": new.id, "user": user.id, "account": account.id}

    def desire(self, **sections: Any) -> DesiredState:
        """Return a file with sections."""
        return DesiredState.from_dict({"organization": self.emulator.organization_id, **sections})

    def list_ids(self) -> set[str]:
        """Return the ids of all that exists."""
        state = self.emulator.state
        things: list[Any] = [
            state.projects.values(),
            state.api_keys.values(),
            state.users.listing,
            state.service_accounts.listing,
        ]
        return {each.id for some in things for each in some}


def _use_temporary(organization: Organization, admin: Admin) -> object:
    with admin.api_keys.temporary(project_id=organization.ids["project"], roles=["ProjectViewer"]) as made:
        return made


def _remove(organization: Organization, admin: Admin) -> object:
    sections = {
        "people": [{"email": "leo@example.com", "absent": True}],
        "service_accounts": [{"name": "robot", "absent": True}],
        "projects": [{"name": "p", "api_keys": [{"name": "reader", "absent": True}]}],
    }
    return admin.apply(admin.plan(organization.desire(**sections)), allow_removals=9)


WORKFLOWS: Mapping[str, Callable[[Organization, Admin], object]] = {
    "rotate": lambda at, admin: admin.api_keys.rotate(api_key_id=at.ids["key"], store=str),
    "undo": lambda at, admin: admin.api_keys.ensure(project_id=at.ids["project"], name="new", store=fail_to_store),
    "undo provision": lambda _, admin: admin.projects.provision(
        name="new", key_roles=["ProjectViewer"], store=fail_to_store
    ),
    "delete_retired": lambda at, admin: admin.api_keys.delete_retired(project_id=at.ids["project"]),
    "delete_retired of all": lambda _, admin: admin.api_keys.delete_retired(),
    "rotate_due": lambda _, admin: admin.api_keys.rotate_due(older_than=HOUR, keep_old_for=timedelta(), store=str),
    "temporary": _use_temporary,
    "cleanup": lambda at, admin: admin.projects.delete_with_cleanup(project_id=at.ids["project"]),
    "preview of a cleanup": lambda at, admin: admin.projects.delete_with_cleanup(
        project_id=at.ids["project"], dry_run=True
    ),
    "offboard": lambda _, admin: admin.users.offboard(email="leo@example.com", dry_run=False),
    "apply": _remove,
}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_what_an_account_no_longer_sees_is_not_deleted(name: str, emulator: Emulator) -> None:
    """Whichever deletion is the first that it may not make, an error or the report names what is still there."""
    for number in range(9):
        emulator.reset()
        organization = Organization(emulator)
        organization.fill()
        before = organization.list_ids()
        transport, deletions = FaultyTransport(emulator), list[str]()
        (own,) = (each for each in emulator.state.service_accounts.listing if each.client_id == emulator.client_id)

        def lose_roles(
            transport: FaultyTransport = transport,
            deletions: list[str] = deletions,
            own: str = own.id,
            number: int = number,
        ) -> None:
            if transport.requests[-1].startswith("DELETE"):
                deletions.append(transport.requests[-1].rpartition("/")[2])
            if len(deletions) > number:
                emulator.state.unbind_all(Principal("service_account", own))

        transport.before_request = lose_roles
        error, report = None, None
        try:
            report = WORKFLOWS[name](organization, transport.admin())
        except (PineconeError, OSError) as exc:
            error = exc
        if len(deletions) <= number:
            break
        kept = deletions[number]
        assert kept in organization.list_ids()
        steps = {each.change.target.id: each.state for each in getattr(report, "steps", ())}
        assert steps.get(kept) not in {"done", "undone", "skipped"}
        if error is None:
            assert kept in str(report)
            continue
        text = "; ".join([str(error), *getattr(error, "__notes__", ())])
        assert f"{kept} was deleted" not in text
        assert "no longer exist" not in text
        if kept not in before:
            assert kept in text
            assert getattr(error, "outcome", "done") != "undone"
    else:
        pytest.fail("the workflow has more deletions")
    assert number > 0


def test_another_owner_of_a_project_sees_that_its_key_is_gone(emulator: Emulator) -> None:
    """An account that is no OrgOwner reads the other keys of the project, after a 404 to the deletion of one."""
    organization = Organization(emulator)
    organization.fill()
    client = emulator.add_client(roles=["OrgMember", ("ProjectOwner", organization.ids["project"])])
    transport = FaultyTransport(emulator)
    admin = Admin(
        client_id=client.client_id,
        client_secret=client.client_secret,
        transport=transport,
        oauth_transport=emulator.transport,
    )

    def delete_key() -> None:
        if transport.requests[-1].startswith("DELETE"):
            key = emulator.state.api_keys.get(organization.ids["retired"])
            if key is not None:
                emulator.state.remove_api_key(key)

    transport.before_request = delete_key
    report = admin.api_keys.delete_retired(project_id=organization.ids["project"])
    (step,) = report.steps
    assert (step.state, step.change.reason) == ("skipped", "it was already deleted")


def test_a_deletion_that_the_server_refused_before_the_404_deleted_nothing(emulator: Emulator) -> None:
    """The first request was refused for its rate, and before the second one, somebody else deletes the key."""
    admin = emulator.admin()
    project = admin.projects.create(name="p")
    key = (admin.api_keys.create(project_id=project.id, name="reader")).key

    def refuse(_: object) -> Mapping[str, object]:
        emulator.state.remove_api_key(emulator.state.api_keys[key.id])
        return {"status": 429}

    emulator.faults.add("delete_api_key", respond=refuse, times=1)
    rotation = admin.api_keys.rotate(api_key_id=key.id, store=str)
    step = rotation.steps[-1]
    assert (step.state, step.change.target.id) == ("skipped", key.id)
    assert step.change.reason == "it was already deleted"


def test_a_rotation_by_an_account_that_lost_its_role_does_not_claim_that_the_old_key_works(
    emulator: Emulator,
) -> None:
    """To this account, the old key is not there, and it cannot see whether somebody has deleted it."""
    project = emulator.admin().projects.create(name="p")
    admin = emulator.admin(roles=["OrgMember", ("ProjectOwner", project.id)])
    key = (admin.api_keys.create(project_id=project.id, name="reader")).key

    def lose_role(_: object) -> Mapping[str, object]:
        emulator.faults.add("list_project_api_keys", status=404, times=None)
        return {"status": 404}

    emulator.faults.add("delete_api_key", respond=lose_role, times=None)
    with pytest.raises(NotFoundError) as caught:
        admin.api_keys.rotate(api_key_id=key.id, store=str)
    assert caught.value.__notes__[0] == f"the old key, API key {key.id}, may still work"


def change_role(organization: Organization, admin: Admin) -> object:
    """Replace the role of the account on the project."""
    ids: dict[str, Any] = {"principal_id": organization.ids["account"], "resource_id": organization.ids["project"]}
    roles: dict[str, Any] = {"from_role": "ProjectEditor", "to_role": "ProjectViewer"}
    return admin.role_bindings.change_role(principal_type="service_account", resource_type="project", **ids, **roles)


def revoke_unlisted(_: Organization, admin: Admin) -> object:
    """Revoke all roles of the account."""
    return admin.service_accounts.ensure(name="robot", role_bindings=[], on_difference="update", revoke_unlisted=True)


def apply_absence(organization: Organization, admin: Admin) -> object:
    """Revoke the role of the account with a plan."""
    plan = admin.plan(organization.desire(service_accounts=[{"name": "robot", "roles": []}]))
    return admin.apply(plan, allow_removals=1)


@pytest.mark.parametrize("is_again", [True, False])
@pytest.mark.parametrize("workflow", [change_role, revoke_unlisted, apply_absence], ids=lambda each: each.__name__)
def test_a_role_that_is_granted_again_is_not_said_to_be_gone(
    workflow: Callable[[Organization, Admin], object], emulator: Emulator, *, is_again: bool
) -> None:
    """If somebody has revoked the role before the workflow, it is already deleted only if nobody granted it again."""
    organization = Organization(emulator)
    organization.fill()
    transport, other = FaultyTransport(emulator), emulator.admin()
    ids: dict[str, Any] = {"principal_id": organization.ids["account"], "resource_id": organization.ids["project"]}
    grant: dict[str, Any] = {
        "principal_type": "service_account",
        "resource_type": "project",
        "role": "ProjectEditor",
        **ids,
    }
    binding = other.role_bindings.create(**grant)

    def revoke() -> None:
        if transport.requests[-1].startswith("DELETE") and not granted:
            other.role_bindings.delete(role_binding_id=binding.id)
            granted.append("" if not is_again else other.role_bindings.create(**grant).id)

    granted: list[str] = []
    transport.before_request = revoke
    error: BaseException | None = None
    report: Any = None
    try:
        report = workflow(organization, transport.admin())
    except NotFoundError as caught:
        error = caught
    assert granted
    texts = [str(each) for each in getattr(report, "steps", ())]
    text = "; ".join([*texts, str(error), *getattr(error, "__notes__", ())])
    assert ("was already deleted" in text) is not is_again
    assert ("holds ProjectEditor on project" in text and "granted it again" in text) is is_again
