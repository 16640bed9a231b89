"""Methods of ``admin.users``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from generated_client import api
from generated_client.models import Invite, RoleBindingInput, User
from pinecone_admin import workflows
from pinecone_admin._async.pagination import AsyncPaginator
from pinecone_admin._concurrency.lazy import Namespace
from pinecone_admin._http.argument_checks import check_email, set_operation_on_errors
from pinecone_admin._http.lookup import find_by_email
from pinecone_admin.models import RoleBindingDict, RoleBindingLike

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin
    from pinecone_admin._async.sender import AsyncSender


class AsyncUsers(Namespace):
    """List, describe, ensure, remove and offboard the users of the organization, as ``admin.users``.

    Every method also raises the errors of ``AsyncAdmin.send``.
    """

    def __init__(self, admin: AsyncAdmin, sender: AsyncSender) -> None:
        self._admin = admin
        self._sender = sender

    def list(
        self, *, email: str | None = None, limit: int | None = None, pagination_token: str | None = None
    ) -> AsyncPaginator[User]:
        """List the users of the organization, one page per request.

        Args:
            email: Only the user with this email address, at most 254 characters. Email matching ignores case.
            limit: Users per page, 1 to 100; the server's default is 100.
            pagination_token: Token at which to resume, from a page of the same list.

        Returns:
            The users, fetched while they are iterated over.

        Raises:
            PineconeValueError: An argument is out of range; nothing was sent.

        Example:
            >>> async for user in admin.users.list():
            ...     print(user.email)
        """
        operation = api.list_users(email=email, limit=limit, pagination_token=pagination_token)
        return AsyncPaginator(self._sender, operation)

    async def describe(self, *, user_id: str) -> User:
        """Fetch one user.

        Args:
            user_id: Id of the user.

        Raises:
            NotFoundError: The account sees no user with this id.

        Example:
            >>> user = await admin.users.describe(user_id=user.id)
        """
        return await self._admin.send(api.fetch_user(user_id=user_id))

    async def describe_by_email(self, *, email: str) -> User:
        """Find the user with this email address.

        Args:
            email: Email address, at most 254 characters. Email matching ignores case.

        Raises:
            PineconeValueError: This is not an email address; nothing was sent.
            NotFoundError: No user of the organization has the address.
            AmbiguousNameError: Several users have the address; ``ids`` lists them.

        Example:
            >>> user = await admin.users.describe_by_email(email="Ada@example.com")
        """
        with set_operation_on_errors("describe_by_email"):
            check_email("email", email)
        users = await self.list(email=email).to_list()
        return find_by_email(email, users, noun="user", operation="describe_by_email")

    async def ensure(
        self,
        *,
        email: str,
        role_bindings: Sequence[RoleBindingInput | RoleBindingDict | RoleBindingLike],
        revoke_unlisted: bool = False,
        dry_run: bool = False,
    ) -> workflows.Ensured[User | Invite]:
        """Grant a member of the organization the roles that are missing, and send anybody else an invite with all.

        A pending invite gets the missing roles, too. An expired one is deleted and replaced: sent again, it would grant
        the roles that it carries. An invite that was sent is kept, even if this call is cancelled.

        Args:
            email: Email address, at most 254 characters. Email matching ignores case.
            role_bindings: 1 to 100 roles that the person will have, as models, mappings or objects with the same three
                attributes; at least one must be on the organization, also for a member. ``on_organization`` and
                ``on_project`` build them.
            revoke_unlisted: Also revoke the roles that are not in ``role_bindings``, after granting.
            dry_run: Only report what would be done.

        Returns:
            The user or the invite, whether this call sent the invite, all roles that were found, if they are not
            exactly these, and what was done.

        Raises:
            AmbiguousNameError: Several users have the address, or several invites for it are pending; ``ids`` lists
                them.
            RefusedError: With ``revoke_unlisted``, no user would remain OrgOwner; nothing was changed.
            ConflictError: The person accepted the invite during this call, so that the next one finds a member; or an
                identity provider manages the person.
            ForbiddenError: The caller may not see the users, or does not hold a role that it would grant; or the plan
                does not have that, or allows no further user.
            RateLimitError: The organization has sent its 100 invite emails for this hour; an expired invite is deleted
                by then.
            PineconeError: A step failed; the notes (``__notes__``) of any error name what was done and is left.

        Example:
            >>> ensured = await admin.users.ensure(
            ...     email="ada@example.com", role_bindings=[on_organization("OrgMember")]
            ... )
            >>> ensured.created  # ada is a member, so that no invite was sent
            False
        """
        from pinecone_admin._async.workflows.ensure_user import ensure_user  # noqa: PLC0415 - imported on first use
        from pinecone_admin._async.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        async with open_run(self._admin, "ensure_user", dry_run=dry_run) as run:
            return await ensure_user(run, email=email, role_bindings=role_bindings, revoke_unlisted=revoke_unlisted)

    async def delete(self, *, user_id: str) -> None:
        """Remove a user from the organization, and revoke all roles of the user.

        Args:
            user_id: Id of the user.

        Raises:
            ConflictError: The user is the last OrgOwner, or an identity provider manages the users.
            NotFoundError: The account sees no user with this id.

        Example:
            >>> await admin.users.delete(user_id=user.id)
        """
        await self._admin.send(api.delete_user(user_id=user_id))

    async def offboard(self, *, email: str, dry_run: bool = True) -> workflows.OffboardReport:
        """Remove a user with all invites and roles, and report what they could reach and which secrets they may know.

        Nothing changes unless you pass ``dry_run=False``. The next run completes an interrupted one. First save the
        report of a dry run, and rotate the keys and service accounts in it: after the removal, the API no longer shows
        what the user could reach, and if the last response is lost, there is no other report.

        Args:
            email: Email address of the user, at most 254 characters. Email matching ignores case.
            dry_run: Only report what would be done; ``refusal`` in the report says why a real run would refuse, as far
                as the roles show it.

        Returns:
            The user, the invites, what they gave access to, which secrets to rotate, and what was done.

        Raises:
            NotFoundError: No user or open invite has the address: it is wrong, or an earlier run removed the person.
            ForbiddenError: The account may not see the users or the invites, so that it cannot tell.
            RefusedError: Before the first change: the account does not see all role bindings, or projects on which
                there are roles, so that the report would lack some; or the user is the last owner. Or the server
                refused to remove the user, for example because an identity provider manages the users; by then, the
                invites are deleted.
            PineconeError: A step failed; the notes (``__notes__``) of any error name what was done and is left.

        Example:
            >>> report = await admin.users.offboard(email="ada@example.com")  # a dry run
            >>> saved = json.dumps(report.to_dict())
            >>> if report.refusal is None:
            ...     report = await admin.users.offboard(email="ada@example.com", dry_run=False)
            >>> [each.name for each in report.keys_to_rotate]
        """
        from pinecone_admin._async.workflows.offboard import offboard  # noqa: PLC0415 - imported on first use
        from pinecone_admin._async.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        async with open_run(self._admin, "offboard", dry_run=dry_run) as run:
            return await offboard(run, email=email)

    @overload
    async def offboard_many(self, *, emails: Sequence[str], plan: None = None) -> workflows.OffboardPlan: ...

    @overload
    async def offboard_many(
        self, *, emails: Sequence[str] | None = None, plan: workflows.OffboardPlan
    ) -> workflows.OffboardManyReport: ...

    async def offboard_many(
        self, *, emails: Sequence[str] | None = None, plan: workflows.OffboardPlan | None = None
    ) -> workflows.OffboardPlan | workflows.OffboardManyReport:
        """Remove several users as ``offboard`` does: first make a plan of them, then carry it out.

        Without ``plan``, read the organization once, change nothing, and return a plan with the report of a dry run of
        ``offboard`` for each person. ``to_json`` and ``OffboardPlan.from_json`` save and restore the plan. Plan and
        report list under ``not_found`` the addresses that nobody has, and under ``unseen``, with the reason, those of
        which the account cannot tell, because it sees all roles, but may not see the users or the invites.

        With a plan, remove the people in it, and nobody else. A person stays, and is listed under ``left`` with the
        reason, if they have gained a role or an invite or have another address since then, or if removing them fails.
        The next run of the same plan completes an interrupted one.

        Args:
            emails: Email addresses, at most 254 characters each. Email matching ignores case. With a plan, pass None or
                the addresses of the plan. An empty list gives an empty plan.
            plan: Plan to carry out.

        Returns:
            The plan; or, if one was carried out, a report of what was done, and who was left.

        Raises:
            RefusedError: With a plan: no user who is an owner would remain, or the plan is of another organization.
                With or without one: a part was not read for another reason than the role. Nothing was changed.
            ForbiddenError: The account may not read everything, as with each role but OrgOwner. Nothing was changed.
            ServiceError: The server failed to send a part, or RateLimitError or PineconeConnectionError if that is the
                reason. Nothing was changed.
            PineconeTypeError: ``plan`` is not an ``OffboardPlan``.
            PineconeError: A step failed; the notes (``__notes__``) of any error name what was done and is left.

        Example:
            >>> plan = await admin.users.offboard_many(emails=["ada@example.com", "bob@example.com"])
            >>> print(plan)
            >>> report = await admin.users.offboard_many(plan=plan)
        """
        from pinecone_admin._async.workflows.offboard import carry_out_offboarding, plan_offboarding  # noqa: PLC0415 - imported on first use
        from pinecone_admin._async.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        if plan is None:
            async with open_run(self._admin, "offboard_many") as run:
                return await plan_offboarding(run, emails=emails)
        async with open_run(self._admin, "offboard_many") as run:
            return await carry_out_offboarding(run, emails=emails, plan=plan)
