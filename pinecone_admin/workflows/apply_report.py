"""The report of carrying out a plan."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeAlias

from attrs import evolve, field, frozen

from generated_client.models import APIKeyWithSecret, ServiceAccountWithSecret
from pinecone_admin._text.printable import make_printable
from pinecone_admin.models import to_dict
from pinecone_admin.workflows.changes import Step, StepState
from pinecone_admin.workflows.ending import has_failed, is_finished
from pinecone_admin.workflows.reports import OffboardReport

NewSecret: TypeAlias = APIKeyWithSecret | ServiceAccountWithSecret
"""The argument of the ``store`` function of ``apply``: a new API key with its value, or a new service account with its
secret."""


@frozen(kw_only=True)
class ApplyReport:
    """The result of ``apply``.

    Attributes:
        organization_id: Id of the organization.
        client_id: Client id of the account that carried out the plan; None if the client has only an access token and
            you did not pass ``client_id``.
        applied_at: The ``taken_at`` of the inventory that was read first.
        package_version: Version of this package.
        source: Name of the file for messages.
        digest: SHA-256 of the file.
        commit: Commit of the file, if you passed it to ``plan``.
        steps: Each change of the plan with what happened to it, and the deletion of each leftover, in the order of
            execution.
        stopped: Items of the file that did not fit the organization and were left out, each with the reason.
        offboarded: For each user whom an end (``until``) removes, or failed to remove, what the user could access and
            which secrets the user may know. This was read before the first change.

    Example:
        >>> plan = admin.plan(admin.inventory().to_desired_state())
        >>> print(admin.apply(plan))
        nothing was changed: the organization had all that the file lists when they were compared
    """

    organization_id: str
    """Id of the organization."""
    client_id: str | None
    """Client id of the account that carried out the plan; None if the client has only an access token and you did not
    pass ``client_id``."""
    applied_at: datetime
    """The ``taken_at`` of the inventory that was read first."""
    package_version: str
    """Version of this package."""
    source: str
    """Name of the file for messages."""
    digest: str
    """SHA-256 of the file."""
    commit: str | None
    """Commit of the file, if you passed it to ``plan``."""
    steps: list[Step] = field(factory=list[Step])
    """Each change of the plan with what happened to it, and the deletion of each leftover, in the order of
    execution."""
    stopped: list[str] = field(factory=list[str])
    """Items of the file that did not fit the organization and were left out, each with the reason."""
    offboarded: list[OffboardReport] = field(factory=list[OffboardReport])
    """For each user whom an end (``until``) removes, or failed to remove, what the user could access and which secrets
    the user may know."""

    @property
    def done(self) -> list[Step]:
        """Steps that were carried out."""
        return self._select("done")

    @property
    def skipped(self) -> list[Step]:
        """Steps without a request, because they are no longer needed or are drift."""
        return self._select("skipped")

    @property
    def failed(self) -> list[Step]:
        """Steps that failed. Some of them may have taken effect."""
        return [*filter(has_failed, self.steps)]

    @property
    def undone(self) -> list[Step]:
        """Steps that were carried out and undone, such as a key whose value could not be stored."""
        return self._select("undone")

    @property
    def not_run(self) -> list[Step]:
        """Steps that were not tried, each with the reason."""
        return self._select("not_run")

    @property
    def is_complete(self) -> bool:
        """Whether every step was done or needed no request, and no item was left out."""
        return not self.stopped and is_finished(self.steps)

    def _select(self, state: StepState) -> list[Step]:
        return [step for step in self.steps if step.state == state]

    def _describe_nothing(self) -> str:
        if self.stopped:  # these were not compared
            return "nothing was changed"
        source = self.source or "the file"
        when = "when they were compared"  # only changes are compared again
        return make_printable(f"nothing was changed: the organization had all that {source} lists {when}")

    def __str__(self) -> str:
        """Return the report as text, one line for each step, in the order of execution."""
        lines = [*map(str, self.steps)] or [self._describe_nothing()]
        lines += [make_printable(f"left out: {each}") for each in self.stopped]
        return "\n".join([*lines, *(str(evolve(each, steps=[])) for each in self.offboarded)])

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types.

        Example:
            >>> report = admin.apply(admin.plan(admin.inventory().to_desired_state()))
            >>> json.dumps(report.to_dict())
        """
        return to_dict(self)
