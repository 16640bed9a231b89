"""Plans: what a workflow would delete, to be saved and read before another call deletes exactly that."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, ClassVar, Literal, Protocol, Self, TypeVar

from attrs import evolve, field, frozen

from generated_client.models import Organization
from pinecone_admin._http.argument_checks import check_string, value_error
from pinecone_admin._http.codec import DecodeFailure, is_deeper_than, parse_json_object
from pinecone_admin._http.lookup import normalize_email
from pinecone_admin._text.counts import count_noun
from pinecone_admin._text.durations import describe_duration
from pinecone_admin._text.messages import Name
from pinecone_admin._text.moments import describe_minute
from pinecone_admin._text.printable import escape_surrogates, make_printable, quote_input
from pinecone_admin._text.quoting import describe_resource, quote_name
from pinecone_admin.errors import (
    ApiError,
    ForbiddenError,
    PineconeConnectionError,
    PineconeError,
    PineconeTypeError,
    PineconeValueError,
    RateLimitError,
    RefusedError,
    ServiceError,
)
from pinecone_admin.models import to_dict
from pinecone_admin.workflows.changes import Change, Ref, Step
from pinecone_admin.workflows.name_tags import describe_name
from pinecone_admin.workflows.reports import Content, OffboardReport, describe_unseen, name_temporary_keys
from pinecone_admin.workflows.resources import Resources, Unread, is_hidden, name_unread
from pinecone_admin.workflows.roles import describe_lost_owners
from pinecone_admin.workflows.saved_json import collect_repeated, decode_record
from pinecone_admin.workflows.sent_changes import is_foreign_refusal, may_have_been_processed

_NOBODY = "the plan has no people; nothing to do"
_VERSION = 3
_MOST_LEVELS = 100
_STALE = "projects.delete_stale"
_OFFBOARD = "users.offboard_many"
_APPLY = "apply"
_P = TypeVar("_P")


@frozen(kw_only=True)
class Left:
    """A project or a person that a workflow did not delete, or may not have deleted.

    The contents of the project or the invites of the person may be deleted.

    Attributes:
        id: Id of the project or the user; empty if there is none.
        name: Name of the project, or email address of the person.
        reason: Why the project or person was kept. If ``may_be_deleted``, it ends with "the server may have done it all
            the same", and then with the notes of the error.
        help_code: Code of the error that is the reason, such as ``PA205``; None without an error. If another server
            than the API refused, it is ``PA200``.
        may_be_deleted: Whether the response to the deletion was lost, so that the project or person may be deleted.
    """

    id: str
    """Id of the project or the user; empty if there is none."""
    name: str
    """Name of the project, or email address of the person."""
    reason: str = field(converter=make_printable)
    """Why the project or person was kept."""
    help_code: str | None = None
    """Code of the error that is the reason, such as ``PA205``; None without an error."""
    may_be_deleted: bool = field(default=False, metadata={"absent_by_default": True})
    """Whether the response to the deletion was lost, so that the project or person may be deleted."""


def may_be_deleted(error: PineconeError, kind: str) -> bool:
    """Return whether an error is of the deletion of something of this kind, which the server may have made.

    One of a read before it, or of what is deleted before it, such as the contents of a project, says nothing of that.
    """
    is_refused = isinstance(error, RefusedError)
    return error.operation == f"delete_{kind}" and not is_refused and may_have_been_processed(error)


def explain_left(error: PineconeError, kind: str) -> str:
    """Return why something of this kind was left, whether it may be gone all the same, and the notes of the error."""
    may_be_done = ["the server may have done it all the same"] if may_be_deleted(error, kind) else []
    return "; ".join([str(error), *may_be_done, *getattr(error, "__notes__", ())])


def find_help_code(error: BaseException) -> str | None:
    """Return the code of an error that is a reason, or None if it is not of this package.

    The code of a proxy's 403 does not say that the API refused.
    """
    if not isinstance(error, PineconeError):
        return None
    return ApiError.help_code if is_foreign_refusal(error) else error.help_code


def describe_left(left: Left, kind: Literal["project", "user"]) -> Step:
    """Return as a step that a project or a person was left, or may have been left."""
    deletion = Change(action="delete", target=Ref(kind, left.name, left.id or None))
    if left.may_be_deleted:
        return Step(change=deletion, state="sent", error=left.reason)
    return Step(change=evolve(deletion, reason=left.reason), state="skipped")


@frozen(kw_only=True)
class StaleProject:
    """A project that ``delete_stale`` may delete.

    Attributes:
        id: Id of the project.
        name: Name of the project.
        created_at: When the project was created.
        contents: Contents of the project, which are deleted with it.
        unseen: Kinds of content that the server refuses to list. The project may contain some.
        api_keys: API keys of the project, except temporary keys. They are deleted with it.
    """

    id: str
    """Id of the project."""
    name: str
    """Name of the project."""
    created_at: datetime
    """When the project was created."""
    contents: list[Content]
    """Contents of the project, which are deleted with it."""
    unseen: list[str] = field(factory=list[str])
    """Kinds of content that the server refuses to list. The project may contain some."""
    api_keys: list[Ref] = field(factory=list[Ref])
    """API keys of the project, except temporary keys. They are deleted with it."""

    def __str__(self) -> str:
        return describe_stale(self)


def describe_stale(project: StaleProject, *, is_read_now: bool = True) -> str:
    """Return a line about a project with its contents.

    Args:
        project: The project.
        is_read_now: Whether the contents were read just now, and not when the plan was made.
    """
    named = [f"{content.kind} {quote_name(content.name)}" for content in project.contents]
    named += [f"API key {describe_name(str(each.name), quote_name)}" for each in project.api_keys]
    contents = ", ".join(named) or "nothing"
    contents += describe_unseen(project.unseen)
    created = f"created {describe_minute(project.created_at)}"
    contains = f"contains {contents}" if is_read_now else f"contained {contents} when the plan was made"
    return make_printable(f"project {quote_name(project.name)} ({project.id}), {created}, {contains}")


class SavablePlan:
    """A plan that can be saved as JSON."""

    __slots__ = ()
    _WORKFLOW: ClassVar[str]
    _COMPUTED: ClassVar[Sequence[str]] = ()
    """Properties that a reader of the JSON needs; ``from_json`` computes them from what is left of the plan."""

    def to_json(self) -> str:
        """Return the plan as JSON. ``from_json`` reads it."""
        computed = {name: getattr(self, name) for name in self._COMPUTED}
        document = {"plan_of": self._WORKFLOW, "version": _VERSION, **to_dict(self), **computed}
        return escape_surrogates(self._dump(document))

    def _dump(self, document: dict[str, Any]) -> str:
        return json.dumps(document, ensure_ascii=False, indent=2)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the plan from the JSON that ``to_json`` returned.

        Args:
            text: The JSON. You may have removed entries of ``projects`` or ``reports``.

        Raises:
            PineconeTypeError: ``text`` is not a str.
            PineconeValueError: ``text`` is not a plan of this kind, or only a part of one. The message shows the
                problem.
        """
        repeated: list[str] = []
        document = parse_json_object(check_string("text", text).encode(), collect_repeated(repeated))
        if document is None:
            raise value_error("text", "is not a JSON object: it is no plan, or a plan that was saved only in part")
        if document.get("plan_of") != cls._WORKFLOW:
            raise PineconeValueError(
                Name("text"), " is not a plan of ", Name(cls._WORKFLOW), *_describe_other_plan(document.get("plan_of"))
            )
        if document.get("version") != _VERSION:
            version = quote_input(document.get("version"))
            problem = f"is a plan of version {version}, and this release reads version {_VERSION}: make another plan"
            raise value_error("text", problem)
        if is_deeper_than(_MOST_LEVELS, document):  # Python may read more levels than it can write
            raise value_error("text", f"has more than {_MOST_LEVELS} levels of arrays and objects: it is no plan")
        if repeated:
            raise value_error("text", f"has the field {quote_input(repeated[0])} twice in an object: make another plan")
        plan = decode_record(document, cls)
        if isinstance(plan, DecodeFailure):
            raise PineconeValueError(Name("text"), f": {plan.path} {plan.problem}, so it is not a valid plan")
        return _check_no_repetition("text", plan)


