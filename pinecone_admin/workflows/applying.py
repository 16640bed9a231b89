"""Decide which steps of a plan are carried out, and which must wait for others or not be tried."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import evolve, frozen

from pinecone_admin.errors import (
    LeftoverError,
    PineconeError,
    PineconeTypeError,
    PineconeValueError,
    RateLimitError,
    RefusedError,
)
from pinecone_admin.models import APIKeyWithSecret
from pinecone_admin.workflows.apply_report import ApplyReport, FailedStep, NewSecret
from pinecone_admin.workflows.change_plan import ChangePlan
from pinecone_admin.workflows.plan_facts import check_planned
from pinecone_admin.workflows.planned_changes import PlannedChange, ProjectRef
from pinecone_admin.workflows.planner import find_refusals
from pinecone_admin.workflows.readable_store import ReadableStore
from pinecone_admin.workflows.resources import Resources
from pinecone_admin.workflows.steps import Step


def select_changes(
    plan: ChangePlan,
    changes: Sequence[PlannedChange],
    inventory: Resources,
    *,
    client_id: str,
    drift: bool,
    allow_removals: int | None,
) -> list[PlannedChange]:
    """Return the changes to carry out.

    Args:
        plan: The plan that was reviewed.
        changes: What the same file asks for now.
        inventory: The organization now.
        client_id: Client id of the account that carries them out.
        drift: Whether drift is carried out, too.
        allow_removals: How many items may go, however many there are.

    Raises:
        RefusedError: They do what the plan does not have, or must not be done together.
    """
    selected = [each for each in changes if drift or each.step.cause != "drift"]
    steps = [each.step for each in selected]
    check_planned(plan.steps, steps, drift=drift)
    if refusals := find_refusals(steps, inventory, client_id, allow_removals=allow_removals):
        raise RefusedError("; ".join(refusals), operation="apply")
    return selected


@frozen
class NotTried:
    """The reason for which a change was not tried."""

    reason: str


class ApplyProgress:
    """What was carried out so far, and what that means for the rest.

    Args:
        report: Gets the steps.
    """

    def __init__(self, report: ApplyReport) -> None:
        self._report = report
        self._projects: dict[str, str] = {}
        self._principals: dict[str, str] = {}
        self._troubled: set[str] = set()
        self._lacks_owner = False
        self._store_failed = False
        self._invites_ended = False
        self._secrets: list[str] = []

    def redact(self, made: NewSecret) -> None:
        """Mask a secret in the errors of steps from now on: what a store raises may quote it."""
        self._secrets.append(made.value if isinstance(made, APIKeyWithSecret) else made.client_secret)

    def find_project(self, project: ProjectRef) -> str | None:
        """Return the id of a project, or None if the plan has not created it."""
        return project.id or self._projects.get(project.name)

    def find_principal(self, change: PlannedChange) -> str | None:
        """Return the id of a principal, or None if the plan has not created it."""
        return change.step.id or self._principals.get(change.who)

    def find_obstacle(self, change: PlannedChange) -> str | None:
        """Return why a change must not be tried, or None."""
        step = change.step
        missing = [
            each.name
            for each in [*(each.project for each in change.roles), change.project]
            if each is not None and self.find_project(each) is None
        ]
        is_troubled = change.who in self._troubled
        takes_owner = step.before.get("role") == "OrgOwner" or (step.kind, step.action) == ("user", "delete")
        obstacles = {
            f"project {', '.join(missing)} was not created": bool(missing),
            "a secret could not be stored": change.makes_secret and self._store_failed,
            "the server takes no more invites for now": step.action == "invite" and self._invites_ended,
            "who would get it was not created": step.action == "grant" and self.find_principal(change) is None,
            "not every role was granted": is_troubled and step.action == "revoke",
            "an invite to the address was not deleted": is_troubled and (step.kind, step.action) == ("user", "delete"),
            "another one was not made an OrgOwner": self._lacks_owner and takes_owner,
        }
        return next((reason for reason, holds in obstacles.items() if holds), None)

    def record(self, change: PlannedChange, result: str | Exception | NotTried | None) -> None:
        """Record the id of what was made, if anything was, or why a change failed or was not tried."""
        step = evolve(change.step, planned=False)
        if isinstance(result, NotTried):
            self._report.not_run.append(evolve(step, reason=result.reason))
        elif isinstance(result, Exception):
            outcome = result.outcome if isinstance(result, PineconeError) else None
            text = describe_error(result)
            for secret in self._secrets:
                text = text.replace(secret, "***")
            self._report.failed.append(FailedStep(step=step, error=text, outcome=outcome))
        else:
            self._record_done(change, evolve(step, id=result or step.id))
            return
        self._troubled.add(change.who)
        self._lacks_owner |= step.action == "grant" and step.after.get("role") == "OrgOwner"
        self._invites_ended |= step.action == "invite" and isinstance(result, RateLimitError)
        self._store_failed |= change.makes_secret and isinstance(result, Exception) and _is_of_store(result)

    def _record_done(self, change: PlannedChange, step: Step) -> None:
        if step.id is not None and step.action in {"create", "invite"}:
            made = self._projects if step.kind == "project" else self._principals
            made[step.name or "" if step.kind == "project" else change.who] = step.id
        self._report.done.append(step)


class RedactingStore(ReadableStore):
    """A readable store whose secrets are masked in the errors of a report.

    Args:
        store: Stores the secrets.
        progress: Masks them.
    """

    def __init__(self, store: ReadableStore, progress: ApplyProgress) -> None:
        self._store = store
        self._progress = progress

    def __call__(self, made: NewSecret, /) -> object:
        """Store a secret."""
        self._progress.redact(made)
        return self._store(made)

    def check_unused(self) -> None:
        """Raise if the target has another secret."""
        self._store.check_unused()

    def holds_key(self, value_digest: str) -> bool:
        """Return whether the target has the value of a key."""
        return self._store.holds_key(value_digest)

    def holds_account(self, client_id: str) -> bool:
        """Return whether the target has a secret of an account."""
        return self._store.holds_account(client_id)


def _is_of_store(error: Exception) -> bool:
    """Return whether it may be ``store`` that failed, so that no further secret is made."""
    kinds = (LeftoverError, PineconeTypeError, PineconeValueError)
    return not isinstance(error, PineconeError) or isinstance(error, kinds)


def describe_error(error: BaseException) -> str:
    """Return an error with its notes, which say what was undone, and who manages a person."""
    text = str(error) if isinstance(error, PineconeError) else f"{type(error).__name__}: {error}"
    return "; ".join([text, *getattr(error, "__notes__", ())])


def note_done(error: BaseException, steps: Iterable[Step]) -> None:
    """Note on an error that ends everything what was done before it."""
    for step in steps:
        error.add_note(str(step))
