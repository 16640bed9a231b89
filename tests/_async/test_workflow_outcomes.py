"""Outcomes of workflows: an error never says that nothing was changed while something that was changed is left."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Any, get_args
from zlib import crc32

import pytest

from pinecone_admin import (
    AsyncAdmin,
    ForbiddenError,
    PineconeError,
    RefusedError,
    ServiceError,
    UnauthorizedError,
    _async,
    on_organization,
)
from pinecone_admin._async.workflows.ensure_project import ensure_project
from pinecone_admin._async.workflows.run import open_run
from pinecone_admin.emulator import Emulator
from pinecone_admin.errors import Outcome
from pinecone_admin.retry import RetryPolicy
from pinecone_admin.workflows import DesiredState
from pinecone_admin.workflows.name_tags import has_purpose, tag_as_successor
from pinecone_admin.workflows.sent_changes import reporting_remaining_changes
from tests._async.test_workflow_recovery import (
    SCENARIOS,
    Scenario,
    ScenarioState,
    count_requests,
    count_step,
    interrupt_scenario,
    prepare_key,
    prepare_project,
    prepare_state,
)
from tests.support.errors import raises
from tests.support.fault_injection import FaultyTransport, InjectedFault
from tests.support.interruption import InterruptingTransport, async_run_interruptibly
from tests.support.steps import strip_mark

pytestmark = pytest.mark.anyio

STEP = 5
"""One of so many requests of a workflow meets a fault."""
# <async only>
STEP = 11
# </async only>
MOST_REQUESTS = 120
NO_REPEAT = RetryPolicy(max_attempts=1)


async def prepare_due_keys(state: ScenarioState, admin: AsyncAdmin) -> None:
    """Start with two old keys, and an older one that is to be deleted."""
    await prepare_key(state, admin)
    await admin.api_keys.rotate(api_key_id=state.ids["key"], keep_old_for=timedelta(hours=1), store=state.store_key)
    state.emulator.clock.advance(40 * 86_400)


async def rotate_due(state: ScenarioState, admin: AsyncAdmin) -> object:
    """Rotate all due keys. The failure of a key is only in the report, without an outcome."""
    return await admin.api_keys.rotate_due(
        older_than=timedelta(days=30), keep_old_for=timedelta(hours=1), store=state.store_key
    )


async def prepare_overdue_key(state: ScenarioState, admin: AsyncAdmin) -> None:
    """Start with a temporary key whose process was killed."""
    await prepare_project(state, admin)
    async with admin.api_keys.temporary(project_id=state.ids["project"], roles=["ProjectViewer"]) as made:
        pass
    await admin.api_keys.create(project_id=state.ids["project"], name=made.key.name)
    state.emulator.clock.advance(86_400)


async def use_temporary_key(state: ScenarioState, admin: AsyncAdmin) -> object:
    """Use a temporary key."""
    async with admin.api_keys.temporary(project_id=state.ids["project"], roles=["ProjectViewer"]) as made:
        return made


async def apply_one_key(state: ScenarioState, admin: AsyncAdmin) -> object:
    """Apply a plan of one key, and raise an error that has the outcome of the step that failed."""
    key = {"name": "writer", "roles": ["DataPlaneEditor"]}
    desired = {"organization": state.emulator.organization_id, "projects": [{"name": "p", "api_keys": [key]}]}
    plan = await state.make_client().plan(DesiredState.from_dict(desired))
    report = await admin.apply(plan, store=state.store_key)
    for each in (*report.failed, *report.undone):
        raise PineconeError(str(each.error), outcome=OUTCOMES[each.state])
    return report


OUTCOMES: Mapping[str, Outcome] = {
    "failed": "not_sent",
    "rejected": "rejected",
    "sent": "unknown",
    "unread": "done",
    "undone": "undone",
}

WORKFLOWS = SCENARIOS | {
    "rotate due": Scenario(prepare_due_keys, rotate_due, lambda _: None),
    "temporary key": Scenario(prepare_overdue_key, use_temporary_key, lambda _: None),
    "apply": Scenario(prepare_project, apply_one_key, lambda _: None),
}


def read_organization(state: ScenarioState) -> Mapping[str, Any]:
    """Return everything in the organization."""
    dumped: Mapping[str, Any] = state.emulator.dump()
    return {name: value for name, value in dumped.items() if name not in {"tokens", "time"}}


def find_unnamed(before: Mapping[str, Any], after: Mapping[str, Any], error: BaseException) -> list[str]:
    """Return the ids of what was made, changed or deleted, and is named neither in an error's message nor its notes."""
    old, new = map(list_records, (before, after))
    changed = {id for id in old.keys() | new.keys() if old.get(id) != new.get(id)}
    text = "; ".join([str(error), *getattr(error, "__notes__", ())])
    # A resource that is created and deleted together with another one has no separate request.
    owners = {id: record["owner"] for id, record in (old | new).items()}
    come_or_gone = old.keys() ^ new.keys()
    return sorted(id for id in changed if id not in text and owners[id] not in come_or_gone)