@frozen(kw_only=True)
class StalePlan(SavablePlan):
    """The projects that ``delete_stale`` would delete. ``delete_stale(plan=…)`` deletes these and no others.

    Attributes:
        organization_id: Id of the organization.
        organization: Name of the organization.
        client_id: Client id of the account that made the plan; None if the client has only an access token.
        made_at: When the projects had been read, by the server's clock, in whole seconds.
        name_pattern: Pattern of the names.
        older_than: Age that every project of the plan exceeds.
        projects: Projects to delete.
        left: Projects whose name matches, but that would be kept, each with the reason.
        temporary_keys: Ids of the temporary API keys that read the contents, with those that earlier runs left. All of
            them were deleted.

    Example:
        >>> week = timedelta(days=7)
        >>> plan = admin.projects.delete_stale(name_pattern="ci-*", older_than=week)
        >>> saved = plan.to_json()
        >>> report = admin.projects.delete_stale(plan=StalePlan.from_json(saved))
    """

    _WORKFLOW = _STALE

    organization_id: str
    """Id of the organization."""
    organization: str
    """Name of the organization."""
    client_id: str | None
    """Client id of the account that made the plan; None if the client has only an access token."""
    made_at: datetime
    """When the projects had been read, by the server's clock, in whole seconds."""
    name_pattern: str
    """Pattern of the names."""
    older_than: timedelta = field(metadata={"name": "older_than_seconds"})
    """Age that every project of the plan exceeds."""
    projects: list[StaleProject]
    """Projects to delete."""
    left: list[Left]
    """Projects whose name matches, but that would be kept, each with the reason."""
    temporary_keys: list[str]
    """Ids of the temporary API keys that read the contents, with those that earlier runs left. All of them were
    deleted."""

    def __str__(self) -> str:
        """Return the plan as text, one project per line."""
        age = describe_duration(self.older_than)
        pattern = quote_name(self.name_pattern)
        head = f"{count_noun(len(self.projects), 'project')} like {pattern} older than {age} would be deleted"
        left = (describe_left(each, "project") for each in self.left)
        lines = [
            f"{head}, in {describe_resource('organization', self.organization, self.organization_id)}",
            *map(str, (*self.projects, *left)),
        ]
        lines += [*name_temporary_keys(self.temporary_keys), "nothing else was deleted"]
        return "\n".join(map(make_printable, lines))


