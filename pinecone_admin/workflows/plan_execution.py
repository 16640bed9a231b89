"""The checks of a plan before the first change, and the consequences of each result for the rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from attrs import evolve

from pinecone_admin._http.lookup import normalize_email
from pinecone_admin._http.redaction import list_stored_forms, redact_text
from pinecone_admin.errors import (
    LeftoverError,
    Masked,
    PineconeError,
    PineconeTypeError,
    PineconeValueError,
    RateLimitError,
    RefusedError,
)
from pinecone_admin.models import APIKeyWithSecret
from pinecone_admin.workflows.apply_report import ApplyReport, NewSecret
from pinecone_admin.workflows.change_plan import ChangePlan
from pinecone_admin.workflows.changes import PEOPLE, Change, CreatedResource, Ref, Step, concerns_owner, with_known_ids
from pinecone_admin.workflows.comparison import Compared, compare_changes, raise_if_stale
from pinecone_admin.workflows.ending import conclude, ends_everything, may_have_been_made
from pinecone_admin.workflows.guard import (
    Caller,
    RefusedChanges,
    find_excess,
    find_refusals,
    raise_refusals,
    separate_refused_ends,
)
from pinecone_admin.workflows.inventory import Inventory
from pinecone_admin.workflows.offboarding import build_report
from pinecone_admin.workflows.organization_index import OrganizationIndex
from pinecone_admin.workflows.planner import check_view
from pinecone_admin.workflows.plans import check_organization, find_help_code
from pinecone_admin.workflows.readable_store import PlacedStore, ReadableStore, SecretOwner
from pinecone_admin.workflows.reports import OffboardReport
from pinecone_admin.workflows.sent_changes import read_reason

_DRIFT = "it is drift"
_STOPPED = "the run was stopped"
_OWNER = "an OrgOwner"


def review_plan(
    plan: ChangePlan,
    index: OrganizationIndex,
    inventory: Inventory,
    *,
    caller: Caller,
    drift: bool,
    allow_removals: int | None = None,
    allow_own: bool = False,
) -> list[Compared]:
    """Compare a plan with the organization, before anything is changed.

    Args:
        plan: The plan.
        index: The organization now.
        inventory: The inventory of the index.
        caller: The account that carries the plan out.
        drift: Whether drift is carried out, too.
        allow_removals: How many removals are permitted, as in ``find_excess``.
        allow_own: Whether the caller's own account may lose something.

    Returns:
        Each change of the plan, in the order of the plan: ready, skipped or held.

    Raises:
        RefusedError: The plan is of another organization, an end has come since, a change is stale, or the changes must
            not be carried out together.
        ForbiddenError: The account is not seen to be an OrgOwner.
    """
    check_organization(plan.organization_id, inventory.organizations, operation="apply")
    check_view(inventory, caller, operation="apply")
    if plan.next_end is not None and inventory.taken_at >= plan.next_end:
        since = f"an end (until) of the file has come since the plan was made: {plan.next_end:%Y-%m-%d} is after its"
        raise RefusedError(f"{since} last day; make another plan", operation="apply")
    wanted = [each for each in plan.changes if drift or each.cause != "drift"]
    compared = compare_changes(wanted, index, made_at=plan.made_at)
    raise_if_stale(compared)
    reviewed = None if plan.reviewed_ends is None else find_reviewed(plan, compared, wanted)

    # A token does not show its account, so that of the plan may be right, too.
    callers = [caller, Caller(plan.client_id)] if caller.is_stated else [caller]

    def find(changes: Sequence[Change]) -> list[RefusedChanges]:
        refusals = (find_refusals(changes, index, each, allow_own=allow_own) for each in callers)
        return [
            *dict.fromkeys(each for some in refusals for each in some),
            *find_excess(changes, index, allow_removals, reviewed),
        ]

    ready = [each.change for each in compared if each.state == "ready"]
    # An end in a saved plan was not computed here, so it stops the whole plan like any other change.
    held, refusals = separate_refused_ends(ready, find) if plan.reviewed_ends is not None else ({}, find(ready))
    raise_refusals(refusals, operation="apply")
    results = iter(
        each._replace(state="held", reason=held[each.change]) if each.state == "ready" and each.change in held else each
        for each in compared
    )
    return [
        next(results) if drift or each.cause != "drift" else Compared(each, "skipped", _DRIFT) for each in plan.changes
    ]


def find_reviewed(plan: ChangePlan, compared: Iterable[Compared], changes: Iterable[Change]) -> set[Change]:
    """Return the changes of the reviewed ends, which no limit on removals counts.

    Args:
        plan: The plan.
        compared: The changes, compared with the organization.
        changes: The changes as the plan has them, in the same order.
    """
    reviewed = plan.reviewed_ends or ()
    return {now.change for now, change in zip(compared, changes, strict=True) if change in reviewed}


def describe_ended_users(compared: Iterable[Compared], inventory: Inventory) -> list[OffboardReport]:
    """Return what each user could reach whom an end removes, and the secrets that the user may know."""
    ended = [
        each.change.target
        for each in compared
        if each.state == "ready" and each.change.cause == "end" and _deletes_user(each.change)
    ]

    def describe(target: Ref) -> OffboardReport:
        users = [each for each in inventory.users if each.id == target.id]  # another one may have the address, too
        report = build_report(evolve(inventory, users=users), target.name or "")
        return evolve(report, dry_run=False, refusal=None, steps=[])

    return [*map(describe, ended)]


def find_new_project_names(compared: Iterable[Compared]) -> dict[str | None, str]:
    """Return the names that changes give to projects, by the ids of these; drift that is left alone gives none."""
    return {
        change.target.id: change.settings.name
        for change, _, reason, _ in compared
        if change.target.kind == "project" and change.settings.name is not None and reason != _DRIFT
    }


def name_secret_owner(change: Change, new_names: Mapping[str | None, str]) -> SecretOwner:
    """Return what the secret of a change belongs to, by the names that the things have at the end."""
    place = change.target.project
    project = "" if place is None else new_names.get(place.id) or place.name or ""
    return SecretOwner(change.target.kind, project, change.target.name or "")


class PlanExecution:
    """The steps so far.

    Args:
        report: Gets the steps.
        compared: The changes of the plan, each ready, skipped or held.

    Attributes:
        changes: The changes of the plan.
        ready: Places of the changes that are to be carried out.
        new_project_names: The names that projects get, as ``find_new_project_names`` returns them.
    """

    def __init__(self, report: ApplyReport, compared: Sequence[Compared]) -> None:
        self.changes: list[Change] = [each.change for each in compared]
        self.ready: list[int] = [number for number, each in enumerate(compared) if each.state == "ready"]
        self.new_project_names: dict[str | None, str] = find_new_project_names(compared)
        self._report = report
        self._known: dict[Ref, Ref] = {
            plan_ref: each.found
            for each in compared
            if each.found is not None and (plan_ref := evolve(each.change.target, id=None))
        }
        self._steps: list[list[Step]] = [[] for _ in compared]
        for number, each in enumerate(compared):
            if each.state == "skipped":
                target = each.change.target if each.found is None else each.found
                change = evolve(each.change, target=target, reason=each.reason)
                self._steps[number].append(Step(change=change, state="skipped"))
            elif each.state == "held":
                self._leave(number, each.change, each.reason, help_code=RefusedError.help_code)
        self._troubled: dict[object, bool] = {}  # by what was not changed as planned: whether that is sure
        self._store_failed = False
        self._invites_ended = False
        self._secrets: list[Masked] = []

    def redact(self, new_secret: NewSecret) -> None:
        """Mask a secret in the errors of steps from now on: what a store raises for the next one may quote it."""
        secret = new_secret.value if isinstance(new_secret, APIKeyWithSecret) else new_secret.client_secret
        self._secrets.extend(map(Masked, list_stored_forms(secret)))

    def begin(self, number: int) -> Change | None:
        """Return a change with the ids of what was created before it, or None if it must not be tried."""
        change = with_known_ids(self.changes[number], self._known)
        if (obstacle := self._find_obstacle(change)) is not None:
            self._leave(number, change, obstacle)
            self._record_affected(number, change, is_sure=True)
            return None
        self._steps[number] = [Step(change=change, state="sent", error=_STOPPED)]  # until it has ended
        return change

    def _leave(self, number: int, change: Change, reason: str, *, help_code: str | None = None) -> None:
        self._steps[number] = [Step(change=evolve(change, reason=reason), state="not_run", help_code=help_code)]

    def _find_obstacle(self, change: Change) -> str | None:
        """Return why a change must not be tried, or None."""
        missing = [each for each in change.projects if each.id is None]
        drift = ", ".join(str(each.name) for each in missing if each not in self._troubled)
        principal, deletes_user = _find_changed_principal(change), _deletes_user(change)
        takes_owner = deletes_user or (change.action == "revoke" and concerns_owner(change))
        obstacles = {
            f"project {drift} is missing, which is drift; apply drift, or write its id if it was renamed": bool(drift),
            f"project {', '.join(str(each.name) for each in missing)} {self._was_not(*missing)} created": bool(missing),
            "a secret could not be stored": change.makes_secret and self._store_failed,
            "the server takes no more invites for now": change.action == "invite" and self._invites_ended,
            f"another role {self._was_not(principal)} granted": principal in self._troubled
            and change.action == "revoke",
            f"an invite to the address {self._was_not(principal)} deleted": principal in self._troubled
            and deletes_user,
            f"another one {self._was_not(_OWNER)} made an OrgOwner": _OWNER in self._troubled and takes_owner,
        }
        return next((reason for reason, holds in obstacles.items() if holds), None)

    def _was_not(self, *troubled: object) -> str:
        """Return whether it is sure that a change was not made, for the verb of an obstacle."""
        return "was not" if any(self._troubled.get(each) for each in troubled) else "may not have been"

    def record(self, number: int, change: Change, steps: Sequence[Step], created: CreatedResource | None) -> None:
        """Record a change that was carried out.

        Args:
            number: The place of the change.
            change: The change, as it was begun.
            steps: The steps that were sent for it.
            created: The resource that it created, under its final name; None if it created nothing.
        """
        deletions, own = _split_steps(change, steps)
        last = own[-1]
        if (change.creates and created is None) or _grants_to_member(change, own):
            self._steps[number] = [*deletions, *own]
            return
        if created is not None and change.creates:
            self._known[self.changes[number].target] = target = evolve(change.target, id=created.id)
            if created.id in {each.id for each in change.replaces}:
                reason = "an earlier run left it, and its secret is stored"
                done = [evolve(each, change=evolve(each.change, reason=reason)) for each in own]
                self._steps[number] = [*done, *deletions]
                return
        else:
            target = last.change.target  # of a grant to an invite that was accepted meanwhile, the member
        change = evolve(change, target=target, reason=last.change.reason or change.reason)
        # A create that was refused or undone before the last one has left nothing.
        lost = [each for each in own[:-1] if each.change.creates and may_have_been_made(each)]
        note = next((each.note for each in reversed(own) if each.note is not None), None)
        step = Step(change=change, state=last.state, resource=created or last.resource, note=note)
        # A new secret is stored before the leftovers are deleted, and an expired invite is deleted before.
        self._steps[number] = [*lost, step, *deletions] if change.makes_secret else [*deletions, step]

    def record_failure(self, number: int, change: Change, steps: Sequence[Step], error: BaseException) -> bool:
        """Record a change that failed or was stopped, and return whether the others can be carried out.

        Args:
            number: The place of the change.
            change: The change, as it was begun.
            steps: The steps that were sent for it.
            error: Why it has ended.
        """
        # Any error may be that of a store.
        is_failure = isinstance(error, Exception if change.makes_secret else PineconeError)
        is_own = is_failure and not ends_everything(error)
        deletions, own = _split_steps(change, steps)
        if not is_own and own and own[-1].state == "done" and not change.makes_secret:
            self.record(number, change, steps, own[-1].resource)
            return False
        if _grants_to_member(change, own):
            self._steps[number] = [*deletions, *own]
            self._record_affected(number, change, is_sure=not any(map(may_have_been_made, own)))
            return is_own
        state, created = conclude(own)
        if created is not None and change.creates:
            change = evolve(change, target=evolve(change.target, id=created.id))
        text = read_reason(error) if is_failure else "; ".join([_STOPPED, *getattr(error, "__notes__", ())])
        text = redact_text(text, (each.reveal() for each in self._secrets))
        step = Step(change=change, state=state, error=text, help_code=find_help_code(error))
        self._steps[number] = [*deletions, step]
        self._record_affected(number, change, is_sure=not may_have_been_made(step))
        if change.makes_secret and _is_of_store(error):
            self._store_failed = True
        if change.action == "invite" and isinstance(error, RateLimitError):
            self._invites_ended = True
        return is_own

    def _record_affected(self, number: int, change: Change, *, is_sure: bool) -> None:
        """Note whom a change that was not made, or may not have been made, concerns."""
        owner = {_OWNER} if change.action == "grant" and concerns_owner(change) else set[str]()
        for each in (_find_changed_principal(change), self.changes[number].target, *owner):
            self._troubled[each] = self._troubled.get(each, False) or is_sure

    def finish(self) -> None:
        """Put all steps into the report; those that were not begun are there only if the run was stopped."""
        for number in self.ready:
            if not self._steps[number]:
                self._leave(number, with_known_ids(self.changes[number], self._known), _STOPPED)
        self._report.steps[:] = [each for some in self._steps for each in some]
        for each in self._report.offboarded:
            ids = {person.id for person in (each.user, *each.invites) if person is not None}
            each.steps[:] = [step for step in self._report.steps if step.change.target.id in ids]


def _grants_to_member(change: Change, own: Sequence[Step]) -> bool:
    """Return whether the steps of an invite grant its roles, because the person is a member by now."""
    return change.action == "invite" and any(each.change.action == "grant" for each in own)


def _split_steps(change: Change, steps: Iterable[Step]) -> tuple[list[Step], list[Step]]:
    """Return the deletions of what a change replaces, and the other steps of the change."""
    replaced = {each.id for each in change.replaces}
    deletions, own = list[Step](), list[Step]()
    for each in steps:
        is_deletion = each.change.action == "delete" and each.change.target.id in replaced
        step = evolve(each, change=evolve(each.change, cause=change.cause))
        (deletions if is_deletion else own).append(step)
    return deletions, own


def _find_changed_principal(change: Change) -> tuple[str, object]:
    """Return whom a change concerns: an invite and the member who has accepted it are one person."""
    target = change.target
    if target.kind in PEOPLE:
        return "person", normalize_email(target.name or "")
    return target.kind, target.id or target


def _deletes_user(change: Change) -> bool:
    return (change.target.kind, change.action) == ("user", "delete")


def _is_of_store(error: BaseException) -> bool:
    """Return whether it may be ``store`` that failed, so that no further secret is made."""
    kinds = (LeftoverError, PineconeTypeError, PineconeValueError)
    return not isinstance(error, PineconeError) or isinstance(error, kinds)


def wrap_store(store: Callable[[Any], object], execution: PlanExecution) -> Callable[[Any], object]:
    """Return a store whose secrets are masked in the errors of a report; a readable one stays readable."""
    if isinstance(store, ReadableStore):
        return _RedactingStore(store, execution)

    def store_known(new_secret: NewSecret) -> object:
        execution.redact(new_secret)
        return store(new_secret)

    return store_known


class _RedactingStore(PlacedStore):
    def __init__(self, store: ReadableStore, execution: PlanExecution) -> None:
        self._store = store
        self._execution = execution

    def __call__(self, new_secret: NewSecret, /) -> object:
        self._execution.redact(new_secret)
        return self._store(new_secret)

    def read(self, created: Any, /) -> Awaitable[str | None] | str | None:
        return self._store.read(created)

    def check_unused(self) -> None:
        if isinstance(self._store, PlacedStore):
            self._store.check_unused()
