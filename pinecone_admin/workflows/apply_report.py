"""The report of carrying out a plan."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeAlias

from attrs import evolve, field, frozen

from generated_client.models import APIKeyWithSecret, ServiceAccountWithSecret
from pinecone_admin._text.printable import make_printable
from pinecone_admin.errors import Outcome
from pinecone_admin.models import to_dict
from pinecone_admin.workflows.change_plan import describe_step, sort_for_reading
from pinecone_admin.workflows.plan_facts import is_sensitive
from pinecone_admin.workflows.steps import Step

NewSecret: TypeAlias = APIKeyWithSecret | ServiceAccountWithSecret
"""What ``store`` gets of ``apply``: a new key with its value, or a new service account with its secret."""


@frozen(kw_only=True)
class FailedStep:
    """A step that failed.

    Attributes:
        step: The step.
        error: Message of the error.
        outcome: That of the error, as of one of a workflow; None if ``store`` raised another error.

    Example:
        >>> report = admin.apply(admin.plan(admin.inventory().to_desired_state()))
        >>> [each.error for each in report.failed]
        []
    """

    step: Step
    """The step."""
    error: str = field(converter=make_printable)
    """Message of the error."""
    outcome: Outcome | None
    """That of the error, as of one of a workflow; None if ``store`` raised another error."""

    def __str__(self) -> str:
        outcome = {"unknown": ", and may have been done", "done": ", after a part was done"}.get(self.outcome or "", "")
        return make_printable(f"failed{outcome}: {_describe_object(self.step)}: {self.error}")


@frozen(kw_only=True)
class ApplyReport:
    """What ``apply`` did with a plan.

    Attributes:
        organization_id: Id of the organization.
        client_id: Client id of the account that carried the plan out.
        applied_at: The ``taken_at`` of the inventory that was read first.
        package_version: Version of this package.
        source: What the file is called.
        digest: SHA-256 of the file.
        commit: Commit of the file, if it was given to ``plan``.
        done: Steps that were carried out, in order.
        skipped: Steps of the plan that were not carried out, as they are no longer needed or are drift.
        failed: Steps that failed.
        not_run: Steps that were not tried, each with the reason.

    Example:
        >>> plan = admin.plan(admin.inventory().to_desired_state())
        >>> print(admin.apply(plan))
        nothing was changed
    """

    organization_id: str
    """Id of the organization."""
    client_id: str
    """Client id of the account that carried the plan out."""
    applied_at: datetime
    """The ``taken_at`` of the inventory that was read first."""
    package_version: str
    """Version of this package."""
    source: str
    """What the file is called."""
    digest: str
    """SHA-256 of the file."""
    commit: str | None
    """Commit of the file, if it was given to ``plan``."""
    done: list[Step] = field(factory=list[Step])
    """Steps that were carried out, in order."""
    skipped: list[Step] = field(factory=list[Step])
    """Steps of the plan that were not carried out, as they are no longer needed or are drift."""
    failed: list[FailedStep] = field(factory=list[FailedStep])
    """Steps that failed."""
    not_run: list[Step] = field(factory=list[Step])
    """Steps that were not tried, each with the reason."""

    def __str__(self) -> str:
        """Return the report as text, one step per line."""
        lines = [*map(describe_step, sort_for_reading(self.done))]
        lines += map(str, sorted(self.failed, key=lambda each: not is_sensitive(each.step)))
        lines += [f"not run: {_describe_object(each)}: {each.reason}" for each in sort_for_reading(self.not_run)]
        lines += [f"skipped: {_describe_object(each)}: {each.reason}" for each in sort_for_reading(self.skipped)]
        return "\n".join(map(make_printable, lines or ["nothing was changed"]))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types.

        Example:
            >>> report = admin.apply(admin.plan(admin.inventory().to_desired_state()))
            >>> json.dumps(report.to_dict())
        """
        return to_dict(self)


def _describe_object(step: Step) -> str:
    """Return the line of a step that was not carried out, without its reason."""
    return str(evolve(step, planned=True, reason=None)).removeprefix("would ")