@frozen(kw_only=True)
class StaleReport:
    """The result of ``delete_stale``.

    Attributes:
        deleted: Projects that were deleted with everything in them, in this call or before it.
        left: Projects of the plan that were kept, or may have been kept, each with the reason.
        temporary_keys: Ids of the temporary API keys that were used, with those that earlier runs left. All of them
            were deleted.
        steps: The steps in order, with those in projects that were kept.

    Example:
        >>> week = timedelta(days=7)
        >>> plan = admin.projects.delete_stale(name_pattern="ci-*", older_than=week)
        >>> json.dumps(admin.projects.delete_stale(plan=plan).to_dict())
    """

    deleted: list[StaleProject]
    """Projects that were deleted with everything in them, in this call or before it."""
    left: list[Left]
    """Projects of the plan that were kept, or may have been kept, each with the reason."""
    temporary_keys: list[str]
    """Ids of the temporary API keys that were used, with those that earlier runs left. All of them were deleted."""
    steps: list[Step]
    """The steps in order, with those in projects that were kept."""

    def __str__(self) -> str:
        """Return the report as text, one item per line."""
        keys = name_temporary_keys(self.temporary_keys)
        left = (describe_left(each, "project") for each in self.left)
        unseen = [
            f"project {quote_name(each.name)} ({each.id}){describe_unseen(each.unseen)}"
            for each in self.deleted
            if each.unseen
        ]
        lines = [*map(str, (*self.steps, *left)), *unseen, *keys] or ["the plan has no projects; nothing to do"]
        return "\n".join(map(make_printable, lines))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types."""
        return to_dict(self)


@frozen(kw_only=True)
class OffboardPlan(SavablePlan):
    """The people whom ``offboard_many`` would remove. ``offboard_many(plan=…)`` removes these and no others.

    Attributes:
        organization_id: Id of the organization.
        organization: Name of the organization.
        client_id: Client id of the account that made the plan; None if the client has only an access token.
        made_at: The ``taken_at`` of the inventory that the plan was made from.
        not_found: Email addresses without a user or an invite.
        unseen: Email addresses that the account could not look up, each with the reason.
        reports: The report of a dry run of ``offboard`` for each other person. If you remove a report, its person is
            not removed.
        owner_ids: Ids of the users who are owners of the organization.

    Example:
        >>> plan = admin.users.offboard_many(emails=["ada@example.com"])
        >>> saved = plan.to_json()
        >>> report = admin.users.offboard_many(plan=OffboardPlan.from_json(saved))
    """

    _WORKFLOW = _OFFBOARD
    _COMPUTED = ("refusal",)

    organization_id: str
    """Id of the organization."""
    organization: str
    """Name of the organization."""
    client_id: str | None
    """Client id of the account that made the plan; None if the client has only an access token."""
    made_at: datetime
    """The ``taken_at`` of the inventory that the plan was made from."""
    not_found: list[str]
    """Email addresses without a user or an invite."""
    unseen: list[Left]
    """Email addresses that the account could not look up, each with the reason."""
    reports: list[OffboardReport]
    """The report of a dry run of ``offboard`` for each other person."""
    owner_ids: list[str]
    """Ids of the users who are owners of the organization."""

    @property
    def refusal(self) -> str | None:
        """Why a real run would refuse to remove the people of the plan, or None."""
        leaving = [Ref("user", report.user.email, report.user.id) for report in self.reports if report.user is not None]
        return describe_lost_owners(self.owner_ids, leaving)

    @property
    def emails(self) -> list[str]:
        """All email addresses of the plan, with those in ``not_found`` and ``unseen``."""
        return [*self.not_found, *(each.name for each in self.unseen), *(report.email for report in self.reports)]

    def __str__(self) -> str:
        """Return the plan as text, one item per line."""
        head = make_printable(describe_resource("organization", self.organization, self.organization_id))
        people = [*describe_missing(self.not_found, self.unseen), *map(str, self.reports)]
        refusal = [make_printable(f"cannot be carried out: {self.refusal}")] if self.refusal else []
        return "\n".join([head, *(people or [_NOBODY]), *refusal])


@frozen(kw_only=True)
class OffboardManyReport:
    """The result of ``offboard_many``.

    Attributes:
        dry_run: False. Only the preview of the command line sets True.
        not_found: Email addresses without a user or an invite. People whom an earlier run of the plan removed are
            in ``reports`` instead.
        unseen: Email addresses that the account could not look up, each with the reason.
        reports: A report for each person who was removed, in this call or before it. If it was before, it is the report
            of the plan, which lacks API keys that were created since.
        left: People of the plan who were kept, or may have been kept, each with the reason.
        steps: The steps in order.

    Example:
        >>> plan = admin.users.offboard_many(emails=["ada@example.com"])
        >>> json.dumps(admin.users.offboard_many(plan=plan).to_dict())
    """

    dry_run: bool
    """False. Only the preview of the command line sets True."""
    not_found: list[str]
    """Email addresses without a user or an invite."""
    unseen: list[Left]
    """Email addresses that the account could not look up, each with the reason."""
    reports: list[OffboardReport]
    """A report for each person who was removed, in this call or before it."""
    left: list[Left]
    """People of the plan who were kept, or may have been kept, each with the reason."""
    steps: list[Step]
    """The steps in order."""

    def __str__(self) -> str:
        """Return the report as text, one item per line."""
        left = (describe_left(each, "user") for each in self.left)
        people = [*describe_missing(self.not_found, self.unseen), *map(str, (*self.reports, *left))]
        return "\n".join(people) or _NOBODY

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types."""
        return to_dict(self)


