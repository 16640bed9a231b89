# Derived from tests/_async/test_workflow_lost_creates.py by scripts/unasync.py: change that, not this file.
"""After a create whose response was lost, only what is new is found, and only what is certainly ours is undone."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, Literal
from unicodedata import normalize

import pytest

from pinecone_admin import (
    Admin,
    ForbiddenError,
    LeftoverError,
    NotFoundError,
    PineconeConnectionError,
    PineconeError,
    ResponseParsingError,
    RetryPolicy,
    on_organization,
)
from pinecone_admin.emulator import Emulator
from pinecone_admin.models import RoleBinding
from pinecone_admin.workflows import DesiredState, ProjectRole
from pinecone_admin.workflows.name_tags import parse_tag, tag_as_unfinished
from tests.support.errors import raises
from tests.support.fault_injection import FaultyTransport, InjectedFault, RewritingTransport, fail_to_store

pytestmark = pytest.mark.anyio

GRANT = "POST /admin/role-bindings"
NOBODY = ProjectRole(principal_type="user", principal_id="nobody", role="ProjectViewer")


def list_roles(emulator: Emulator, user_id: str) -> list[RoleBinding]:
    """Return the roles of a user."""
    bindings = emulator.admin().role_bindings.list(principal_type="user", principal_id=user_id)
    return bindings.to_list()


def test_a_new_project_is_not_taken_for_an_old_one_that_has_its_name(emulator: Emulator) -> None:
    """The key goes into the new project, also if that is looked for while the old one still has its name."""
    admin = emulator.admin()
    old = admin.projects.create(name="prod")
    key = {"name": "reader", "roles": ["DataPlaneViewer"]}
    projects = [{"name": "prod-old", "id": old.id}, {"name": "prod", "api_keys": [key]}]
    desired = DesiredState.from_dict({"organization": emulator.organization_id, "projects": projects})
    plan = admin.plan(desired)
    emulator.faults.add("create_project", drop="after")
    emulator.faults.add("update_project", status=503, times=None)
    report = admin.apply(plan, store=lambda _: None)
    (made,) = emulator.state.api_keys.values()
    assert made.project_id != old.id
    assert [(each.change.action, each.change.target.id) for each in report.failed] == [("update", old.id)]


@pytest.mark.parametrize("max_attempts", [None, 1, 2])
@pytest.mark.parametrize(
    "operation", ["create_api_key", "create_service_account", "create_invite", "create_role_binding", "rotate"]
)
def test_max_attempts_limits_how_often_a_change_is_sent_again(
    emulator: Emulator, operation: str, max_attempts: int | None
) -> None:
    """A create or rotation whose response was lost is sent again, in all as often as ``RetryPolicy`` permits.

    By default, a rotation is repeated until the timeout, because nobody may have a valid secret.
    """
    admin = emulator.admin(retry=RetryPolicy(max_attempts=max_attempts))
    project = admin.projects.create(name="shop")
    account = (admin.service_accounts.create(name="reporter")).service_account
    workflows: dict[str, Callable[[], object]] = {
        "create_api_key": lambda: admin.api_keys.ensure(project_id=project.id, name="reader"),
        "create_service_account": lambda: admin.service_accounts.ensure(name="worker"),
        "create_invite": lambda: admin.invites.ensure(
            email="ada@example.com", role_bindings=[on_organization("OrgMember")]
        ),
        "create_role_binding": lambda: admin.role_bindings.ensure(
            principal_type="service_account",
            principal_id=account.id,
            resource_type="organization",
            role="OrgMember",
        ),
        "rotate": lambda: admin.service_accounts.rotate(service_account_id=account.id, store=lambda _: None),
    }
    id = {"rotate": "rotate_service_account_secret"}.get(operation, operation)
    emulator.requests.clear()
    emulator.faults.add(id, drop="before", times=None)
    with raises(PineconeConnectionError) as caught:
        workflows[operation]()
    assert caught.value.outcome == "unknown"
    sent = len(emulator.requests.filter(id))
    if operation == "rotate" and max_attempts is None:
        assert sent > 6
    else:
        assert sent == (max_attempts or 4)


def test_a_project_that_gets_the_name_meanwhile_is_not_the_lost_one(emulator: Emulator) -> None:
    """A create that was not processed is not found in a project that somebody else renames at that moment."""
    other = emulator.admin().projects.create(name="other")
    transport = FaultyTransport(emulator, {2: InjectedFault.REQUEST_LOST})

    def rename() -> None:
        if len(transport.requests) == 3:
            emulator.state.projects[other.id].name = "new"

    transport.before_request = rename
    with raises(PineconeConnectionError) as caught:
        transport.admin(timeout=5).projects.ensure(name="new")
    assert caught.value.outcome == "unknown"


def test_what_may_be_of_somebody_else_is_not_undone(emulator: Emulator) -> None:
    """A project that appears after a lost response is used, and stays if the rest fails; the error names it."""
    emulator.faults.add("create_project", drop="after")
    with raises(NotFoundError) as caught:
        emulator.admin().projects.provision(
            name="tenant", key_roles=["ProjectViewer"], store=lambda _: None, bindings=[NOBODY]
        )
    (project,) = emulator.state.projects.values()
    (note,) = caught.value.__notes__
    assert note.startswith(f"project tenant ({project.id}) is kept")
    assert caught.value.outcome == "unknown"


@pytest.mark.parametrize("make", ["keys", "accounts", "rotation"])
def test_a_lost_create_with_a_secret_deletes_nothing_of_another_run(emulator: Emulator, make: str) -> None:
    """Another run for the same name has its own mark: a lost response deletes none of its keys and accounts."""
    admin = emulator.admin()
    project = admin.projects.create(name="p")
    old = admin.api_keys.create(project_id=project.id, name="old")
    others: list[str] = []

    def run(client: Admin, store: Callable[[object], object]) -> None:
        if make == "keys":
            client.api_keys.ensure(project_id=project.id, name="k", store=store)
        elif make == "accounts":
            client.service_accounts.ensure(name="k", role_bindings=[on_organization("OrgMember")], store=store)
        else:
            client.api_keys.rotate(api_key_id=old.key.id, store=store)

    def names() -> dict[str, str]:
        keys = {each.id: each.name for each in emulator.state.api_keys.values()}
        return keys | {each.id: each.name for each in emulator.state.service_accounts.listing}

    known = {*names()}
    transport = FaultyTransport(emulator, {3 if make == "rotation" else 2: InjectedFault.RESPONSE_LOST})

    def begin_another() -> None:
        """Create what another run creates at this moment."""
        if not transport.requests[-2:][0].startswith("POST"):
            return
        name = next(name for id, name in names().items() if id not in known)
        tag = parse_tag(name)
        assert tag is not None
        assert tag.mark
        other_name = name.replace(f":m{tag.mark}", ":m00000000")
        if make == "accounts":
            others.append(emulator.state.add_service_account(other_name, emulator.clock.now()).id)
        else:
            others.append(emulator.admin().api_keys.create(project_id=project.id, name=other_name).key.id)
        transport.before_request = lambda: None

    transport.before_request = begin_another
    with pytest.raises((OSError, PineconeError)):
        run(transport.admin(), fail_to_store)
    assert others
    assert {*others} <= {*names()}


def test_an_invite_of_somebody_else_is_reported_with_its_own_roles(emulator: Emulator) -> None:
    """If somebody has sent the invite since, apply does not report its own roles as granted."""
    admin = emulator.admin()
    people = [{"email": "new@example.com", "roles": ["OrgManager"]}]
    desired = DesiredState.from_dict({"organization": emulator.organization_id, "people": people})
    plan = admin.plan(desired)
    transport = FaultyTransport(emulator)

    def invite() -> None:
        if transport.requests[-1] == "POST /admin/invites":
            transport.before_request = lambda: None
            emulator.admin().invites.create(email="New@example.com", role_bindings=[on_organization("OrgMember")])

    transport.before_request = invite
    report = transport.admin().apply(plan)
    assert not report.done
    (failed,) = report.failed
    assert "found OrgMember on organization, wanted OrgManager on organization" in str(failed.error)


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("refusal", [InjectedFault.FORBIDDEN, InjectedFault.RATE_LIMITED])
def test_a_refused_repetition_says_nothing_about_the_lost_request(emulator: Emulator, refusal: InjectedFault) -> None:
    """A role that lists do not show yet may have been granted, although the second request was refused."""
    emulator.add_user("zoe@example.com")
    people = [{"email": "zoe@example.com", "roles": ["OrgOwner"]}]
    faults = {0: refusal}
    transport = FaultyTransport(emulator, faults, only_method="POST", list_delay=600)

    def inject() -> None:
        faults[len(transport.requests)] = (
            refusal if transport.requests.count(GRANT) > 1 else InjectedFault.RESPONSE_LOST
        )

    transport.before_request = inject
    admin = transport.admin()
    plan = admin.plan(DesiredState.from_dict({"organization": emulator.organization_id, "people": people}))
    report = admin.apply(plan)
    assert transport.requests.count(GRANT) > 1
    assert [each.state for each in report.steps if each.change.action == "grant"] == ["sent"]


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("kind", ["key", "account"])
def test_what_a_lost_create_has_made_is_named_although_the_next_create_succeeds(emulator: Emulator, kind: str) -> None:
    """The list shows the first one too late to delete it; the error names it beside the second, which is deleted."""
    project = emulator.admin().projects.create(name="p")
    before = [*emulator.state.service_accounts.listing]
    admin = FaultyTransport(emulator, {2: InjectedFault.RESPONSE_LOST}, list_delay=600).admin()
    ensure: Callable[..., Any] = admin.service_accounts.ensure
    if kind == "key":
        ensure = partial(admin.api_keys.ensure, project_id=project.id)
    with pytest.raises(OSError, match="the vault is sealed") as caught:
        ensure(name="new", store=fail_to_store)
    accounts = [each for each in emulator.state.service_accounts.listing if each not in before]
    assert len([*emulator.state.api_keys.values(), *accounts]) == 1
    _, may_exist, deleted = caught.value.__notes__
    assert may_exist.endswith(" may exist: the outcome of its creation is unknown")
    assert deleted.endswith(" was deleted")


def test_every_key_whose_response_was_lost_is_deleted_or_named(emulator: Emulator) -> None:
    """If lists show two of them at once, and one deletion is refused, the other one is deleted all the same."""
    admin = emulator.admin()
    project = admin.projects.create(name="p")
    emulator.faults.add("delete_api_key", status=403, times=1)
    transport = FaultyTransport(emulator, {2: InjectedFault.RESPONSE_LOST})

    def show_another() -> None:
        if transport.requests[-2:][0].startswith("POST"):
            transport.before_request = lambda: None
            (lost,) = emulator.state.api_keys.values()
            emulator.admin().api_keys.create(project_id=project.id, name=lost.name)

    transport.before_request = show_another
    with raises(LeftoverError) as caught:
        transport.admin().api_keys.ensure(project_id=project.id, name="k", store=lambda _: None)
    (left,) = emulator.state.api_keys
    assert left in "".join(caught.value.left)
    assert len(caught.value.left) == 1
    assert transport.requests.count(f"POST /admin/projects/{project.id}/api-keys") == 1
    assert sum(each.endswith("was deleted") for each in caught.value.__notes__) == 1


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("kind", ["key", "account"])
def test_a_report_of_apply_names_what_a_lost_create_may_have_made(emulator: Emulator, kind: str) -> None:
    """A create that was replaced by a second one has its own step, with the temporary name that lists show too late."""
    emulator.admin().projects.create(name="p")
    before = [*emulator.state.service_accounts.listing]
    desired: dict[str, Any] = {"organization": emulator.organization_id}
    if kind == "key":
        desired["projects"] = [{"name": "p", "api_keys": [{"name": "new", "roles": ["ProjectViewer"]}]}]
    else:
        desired["service_accounts"] = [{"name": "new", "roles": ["OrgMember"]}]
    faults = {0: InjectedFault.RESPONSE_LOST}
    transport = FaultyTransport(emulator, faults, only_method="POST", list_delay=600)
    admin = transport.admin()
    plan = admin.plan(DesiredState.from_dict(desired))

    def lose_first() -> None:
        if transport.requests[-1].startswith("POST"):
            faults[len(transport.requests)] = InjectedFault.RESPONSE_LOST
            transport.before_request = lambda: None

    transport.before_request = lose_first
    report = admin.apply(plan, store=lambda _: None)
    accounts = [each for each in emulator.state.service_accounts.listing if each not in before]
    remaining: list[Any] = [*emulator.state.api_keys.values(), *accounts]
    lost, made = remaining
    assert (made.name, [(each.state, each.resource and each.resource.id) for each in report.steps]) == (
        "new",
        [("sent", None), ("done", made.id)],
    )
    assert report.failed == report.steps[:1]
    assert f"may have been done: create {'key' if kind == 'key' else 'service account'} {lost.name!r}" in str(report)


def test_a_lost_create_of_which_nothing_remains_is_no_failure_of_apply(emulator: Emulator) -> None:
    """The list shows what it has made, which is deleted; the second create makes what the file has."""
    desired = {"organization": emulator.organization_id, "service_accounts": [{"name": "new", "roles": ["OrgMember"]}]}
    admin = emulator.admin()
    plan = admin.plan(DesiredState.from_dict(desired))
    emulator.faults.add("create_service_account", drop="after", times=1)
    report = admin.apply(plan, store=lambda _: None)
    assert len([*emulator.state.service_accounts.listing]) == 2
    assert ([each.state for each in report.steps], report.is_complete) == (["done"], True)


def test_a_create_that_was_refused_before_there_was_room_is_no_failure_of_apply(emulator: Emulator) -> None:
    """In a full project, the leftover is deleted first, and the second create makes what the file has."""
    admin = emulator.admin()
    project = admin.projects.create(name="p")
    left = (admin.api_keys.create(project_id=project.id, name=tag_as_unfinished("new"))).key
    emulator.configure(api_key_quota=1)
    key = {"name": "new", "roles": ["ProjectViewer"]}
    desired = {"organization": emulator.organization_id, "projects": [{"name": "p", "api_keys": [key]}]}
    report = admin.apply(admin.plan(DesiredState.from_dict(desired)), store=lambda _: None)
    (made,) = emulator.state.api_keys.values()
    assert [(each.change.action, each.change.target.id, each.state) for each in report.steps] == [
        ("create", made.id, "done"),
        ("delete", left.id, "done"),
    ]
    assert report.is_complete


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("make", ["key", "account", "rotation"])
def test_a_blank_secret_is_not_stored(emulator: Emulator, make: str) -> None:
    """A secret that arrives blank is a lost one: what has it is made anew, and only a usable one is stored."""
    owner = emulator.admin()
    project = owner.projects.create(name="p")
    account = (owner.service_accounts.create(name="a")).service_account

    def rewrite(body: dict[str, Any]) -> None:
        body["value" if make == "key" else "client_secret"] = " "

    admin = RewritingTransport(emulator, 1, rewrite).admin()
    stored: list[Any] = []
    if make == "key":
        admin.api_keys.ensure(project_id=project.id, name="k", store=stored.append)
    elif make == "account":
        admin.service_accounts.ensure(name="b", store=stored.append)
    else:
        admin.service_accounts.rotate(service_account_id=account.id, store=stored.append)
    (secret,) = stored
    assert (secret.value if make == "key" else secret.client_secret).strip()
    assert [each.name for each in emulator.state.api_keys.values()] == ["k"] * (make == "key")
    assert len([*emulator.state.service_accounts.listing]) == 2 + (make == "account")


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("fields", [("id",), ("name",), ("id", "name"), ("project_id",)])
@pytest.mark.parametrize("make", ["ensure", "rotate", "apply"])
@pytest.mark.parametrize("fails", [True, False])
def test_a_response_about_another_key_changes_nothing_of_that_key(
    emulator: Emulator, make: str, fields: tuple[str, ...], *, fails: bool
) -> None:
    """A create that is answered with another key neither renames nor deletes that one, and leaves no other."""
    owner = emulator.admin()
    project = owner.projects.create(name="p")
    other = (owner.api_keys.create(project_id=project.id, name="prod")).key
    foreign = {"id": other.id, "name": other.name, "project_id": "another"}
    admin = RewritingTransport(
        emulator, 1, lambda body: body["key"].update({each: foreign[each] for each in fields})
    ).admin()
    stored: list[Any] = []
    store = fail_to_store if fails else stored.append
    try:
        if make == "ensure":
            admin.api_keys.ensure(project_id=project.id, name="new", store=store)
        elif make == "rotate":
            admin.api_keys.rotate(api_key_id=other.id, store=store, keep_old_for=timedelta(days=1))
        else:
            plan = admin.plan(
                DesiredState.from_dict(
                    {
                        "organization": emulator.organization_id,
                        "projects": [{"name": "p", "api_keys": [{"name": "new", "roles": ["DataPlaneViewer"]}]}],
                    }
                )
            )
            admin.apply(plan, store=store)
    except OSError:
        assert fails
    names = {each.id: each.name for each in emulator.state.api_keys.values()}
    if make == "rotate" and not fails:
        assert parse_tag(names.pop(other.id)) is not None  # by its own rotation
    else:
        assert names.pop(other.id) == "prod"
    assert [*names.values()] == [] if fails else [{"rotate": "prod"}.get(make, "new")]
    assert [each.key.id for each in stored] == [*names]


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        ("key", "id"),
        ("key", "name"),
        ("key", "value"),
        ("account", "id"),
        ("account", "name"),
        ("account", "client_secret"),
        ("rotation", "id"),
        ("rotation", "client_secret"),
    ],
)
def test_the_error_of_a_wrong_response_has_the_response(emulator: Emulator, make: str, wrong: str) -> None:
    """Support can find the request by its id. The body, whose secret somebody may need, is masked."""
    owner = emulator.admin()
    project = owner.projects.create(name="p")
    account, other = [(owner.service_accounts.create(name=name)).service_account for name in ("a", "b")]
    key = (owner.api_keys.create(project_id=project.id, name="k")).key
    part, secret = ("key", "value") if make == "key" else ("service_account", "client_secret")
    values = {"id": key.id if make == "key" else other.id, "name": "another", secret: " "}
    received: list[dict[str, Any]] = []

    def rewrite(body: dict[str, Any]) -> None:
        (body if wrong == secret else body[part])[wrong] = values[wrong]
        received.append(body)

    admin = RewritingTransport(emulator, 1, rewrite).admin(retry=RetryPolicy(max_attempts=1))
    calls: dict[str, tuple[str, Callable[..., object]]] = {
        "key": ("create_api_key", partial(admin.api_keys.ensure, project_id=project.id, name="new")),
        "account": ("create_service_account", partial(admin.service_accounts.ensure, name="new")),
        "rotation": (
            "rotate_service_account_secret",
            partial(admin.service_accounts.rotate, service_account_id=account.id),
        ),
    }
    operation, call = calls[make]
    with raises(ResponseParsingError) as caught:
        call(store=lambda _: None)
    error = caught.value
    (sent,) = (each for each in emulator.requests.filter(operation) if each.request_id == error.request_id)
    assert (error.operation, error.status_code, error.attempts) == (operation, sent.status, 1)
    assert (error.path, json.loads(error.raw.reveal())) == (
        wrong if wrong == secret else f"{part}.{wrong}",
        received[0],
    )
    value = received[0][secret].strip()
    assert not value or value not in f"{error} {error!r} {error.__notes__} {vars(error)}"


@pytest.mark.usefixtures("clock")
def test_a_response_about_another_project_does_not_make_it_the_new_one(emulator: Emulator) -> None:
    """A project that a response names instead of the new one gets no key, and is not deleted."""
    other = emulator.admin().projects.create(name="prod")
    foreign = {"id": other.id, "name": other.name}
    admin = RewritingTransport(emulator, 1, lambda body: body.update(foreign)).admin()
    with pytest.raises(OSError, match="sealed") as caught:
        admin.projects.provision(name="tenant", key_roles=["ProjectViewer"], store=fail_to_store)
    assert other.id in emulator.state.projects
    (made,) = (each for each in emulator.state.projects.values() if each.name == "tenant")
    assert any(made.id in note for note in caught.value.__notes__)
    assert not any(other.id in note for note in caught.value.__notes__)


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("make", ["account", "rotation", "invite", "role"])
def test_a_response_about_somebody_else_is_not_taken_for_the_own_one(emulator: Emulator, make: str) -> None:
    """The same holds for accounts, for their secrets, for invites and for roles."""
    owner = emulator.admin()
    other = (owner.service_accounts.create(name="other")).service_account
    account = (owner.service_accounts.create(name="mine")).service_account
    rewrites: dict[str, Callable[[dict[str, Any]], object]] = {
        "account": lambda body: body["service_account"].update(id=other.id, name=other.name),
        "rotation": lambda body: body["service_account"].update(id=other.id),
        "invite": lambda body: body.update(email="somebody@example.com"),
        "role": lambda body: body.update(principal_id=other.id),
    }
    admin = RewritingTransport(emulator, 1, rewrites[make]).admin()
    stored: list[Any] = []
    if make == "account":
        admin.service_accounts.ensure(name="new", store=stored.append)
        assert stored[0].service_account.name == "new"
    elif make == "rotation":
        admin.service_accounts.rotate(service_account_id=account.id, store=stored.append)
        assert [each.service_account.id for each in stored] == [account.id]
        assert len(emulator.requests.filter("rotate_service_account_secret")) == 2
    elif make == "invite":
        found = admin.invites.ensure(email="Ada@example.com", role_bindings=[on_organization("OrgMember")])
        assert found.value is not None
        assert found.value.email.lower() == "ada@example.com"
    else:
        granted = admin.role_bindings.ensure(
            principal_type="service_account",
            principal_id=account.id,
            resource_type="organization",
            role="OrgManager",
        )
        assert granted.value is not None
        assert granted.value.principal_id == account.id
    assert [each.name for each in emulator.state.service_accounts.listing if each.id == other.id] == ["other"]


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("make", ["ensure", "change_role", "apply"])
def test_a_response_with_the_id_of_an_earlier_role_takes_none_away(emulator: Emulator, make: str) -> None:
    """What fails later undoes the role that was granted, and not the one whose id the response has."""
    leo = emulator.add_user("leo@example.com", roles=["OrgMember", "OrgBillingAdmin"])
    roles = {each.id for each in emulator.state.role_bindings if each.principal.id == leo.id}
    earlier = next(each.id for each in list_roles(emulator, leo.id) if each.role == "OrgMember")
    admin = RewritingTransport(emulator, 1, lambda body: body.update(id=earlier)).admin()
    if make == "ensure":
        emulator.faults.add("create_role_binding", where=lambda request: b"OrgOwner" in request.body, status=403)
        wanted = [on_organization(role) for role in ("OrgMember", "OrgManager", "OrgOwner")]
        with raises(ForbiddenError):
            admin.users.ensure(email="leo@example.com", role_bindings=wanted)
    elif make == "change_role":
        emulator.faults.add("delete_role_binding", status=403)
        with raises(ForbiddenError):
            admin.role_bindings.change_role(
                principal_type="user",
                principal_id=leo.id,
                resource_type="organization",
                from_role="OrgBillingAdmin",
                to_role="OrgManager",
            )
    else:
        people = [{"email": "leo@example.com", "roles": ["OrgMember", "OrgBillingAdmin", "OrgManager"]}]
        desired = DesiredState.from_dict({"organization": emulator.organization_id, "people": people})
        report = admin.apply(admin.plan(desired))
        (granted,) = report.steps
        assert granted.resource is not None
        assert granted.resource.id not in roles
    assert roles <= {each.id for each in emulator.state.role_bindings}


@pytest.mark.parametrize("others", ["before", "meanwhile"])
def test_only_the_same_role_is_found_after_a_lost_grant(emulator: Emulator, others: str) -> None:
    """Neither another role there, nor the same one on a project of the same name, or of somebody else, is taken for it.

    The server refuses the same role twice, so what has all of these is what was asked for.
    """
    admin = emulator.admin()
    project, namesake = [admin.projects.create(name="prod") for _ in range(2)]
    leo, eva = (emulator.add_user(email, roles=["OrgMember"]) for email in ("leo@example.com", "eva@example.com"))

    def grant_others() -> None:
        for principal, role, place in (
            (leo, "ProjectViewer", namesake),
            (leo, "ProjectEditor", project),
            (eva, "ProjectViewer", project),
        ):
            body: Any = {"resource_type": "project", "resource_id": place.id, "role": role}
            emulator.admin().role_bindings.create(principal_type="user", principal_id=principal.id, **body)

    transport = FaultyTransport(emulator, {1: InjectedFault.RESPONSE_LOST})
    if others == "before":
        grant_others()
    else:
        transport.before_request = lambda: grant_others() if transport.requests[-1:] == [GRANT] else None
    granted = transport.admin().role_bindings.ensure(
        principal_type="user",
        principal_id=leo.id,
        resource_type="project",
        resource_id=project.id,
        role="ProjectViewer",
    )
    assert granted.value is not None
    held = [each for each in list_roles(emulator, leo.id) if each.role == "ProjectViewer"]
    assert [each.id for each in held if each.resource_id == project.id] == [granted.value.id]


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("name", [" new ", "nu\u0308", "x" * 53 + " " + "y" * 20], ids=["blanks", "decomposed", "cut"])
@pytest.mark.parametrize("make", ["project", "key", "account"])
def test_a_lost_create_is_found_although_the_server_trims_names(emulator: Emulator, make: str, name: str) -> None:
    """Nothing is made twice. A temporary name may also end with a blank where it was cut."""
    project = emulator.admin().projects.create(name="p")
    accounts = len([*emulator.state.service_accounts.listing])

    def trim_names() -> None:
        made: list[Any] = [*emulator.state.projects.values(), *emulator.state.api_keys.values()]
        for each in [*made, *emulator.state.service_accounts.listing]:
            each.name = normalize("NFC", each.name).strip()

    transport = FaultyTransport(emulator, {2: InjectedFault.RESPONSE_LOST}, only_method="POST")
    transport.before_request = trim_names
    admin, stored = transport.admin(), list[Any]()
    if make == "project":
        assert (admin.projects.ensure(name=name)).created
    elif make == "key":
        admin.api_keys.ensure(project_id=project.id, name=name, store=stored.append)
    else:
        admin.service_accounts.ensure(name=name, store=stored.append)
    assert len(emulator.state.projects) == 1 + (make == "project")
    assert len(emulator.state.api_keys) == (make == "key")
    assert len([*emulator.state.service_accounts.listing]) == accounts + (make == "account")
    assert len(stored) == (make != "project")


@pytest.mark.parametrize("name", [" new ", "nu\u0308"], ids=["blanks", "decomposed"])
@pytest.mark.parametrize("make", ["project", "key", "account"])
def test_a_second_run_finds_what_has_another_form_of_the_name(emulator: Emulator, make: str, name: str) -> None:
    """If the server has trimmed or normalized a name, it is not made again; what has exactly the name comes first."""
    admin, normal = emulator.admin(), normalize("NFC", name).strip()
    project = admin.projects.create(name="p")
    records: dict[str, Callable[[], list[Any]]] = {
        "project": lambda: [*emulator.state.projects.values()],
        "key": lambda: [*emulator.state.api_keys.values()],
        "account": lambda: [*emulator.state.service_accounts.listing],
    }

    def ensure() -> Any:
        if make == "project":
            return admin.projects.ensure(name=name)
        if make == "key":
            return admin.api_keys.ensure(project_id=project.id, name=name, store=str)
        return admin.service_accounts.ensure(name=name, store=str)

    assert (ensure()).created
    (made,) = (each for each in records[make]() if each.name == name)
    made.name = normal
    count = len(records[make]())
    found = ensure()
    assert (found.created, found.value.id, found.steps, len(records[make]())) == (False, made.id, [], count)
    if make == "project":
        exact = (admin.projects.create(name=name)).id
    elif make == "key":
        exact = (admin.api_keys.create(project_id=project.id, name=name)).key.id
    else:
        exact = (admin.service_accounts.create(name=name)).service_account.id
    assert (ensure()).value.id == exact


@pytest.mark.parametrize("name", [" new ", "nu\u0308", "x" * 53 + " " + "y" * 20], ids=["blanks", "decomposed", "cut"])
@pytest.mark.parametrize("make", ["key", "account"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_leftover_is_found_although_the_server_trims_names(
    emulator: Emulator, make: str, name: str, form: Literal["NFC", "NFD"]
) -> None:
    """The next run does not leave what an interrupted one has made, whatever form of the name it has."""
    admin = emulator.admin()
    project = admin.projects.create(name="p")
    server, tagged = emulator.state, normalize("NFC", tag_as_unfinished(name, "0a1b2c3d")).strip()
    if make == "key":
        admin.api_keys.create(project_id=project.id, name=tagged)
        admin.api_keys.ensure(project_id=project.id, name=normalize(form, name), store=str)
        names = [each.name for each in server.api_keys.values()]
    else:
        admin.service_accounts.create(name=tagged)
        admin.service_accounts.ensure(name=normalize(form, name), store=str)
        names = [each.name for each in server.service_accounts.listing if each.client_id != emulator.client_id]
    assert names == [normalize(form, name)]


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("make", ["key", "account", "role"])
def test_a_response_may_have_another_form_of_what_was_sent(emulator: Emulator, make: str) -> None:
    """A server may return a name without surrounding spaces, and an id in lower case: that is the response."""
    owner = emulator.admin()
    project = owner.projects.create(name="p")
    account = (owner.service_accounts.create(name="mine")).service_account
    rewrites: dict[str, Callable[[dict[str, Any]], object]] = {
        "key": lambda body: body["key"].update(project_id=project.id.upper()),
        "account": lambda body: body["service_account"].update(name=body["service_account"]["name"].strip()),
        "role": lambda body: body.update(resource_id=project.id.upper(), principal_id=account.id.upper()),
    }
    admin = RewritingTransport(emulator, 1, rewrites[make]).admin()
    stored: list[Any] = []
    if make == "key":
        admin.api_keys.ensure(project_id=project.id, name="new", store=stored.append)
    elif make == "account":
        admin.service_accounts.ensure(name="new ", store=stored.append)
    else:
        granted = admin.role_bindings.ensure(
            principal_type="service_account",
            principal_id=account.id,
            resource_type="project",
            resource_id=project.id,
            role="ProjectViewer",
        )
        assert [each.change.reason for each in granted.steps] == [None]
    creates = {"key": "create_api_key", "account": "create_service_account", "role": "create_role_binding"}
    before = 1 if make == "account" else 0
    assert len(emulator.requests.filter(creates[make])) == before + 1
    assert len(stored) == (make != "role")
