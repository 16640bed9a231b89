"""What was carried out of a plan so far, and what that means for the rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from attrs import evolve, frozen

from pinecone_admin._http.redaction import redact_text
from pinecone_admin.errors import (
    LeftoverError,
    Masked,
    PineconeError,
    PineconeTypeError,
    PineconeValueError,
    RateLimitError,
)
from pinecone_admin.models import APIKeyWithSecret
from pinecone_admin.workflows.apply_report import ApplyReport, FailedStep, NewSecret
from pinecone_admin.workflows.plan_facts import list_granted, makes_secret, name_holder
from pinecone_admin.workflows.readable_store import PlacedStore, ReadableStore
from pinecone_admin.workflows.sent_changes import SentChange, find_effects, state_what_is_left
from pinecone_admin.workflows.steps import Step

_STOPPED = "the run was stopped"


@frozen
class NotTried:
    """The reason for which a step was not tried."""

    reason: str


Result: TypeAlias = str | Exception | NotTried | None


class ApplyProgress:
    """What was carried out so far.

    Args:
        report: Gets the steps.
        steps: The steps.

    Attributes:
        results: Of each step that was begun, by its ``id()``, the result, or the error of one that was stopped.
    """

    def __init__(self, report: ApplyReport, steps: Sequence[Step]) -> None:
        self.results: dict[int, Result] = {}
        self._report = report
        self._rest = {id(each): each for each in steps}
        self._made: dict[tuple[str, str], str] = {}
        self._troubled: set[tuple[str, str]] = set()
        self._lacks_owner = False
        self._store_failed = False
        self._invites_ended = False
        self._secrets: list[Masked] = []

    def redact(self, made: NewSecret) -> None:
        """Mask a secret in the errors of steps from now on: what a store raises may quote it."""
        self._secrets.append(Masked(made.value if isinstance(made, APIKeyWithSecret) else made.client_secret))

    def find_project(self, name: str | None, id: str | None) -> str | None:
        """Return the id of a project, or None if the plan has not created it."""
        return id or self._made.get(("project", name or ""))

    def find_holder(self, step: Step) -> str | None:
        """Return the id of who gets or loses a role, or None if the plan has not created it."""
        return step.id or self._made.get(name_holder(step))

    def find_obstacle(self, step: Step) -> str | None:
        """Return why a step must not be tried, or None."""
        projects = {each.project: each.project_id for each in list_granted(step)} | {step.project: step.project_id}
        missing = [each for each, id in projects.items() if each is not None and self.find_project(each, id) is None]
        drift = ", ".join(each for each in missing if ("project", each) not in self._troubled)
        is_troubled, deletes_user = name_holder(step) in self._troubled, (step.kind, step.action) == ("user", "delete")
        takes_owner = step.before.get("role") == "OrgOwner" or deletes_user
        obstacles = {
            f"project {drift} is missing, which is drift: apply drift, or write its id if it was renamed": bool(drift),
            f"project {', '.join(missing)} was not created": bool(missing),
            "a secret could not be stored": makes_secret(step) and self._store_failed,
            "the server takes no more invites for now": step.action == "invite" and self._invites_ended,
            "who would get it was not created": step.action == "grant" and self.find_holder(step) is None,
            "not every role was granted": is_troubled and step.action == "revoke",
            "an invite to the address was not deleted": is_troubled and deletes_user,
            "another one was not made an OrgOwner": self._lacks_owner and takes_owner,
        }
        return next((reason for reason, holds in obstacles.items() if holds), None)

    def note_interruption(
        self, step: Step, error: BaseException | None = None, changes: Sequence[SentChange] = ()
    ) -> None:
        """Note that a step was stopped, and what its changes and the notes of an error say was done and undone."""
        stopped = PineconeError(_STOPPED, outcome="unknown")
        if error is not None:
            state_what_is_left(stopped, find_effects(changes))
        stopped.__notes__ = [*getattr(error, "__notes__", ())]
        self.results[id(step)] = stopped

    def record(self, step: Step, result: Result) -> None:
        """Record the id of what was made, if anything was, or why a step failed or was not tried."""
        del self._rest[id(step)]
        step = self._add_new_ids(evolve(step, planned=False))
        if isinstance(result, str | None):
            self._report.done.append(evolve(step, id=result or step.id))
            self._made |= {} if result is None else {name_holder(step): result}
            return
        if isinstance(result, NotTried):
            self._report.not_run.append(evolve(step, reason=result.reason))
        else:
            self._report.failed.append(self._describe_failure(step, result))
            self._store_failed |= makes_secret(step) and _is_of_store(result)
            self._invites_ended |= step.action == "invite" and isinstance(result, RateLimitError)
        self._troubled.add(name_holder(step))
        self._lacks_owner |= step.action == "grant" and step.after.get("role") == "OrgOwner"

    def _add_new_ids(self, step: Step) -> Step:
        """Return a step with the ids of what the plan has created for it."""
        granted = list_granted(step) if step.project is None else []
        found = {each.project: self.find_project(each.project, each.project_id) for each in granted}
        ids = {name: id for name, id in found.items() if id is not None}
        return evolve(
            step,
            id=self.find_holder(step) if step.action == "grant" else step.id,
            project_id=self.find_project(step.project, step.project_id),
            after={**step.after, "project_ids": ids} if ids else step.after,
        )

    def record_rest(self) -> None:
        """Record the steps that have not ended, which are none unless the run was stopped."""
        for key, step in [*self._rest.items()]:
            self.record(step, self.results.get(key, NotTried(_STOPPED)))

    def _describe_failure(self, step: Step, error: Exception) -> FailedStep:
        """Return a failure with the notes of the error, which say what was undone, and who manages a person."""
        outcome = error.outcome if isinstance(error, PineconeError) else None
        text = str(error) if isinstance(error, PineconeError) else f"{type(error).__name__}: {error}"
        text = "; ".join([text, *getattr(error, "__notes__", ())])
        text = redact_text(text, (each.reveal() for each in self._secrets))
        return FailedStep(step=step, error=text, outcome=outcome)


def _is_of_store(error: Exception) -> bool:
    """Return whether it may be ``store`` that failed, so that no further secret is made."""
    kinds = (LeftoverError, PineconeTypeError, PineconeValueError)
    return not isinstance(error, PineconeError) or isinstance(error, kinds)


def wrap_store(store: Callable[[Any], object], progress: ApplyProgress) -> Callable[[Any], object]:
    """Return a store whose secrets are masked in the errors of a report; a readable one stays readable."""
    if isinstance(store, ReadableStore):
        return _RedactingStore(store, progress)

    def store_known(made: NewSecret) -> object:
        progress.redact(made)
        return store(made)

    return store_known


class _RedactingStore(PlacedStore):
    def __init__(self, store: ReadableStore, progress: ApplyProgress) -> None:
        self._store = store
        self._progress = progress

    def __call__(self, made: NewSecret, /) -> object:
        self._progress.redact(made)
        return self._store(made)

    def read(self, made: Any, /) -> Awaitable[str | None] | str | None:
        return self._store.read(made)

    def check_unused(self) -> None:
        if isinstance(self._store, PlacedStore):
            self._store.check_unused()
