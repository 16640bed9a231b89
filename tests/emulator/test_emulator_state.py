"""The state as a document: out and in again, by hand, and what is refused."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from pinecone_admin import on_organization
from pinecone_admin.emulator import Clock, Emulator
from pinecone_admin.emulator.model.records import PROJECT_CONTENTS, PendingResource, Principal

Connect = Callable[..., httpx.Client]
Refusal = Callable[[httpx.Response], tuple[int, str]]

START = datetime(2026, 7, 1, tzinfo=UTC)
PERSON = "11111111-1111-4111-8111-111111111111"
PROJECT = "22222222-2222-4222-8222-222222222222"
LISTS = ("projects", "users", "invites", "service-accounts", "role-bindings")
MEMBER = on_organization("OrgMember")


def inhabited() -> Emulator:
    """Return an emulator with something of everything in it."""
    emulator = Emulator(seed=1, clock=Clock(START), pod_access=True, token_lifetime=3600)
    with emulator.admin() as admin:
        project = admin.projects.create(name="search", max_pods=2, force_encryption_with_cmek=True)
        admin.api_keys.create(project_id=project.id, name="ci", roles=["DataPlaneViewer", "ControlPlaneViewer"])
        first = admin.invites.create(email="a@example.com", role_bindings=[MEMBER])
        admin.invites.create(email="b@example.com", role_bindings=[MEMBER])
        admin.service_accounts.create(name="ci", role_bindings=[MEMBER])
    emulator.clock.advance(60)
    emulator.accept_invite(first.id, name="Alice")
    for kind in PROJECT_CONTENTS:
        emulator.hold(project.id, kind, "movies")
    held = emulator.state.projects[project.id]
    held.protected.add("movies")
    held.going["assistants", "movies"] = START + timedelta(hours=1)
    held.pending["movies"] = PendingResource("songs", START + timedelta(hours=2))
    return emulator


def shown(emulator: Emulator, connect: Connect) -> list[Any]:
    """Return what the API shows of everything."""
    api = connect(emulator)
    keys = [api.get(f"/admin/projects/{each}/api-keys").json() for each in emulator.state.projects]
    return [api.get(f"/admin/{name}").json() for name in LISTS] + keys


def test_state_survives_its_document(connect: Connect) -> None:
    """What is written out and read back, through JSON, is the same, and so is what the API shows of it."""
    emulator, other = inhabited(), Emulator(clock=Clock(START + timedelta(seconds=60)))
    document = emulator.dump()
    other.load(json.loads(json.dumps(document)))
    assert other.dump() == document
    assert shown(other, connect) == shown(emulator, connect)
    assert (other.client_id, other.client_secret) == (emulator.client_id, emulator.client_secret)


def test_state_outlives_its_caller(connect: Connect) -> None:
    """Where the caller deleted itself, the document can be read, and a new owner gets in."""
    emulator = inhabited()
    (caller, *_) = emulator.state.service_accounts.listing
    connect(emulator).delete(f"/admin/service-accounts/{caller.id}").raise_for_status()
    document = emulator.dump()
    assert document["caller"] is None
    emulator.load(document)
    assert len(connect(emulator).get("/admin/service-accounts").json()["data"]) == 2
    key, *_ = document["projects"][0]["api_keys"]  # type: ignore[index]
    assert key["value"].startswith("pcsk_")


def test_tokens_survive_the_document(emulator: Emulator, connect: Connect) -> None:
    """A token that was bought before is accepted afterwards, until it expires."""
    api = connect(emulator)
    other = Emulator()
    other.load(emulator.dump())
    other_api = httpx.Client(transport=other.transport, base_url="https://api.pinecone.io", headers=api.headers)
    assert other_api.get("/admin/projects").status_code == 200
    other.clock.advance(1801)
    assert other_api.get("/admin/projects").status_code == 401


def test_time_does_not_run_backwards() -> None:
    """A document of a later time advances the clock to it; an earlier one leaves it."""
    emulator = inhabited()
    earlier, later = Emulator(clock=Clock(START)), Emulator(clock=Clock(START + timedelta(days=9)))
    earlier.load(emulator.dump())
    later.load(emulator.dump())
    assert earlier.clock.now() == START + timedelta(seconds=60)
    assert later.clock.now() == START + timedelta(days=9)


def test_new_ids_are_new_after_loading() -> None:
    """Even an emulator of the same seed makes no id twice after reading what another one made."""
    emulator, other = Emulator(seed=3), Emulator(seed=3)
    ids = {emulator.state.add_project(str(number), emulator.clock.now()).id for number in range(50)}
    other.load(emulator.dump())
    more = {other.state.add_project(str(number), other.clock.now()).id for number in range(50)}
    assert len(ids | more) == 100


def test_cursors_do_not_survive(emulator: Emulator, connect: Connect, refusal: Refusal) -> None:
    """A page token of before is refused afterwards."""
    for number in range(3):
        emulator.add_user(f"{number}@example.com")
    api = connect(emulator)
    token = api.get("/admin/users?limit=1").json()["pagination"]["next"]
    emulator.load(emulator.dump())
    answer = api.get("/admin/users", params={"limit": 1, "paginationToken": token})
    assert refusal(answer) == (400, "INVALID_ARGUMENT")


def test_document_by_hand_needs_little(emulator: Emulator) -> None:
    """Names and addresses are enough; the rest is as if it had just been made, and somebody owns it."""
    emulator.load(
        {
            "organization": {"plan": "Free"},
            "projects": [{"id": PROJECT, "name": "search", "api_keys": [{"name": "ci"}], "indexes": ["movies"]}],
            "users": [{"id": PERSON, "email": "a@example.com"}],
            "invites": [{"email": "b@example.com"}],
            "service_accounts": [{"name": "ci"}],
            "role_bindings": [
                {
                    "principal_type": "user",
                    "principal_id": PERSON,
                    "resource_type": "organization",
                    "role": "OrgMember",
                },
                {
                    "principal_type": "user",
                    "principal_id": PERSON,
                    "resource_type": "project",
                    "resource_id": PROJECT,
                    "role": "ProjectViewer",
                },
            ],
        }
    )
    state = emulator.state
    roles = [binding.grant.role for binding in state.role_bindings.held_by(Principal("user", PERSON))]
    assert roles == ["OrgMember", "ProjectViewer"]
    assert (state.organization.plan, state.organization.support_tier) == ("Free", "Free")
    assert state.projects[PROJECT].contents["indexes"] == {"movies"}
    assert next(iter(state.invites.values())).status(emulator.clock.now()) == "pending"
    with emulator.admin() as admin:
        assert [user.email for user in admin.users.list()] == ["a@example.com"]
        (binding,) = admin.role_bindings.list(principal_type="service_account")
        assert binding.role == "OrgOwner"


def test_empty_document_is_an_empty_organization(emulator: Emulator) -> None:
    """Nothing at all is a document, and the settings are the defaults again."""
    emulator.configure(key_prefix="x_")
    emulator.load({})
    assert emulator.settings == Emulator().settings
    assert len(emulator.state.service_accounts) == 1


USER = {"id": PERSON, "email": "a@example.com"}
BINDING = {"principal_type": "user", "principal_id": PERSON, "resource_type": "organization", "role": "OrgMember"}


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (None, "must be an object"),
        ({"version": 2}, "version must be from 1 to 1"),
        ({"colour": 1}, "colour is unknown"),
        ({"time": "yesterday"}, "time must be a date"),
        ({"time": "2026-07-01T00:00:00"}, "time zone"),
        ({"projects": {}}, "projects must be an array"),
        ({"projects": [{"id": "p", "name": "a"}]}, r"projects\[0\].id must be a UUID"),
        ({"projects": [{}]}, r"projects\[0\].name is missing"),
        ({"projects": [{"name": "a", "api_keys": [{"name": "b", "roles": []}]}]}, r"api_keys\[0\].roles is unknown"),
        (
            {"projects": [{"id": PROJECT, "name": "a"}, {"id": PROJECT, "name": "b"}]},
            r"projects\[1\].id '2222.*' occurs twice",
        ),
        (
            {"projects": [{"id": PROJECT, "name": "a"}], "users": [USER | {"id": PROJECT}]},
            r"users\[0\].id '2222.*' occurs twice",
        ),
        ({"users": [USER, {"email": "A@example.com"}]}, "two users have the email 'A@example.com'"),
        ({"users": [{"email": "nobody"}]}, r"users\[0\].email must be"),
        ({"organization": {"plan": "Gold"}}, "organization.plan must be one of"),
        ({"settings": {"colour": 1}}, "settings.colour is unknown"),
        ({"role_bindings": [BINDING]}, "principal_id '1111.*' is not the id of any user"),
        ({"users": [USER], "role_bindings": [BINDING | {"role": "ProjectViewer"}]}, "cannot be bound"),
        ({"users": [USER], "role_bindings": [BINDING | {"resource_id": "x"}]}, "'x' is not the id of any organization"),
        (
            {
                "users": [USER],
                "role_bindings": [BINDING | {"resource_type": "project", "resource_id": "x", "role": "ProjectViewer"}],
            },
            "'x' is not the id of any project",
        ),
        ({"caller": "nobody"}, "caller 'nobody' is not the id of any service account"),
        ({"tokens": [{"value": "t", "service_account_id": "x"}]}, r"tokens\[0\].expires_at is missing"),
        ({"invite_mails": ["now"]}, r"invite_mails\[0\] must be a date"),
        ({"projects": [{"name": datetime.now(UTC)}]}, "cannot be encoded as JSON"),
    ],
)
def test_bad_documents_are_refused(emulator: Emulator, document: object, told: str) -> None:
    """What is wrong with a document is said by name, and the state stays as it was."""
    before = emulator.dump()
    with pytest.raises(ValueError, match=told):
        emulator.load(document)
    assert emulator.dump() == before
