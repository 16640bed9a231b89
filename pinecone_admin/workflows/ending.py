"""The result of the requests of a workflow: the state of each step, and the notes of an error.

A step is one change, however many requests it took, and a report lists changes that were not sent. The outcome of an
error is about requests, also of commands without a step, so that ``sent_changes.Effects`` has a record of its own. The
grid of workflows shows that they do not disagree.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar, cast

from attrs import evolve

from generated_client.models import (
    APIKey,
    APIKeyWithSecret,
    Invite,
    Project,
    RoleBinding,
    ServiceAccount,
    ServiceAccountWithSecret,
    User,
)
from generated_client.types import Operation
from pinecone_admin._http.argument_checks import as_plain_value
from pinecone_admin._http.attempt_event import warn
from pinecone_admin._http.codec import DecodeFailure
from pinecone_admin._http.lookup import is_same_name, normalize_name
from pinecone_admin.errors import (
    ClientClosedError,
    LeftoverError,
    PineconeError,
    ReadOnlyError,
    UnauthorizedError,
)
from pinecone_admin.workflows.changes import Change, CreatedResource, Ref, RoleAt, Step, StepState
from pinecone_admin.workflows.reports import BindingKey, Ensured, Provisioned, keys_of_wanted_bindings
from pinecone_admin.workflows.sent_changes import (
    MAY_NOT_BE_DELETED,
    NOT_DELETED,
    NOT_DELETED_IN_TIME,
    add_note,
    keep_existing,
    may_have_been_processed,
    read_reason,
)

_T = TypeVar("_T")

Thing: TypeAlias = Project | APIKey | ServiceAccount | User | Invite

_STATES: dict[str, StepState] = {"not_sent": "failed", "rejected": "rejected", "unknown": "sent", "done": "unread"}


def refer_to(thing: Thing, *, project: str | None = None) -> Ref:
    """Return the reference to a resource.

    Args:
        thing: The resource.
        project: Name of the project of a key, if it is known.
    """
    match thing:
        case APIKey():
            return Ref("api_key", thing.name, thing.id or None, Ref("project", project, thing.project_id or None))
        case User():
            return Ref("user", thing.email, thing.id)
        case Invite():
            return Ref("invite", thing.email, thing.id)
        case Project():
            return Ref("project", thing.name, thing.id)
        case ServiceAccount():
            return Ref("service_account", thing.name, thing.id)


def refer_to_parts(things: Iterable[Thing]) -> tuple[Ref, ...]:
    """Return the references to what the deletion of its project or organization also deletes."""
    return tuple(evolve(refer_to(each), project=None) for each in things)


def find_present(report: object) -> list[Ref]:
    """Return what the report of a dry run is on and already exists, as far as such a report says that."""
    parts: list[Any] = [report.project, report.key] if isinstance(report, Provisioned) else [report]
    values = [cast("object", each.value) for each in parts if isinstance(each, Ensured) and not each.created]
    return [refer_to(each) for each in values if isinstance(each, Thing)]


_REPEATED = ("name", "email", "principal_type", "principal_id", "resource_type", "resource_id", "role")
"""What a response to a create repeats from the body of its request, beside settings."""


def find_foreign_part(
    change: Change, known: Collection[str], operation: Operation[Any], result: object
) -> DecodeFailure | None:
    """Return the part of a response to a create or a rotation that is about something else; None if none is.

    It may be the response to another request. Then nothing is known of what was created.

    Args:
        change: The change.
        known: Ids of what existed before.
        operation: The operation that was sent for it.
        result: The result of its request.
    """
    created = result.service_account if isinstance(result, ServiceAccountWithSecret) else find_created(change, result)
    if created is None:
        return None
    part = "" if created is result else "key." if isinstance(created, APIKey) else "service_account."
    sent = {name: getattr(operation.body, name, None) for name in _REPEATED} | dict(operation.path_parameters)
    if change.action == "rotate":
        sent["id"] = change.target.id
    for name, wanted in sent.items():
        found = getattr(created, name, None)
        if found is None or wanted is None:
            continue
        is_same = is_same_name(found, wanted) if name == "name" else _fold(found) == _fold(wanted)
        if not is_same:
            return DecodeFailure(f"{part}{name}", "is not the one that was sent")
    if change.action != "rotate" and created.id in known:
        return DecodeFailure(f"{part}id", "is that of a resource that existed before")
    return None


def _fold(text: str) -> str:
    """Return a text without what a server may change in it: ids and addresses also in lower case."""
    return normalize_name(as_plain_value(text)).lower()


def find_created(change: Change, result: object) -> CreatedResource | None:
    """Return what a change has created, given the result of its request; never a secret."""
    if not change.creates and change.action != "grant":
        return None
    match result:
        case APIKeyWithSecret():
            return result.key
        case ServiceAccountWithSecret():
            return result.service_account
        case Project() | Invite() | RoleBinding():
            return result
        case _:
            return None


def describe_created(change: Change, created: CreatedResource | None = None) -> str:
    """Return what a change has created, or may have created, as a noun with its id."""
    if change.action == "grant":
        binding = f" (role binding {created.id})" if created is not None else ""
        return f"{' and '.join(map(str, change.roles))} for {change.target}{binding}"
    ref = evolve(change.target, name=change.settings.name or change.target.name)
    if created is not None and not isinstance(created, RoleBinding):
        # Its id finds it, so it need not have the temporary name that it was created with.
        ref = evolve(change.target, name=change.target.name or change.settings.name, id=created.id)
    if ref.kind != "api_key":
        return str(ref)
    if change.target.name is not None:
        # The key that it replaces, or is to become, has the same name.
        new = "the new " if change.settings.name not in {None, change.target.name} else ""
        return f"{new}API {ref}"
    # Nobody knows a temporary key by its name, so that is only needed to find it.
    return f"temporary API {ref if ref.id is None else evolve(ref, name=None)}"


def describe_deletion(missing: PineconeError | None = None) -> str:
    """Describe the result of a deletion, given its 404 if there was one."""
    return "was deleted" if missing is None else "no longer existed"


ALREADY_DELETED = "it was already deleted"
"""Why no request was needed for a deletion."""


def step_from_gone(change: Change) -> Step:
    """Return the step of a deletion whose 404 shows that the resource no longer existed."""
    return Step(change=evolve(change, reason=ALREADY_DELETED), state="skipped")


def step_from_accepted(step: Step) -> Step:
    """Return the step of a change of an invite that the server has refused, because the person is a member."""
    reason = "the person is a member now"
    return Step(change=evolve(step.change, reason=reason), state="skipped")


def step_from_error(change: Change, error: PineconeError) -> Step:
    """Return the step of a change whose request failed."""
    state = _STATES.get(error.outcome, "failed")
    return Step(change=change, state=state, error=read_reason(error), help_code=error.help_code)


def ends_everything(error: BaseException) -> bool:
    """Return whether an error ends a workflow over many things, because every further call would fail like that.

    Any other one concerns the thing where it came up, and the workflow goes on. A 401 is raised only if a new token did
    not help either; one for a temporary key is not raised as such.
    """
    found = error.__cause__ if isinstance(error, LeftoverError) else error  # what could not be deleted after it
    return isinstance(found, ClientClosedError | ReadOnlyError | UnauthorizedError)


def has_failed(step: Step) -> bool:
    """Return whether the change of a step was to be made, and is not known to be made."""
    return step.state in {"failed", "sent", "unread", "rejected"}


def may_have_been_made(step: Step) -> bool:
    """Return whether the change of a step that has failed may have taken effect."""
    return step.state in {"sent", "unread"}


def is_finished(steps: Iterable[Step]) -> bool:
    """Return whether every change was made, or needed no request."""
    return all(step.state in {"done", "skipped"} for step in steps)


def conclude(steps: Sequence[Step]) -> tuple[StepState, CreatedResource | None]:
    """Return what the steps of a change that has failed come to, and what they have created that remains."""
    undone = {step.resource.id for step in steps if step.state == "undone" and step.resource is not None}
    whole = [each for each in steps if each.change.target.id not in undone]  # what was undone is gone with all of it
    states = {each.state for each in whole}
    order: Sequence[StepState] = ("unread", "sent", "undone", "rejected", "failed")
    # If a part of it is done, nothing says that the whole is.
    state: StepState = "sent" if "done" in states else next(each for each in order if each in {*states, "failed"})
    return state, next((each.resource for each in whole if each.state == "done" and each.resource is not None), None)


def describe_adopted(change: Change, found: Any, lost: PineconeError | None, *, is_probably_own: bool) -> Step:
    """Return the step of a create that found an existing resource, perhaps after its response was lost."""
    if lost is not None and not is_probably_own:
        ref = refer_to(found)
        step = step_from_error(change, lost)
        return evolve(
            step, state="sent", error=f"{step.error}; {ref} exists, and differs, so somebody else may have made it"
        )
    if is_probably_own:
        reason = "it exists after a request whose response was lost; somebody else may have created it"
        return Step(change=evolve(change, reason=reason), state="done", resource=found)
    reason = "the person is in the organization already" if isinstance(found, User) else "it exists"
    return Step(change=evolve(change, reason=reason), state="skipped")


def refer_to_roles(bindings: Iterable[object]) -> tuple[RoleAt, ...]:
    """Return roles that are to be given, from the models or mappings of a request, each once."""
    return tuple(refer_to_role(each) for each in keys_of_wanted_bindings(bindings))


def refer_to_role(key: BindingKey, *, project: str | None = None) -> RoleAt:
    """Return a role, with the name of its project if that is known."""
    return RoleAt(key.role, None if key.project_id is None else Ref("project", project, key.project_id))


class Created(NamedTuple, Generic[_T]):
    """A resource that was created, or found after its creation had no response.

    Attributes:
        value: It.
        is_new: Whether it did not exist before, as far as this run has seen.
        is_certain: Whether that is certain: after a lost response, what has appeared may be of somebody else.
    """

    value: _T
    is_new: bool = True
    is_certain: bool = True


class Undo(NamedTuple):
    """A deletion or revocation that undoes a step.

    Attributes:
        position: Position of the step.
        description: The created resource as text.
        change: The change that deletes it.
        binding_id: Id of the role binding that is deleted, if a role is revoked.
    """

    position: int
    description: str
    change: Change
    binding_id: str | None


def note_leftovers(
    error: BaseException | None, undos: Sequence[Undo], failures: Mapping[Undo, PineconeError]
) -> tuple[list[str], str]:
    """Note what could not be deleted, or may remain, on the error, if any, and return it and the note."""
    refused = [each for each, failure in failures.items() if not may_have_been_processed(failure)]
    uncertain = [*(each for each in failures if each not in refused), *reversed(undos)]  # the last one is being sent
    left: list[str] = []
    clauses: list[str] = []
    for some, end in ((refused, NOT_DELETED), (uncertain, MAY_NOT_BE_DELETED)):
        if found := keep_existing(each.description for each in some):
            reason = failures.get(some[0], NOT_DELETED_IN_TIME)
            clauses.append(f"{', '.join(found)}, made by this call, {end}: {reason}")
            left += found
    message = "; ".join(clauses)
    if left and error is not None:
        add_note(error, message)
        if not isinstance(error, Exception):
            warn("%s", message)  # asyncio replaces a CancelledError that it hands on, without its notes
    return left, message
