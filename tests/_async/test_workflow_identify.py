"""``api_keys.identify``: what the value of an API key shows."""

from __future__ import annotations

import pickle
import traceback

import pytest

from pinecone_admin import AsyncAdmin, LeftoverError, NotFoundError, PaginationError, PineconeError, PineconeValueError
from pinecone_admin.emulator import Emulator
from pinecone_admin.models import APIKeyRole, APIKeyWithSecret
from pinecone_admin.workflows.key_identification import describe_form, find_slug, read_label

pytestmark = pytest.mark.anyio

DELETED = "pcsk_6gXnL_" + "x" * 30


@pytest.fixture
def emulator() -> Emulator:
    """Return an emulator."""
    return Emulator(seed=1)


async def make_key(
    admin: AsyncAdmin, emulator: Emulator, *, index: bool = True, role: APIKeyRole = "ProjectEditor"
) -> APIKeyWithSecret:
    """Create a key in a new project, with an index or without."""
    project = await admin.projects.create(name="search")
    if index:
        emulator.hold(project.id, "indexes", "movies")
    return await admin.api_keys.create(project_id=project.id, name="reader", roles=[role])


async def test_an_accepted_value_is_found_in_its_project(emulator: Emulator) -> None:
    """Fitting keys of that project are candidates; a temporary key is made in each project until one fits."""
    async with emulator.async_admin() as admin:
        others = [await make_key(admin, emulator) for _ in range(2)]
        made = await make_key(admin, emulator)
        project_id = made.key.project_id
        twin = await admin.api_keys.create(project_id=project_id, name="twin", roles=["ControlPlaneViewer"])
        await admin.api_keys.create(project_id=project_id, name="data", roles=["DataPlaneEditor"])
        later = await make_key(admin, emulator)
        ids = [each.key.project_id for each in (others[0], made, later)]
        found = await admin.api_keys.identify(value=made.value, project_ids=ids)
        assert (found.state, found.label) == ("accepted", read_label(made.value))
        assert {each.key.id for each in found.candidates} == {made.key.id, twin.key.id}
        assert {each.project.id for each in found.candidates} == {project_id}
        assert len(found.temporary_keys) == 2
        assert set(found.temporary_keys).isdisjoint(emulator.state.api_keys)
        assert emulator.state.projects[project_id].slug in found.slugs
        assert "its indexes have other hosts" in str(found)
        assert made.value not in f"{found}{found!r}{found.to_dict()}"


async def test_without_projects_only_reads_are_sent(emulator: Emulator) -> None:
    """One list is read as the value, and the result says how to go on."""
    async with emulator.async_admin() as admin:
        made = await make_key(admin, emulator)
        emulator.requests.clear()
        found = await admin.api_keys.identify(value=made.value)
    assert [(each.method, each.path) for each in emulator.requests] == [("GET", "/indexes")]
    assert (found.state, found.candidates, found.temporary_keys) == ("accepted", [], [])
    assert "pass project_ids" in str(found)


@pytest.mark.parametrize("given", [True, False])
async def test_a_value_that_shows_no_project_makes_no_temporary_key(emulator: Emulator, given: bool) -> None:
    """No index, a role that may not list indexes, and a value that is not accepted: nothing could be compared."""
    async with emulator.async_admin() as admin:
        empty = await make_key(admin, emulator, index=False)
        narrow = await make_key(admin, emulator, role="DataPlaneViewer")
        cases = {
            empty.value: "accepted",
            narrow.value: "restricted",
            DELETED: "not_accepted",
            empty.value[:-1]: "not_accepted",
        }
        for value, state in cases.items():
            ids = [empty.key.project_id] if given else []
            emulator.requests.clear()
            found = await admin.api_keys.identify(value=value, project_ids=ids)
            assert (found.state, found.candidates, found.temporary_keys) == (state, [], [])
            assert {each.method for each in emulator.requests if each.path != "/oauth/token"} == {"GET"}
            assert ("no project can be compared" in str(found)) == given
            assert "dead" not in str(found)


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 401, "body": "html"},
        {"status": 403, "body": "html"},
        {"status": 502, "body": "html"},
        {"status": 200, "body": "html"},
        {"unreachable": True},
        {"drop": "before"},
    ],
    ids=lambda fault: "-".join(map(str, fault.values()))[:20] if isinstance(fault, dict) else str(fault),
)
async def test_what_is_not_from_the_api_is_no_answer(emulator: Emulator, fault: dict[str, object]) -> None:
    """A proxy's 401 does not show that a living key is deleted."""
    async with emulator.async_admin() as admin:
        made = await make_key(admin, emulator)
        emulator.faults.add("list_indexes", times=None, **fault)  # type: ignore[arg-type]  # rows of a table
        found = await admin.api_keys.identify(value=made.value, project_ids=[made.key.project_id])
    assert (found.state, found.temporary_keys, found.candidates) == ("no_response", [], [])
    assert made.value not in str(found)


async def test_a_list_of_indexes_that_never_ends_is_an_error(emulator: Emulator) -> None:
    """A page token that comes again is no end of a list; if the temporary key gets it, no comparison is made."""
    page = {"indexes": [], "pagination": {"next": "again"}}
    async with emulator.async_admin() as admin:
        made = await make_key(admin, emulator)
        emulator.faults.add("list_indexes", times=2, status=200, body=page)
        with pytest.raises(PaginationError, match="the same page token twice"):
            await admin.api_keys.identify(value=made.value)
        emulator.faults.add("list_indexes", skip=1, times=2, status=200, body=page)
        found = await admin.api_keys.identify(value=made.value, project_ids=[made.key.project_id])
    assert (found.state, found.compared, found.candidates) == ("accepted", [], [])
    assert "was not compared: list_indexes: the server returned the same page token twice" in str(found)
    assert set(found.temporary_keys).isdisjoint(emulator.state.api_keys)


