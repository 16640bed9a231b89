# Derived from pinecone_admin/_async/users.py by scripts/unasync.py: change that, not this file.
"""Methods of ``admin.users``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from generated_client import api
from generated_client.models import Invite, RoleBindingInput, User
from pinecone_admin import workflows
from pinecone_admin._concurrency.lazy import Namespace
from pinecone_admin._http.argument_checks import check_email, set_operation_on_errors
from pinecone_admin._http.lookup import find_by_email
from pinecone_admin._sync.pagination import Paginator
from pinecone_admin.models import RoleBindingDict, RoleBindingLike

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin
    from pinecone_admin._sync.sender import Sender


class Users(Namespace):
    """List, describe, ensure, remove and offboard the users of the organization, as ``admin.users``.

    Every method also raises the errors of ``Admin.send``.
    """

    def __init__(self, admin: Admin, sender: Sender) -> None:
        self._admin = admin
        self._sender = sender

    def list(
        self, *, email: str | None = None, limit: int | None = None, pagination_token: str | None = None
    ) -> Paginator[User]:
        """List the users of the organization, one page in each request.

        Args:
            email: List only the user with this email address, at most 254 characters. Email matching ignores case.
            limit: Users per page, 1 to 100; the server's default is 100.
            pagination_token: Token of the page to start with, from a page of the same list.

        Returns:
            The users, which are fetched page by page during the iteration.

        Raises:
            PineconeValueError: An argument is out of range. No request was sent.

        Example:
            >>> for user in admin.users.list():
            ...     print(user.email)
        """
        operation = api.list_users(email=email, limit=limit, pagination_token=pagination_token)
        return Paginator(self._sender, operation, filters=("email",))

    def describe(self, *, user_id: str) -> User:
        """Return one user.

        Args:
            user_id: Id of the user.

        Raises:
            NotFoundError: There is no user with this id, or your account cannot see it.

        Example:
            >>> user = admin.users.describe(user_id=user.id)
        """
        return self._admin.send(api.fetch_user(user_id=user_id))

    def describe_by_email(self, *, email: str) -> User:
        """Return the user with this email address.

        Args:
            email: Email address, at most 254 characters. Email matching ignores case.

        Raises:
            PineconeValueError: The value is not an email address. No request was sent.
            NotFoundError: No user of the organization has the address.
            AmbiguousNameError: Several users have the address. ``ids`` lists them.

        Example:
            >>> user = admin.users.describe_by_email(email="Ada@example.com")
        """
        with set_operation_on_errors("describe_by_email"):
            check_email("email", email)
        users = self.list(email=email).to_list()
        return find_by_email(email, users, noun="user", operation="describe_by_email")

    def ensure(
        self,
        *,
        email: str,
        role_bindings: Sequence[RoleBindingInput | RoleBindingDict | RoleBindingLike],
        revoke_unlisted: bool = False,
        dry_run: bool = False,
    ) -> workflows.Ensured[User | Invite]:
        """Grant a member of the organization the missing roles, or invite a person who is not a member.

        An invite contains all roles. A pending invite gets the missing ones. An invite that
        cannot be accepted any more, such as an expired one, is deleted and replaced, because it would grant its own
        roles if it were sent again. An invite that was sent is kept, even if this call is cancelled. If the person
        accepts the invite during this call, the new member gets the missing roles.

        If a role of a member or an earlier invite cannot be granted, this call revokes the roles that it granted
        before. Once it revokes other roles, the granted roles are kept. An invite that it deleted stays deleted.

        Args:
            email: Email address, at most 254 characters. Email matching ignores case.
            role_bindings: 1 to 100 roles for the person, as models, mappings or objects with the same three attributes.
                At least one must be on the organization, also for a member. ``on_organization`` and ``on_project``
                create them.
            revoke_unlisted: After granting, also revoke every role that is not in ``role_bindings``.
            dry_run: Only read, and report what would be done.

        Returns:
            The user or the invite, whether this call sent the invite, the difference if the roles were not exactly
            these, and the steps.

        Raises:
            AmbiguousNameError: Several users have the address, or several invites for it are pending. ``ids`` lists
                them.
            RefusedError: With ``revoke_unlisted``, no user would remain OrgOwner. Nothing was changed.
            ConflictError: An identity provider manages the person.
            ForbiddenError: Your account cannot see the users or the invites, or does not have a role that it would
                grant. Or the plan does not include the role, or allows no further user.
            NotFoundError: A role is on a project that does not exist, or that your account cannot see.
            RateLimitError: The organization has sent 100 invite emails within an hour. The earlier invite was already
                deleted.
            PineconeError: A step failed. The message and ``__notes__`` of an error name what was done and what remains.

        Example:
            >>> ensured = admin.users.ensure(
            ...     email="ada@example.com", role_bindings=[on_organization("OrgMember")]
            ... )
            >>> ensured.created  # ada is a member, so no invite was sent
            False
        """
        from pinecone_admin._sync.workflows.ensure_user import ensure_user  # noqa: PLC0415 - imported on first use
        from pinecone_admin._sync.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        with open_run(self._admin, "ensure_user", dry_run=dry_run) as run:
            return ensure_user(run, email=email, role_bindings=role_bindings, revoke_unlisted=revoke_unlisted)

    def delete(self, *, user_id: str) -> None:
        """Remove a user from the organization, and revoke all roles of the user.

        Args:
            user_id: Id of the user.

        Raises:
            ConflictError: The user is the last OrgOwner, or an identity provider manages the user.
            NotFoundError: There is no user with this id, or your account cannot see it.

        Example:
            >>> admin.users.delete(user_id=user.id)
        """
        self._admin.send(api.delete_user(user_id=user_id))

    def offboard(self, *, email: str, dry_run: bool = True) -> workflows.OffboardReport:
        """Remove a user with all invites and roles, and report what the user could access.

        The report also lists the secrets that the user may know. Nothing is changed unless you pass ``dry_run=False``.
        Before that, save the report of a dry run, and rotate the keys and service accounts that it lists. After the
        removal, the API no longer shows what the user could access. If the last response is lost, there is no other
        report. You can run this again after an interruption.

        Args:
            email: Email address of the user, at most 254 characters. Email matching ignores case.
            dry_run: Only read, and report what would be done. ``refusal`` in the report contains the reason if a real
                run would refuse, as far as the roles show it.

        Returns:
            The user, the invites, what they gave access to, which secrets to rotate, and the steps.

        Raises:
            AmbiguousNameError: Several users have the address. ``ids`` lists them. Nothing was changed.
            NotFoundError: No user or invite has the address. It may be misspelled, or an earlier run removed the
                person.
            ForbiddenError: Your account cannot see the users, the invites, all role bindings, or a project that has
                roles, so the report would be incomplete. Nothing was changed.
            RefusedError: The user is the last owner. Nothing was changed. Or the server refused to remove an invite or
                the user, for example because an identity provider manages the person. Or somebody else removed the user
                or an invite meanwhile, and the address is in the organization again, for example because the person
                accepted the invite. Run this again then. Invites that were deleted before stay deleted.
            PineconeError: A step failed. The message and ``__notes__`` of an error name what was done and what remains.
                Invites that were deleted stay deleted, and the user is deleted last. Run this again to finish.

        Example:
            >>> report = admin.users.offboard(email="ada@example.com")  # a dry run
            >>> saved = json.dumps(report.to_dict())
            >>> if report.refusal is None:
            ...     report = admin.users.offboard(email="ada@example.com", dry_run=False)
            >>> [key.name for key in report.keys_to_rotate]
        """
        from pinecone_admin._sync.workflows.offboard import offboard  # noqa: PLC0415 - imported on first use
        from pinecone_admin._sync.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        with open_run(self._admin, "offboard", dry_run=dry_run) as run:
            return offboard(run, email=email)

    @overload
    def offboard_many(self, *, emails: Sequence[str], plan: None = None) -> workflows.OffboardPlan: ...

    @overload
    def offboard_many(
        self, *, emails: Sequence[str] | None = None, plan: workflows.OffboardPlan
    ) -> workflows.OffboardManyReport: ...

    def offboard_many(
        self, *, emails: Sequence[str] | None = None, plan: workflows.OffboardPlan | None = None
    ) -> workflows.OffboardPlan | workflows.OffboardManyReport:
        """Remove several users as ``offboard`` does: first make a plan, then carry it out.

        Without ``plan``, read the organization once, and return a plan. The plan contains the report of a dry run of
        ``offboard`` for each person. Nothing is changed. ``to_json`` saves a plan, and ``OffboardPlan.from_json``
        restores it.

        With a plan, remove the people in it, and nobody else. A person is kept if their email address has changed, if
        they have a new role or invite, or if the removal fails. ``left`` lists these people with the reason. You can
        run the same plan again after an interruption.

        Plan and report list in ``not_found`` the addresses without a user or invite. If the account can see all roles,
        but not the users or the invites, ``unseen`` lists the addresses that it could not look up, with the reason.

        Args:
            emails: Email addresses, at most 254 characters each. Email matching ignores case. An empty list makes an
                empty plan. With a plan, pass None or the addresses of the plan.
            plan: The plan to carry out.

        Returns:
            Without ``plan``, the plan. With one, a report of what was done, and who was kept.

        Raises:
            AmbiguousNameError: Several users have one of the addresses. ``ids`` lists them. Nothing was changed.
            RefusedError: With a plan, no user would remain OrgOwner, or the plan is of another organization. With or
                without one, a part of the organization could not be read for another reason than permissions. Nothing
                was changed.
            ForbiddenError: Your account cannot read everything, because it is not an OrgOwner. Nothing was changed.
            ServiceError: The server failed to return a part of the organization. After 429 or a network failure, this
                is a RateLimitError or PineconeConnectionError. Nothing was changed.
            PineconeTypeError: ``plan`` is not an ``OffboardPlan``.
            PineconeError: No further step can succeed, for example because the client was closed. The message and
                ``__notes__`` of an error name what was done and what remains. People who were removed stay removed. Run
                the same plan again to remove the others.

        Example:
            >>> plan = admin.users.offboard_many(emails=["ada@example.com", "bob@example.com"])
            >>> print(plan)
            >>> report = admin.users.offboard_many(plan=plan)
        """
        from pinecone_admin._sync.workflows.offboard import carry_out_offboarding, plan_offboarding  # noqa: PLC0415 - imported on first use
        from pinecone_admin._sync.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        if plan is None:
            with open_run(self._admin, "offboard_many") as run:
                return plan_offboarding(run, emails=emails)
        with open_run(self._admin, "offboard_many") as run:
            return carry_out_offboarding(run, emails=emails, plan=plan)
