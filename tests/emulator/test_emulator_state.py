"""The state as a document: dump and load, handwritten documents, and invalid ones."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from pinecone_admin import on_organization
from pinecone_admin.emulator import Clock, Emulator
from pinecone_admin.emulator.model.records import PROJECT_CONTENTS, Principal

Connect = Callable[..., httpx.Client]
ReadError = Callable[[httpx.Response], tuple[int, str]]

START = datetime(2026, 7, 1, tzinfo=UTC)
USER_ID = "11111111-1111-4111-8111-111111111111"
PROJECT_ID = "22222222-2222-4222-8222-222222222222"
LISTS = ("projects", "users", "invites", "service-accounts", "role-bindings")
MEMBER = on_organization("OrgMember")
USER = {"id": USER_ID, "email": "a@example.com"}
BINDING = {"principal_type": "user", "principal_id": USER_ID, "resource_type": "organization", "role": "OrgMember"}


def build_populated_emulator() -> Emulator:
    """Return an emulator with records of every kind."""
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
    record = emulator.state.projects[project.id]
    record.indexes["movies"].protected = True
    record.assistants["movies"].gone_at = START + timedelta(hours=1)
    record.collections["movies"].source = "songs"
    record.collections["movies"].ready_at = START + timedelta(hours=2)
    return emulator


def list_everything(emulator: Emulator, connect: Connect) -> list[Any]:
    """Return every list of the API."""
    api = connect(emulator)
    keys = [api.get(f"/admin/projects/{each}/api-keys").json() for each in emulator.state.projects]
    return [api.get(f"/admin/{name}").json() for name in LISTS] + keys


def test_dumped_state_loads_unchanged(connect: Connect) -> None:
    """A state that is dumped as JSON and loaded is the same, with the same lists of the API."""
    emulator, other = build_populated_emulator(), Emulator(clock=Clock(START + timedelta(seconds=60)))
    document = emulator.dump()
    other.load(json.loads(json.dumps(document)))
    assert other.dump() == document
    assert list_everything(other, connect) == list_everything(emulator, connect)
    assert (other.client_id, other.client_secret) == (emulator.client_id, emulator.client_secret)


def test_state_without_its_caller_loads(connect: Connect) -> None:
    """A state whose caller deleted itself can be loaded, with a new owner."""
    emulator = build_populated_emulator()
    (caller, *_) = emulator.state.service_accounts.listing
    connect(emulator).delete(f"/admin/service-accounts/{caller.id}").raise_for_status()
    document = emulator.dump()
    assert document["caller"] is None
    emulator.load(document)
    assert len(connect(emulator).get("/admin/service-accounts").json()["data"]) == 2
    key, *_ = document["projects"][0]["api_keys"]  # type: ignore[index]
    assert key["value"].startswith("pcsk_")


def test_tokens_stay_valid_after_loading(emulator: Emulator, connect: Connect) -> None:
    """A token is valid after loading the state that contains it, until it expires."""
    api = connect(emulator)
    other = Emulator()
    other.load(emulator.dump())
    other_api = httpx.Client(transport=other.transport, base_url="https://api.pinecone.io", headers=api.headers)
    assert other_api.get("/admin/projects").status_code == 200
    other.clock.advance(1801)
    assert other_api.get("/admin/projects").status_code == 401


def test_loading_never_turns_the_clock_back() -> None:
    """Loading a later time advances the clock, and loading an earlier time does not change it."""
    emulator = build_populated_emulator()
    earlier, later = Emulator(clock=Clock(START)), Emulator(clock=Clock(START + timedelta(days=9)))
    earlier.load(emulator.dump())
    later.load(emulator.dump())
    assert earlier.clock.now() == START + timedelta(seconds=60)
    assert later.clock.now() == START + timedelta(days=9)


def test_ids_stay_unique_after_loading() -> None:
    """An emulator with the same seed creates no id again after loading."""
    emulator, other = Emulator(seed=3), Emulator(seed=3)
    ids = {emulator.state.add_project(str(number), emulator.clock.now()).id for number in range(50)}
    other.load(emulator.dump())
    more = {other.state.add_project(str(number), other.clock.now()).id for number in range(50)}
    assert len(ids | more) == 100


def test_cursors_are_refused_after_loading(emulator: Emulator, connect: Connect, read_error: ReadError) -> None:
    """A page token from before loading is refused."""
    for number in range(3):
        emulator.add_user(f"{number}@example.com")
    api = connect(emulator)
    token = api.get("/admin/users?limit=1").json()["pagination"]["next"]
    emulator.load(emulator.dump())
    response = api.get("/admin/users", params={"limit": 1, "paginationToken": token})
    assert read_error(response) == (400, "INVALID_ARGUMENT")


def test_minimal_document_gets_defaults(emulator: Emulator) -> None:
    """A document with names and email addresses is enough; the rest has defaults, including an owner."""
    emulator.load(
        {
            "organization": {"plan": "Free"},
            "projects": [
                {"id": PROJECT_ID, "name": "search", "api_keys": [{"name": "ci"}], "indexes": [{"name": "movies"}]}
            ],
            "users": [{"id": USER_ID, "email": "a@example.com"}],
            "invites": [{"email": "b@example.com"}],
            "service_accounts": [{"name": "ci"}],
            "role_bindings": [
                {
                    "principal_type": "user",
                    "principal_id": USER_ID,
                    "resource_type": "organization",
                    "role": "OrgMember",
                },
                {
                    "principal_type": "user",
                    "principal_id": USER_ID,
                    "resource_type": "project",
                    "resource_id": PROJECT_ID,
                    "role": "ProjectViewer",
                },
            ],
        }
    )
    state = emulator.state
    roles = [binding.grant.role for binding in state.role_bindings.held_by(Principal("user", USER_ID))]
    assert roles == ["OrgMember", "ProjectViewer"]
    assert (state.organization.plan, state.plan.support_tier) == ("Free", "Free")
    assert list(state.projects[PROJECT_ID].indexes) == ["movies"]
    assert next(iter(state.invites.values())).status(emulator.clock.now()) == "pending"
    with emulator.admin() as admin:
        assert [user.email for user in admin.users.list()] == ["a@example.com", "owner@example.com"]
        (binding,) = admin.role_bindings.list(principal_type="service_account")
        assert binding.role == "OrgOwner"


def test_names_alone_make_what_the_api_makes_of_them() -> None:
    """A key, invite, user or account with only a name in a document is as if a request had created it."""
    written, made = Emulator(), Emulator()
    written.load(
        {
            "projects": [{"name": "search", "api_keys": [{"name": "ci"}]}],
            "users": [{"email": "a@example.com"}],
            "invites": [{"email": "b@example.com"}, {"email": "c@example.com", "processed_at": "2026-07-01T00:00:00Z"}],
            "service_accounts": [{"name": "ci"}],
        }
    )
    made.add_user("a@example.com")
    with made.admin() as admin:
        admin.api_keys.create(project_id=admin.projects.create(name="search").id, name="ci")
        admin.invites.create(email="b@example.com", role_bindings=[MEMBER])
        admin.service_accounts.create(name="ci")
    exports = []
    for emulator in (written, made):
        with emulator.admin() as admin:
            desired = admin.inventory().to_desired_state()
        exports.append(desired.to_dict() | {"organization": "", "notes": desired.notes})
    assert exports[0] == exports[1]


def test_users_by_hand_include_an_owner() -> None:
    """If no user of a document owns the organization, one is added, or the one with its address becomes an owner."""
    for users, expected in (
        ([USER], ["a@example.com", "owner@example.com"]),
        ([{"email": "Owner@example.com"}], ["Owner@example.com"]),
    ):
        emulator = Emulator()
        emulator.load({"users": users})
        with emulator.admin() as admin:
            inventory = admin.inventory()
        assert [each.email for each in inventory.users] == expected
        assert inventory.unread == []


def test_a_dumped_record_without_a_role_loads_without_one() -> None:
    """A record without a role in a dump gets none, whether a role was revoked or a test created it so."""
    emulator, other = Emulator(), Emulator()
    emulator.state.add_api_key(emulator.state.add_project("search", START), "ci")
    emulator.state.add_user("a@example.com")
    emulator.state.add_invite("b@example.com", START)
    other.load(emulator.dump())
    assert other.dump()["role_bindings"] == emulator.dump()["role_bindings"]


def test_an_account_with_the_id_of_the_caller_does_not_take_its_credentials(emulator: Emulator) -> None:
    """If a document without a caller has the id of the emulator's account, the credentials get an account beside it."""
    (caller,) = emulator.state.service_accounts
    emulator.load({"service_accounts": [{"id": caller, "name": "ci"}]})
    with emulator.admin() as admin:
        assert [each.name for each in admin.service_accounts.list()] == ["ci", "emulator"]


def test_empty_document_resets_the_state(emulator: Emulator) -> None:
    """An empty document creates an organization with only its owner and default settings."""
    emulator.configure(key_prefix="x_")
    emulator.load({})
    assert emulator.settings == Emulator().settings
    assert len(emulator.state.service_accounts) == 1


@pytest.mark.parametrize(
    ("document", "message"),
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
            {"projects": [{"id": PROJECT_ID, "name": "a"}, {"id": PROJECT_ID, "name": "b"}]},
            r"projects\[1\].id '2222.*' occurs twice",
        ),
        (
            {"projects": [{"id": PROJECT_ID, "name": "a"}], "users": [USER | {"id": PROJECT_ID}]},
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
def test_invalid_documents_are_refused(emulator: Emulator, document: object, message: str) -> None:
    """An invalid document is refused, the error names the field, and the state stays unchanged."""
    before = emulator.dump()
    with pytest.raises(ValueError, match=message):
        emulator.load(document)
    assert emulator.dump() == before