async def test_a_refusal_that_says_nothing_of_the_value_is_the_evidence(emulator: Emulator) -> None:
    """The API has answered, and has not decided whether the value works."""
    async with emulator.async_admin() as admin:
        made = await make_key(admin, emulator)
        emulator.faults.add("list_indexes", times=None, status=429)
        found = await admin.api_keys.identify(value=made.value)
    assert found.state == "no_response"
    assert any(each.startswith("the API did not decide that: ") for each in found.evidence)


@pytest.mark.parametrize("value", ["", "hello", "pcsk_a b", "pcsk_\n", "pcsk_é", "Bearer pcsk_abc", "6f0d-1", 5, None])
async def test_what_is_no_value_of_a_key_is_refused_before_anything_is_sent(emulator: Emulator, value: str) -> None:
    """The error names the argument, and neither it nor its traceback shows the value."""
    async with emulator.async_admin() as admin:
        emulator.requests.clear()
        with pytest.raises((PineconeValueError, TypeError)) as caught:
            await admin.api_keys.identify(value=value)
    assert list(emulator.requests) == []
    assert getattr(caught.value, "argument", None) == "value"
    assert not value or str(value) not in str(caught.value)


async def test_no_local_of_a_traceback_shows_the_value(emulator: Emulator) -> None:
    """If a later step fails, the value is masked in every frame of this package."""
    async with emulator.async_admin() as admin:
        made = await make_key(admin, emulator)
        with pytest.raises(NotFoundError) as caught:
            await admin.api_keys.identify(value=made.value, project_ids=["no-such-project"])
    frames = [
        frame
        for frame, _ in traceback.walk_tb(caught.value.__traceback__)
        if "pinecone_admin" in frame.f_code.co_filename
    ]
    assert frames
    shown = [
        repr(each) for frame in frames if "/tests/" not in frame.f_code.co_filename for each in frame.f_locals.values()
    ]
    assert made.value not in "".join(shown)
    assert made.value.encode() not in pickle.dumps(caught.value)


async def test_a_project_without_room_for_a_temporary_key_is_named(emulator: Emulator) -> None:
    """The others are compared all the same."""
    async with emulator.async_admin() as admin:
        full, made = await make_key(admin, emulator), await make_key(admin, emulator)
        emulator.faults.add(
            "create_api_key", status=403, body={"error": {"code": "QUOTA_EXCEEDED", "message": "full"}, "status": 403}
        )
        found = await admin.api_keys.identify(value=made.value, project_ids=[full.key.project_id, made.key.project_id])
    assert "was not compared" in str(found)
    assert [each.key.id for each in found.candidates] == [made.key.id]


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 200, "body": "html"}, {"unreachable": True}])
async def test_what_a_value_shows_outlives_a_comparison_that_fails(
    emulator: Emulator, fault: dict[str, object]
) -> None:
    """The project that could not be compared is named, and its temporary key is deleted."""
    async with emulator.async_admin(retry=None) as admin:
        made = await make_key(admin, emulator)
        emulator.faults.add("list_indexes", skip=1, times=None, **fault)  # type: ignore[arg-type]  # rows of a table
        found = await admin.api_keys.identify(value=made.value, project_ids=[made.key.project_id])
    assert (found.state, found.candidates, len(found.temporary_keys)) == ("accepted", [], 1)
    assert "was not compared" in str(found)
    assert set(emulator.state.api_keys) == {made.key.id}


async def test_a_temporary_key_that_cannot_be_deleted_is_named(emulator: Emulator) -> None:
    """The error names it, as at the end of any temporary key."""
    async with emulator.async_admin() as admin:
        made = await make_key(admin, emulator)
        emulator.faults.add("delete_api_key", unreachable=True, times=None)
        with pytest.raises(LeftoverError) as caught:
            await admin.api_keys.identify(value=made.value, project_ids=[made.key.project_id])
    (left,) = set(emulator.state.api_keys) - {made.key.id}
    assert left in str(caught.value)


@pytest.mark.parametrize("failing", ["create_api_key", "delete_api_key", "list_project_api_keys"])
async def test_an_error_has_what_the_value_has_shown(emulator: Emulator, failing: str) -> None:
    """Whichever request of the comparison fails, its notes say whether the value was accepted."""
    async with emulator.async_admin() as admin:
        made = await make_key(admin, emulator)
        emulator.faults.add(failing, status=400, times=None)
        with pytest.raises(PineconeError) as caught:
            await admin.api_keys.identify(value=made.value, project_ids=[made.key.project_id])
    assert any(note.startswith("the value was accepted at ") for note in caught.value.__notes__)


def test_the_part_of_a_host_that_names_a_project_is_what_follows_the_name() -> None:
    """A host of another form shows nothing."""
    assert find_slug("movies", "movies-bojl01f.svc.aped-4627-b74a.pinecone.io") == "bojl01f"
    assert find_slug("a-b", "https://a-b-c1.svc.x.io") == "c1"
    assert find_slug("movies", "other-bojl01f.svc.x.io") is None
    assert find_slug("movies", "movies.svc.x.io") is None
    assert [read_label(each) for each in ("pcsk_ab_c", "pckey_ab_c_d", "pcsk_abc", "pcsk__c", "6f0d")] == [
        "ab",
        "ab",
        None,
        None,
        None,
    ]


def test_a_text_that_is_longer_than_a_label_is_not_shown() -> None:
    """It may be the secret of a value that was not copied whole."""
    value = f"pcsk_{'s' * 63}_x"
    assert read_label(value) is None
    assert "sss" not in describe_form(value)