def _describe_other_plan(workflow: object) -> list[str | Name]:
    """Return the words that say which other plan a document is, if it is one."""
    found = next((each for each in (_STALE, _OFFBOARD, _APPLY) if each == workflow), None)
    return [] if found is None else [": it is one of ", Name(found)]


def describe_missing(not_found: Iterable[str], unseen: Iterable[Left]) -> list[str]:
    """Return a line for each address without a person, and for each that the account may just not see."""
    lines = [f"{each}: no user or invite has this address" for each in not_found]
    lines += [f"{each.name}: not seen: {each.reason}" for each in unseen]
    return [*map(make_printable, lines)]


def check_plan(plan: object, kind: type[_P]) -> _P:
    """Return the plan if it has this type; raise otherwise."""
    if not isinstance(plan, kind):
        name = kind.__name__
        found = type(plan).__name__
        raise PineconeTypeError(
            Name("plan"), f" must be of type {name}, not {found}: {name}.from_json reads a saved one"
        )
    return _check_no_repetition("plan", plan)


def _check_no_repetition(argument: str, plan: _P) -> _P:
    """Return the plan if it has no project or person twice; raise otherwise.

    The second one would be reported as deleted by others, since the first one has deleted it.
    """
    named: list[str] = []
    if isinstance(plan, StalePlan):
        named = [each.id for each in plan.projects]
    elif isinstance(plan, OffboardPlan):
        named = [*map(normalize_email, plan.emails)]
    if repeated := [each for each, count in Counter(named).items() if count > 1]:
        raise value_error(argument, f"is not a valid plan: it has {quote_input(repeated[0])} twice")
    return plan


