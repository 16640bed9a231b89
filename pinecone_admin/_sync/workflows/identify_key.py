# Derived from pinecone_admin/_async/workflows/identify_key.py by scripts/unasync.py: change that, not this file.
"""Find out what the value of an API key is: whether it is accepted, and which key may have it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from pinecone_admin._concurrency.clock import PollBackoff
from pinecone_admin._http.argument_checks import (
    check_identifier,
    check_sequence,
    check_string,
    is_key_value,
    is_visible_ascii,
    set_operation_on_errors,
    value_error,
)
from pinecone_admin._sync.workflows.client_state import server_now, server_time
from pinecone_admin._sync.workflows.read_pages import read_pages
from pinecone_admin._sync.workflows.run import Run
from pinecone_admin._sync.workflows.temporary_key import KEY_ACCEPTANCE_TIMEOUT
from pinecone_admin._text.counts import count_noun
from pinecone_admin._text.quoting import describe_resource
from pinecone_admin.errors import (
    ApiError,
    ForbiddenError,
    Masked,
    PaginationError,
    PineconeConnectionError,
    PineconeError,
    PineconeTimeoutError,
    ResponseParsingError,
    UnauthorizedError,
)
from pinecone_admin.models import Project
from pinecone_admin.workflows.key_identification import (
    KeyIdentification,
    KeyState,
    describe_form,
    find_candidates,
    is_legacy_value,
    list_index_hosts,
    read_label,
)
from pinecone_admin.workflows.sent_changes import add_note

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin

_NO_RESPONSE = (ApiError, PineconeConnectionError, PineconeTimeoutError, ResponseParsingError)


@frozen
class _ListedIndexes:
    """A list by a key: the slugs of the hosts of its indexes, and the number of indexes."""

    slugs: list[str]
    count: int


def mask_key_value(value: object) -> Masked:
    """Return a value that may be that of an API key under a mask.

    Raises:
        PineconeTypeError: It is not a text.
        PineconeValueError: It does not have the form of the value of an API key. The message does not show it.
    """
    text = check_string("value", value)
    if not is_visible_ascii(text) or not (is_key_value(text) or is_legacy_value(text)):
        raise value_error("value", "is not that of an API key, which begins with pcsk_ or pckey_, or is a UUID")
    return Masked(text)


def identify_key(run: Run, *, value: Masked, project_ids: Sequence[str]) -> KeyIdentification:
    """Send the value to the control plane, and compare the project that it shows with the given projects."""
    admin = run.admin
    with set_operation_on_errors("identify_api_key"):
        for position, each in enumerate(check_sequence("project_ids", project_ids)):
            check_identifier(f"project_ids[{position}]", each)
    projects = [admin.projects.describe(project_id=each) for each in project_ids]
    found = _try_value(admin.with_options(api_key=value.reveal()), admin, value)
    if not projects:
        return _advise(found)
    if not found.slugs:
        return _note(found, "no project can be compared, because the value shows no index of its project")
    try:
        for project in projects:
            found = _compare(admin, found, project)
            if found.candidates:
                break
    except BaseException as error:
        for line in found.evidence:  # what the value has shown must not be lost
            add_note(error, line)
        raise
    return found


def _try_value(keyed: Admin, admin: Admin, value: Masked) -> KeyIdentification:
    """Return what the control plane shows of a value."""
    evidence = [describe_form(value.reveal())]
    slugs: list[str] = []
    state: KeyState = "accepted"
    try:
        listing = _list_slugs(keyed)
    except _NO_RESPONSE as error:
        state = _read_state(error)
        checked_at = _now(keyed, admin)
        now = f"{checked_at:%Y-%m-%d %H:%M:%S} UTC"
        evidence.append(
            {
                "restricted": f"the value was accepted at {now}, and its roles do not permit listing indexes",
                "not_accepted": f"the value was not accepted at {now}; a truncated value is not accepted, either",
            }.get(state, f"the API did not decide that: {error}")
        )
    else:
        slugs = listing.slugs
        checked_at = _now(keyed, admin)
        found = f"it lists {count_noun(listing.count, 'index')}" if listing.count else "its project has no index"
        evidence.append(f"the value was accepted at {checked_at:%Y-%m-%d %H:%M:%S} UTC, and {found}")
    return KeyIdentification(
        checked_at=checked_at,
        label=read_label(value.reveal()),
        state=state,
        slugs=slugs,
        evidence=evidence,
    )


def _now(keyed: Admin, admin: Admin) -> datetime:
    """Return the time of the response to a value, in whole seconds as servers write it.

    Args:
        keyed: The client that has sent the value.
        admin: The client that knows the server's time if there was no response.
    """
    return (server_time(keyed) or server_now(admin)).replace(microsecond=0)


def _read_state(error: PineconeError) -> KeyState:
    """Return what an error shows of a value: only a 401 or 403 with a code, which is the API's, shows something."""
    if error.error_code is None:
        return "no_response"
    if isinstance(error, UnauthorizedError):
        return "not_accepted"
    return "restricted" if isinstance(error, ForbiddenError) else "no_response"


