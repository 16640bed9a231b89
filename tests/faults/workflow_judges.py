"""Facts that hold for every run of a workflow: pure functions of requests, resources and messages."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import Enum, auto
from http import HTTPStatus
from typing import Any, NamedTuple

from attrs import evolve, frozen

from pinecone_admin import LeftoverError, PineconeError
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.records import Grant
from pinecone_admin.workflows import DueRotations, OffboardPlan, RetiredKeys, Step

_GONE = re.compile("no longer exist|somebody deleted|already deleted|was deleted")
"""The text about something that others or an undo have deleted."""
_UNCERTAIN = re.compile("may exist|may have been|may be of|may have created|whichever|is unknown|lost")
"""The text about a create whose response was lost."""


class Fault(Enum):
    """The fault of a request of a workflow; an outage and revoked roles also affect all later requests."""

    LOST_BEFORE = auto()  # not processed; the connection breaks
    LOST_AFTER = auto()  # processed; the connection breaks before the response
    FORBIDDEN = auto()  # not processed; the API refuses it with 403
    FOREIGN_404 = auto()  # not processed; a proxy responds with 404
    UNREADABLE = auto()  # processed; the response is not JSON
    CANCELLED = auto()  # processed; the task is cancelled meanwhile
    KILLED = auto()  # processed; the process is killed before the response
    OUTAGE = auto()  # as LOST_AFTER, and then as LOST_BEFORE
    REVOKED = auto()  # as LOST_AFTER, and then as FORBIDDEN
    FALSE_404 = auto()  # not processed; a copy of the API that is behind responds with 404


FAULTS = tuple(each for each in Fault if each is not Fault.FALSE_404)
"""The faults that every request of a workflow meets; a false 404 meets only changes."""


class Thing(NamedTuple):
    """Something in an organization: its kind, what it belongs to and goes with, and its fields."""

    kind: str
    owner: str | None
    fields: tuple[object, ...]


Snapshot = Mapping[str, Thing]
"""Everything in an organization, by its id, or by its place if it has none."""


def take_snapshot(emulator: Emulator) -> dict[str, Thing]:
    """Return everything in an organization."""
    state, found = emulator.state, _list_projects(emulator)
    for user in state.users.listing:
        found[user.id] = Thing("user", None, (user.email,))
    for invite in state.open_invites:
        found[invite.id] = Thing("invite", None, (invite.email, invite.expires_at))
    for account in state.service_accounts.listing:
        found[account.id] = Thing("service_account", None, (account.name, account.client_secret))
    for binding in state.role_bindings:
        if binding.principal.type != "api_key":  # the fields of the key have its roles
            found[binding.id] = Thing("role_binding", binding.principal.id, (binding.grant,))
    return found


def _list_projects(emulator: Emulator) -> dict[str, Thing]:
    state, found = emulator.state, dict[str, Thing]()
    for project in state.projects.values():
        found[project.id] = Thing("project", None, (project.name, project.max_pods, project.force_encryption_with_cmek))
        for key in project.api_keys.values():
            found[key.id] = Thing("api_key", project.id, (key.name, key.value, *sorted(state.roles_of(key))))
        for kind, contents in project.contents.items():
            for name, each in contents.items():
                if each.gone_at is None:
                    found[f"{project.id}/{kind}/{name}"] = Thing("content", project.id, (each.protected,))
    return found


def find_changed(before: Snapshot, after: Snapshot) -> set[str]:
    """Return the ids of what differs between two moments."""
    return {id for id in before.keys() | after.keys() if before.get(id) != after.get(id)}


@frozen(kw_only=True)
class Sent:
    """A request, and what happened to it.

    Attributes:
        method: HTTP method.
        path: Path.
        status: Status of the emulator's response; None if it was not processed.
        made: Id of what was created, or None.
        is_read: Whether the client got a response.
        is_lost: Whether the connection broke.
        is_cancelled: Whether the call was cancelled during the request.
        is_denied: Whether the response said of its target that it does not exist, which is not true.
        body: The body.
    """

    method: str
    path: str
    status: int | None
    made: str | None
    is_read: bool
    is_lost: bool
    is_cancelled: bool
    is_denied: bool
    body: bytes

    @property
    def is_done(self) -> bool:
        """Whether it changed something."""
        return self.method != "GET" and self.status is not None and self.status < 300

    @property
    def target(self) -> str:
        """The id at the end of the path."""
        return self.path.removesuffix("/rotate-secret").removesuffix("/resend").rpartition("/")[2]


@frozen(kw_only=True)
class Run:
    """One run of a workflow under a fault.

    Attributes:
        faults: The faults that it met.
        requests: The requests.
        before: The organization before the run, with what others have changed since.
        after: The organization after it.
        seen: Everything that was ever there.
        deletes: The resources that the workflow may delete.
        error: Its exception.
        report: Its result.
        steps: The steps of all its parts.
        text: All that it has said, with the data of its report.
        said: The message and the notes of its error, or the text of its report.
        undoes: Whether the workflow undoes what it creates, until a secret is stored or a role may be revoked.
        is_stored: Whether a secret was stored.
        others: The ids of what others have made.
    """

    faults: Collection[Fault]
    requests: Sequence[Sent]
    before: Snapshot
    after: Snapshot
    seen: Snapshot
    deletes: Collection[str]
    error: BaseException | None
    report: object
    steps: Collection[Step]
    text: str
    said: str
    undoes: bool
    is_stored: bool
    others: Collection[str]

    @property
    def made(self) -> set[str]:
        """The ids of what the run has created."""
        return {each.made for each in self.requests if each.is_done and each.made is not None}

    @property
    def lost_to_others(self) -> set[str]:
        """The ids of what others have removed after the run had created it, which it need not have seen."""
        deleted = {each.target for each in self.requests if each.is_done and each.method == "DELETE"}
        return self.made - self.after.keys() - deleted

    @property
    def remaining(self) -> set[str]:
        """The ids of what the run has created, changed or deleted, without what came or went with something else."""
        changed = find_changed(self.before, self.after)
        come_or_gone = self.before.keys() ^ self.after.keys()
        return {each for each in changed if self.seen[each].owner not in come_or_gone}

    @property
    def certain(self) -> set[str]:
        """The ids of the remaining resources whose responses the client has read, and of which it has no doubt.

        What this run has made is doubtful if its deletion was lost, and if the API has denied that it exists, and no
        list that was read later shows it.
        """
        read = [each for each in self.requests if each.is_done and each.is_read]
        doubtful = {each.target for each in self.lost if each.method == "DELETE"} & self.made
        for number, each in enumerate(self.requests):
            collection = each.path.split("/")[-2]
            later = self.requests[number + 1 :]
            lists = [after for after in later if after.method == "GET" and after.path.endswith(f"/{collection}")]
            if each.is_denied and not any(after.status == HTTPStatus.OK and after.is_read for after in lists):
                doubtful |= {each.target} & self.made
        certain = self.remaining & {each.made or each.target for each in read} - doubtful
        return {each for each in certain if self.seen[each].owner not in doubtful}

    @property
    def lost(self) -> list[Sent]:
        """The changes that may have been made, as far as the client can know."""
        return [each for each in self.requests if each.method != "GET" and not each.is_read]

    @property
    def is_revoking(self) -> bool:
        """Whether it may have revoked a role that was there before, as far as the client can know."""
        revokes = [each for each in self.requests if each.method == "DELETE" and "/role-bindings/" in each.path]
        sent = {each.target for each in revokes if each.is_done or not each.is_read or each.is_denied}
        return not sent.isdisjoint(self.seen.keys() - self.made)


def judge_outcome(run: Run) -> Iterable[str]:
    """The outcome of an error is true."""
    if not isinstance(run.error, PineconeError):
        return
    outcome = run.error.outcome
    if run.lost_to_others:
        return
    if outcome in {"not_sent", "rejected", "undone"} and run.remaining:
        yield f"the outcome is {outcome}, but there remain {_describe(run, run.remaining)}"
    elif outcome == "undone" and not any(each.is_done for each in run.requests):
        yield "the outcome is undone, but nothing was done"
    elif outcome in {"unknown", "done"} and not run.remaining and not run.lost and not _UNCERTAIN.search(run.text):
        yield f"the outcome is {outcome}, but nothing remains, and every response was read"
    elif outcome == "unknown" and run.certain:
        yield f"the outcome is unknown, but responses were read of {_describe(run, run.certain)}"


def judge_records(run: Run) -> Iterable[str]:
    """The outcome of an error, which is from the requests, does not disagree with the states of the steps."""
    if not isinstance(run.error, PineconeError):
        return
    outcome, states = run.error.outcome, {each.state for each in run.steps}
    if outcome in {"rejected", "not_sent"} and not states <= {"rejected", "failed", "skipped", "not_run"}:
        yield f"the outcome is {outcome}, but the states of the steps are {sorted(states)}"
    elif outcome == "undone" and "undone" not in states and not run.lost_to_others:
        yield f"the outcome is undone, but the states of the steps are {sorted(states)}"
    elif outcome == "done" and states.isdisjoint({"done", "unread"}):
        yield f"the outcome is done, but the states of the steps are {sorted(states)}"
    elif outcome == "unknown" and states.isdisjoint({"sent", "unread", "done"}):
        yield f"the outcome is unknown, but the states of the steps are {sorted(states)}"


def judge_names(run: Run) -> Iterable[str]:
    """Everything that remains is named, but what was made by a request without a response."""
    if Fault.KILLED in run.faults:
        return
    unnamed = {each for each in run.remaining if each not in run.text}
    things = run.seen
    # The user of a temporary key does not learn which old ones are deleted.
    old = unnamed & run.before.keys()
    unnamed -= {each for each in old if str(things[each].fields[0]).startswith("~lives-until:")}
    unnamed -= {each for each in unnamed if things[each].kind == "content"}  # it has no id
    unknown = {each.made for each in run.lost if each.made} & unnamed
    if unknown and _UNCERTAIN.search(run.text):
        unnamed -= unknown
    # The step of a role has the id of its holder.
    unnamed -= {each for each in unnamed if things[each].kind == "role_binding" and str(things[each].owner) in run.text}
    if unnamed:
        yield f"not named: {_describe(run, unnamed)}"


def judge_left(run: Run) -> Iterable[str]:
    """Nothing in ``left`` is what the run has deleted, or was in such a thing, as it has read."""
    deleted = {str(each.target) for each in run.requests if each.method == "DELETE" and each.is_done and each.is_read}
    for each in run.error.left if isinstance(run.error, LeftoverError) else ():
        gone = {id for id in run.made - run.after.keys() if id in each}
        if gone and any(id in each for id in deleted):
            yield f"in left, but gone: {gone} of {each}"


def judge_deletions(run: Run) -> Iterable[str]:
    """Nothing is deleted that is not certainly ours, and nothing of others is changed."""
    allowed = {*run.deletes, *run.made}
    gone = {
        each
        for each in run.before.keys() - run.after.keys()
        if each not in allowed and run.seen[each].owner not in allowed and run.seen[each].kind != "role_binding"
    }
    if gone:
        yield f"deleted: {_describe(run, gone)}"


def judge_undo(run: Run) -> Iterable[str]:
    """If the run fails before a secret is stored or a role revoked, what it created is deleted, unless that fails."""
    if run.error is None or not run.undoes or run.is_stored or run.is_revoking or Fault.KILLED in run.faults:
        return
    refused = {each.target for each in run.requests if each.method == "DELETE" and not each.is_done}
    made = [each.made for each in run.requests if each.is_done and not each.is_lost]
    certain = {each for each in made if each is not None and each in run.after}
    if left := certain - refused:
        yield f"not undone: {_describe(run, left)}"


def judge_error(run: Run) -> Iterable[str]:
    """An interruption comes out as it is, and an error is one of this package."""
    # An error that is raised already goes on if what it leaves is being undone.
    undoes = (each.method == "DELETE" and each.target in run.made for each in run.requests if each.is_cancelled)
    if Fault.CANCELLED in run.faults and isinstance(run.error, Exception) and not all(undoes):
        yield f"a cancellation became {type(run.error).__name__}"
    elif isinstance(run.error, Exception) and not isinstance(run.error, PineconeError):
        yield f"an error came out that is none of this package: {run.error!r}"


def judge_claims(run: Run) -> Iterable[str]:
    """A text does not say of what is not sent that it was done, and a report has no conditional sentence or step."""
    is_done = any(each.is_done for each in run.requests)
    if (
        run.error is None
        and is_done
        and re.search(r"\bwould (create|delete|grant|revoke|rename|invite|update)\b", run.text)
    ):
        yield "the report of a run has a conditional sentence"
    parts = [run.report, *getattr(run.report, "reports", ())] if not isinstance(run.report, OffboardPlan) else []
    if planned := [str(each) for part in parts for each in getattr(part, "steps", ()) if each.state == "planned"]:
        yield f"the report of a run has planned steps: {planned}"
    for each in re.split(r"[;\n]|, after: ", run.said):
        # A role on a project is deleted, not the project, and not its holder.
        each = re.sub(r" (in|of|on) project \S+( \([^)]*\))?|.*\(role binding", "", each)  # noqa: PLW2901
        if _GONE.search(each) and (there := [id for id in run.after if id in each]):
            yield f"said to be deleted, but there: {_describe(run, there)}"


_KINDS = {
    "projects": "project",
    "api-keys": "api_key",
    "service-accounts": "service_account",
    "invites": "invite",
    "users": "user",
    "indexes": "index",
    "collections": "collection",
    "assistants": "assistant",
    "backups": "backup",
    "workspaces": "workspace",
}
_ACTIONS = {"POST": "create", "PATCH": "update", "DELETE": "delete"}

NamedChange = tuple[str, str, str | None]
"""An action, a kind, and the id or name of what it is about; without it for what is created, and for roles."""


def name_request(sent: Sent) -> NamedChange:
    """Return what a request does, as steps name it."""
    *_, collection, target, end = ["", "", *sent.path.split("/")]
    if end in {"rotate-secret", "resend"}:
        return end.partition("-")[0], _KINDS[collection], target
    if sent.method == "POST":
        collection, target, end = target, end, ""
    if "role-bindings" in {collection, target, end}:
        return ("grant" if sent.method == "POST" else "revoke"), "role", None
    if sent.method == "POST":
        return ("invite" if target == "invites" else "create"), _KINDS[target], None
    return _ACTIONS[sent.method], _KINDS[target], end


def name_steps(steps: Iterable[Step]) -> set[NamedChange]:
    """Return what was sent for steps, with the deletion of what they created."""
    named = set[NamedChange]()
    for each in steps:
        change, target = each.change, each.change.target
        if change.action in {"grant", "revoke"}:
            named |= {(change.action, "role", None), ("revoke", "role", None)}
        elif change.creates:
            named.add((change.action, target.kind, None))
            named |= set() if each.resource is None else {("delete", target.kind, each.resource.id)}
        else:
            named.add((change.action, target.kind, target.id or target.name))
    return named


def judge_steps(run: Run) -> Iterable[str]:
    """Every change that was sent is a step of a run, and every step but a planned or skipped one was sent."""
    sent = {name_request(each) for each in run.requests if each.method != "GET"}
    if unrecorded := sent - name_steps(run.steps):
        yield f"no step has {sorted(map(str, unrecorded))}"
    begun = [each for each in run.steps if each.state not in {"planned", "skipped", "not_run", "failed"}]
    for each in begun:
        if not name_steps([evolve(each, resource=None)]) & sent:
            yield f"nothing was sent for {each}"


def judge_adopted(run: Run) -> Iterable[str]:
    """What somebody else has made, with other settings or roles, is not said to be created."""
    created = {each.resource.id: each for each in run.steps if each.state == "done" and each.resource is not None}
    for id in {id for id, each in created.items() if each.change.creates} & {*run.others}:
        change, found = created[id].change, run.seen[id]
        wanted: object = {each.role for each in change.roles}
        bindings = [each for each in run.after.values() if (each.kind, each.owner) == ("role_binding", id)]
        held: object = {grant.role for each in bindings for grant in each.fields if isinstance(grant, Grant)}
        if change.action == "create":
            settings = {"max_pods": found.fields[1], "force_encryption_with_cmek": found.fields[2]}
            wanted, held = change.settings.fields, {name: settings[name] for name in change.settings.fields}
        if wanted != held:
            yield f"said to be created with {wanted}, but it has {held}: {_describe(run, [id])}"
    value: Any = getattr(run.report, "value", None)
    if getattr(run.report, "created", False) and getattr(value, "id", None) in {*run.others} - created.keys():
        yield f"said to be created, but no step has created it: {_describe(run, [value.id])}"


def judge_deleted(run: Run) -> Iterable[str]:
    """The keys that a report calls deleted were deleted by this run."""
    if isinstance(run.report, RetiredKeys | DueRotations):
        done = {each.change.target.id for each in run.steps if (each.change.action, each.state) == ("delete", "done")}
        if others := {each.id for each in run.report.deleted} - done:
            yield f"said to be deleted, but no step has deleted it: {_describe(run, others)}"


JUDGES = {
    "steps": judge_steps,
    "outcome": judge_outcome,
    "records": judge_records,
    "names": judge_names,
    "left": judge_left,
    "deletions": judge_deletions,
    "undo": judge_undo,
    "error": judge_error,
    "claims": judge_claims,
    "adopted": judge_adopted,
    "deleted": judge_deleted,
}
"""The judges of a run, by the kind of the problem."""


def judge(run: Run) -> list[tuple[str, str]]:
    """Return everything that is wrong with a run, each with its kind."""
    return [(kind, found) for kind, find in JUDGES.items() for found in find(run)]


def _describe(run: Run, ids: Iterable[str]) -> str:
    return ", ".join(sorted(f"{run.seen[each].kind} {run.seen[each].fields[0]}" for each in ids))