_MOST_HIDDEN = 3
"""How many hidden parts a message names."""
USE_OWNER = "use an account with OrgOwner"


def require_full_view(inventory: Resources, consequence: str, *, operation: str) -> None:
    """Raise an error if a part was not read.

    Args:
        inventory: The organization.
        consequence: The consequence.
        operation: The method.

    Raises:
        ForbiddenError: The account may not read them; or an error of ``check_read``.
    """
    check_read(inventory.unread, operation=operation)
    if inventory.unread:
        names = [name_unread(each, inventory.projects) for each in inventory.unread]
        further = [f"{len(names) - _MOST_HIDDEN} more"] if len(names) > _MOST_HIDDEN else []
        *first, last = [*names[:_MOST_HIDDEN], *further]
        hidden = " and ".join(filter(None, [", ".join(first), last]))
        raise ForbiddenError(
            f"this account cannot see everything: {hidden} are hidden; {consequence}; {USE_OWNER}", operation=operation
        )


def check_read(unread: Iterable[Unread], *, operation: str) -> None:
    """Raise an error if a part was not read for another reason than the role of the account.

    Raises:
        RefusedError: There was a response that was no 403 of the API; or an error of ``raise_transient_failure``.
    """
    parts = list(unread)
    raise_transient_failure(parts, operation=operation)
    # Of what the lists themselves show to be hidden, there is no status.
    others = [part for part in parts if part.status_code is not None and not is_hidden(part)]
    if others:
        raise RefusedError(f"not everything could be read: {', and '.join(map(str, others))}", operation=operation)


def raise_transient_failure(unread: Iterable[Unread], *, operation: str) -> None:
    """Raise the error of the first part that could not be read for a reason that may pass.

    Raises:
        RateLimitError: The status of the part was 429.
        ServiceError: It was 500 or above.
        PineconeConnectionError: There was no response, or its status was 408.
    """
    for each in unread:
        if not each.worth_retrying:
            continue
        message = f"{name_unread(each, ())} could not be read ({each.error})"
        status = each.status_code or HTTPStatus.REQUEST_TIMEOUT
        if status == HTTPStatus.REQUEST_TIMEOUT:
            raise PineconeConnectionError(message, operation=operation, outcome="not_sent", worth_retrying=True)
        kind = RateLimitError if status == HTTPStatus.TOO_MANY_REQUESTS else ServiceError
        raise kind(message, status_code=status, error_code=each.error_code, operation=operation, outcome="not_sent")


def find_organization(organizations: Sequence[Organization], *, operation: str) -> Organization:
    """Return the organization of a plan; raise RefusedError if the client sees none."""
    if not organizations:
        raise RefusedError("a plan needs its organization, and the server lists none", operation=operation)
    return organizations[0]


class OrganizationLike(Protocol):
    """An organization, as far as a plan needs it."""

    @property
    def id(self) -> str:
        """Id of the organization."""
        ...


def check_organization(planned_id: str, organizations: Sequence[OrganizationLike], *, operation: str) -> None:
    """Raise RefusedError if a plan was made of another organization than that of the client."""
    if planned_id not in {organization.id for organization in organizations}:
        ids = ", ".join(organization.id for organization in organizations) or "unknown"
        planned = make_printable(planned_id, most=100)  # a file may have anything in its place
        raise RefusedError(
            f"this plan is for organization {planned}, and the account belongs to {ids}; nothing was changed",
            operation=operation,
        )