def _list_slugs(keyed: Admin) -> _ListedIndexes:
    """Read all indexes that a key lists.

    Raises:
        PaginationError: The list would never end.
    """
    slugs: dict[str, None] = {}
    names: set[str] = set()
    for page in read_pages(keyed, list_index_hosts):
        slugs |= dict.fromkeys(page.slugs)
        names.update(page.names)
    return _ListedIndexes([*slugs], len(names))


def _compare(admin: Admin, found: KeyIdentification, project: Project) -> KeyIdentification:
    """Compare the indexes of a value with those of a project, which a temporary key of the project lists."""
    described = describe_resource("project", project.name, project.id)
    try:
        with admin.api_keys.temporary(project_id=project.id, roles=["ProjectViewer"]) as new_key:
            found = evolve(found, temporary_keys=[*found.temporary_keys, new_key.key.id])
            try:
                listing = _list_when_accepted(admin.with_options(api_key=new_key.value))
            except (*_NO_RESPONSE, PaginationError) as error:  # what the value itself has shown must not be lost
                return _note(found, f"{described} was not compared: {error}")
    except ForbiddenError as error:
        reasons = "; ".join([str(error), *error.__notes__])  # a note names a temporary key that may exist
        return _note(found, f"{described} was not compared: {reasons}")
    found = evolve(found, compared=[*found.compared, project.id])
    if set(found.slugs).isdisjoint(listing.slugs):
        reason = "its indexes have other hosts" if listing.slugs else "it has no index"
        return _note(found, f"the value does not belong to {described}: {reason}")
    keys = admin.api_keys.list(project_id=project.id)
    candidates = find_candidates(project, keys, without=found.temporary_keys)
    matched = _note(found, f"the value belongs to {described}: both list indexes with the same part in their hosts")
    if not candidates:
        return _note(matched, "no API key of the project has a role that permits to list indexes, as the value may")
    return evolve(matched, candidates=candidates)


def _list_when_accepted(keyed: Admin) -> _ListedIndexes:
    backoff = PollBackoff(KEY_ACCEPTANCE_TIMEOUT)
    while True:
        try:
            return _list_slugs(keyed)
        except UnauthorizedError:
            if not backoff.wait():
                raise


def _advise(found: KeyIdentification) -> KeyIdentification:
    if not found.slugs:
        return _note(found, "nothing shows which key has the value: the API cannot map a value to an id")
    line = (
        "to find its project, pass project_ids (--project on the command line) with the projects that it may belong "
        "to: a temporary API key in each shows the hosts of its indexes"
    )
    return _note(found, line)


def _note(found: KeyIdentification, line: str) -> KeyIdentification:
    return evolve(found, evidence=[*found.evidence, line])
