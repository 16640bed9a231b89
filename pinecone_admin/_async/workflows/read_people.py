"""Read who is in the organization or invited to it, so that nobody is missed who accepts an invite meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pinecone_admin._http.lookup import is_same_email, normalize_email
from pinecone_admin.errors import PineconeError, RefusedError
from pinecone_admin.models import Invite, User
from pinecone_admin.workflows.changes import Change, Step, describe_roles
from pinecone_admin.workflows.ending import refer_to

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin
    from pinecone_admin._async.workflows.run import AsyncRun

PeopleList: TypeAlias = Literal["invites", "users"]
_Listed: TypeAlias = Sequence[Any] | PineconeError


async def read_people(read: Callable[[PeopleList], Awaitable[_Listed]]) -> tuple[_Listed, _Listed]:
    """Return the invites and the users, read in this order, so that everybody is in one of the lists.

    Who accepts an invite after it was read is in both. So the invites to addresses of users are looked for again, and
    are left out if they are no longer open: the person is a user then.

    Args:
        read: Reads one of the lists to its end, or returns the error instead.
    """
    invites, users = await read("invites"), await read("users")
    if isinstance(invites, PineconeError) or isinstance(users, PineconeError):
        return invites, users
    members = {normalize_email(each.email) for each in users}
    joined = {each.id for each in invites if normalize_email(each.email) in members}
    if joined and not isinstance(again := await read("invites"), PineconeError):
        joined -= {each.id for each in again if each.status != "processed"}
        invites = [each for each in invites if each.id not in joined]
    return invites, users


async def list_people(admin: AsyncAdmin, email: str) -> tuple[list[Invite], list[User]]:
    """Return the invites and the users with an email address; who accepts an invite meanwhile is a user."""

    async def read(kind: PeopleList) -> Sequence[Any]:
        if kind == "users":
            return [each async for each in admin.users.list(email=email) if is_same_email(each.email, email)]
        return [each async for each in admin.invites.list() if is_same_email(each.email, email)]

    invites, users = await read_people(read)
    assert not isinstance(invites, PineconeError)  # noqa: S101 - this read raises
    assert not isinstance(users, PineconeError)  # noqa: S101 - as above
    return [*invites], [*users]


async def refuse_if_back(run: AsyncRun, gone: Sequence[Step], *, known: Collection[str | None]) -> None:
    """Raise if the address of a person whom somebody else has removed meanwhile is in the organization again.

    The person may have accepted the invite that no longer exists, for example.

    Args:
        run: The run.
        gone: The steps for which the server answered that what they take away does not exist.
        known: Ids of the users and invites that are no news.
    """
    email = gone[0].change.target.name or ""
    invites, users = await list_people(run.admin, email)
    people: list[User | Invite] = [*users, *invites]
    there = [refer_to(each) for each in people if each.id not in known]
    if there:
        before = " and ".join(_describe_gone(each.change) for each in gone)
        raise RefusedError(
            f"{before} no longer existed, and there is now {there[0]}; run this again", operation=run.operation
        )


def _describe_gone(change: Change) -> str:
    """Return what did not exist any more: a role of the target, or the target."""
    if change.action != "revoke":
        return str(change.target)
    return f"role {describe_roles(change.roles)[0]} of {change.target}"