def list_records(organization: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return everything in an organization by its id, or by its name if it has none, and what it belongs to."""
    found: dict[str, dict[str, Any]] = {}
    for project in organization["projects"]:
        for name, value in project.items():
            for part in value if isinstance(value, list) else ():
                found[part.get("id") or part["name"]] = {**part, "owner": project["id"], "list": name}
        fields = {name: value for name, value in project.items() if not isinstance(value, list)}
        found[project["id"]] = {**fields, "owner": None}
    for name in ("users", "invites", "service_accounts", "role_bindings"):
        found |= {each["id"]: {**each, "owner": each.get("principal_id")} for each in organization[name]}
    # A request on a key changes its role bindings; and who uses a temporary key is not told which old ones are deleted.
    return {
        id: each
        for id, each in found.items()
        if each.get("principal_type") != "api_key" and not has_purpose(str(each.get("name")), "lives-until")
    }


async def list_numbers(scenario: Scenario, case: str, step: int) -> range:
    """Return the numbers of requests that are a step apart, of which the first depends on the case."""
    count = await count_requests(scenario)
    assert 0 < count < MOST_REQUESTS
    step *= count_step(scenario)
    return range(1 + crc32(case.encode()) % min(step, count), count + 1, step)


REPETITIONS = {"the id of the old key": "api_key_id"}
"""The arguments that a text recommends for the next run of a workflow."""


def find_foreign_arguments(text: str, method: Callable[..., object]) -> set[str]:
    """Return the arguments that a text names, other than those of a call that it writes out, and a method lacks."""
    named = re.findall(r"(?<![\w(])(\w+)=", text)
    named += [REPETITIONS[each] for each in re.findall("run this again with ([^,:;]+)", text)]
    return {*named} - {*inspect.signature(method).parameters}


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("name", WORKFLOWS)
@pytest.mark.parametrize("last", [0, MOST_REQUESTS])
async def test_a_remedy_names_no_argument_that_the_call_lacks(
    name: str, last: int, stride: Callable[[int], int]
) -> None:
    """For every refused request, no error, note or report names an argument of an inner workflow."""
    scenario = WORKFLOWS[name]
    (path,) = {*re.findall(r"\badmin\.([\w.]+)\(", inspect.getsource(scenario.run))}
    for number in await list_numbers(scenario, name, stride(STEP)):
        state = await prepare_state(scenario)
        refused = dict.fromkeys(range(number, max(number, last) + 1), InjectedFault.FORBIDDEN)
        transport, texts = FaultyTransport(state.emulator, refused), list[object]()
        admin = transport.async_admin()
        state.runs += 1
        try:
            report = await scenario.run(state, admin)
            texts += [each.reason for name in ("failed", "left") for each in getattr(report, name, ())]
        except PineconeError as error:
            texts += [error, *getattr(error, "__notes__", ())]
        assert find_foreign_arguments("; ".join(map(str, texts)), attrgetter(path)(admin)) == set(), number
        if len(transport.requests) < number:
            # An index needs a second round of lists unless the collection that is made from it is deleted before it.
            assert (name, texts) == ("cleanup", []), number


@pytest.mark.parametrize("name", WORKFLOWS)
@pytest.mark.parametrize("is_after", [True, pytest.param(False, marks=pytest.mark.long)])
async def test_an_interruption_names_what_is_left(name: str, *, is_after: bool, stride: Callable[[int], int]) -> None:
    """For every interrupted request, the notes name the changes that remain."""
    scenario, reached = WORKFLOWS[name], 0
    for number in await list_numbers(scenario, f"{name} {is_after}", stride(STEP)):
        state = await prepare_state(scenario)
        before = read_organization(state)
        transport = InterruptingTransport(state.emulator, number, after=is_after)
        error = await interrupt_scenario(state, scenario, transport, by_task=bool(number % 2))
        if error is not None:
            assert find_unnamed(before, read_organization(state), error) == [], number
        reached += len(transport.requests) >= number - (not is_after)
    assert reached  # parallel parts that wait for one another do not always send the same number of requests


async def test_an_interruption_of_an_undo_has_the_notes_of_the_error_before_it(emulator: Emulator) -> None:
    """The key of a store that fails is deleted even then; a cancelled scope lets the error itself out."""
    project = await emulator.async_admin().projects.create(name="p")
    transport = InterruptingTransport(emulator, 3, after=True)

    def fail(made: object) -> None:
        raise OSError(made)

    async def run() -> None:
        with suppress(OSError):
            await transport.async_admin().api_keys.ensure(project_id=project.id, name="web", store=fail)

    def arm(interrupt: Callable[[], object]) -> None:
        transport.interrupt = interrupt

    error = await async_run_interruptibly(run, arm, by_task=True)
    assert emulator.state.api_keys == {}
    assert error is None or "was deleted" in "; ".join(error.__notes__)


async def test_a_run_that_was_left_to_the_garbage_collector_changes_nothing_later(emulator: Emulator) -> None:
    """It comes at any time: the next run has found the project, and its changes are still recorded."""
    admin = emulator.async_admin()
    abandoned = open_run(admin, "ensure_project")  # Ctrl-C came at the edge of its block
    await ensure_project(await abandoned.__aenter__(), name="p")
    found = await admin.projects.ensure(name="p")
    emulator.faults.add("create_project", status=403)
    with raises(ForbiddenError) as refused, reporting_remaining_changes() as changes:
        await abandoned.gen.aclose()
        await admin.api_keys.ensure(project_id=found.value.id, name="web")
        await admin.projects.ensure(name="q")
    assert list(emulator.state.projects) == [found.value.id]
    assert (refused.value.outcome, [each.outcome for each in changes]) == ("done", ["done", "done", "rejected"])


async def test_an_error_that_ends_a_run_names_what_was_done_before(emulator: Emulator) -> None:
    """If the token is refused at the second key, or a deletion fails, the note names what was done with the first."""
    admin, state = emulator.async_admin(retry=NO_REPEAT), ScenarioState(emulator)
    for name in ("a", "b"):
        project = await admin.projects.create(name=name)
        await admin.api_keys.create(project_id=project.id, name="web")
    old, other = emulator.state.api_keys
    emulator.clock.advance(40 * 86_400)
    emulator.faults.add("create_api_key", status=401, skip=1, times=None)
    with raises(UnauthorizedError) as refused:
        await rotate_due(state, admin)
    (new,) = {*emulator.state.api_keys} - {old, other}
    notes = [strip_mark(note.partition(" in project a (")[0]) for note in refused.value.__notes__]
    tagged = f"key {tag_as_successor(old, 'web')!r} ({new})"
    steps = [f"created key web ({new})", f"renamed key web ({old})", f"renamed {tagged}"]
    assert (refused.value.outcome, notes) == ("done", [*steps, f"skipped: delete key web ({old})"])
    emulator.faults.clear()
    await rotate_due(state, emulator.async_admin())
    emulator.clock.advance(86_400)
    emulator.faults.add("delete_api_key", status=503, skip=1, times=None)
    with raises(ServiceError) as failed:
        await emulator.async_admin(retry=NO_REPEAT).api_keys.delete_retired()
    assert sorted(failed.value.__notes__[-1].split()) == sorted(
        f"delete_api_key {old} was done; delete_api_key {other} may have been processed".split()
    )


async def test_a_create_that_may_have_been_processed_is_not_safe_to_repeat(emulator: Emulator) -> None:
    """Where the search after a lost response is refused, a repetition could make a second project."""
    faults = {2: InjectedFault.RESPONSE_LOST, 3: InjectedFault.FORBIDDEN}
    with pytest.raises(ForbiddenError) as caught:
        await FaultyTransport(emulator, faults).async_admin().projects.ensure(name="p")
    assert (caught.value.outcome, caught.value.safe_to_retry) == ("unknown", False)


async def create_project(admin: AsyncAdmin) -> object:
    """Send a create."""
    return await admin.projects.create(name="p")


async def ensure_guest(admin: AsyncAdmin) -> object:
    """Invite a person."""
    return await admin.users.ensure(email="ada@example.com", role_bindings=[on_organization("OrgMember")])


async def provision(admin: AsyncAdmin) -> object:
    """Make a project with a key."""
    return await admin.projects.provision(name="p", key_roles=["ProjectEditor"], store=lambda _: None)


async def change_role(admin: AsyncAdmin) -> object:
    """Replace the role of the only service account."""
    (account,) = await admin.service_accounts.list()
    return await admin.role_bindings.change_role(
        principal_type="service_account",
        principal_id=account.id,
        resource_type="organization",
        from_role="OrgOwner",
        to_role="OrgManager",
        allow_own=True,
    )


CASES: Sequence[tuple[Callable[[AsyncAdmin], Any], Mapping[str, Mapping[str, Any]], Outcome, bool]] = [
    (lambda admin: admin.projects.create(name=""), {}, "not_sent", True),
    (create_project, {"create_project": {"status": 403}}, "rejected", True),
    (create_project, {"create_project": {"status": 503}}, "unknown", False),
    (create_project, {"create_project": {"truncate": True}}, "done", False),
    (lambda admin: admin.projects.list(), {"list_projects": {"status": 503}}, "unknown", True),
    (ensure_guest, {"list_users": {"status": 503}}, "not_sent", True),
    (ensure_guest, {"list_users": {"status": 403}}, "rejected", True),
    (ensure_guest, {"create_invite": {"status": 403}}, "rejected", True),
    (ensure_guest, {"list_role_bindings": {"status": 503}}, "done", True),
    (provision, {"list_project_api_keys": {"status": 503}}, "undone", True),
    (provision, {"create_api_key": {"status": 403}}, "undone", True),
    (provision, {"update_api_key": {"status": 400}}, "done", True),
    (provision, {"update_api_key": {"status": 503}}, "done", True),
    (provision, {"create_api_key": {"status": 403}, "delete_project": {"status": 403}}, "done", True),
    (provision, {"create_api_key": {"status": 403}, "delete_project": {"status": 503}}, "unknown", True),
    (provision, {"create_project": {"status": 503}, "list_projects": {"status": 403, "skip": 1}}, "unknown", False),
    (change_role, {"delete_role_binding": {"status": 403}}, "done", True),
    (change_role, {"delete_role_binding": {"status": 503}}, "done", True),
]


@pytest.mark.parametrize(("call", "faults", "outcome", "is_safe"), CASES)
async def test_an_outcome_is_what_the_page_on_errors_says(
    call: Callable[[AsyncAdmin], Any],
    faults: Mapping[str, Mapping[str, Any]],
    outcome: Outcome,
    emulator: Emulator,
    *,
    is_safe: bool,
) -> None:
    """The outcome of a call is that of its request, and the outcome of a workflow is that of all its changes."""
    for operation, fault in faults.items():
        emulator.faults.add(operation, **{"times": None, **fault})
    with pytest.raises(PineconeError) as caught:
        await call(emulator.async_admin(retry=NO_REPEAT))
    assert (caught.value.outcome, caught.value.safe_to_retry) == (outcome, is_safe)


def test_the_page_on_errors_has_a_row_for_each_outcome() -> None:
    """The table has all outcomes, and nothing else."""
    page = (Path(__file__).parents[2] / "docs" / "errors.md").read_text(encoding="utf-8")
    assert re.findall(r'^\| `"(\w+)"` \|', page, re.MULTILINE) == [*get_args(Outcome)]
    assert {*get_args(Outcome)} == {outcome for _, _, outcome, _ in CASES}


def test_every_workflow_that_changes_something_documents_its_notes() -> None:
    """The docstring of each method that is a workflow says where its errors name what was done."""
    found = list[str]()
    for path in Path(_async.__file__).parent.glob("*.py"):
        for method in re.split(r"\n    (?:async )?def ", path.read_text(encoding="utf-8"))[1:]:
            name = method.partition("(")[0]
            if f"from {_async.__name__}.workflows." in method and name not in {"inventory", "plan"}:
                found.append(name)
                assert "``__notes__``" in method, (path, name)
    assert len(found) > 15


def test_every_workflow_states_what_is_left() -> None:
    """Every workflow function that a namespace or the client imports takes a run, or is decorated."""
    found = set[str]()
    for path in Path(_async.__file__).parent.glob("*.py"):
        lines = re.findall(
            rf"from ({re.escape(_async.__name__)}\.workflows\.\w+) import ([\w, ]+)  #", path.read_text()
        )
        for module, names in lines:
            for each in names.split(", "):
                workflow = getattr(import_module(module), each)
                first = next(iter(inspect.signature(workflow).parameters))
                if first in {"admin", "run"} and each != "open_run":  # else it is a check of an argument
                    found.add(each)
                    assert first == "run" or hasattr(workflow, "__wrapped__"), each
    assert len(found) > 15


async def test_what_a_store_does_with_a_client_is_no_change_of_the_workflow(emulator: Emulator) -> None:
    """Neither the outcome nor the notes of the error count a project that ``store`` creates before it fails."""
    admin = emulator.async_admin()
    project = await admin.projects.create(name="p")

    async def create_and_fail(_: object) -> None:
        await admin.projects.create(name="other")
        raise PineconeError("the vault is sealed")

    with raises(PineconeError) as caught:
        await admin.api_keys.ensure(project_id=project.id, name="reader", store=create_and_fail)
    assert caught.value.outcome == "undone"
    assert [note.endswith("was deleted") for note in caught.value.__notes__] == [False, True]


async def test_what_store_changes_is_not_in_the_outcome(emulator: Emulator) -> None:
    """It runs workflows of its own, with the same client."""
    admin = emulator.async_admin()
    project = await admin.projects.create(name="search")

    async def store(_: object) -> None:
        await admin.projects.ensure(name="beside")
        raise RefusedError("there is no room", operation="store")

    with raises(RefusedError, match="there is no room") as caught:
        await admin.api_keys.ensure(project_id=project.id, name="web", store=store)
    _, note = caught.value.__notes__
    assert (caught.value.outcome, note.endswith("was deleted")) == ("undone", True)
    assert {each.name for each in emulator.state.projects.values()} == {"search", "beside"}
