"""Methods of ``admin.api_keys``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from generated_client import api, models
from generated_client.models import APIKey, APIKeyRole, APIKeyWithSecret
from pinecone_admin import workflows
from pinecone_admin._async.pagination import AsyncCompleteList
from pinecone_admin._concurrency.lazy import Namespace
from pinecone_admin._http.argument_checks import copy_to_list, set_operation_on_errors
from pinecone_admin._http.lookup import require_named
from pinecone_admin._http.operation_checks import check_operation
from pinecone_admin._http.returned_errors import raise_if_error, return_error

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin
    from pinecone_admin._async.sender import AsyncSender

AllAPIKeys: TypeAlias = AsyncCompleteList[APIKey]


class AsyncAPIKeys(Namespace):
    """Create, list, describe, update, rotate and delete the API keys of projects, as ``admin.api_keys``.

    Every method also raises the errors of ``AsyncAdmin.send``.
    """

    def __init__(self, admin: AsyncAdmin, sender: AsyncSender) -> None:
        self._admin = admin
        self._sender = sender

    def list(self, *, project_id: str) -> AllAPIKeys:
        """List the API keys of a project, without their values.

        Args:
            project_id: Id of the project.

        Returns:
            The complete list.

        Raises:
            NotFoundError: There is no project with this id, or your account cannot see it.

        Example:
            >>> [key.name for key in await admin.api_keys.list(project_id=project.id)]
            ['reader']
        """
        return AsyncCompleteList(self._sender, api.list_project_api_keys(project_id=project_id))

    async def create(
        self, *, project_id: str, name: str, roles: Sequence[APIKeyRole] | None = None
    ) -> APIKeyWithSecret:
        """Create an API key.

        Only this response contains the key value, so store it. Names are not unique, so a second request would create a
        second key. The client never sends a create again if the first request may have taken effect.

        Args:
            project_id: Id of the project that the key gives access to.
            name: Name of the key, 1 to 80 characters without NUL.
            roles: Roles of the key, 1 or more; the server's default is ProjectEditor.

        Returns:
            The new key with its value.

        Raises:
            PaymentRequiredError: The payment status of the organization forbids creating resources.
            ForbiddenError: The plan allows no further API key in the project, or does not include one of the roles.
            NotFoundError: There is no project with this id, or your account cannot see it.
            PineconeError: If ``outcome`` is ``"unknown"`` or ``"done"``, a key may exist. Its value is lost, unless the
                error is a ResponseParsingError. Then ``raw.reveal()`` returns the response, which may contain the
                value.

        Example:
            >>> created = await admin.api_keys.create(
            ...     project_id=project.id, name="writer", roles=["DataPlaneEditor"]
            ... )
            >>> secret_store["writer"] = created.value
        """
        body = models.CreateAPIKeyRequest(name=name, roles=copy_to_list(roles))
        return await self._admin.send(api.create_api_key(project_id=project_id, body=body))

    async def ensure(
        self,
        *,
        project_id: str,
        name: str,
        roles: Sequence[APIKeyRole] | None = None,
        store: Callable[[APIKeyWithSecret], object] | None = None,
        on_difference: workflows.OnDifference = "report",
        dry_run: bool = False,
    ) -> workflows.Ensured[APIKeyWithSecret | APIKey]:
        """Return the API key with this name in a project. If there is none, create it.

        The value of an existing key cannot be read again, so the result contains an ``APIKeyWithSecret`` only if this
        call created the key. A new key gets its name only after ``store`` has returned. If the call is cancelled before
        that, the key is deleted.

        If the process is killed before that, the next run creates another key. It deletes the first one once the new
        value is stored. If the project has no room for both, it deletes the first one before. A ``store`` that is a
        ``workflows.ReadableStore`` avoids this: the next run then finds the stored value, and only renames its key.

        Do not run two calls for the same name at the same time. Two calls can create two keys, or one call can delete
        the new key of the other.

        Args:
            project_id: Id of the project that the key gives access to.
            name: Exact name of the key, 1 to 80 characters without NUL. It must not have the form of a temporary name.
            roles: Roles of the key, 1 or more. For a new key, the server's default is ProjectEditor. For an existing
                key, None accepts any roles. A key of an interrupted call gets the default, too.
            store: Function that stores the value of a new key. It gets the final name of the key. It must raise an
                exception if it has not stored the value, and only then. If it raises, the key is deleted. The return
                value is ignored.
            on_difference: What to do if an existing key has other roles: ``"report"`` lists the difference in the
                result, ``"raise"`` raises RefusedError, and ``"update"`` gives the key exactly ``roles``.
            dry_run: Only read, and report what would be done.

        Returns:
            The key, whether this call created it, the settings that differed, and the steps.

        Raises:
            AmbiguousNameError: Several keys have the name. ``ids`` lists them.
            RefusedError: The roles differ, and ``on_difference`` is ``"raise"``. Nothing was changed.
            PaymentRequiredError: The payment status of the organization forbids creating resources.
            ForbiddenError: The plan allows no further API key in the project, or does not include one of the roles.
            LeftoverError: The new key could not be deleted after ``store`` failed, or after the response with the value
                was lost. The same holds if there is no ``store``, and the key could not get its name.
            NotFoundError: There is no project with this id, or your account cannot see it. Or another process deleted
                the new key.
            PineconeError: Every response with a value was lost; or the key could not get its name after ``store``, so
                the next run creates another one. The message and ``__notes__`` of an error name what was done and what
                remains.

        Example:
            >>> ensured = await admin.api_keys.ensure(
            ...     project_id=project.id,
            ...     name="writer",
            ...     roles=["DataPlaneEditor"],
            ...     store=lambda created: secret_store.update({created.key.name: created.value}),
            ... )
            >>> ensured.created, list(secret_store)
            (True, ['writer'])
        """
        from pinecone_admin._async.workflows.ensure_with_secret import ensure_api_key  # noqa: PLC0415 - imported on first use
        from pinecone_admin._async.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        async with open_run(self._admin, "ensure_api_key", dry_run=dry_run) as run:
            return await ensure_api_key(
                run, project_id=project_id, name=name, roles=roles, store=store, on_difference=on_difference
            )

    async def describe(self, *, api_key_id: str) -> APIKey:
        """Return one API key, without its value.

        Args:
            api_key_id: Id of the key.

        Raises:
            NotFoundError: There is no API key with this id, or your account cannot see it.

        Example:
            >>> key = await admin.api_keys.describe(api_key_id=key.id)
        """
        return await self._admin.send(api.fetch_api_key(api_key_id=api_key_id))

    async def describe_by_name(self, *, project_id: str, name: str) -> APIKey:
        """Return the only API key of a project with this name.

        During a rotation, this is the old key until the value of its successor is stored. Then it is the successor,
        even if an interrupted run has not renamed it yet.

        Args:
            project_id: Id of the project.
            name: Exact name of the key, 1 to 80 characters.

        Raises:
            PineconeValueError: No key can have this name. No request was sent.
            NotFoundError: No key of the project has the name, or your account cannot see the project.
            AmbiguousNameError: Several keys have the name. ``ids`` lists them.

        Example:
            >>> key = await admin.api_keys.describe_by_name(project_id=project.id, name="reader")
        """
        from pinecone_admin.workflows.retired_keys import find_keys_by_name  # noqa: PLC0415 - imported on first use

        with set_operation_on_errors("describe_by_name"):
            check_operation(api.create_api_key(project_id=project_id, body=models.CreateAPIKeyRequest(name=name)))
        keys = await self.list(project_id=project_id)
        held = find_keys_by_name(name, keys)
        return require_named(held, keys, name, noun="API key", operation="describe_by_name")

    async def update(
        self, *, api_key_id: str, name: str | None = None, roles: Sequence[APIKeyRole] | None = None
    ) -> APIKey:
        """Change the name or the roles of an API key. A setting that is None stays as it is.

        Args:
            api_key_id: Id of the key.
            name: New name, 1 to 80 characters without NUL.
            roles: All roles that the key will have, 1 or more. They replace its present roles.

        Returns:
            The key with its new settings.

        Raises:
            PineconeValueError: All settings are None. No request was sent.
            ForbiddenError: The plan does not include one of the roles.
            NotFoundError: There is no API key with this id, or your account cannot see it.

        Example:
            >>> key = await admin.api_keys.update(api_key_id=key.id, roles=["ProjectViewer"])
            >>> key.roles
            ['ProjectViewer']
        """
        body = models.UpdateAPIKeyRequest(name=name, roles=copy_to_list(roles))
        return await self._admin.send(api.update_api_key(api_key_id=api_key_id, body=body))

    async def delete(self, *, api_key_id: str) -> None:
        """Delete an API key. Requests with its value fail from then on.

        Args:
            api_key_id: Id of the key.

        Raises:
            NotFoundError: There is no API key with this id, or your account cannot see it.

        Example:
            >>> await admin.api_keys.delete(api_key_id=key.id)
        """
        await self._admin.send(api.delete_api_key(api_key_id=api_key_id))

    async def rotate(
        self,
        *,
        api_key_id: str,
        store: Callable[[APIKeyWithSecret], object],
        keep_old_for: timedelta = timedelta(0),
        dry_run: bool = False,
    ) -> workflows.Rotation:
        """Replace an API key with a new one that has the same name and roles.

        This method creates a new key under a temporary name, calls ``store`` with its value, and gives it the name of
        the old key. Then it deletes the old key, and overdue keys of earlier rotations. With ``keep_old_for``, it keeps
        the old key instead, and ``delete_retired`` deletes it later. This call does not wait for that. If ``store`` is
        a ``workflows.ReadableStore``, it adds a checksum of the value to the temporary name before it calls ``store``.

        If the call was interrupted, call it again with the id of the old key. The names of both keys record the
        progress, so the next run finishes the rotation, or cleans up and starts over. If this call is cancelled before
        ``store`` has returned, the new key is deleted.

        The next run also handles new keys that interrupted runs left. Once a new value is stored, it deletes them, or
        keeps them as long as the old key. If the project has no room for another key, it deletes them first. With
        ``keep_old_for``, it raises ForbiddenError instead, because their values may be in use.

        Do not run two calls for the same name at the same time. Before ``store`` is called, the keys are read again. If
        they show another rotation of the same key, this one is refused. So if two rotations start together, at most one
        calls ``store``, provided that lists show new keys at once. If a rotation starts when another one has passed
        this check, it may take the new key of the other one for a leftover. Then both may call ``store``, and the value
        that is stored last may be of a deleted key. At least one of the two finds this and raises LeftoverError.

        Args:
            api_key_id: Id of the old key.
            store: Function that stores the value of the new key. It gets the name of the old key. It must raise an
                exception if it has not stored the value, and only then. If it raises, the new key is deleted, and the
                old key remains. The return value is ignored.
            keep_old_for: How long both keys work, from 0, rounded up to minutes. It counts by the server's clock, or by
                this machine's clock if the server sends no Date. A second call with the old id and the same or a longer
                time does not change the deletion time. A call with the id of the new key rotates again. Until then, the
                project needs room for one more key, and after an interruption for two.
            dry_run: Only read, and report what would be done.

        Returns:
            The new key, the id of the old one, when it may be deleted, and the steps.

        Raises:
            RefusedError: An earlier run keeps the old key for a longer time. Or the key is temporary, has no role, or
                belongs to an unfinished workflow. Or its successor was deleted, and the end of its long name is lost.
                Or another rotation of the key is in progress. Nothing was changed, or the new key was deleted. Or the
                successor was itself replaced, by a key that was deleted or has a temporary name. Then the old key was
                not deleted.
            PaymentRequiredError: The payment status of the organization forbids creating resources.
            ForbiddenError: The plan allows no further API key in the project, or does not include one of the roles.
            LeftoverError: ``store`` failed or the response with the value was lost, and the new key could not be
                deleted. Or another rotation of the key finished during this call.
            NotFoundError: There is no API key with this id, or your account cannot see it. Or somebody deleted the new
                key; then the old key remains.
            PineconeError: A step failed. The message and ``__notes__`` of an error name what was done and what remains.

        Example:
            >>> rotation = await admin.api_keys.rotate(
            ...     api_key_id=key.id,
            ...     store=lambda created: secret_store.update({created.key.name: created.value}),
            ...     keep_old_for=timedelta(hours=1),
            ... )
            >>> list(secret_store)
            ['reader']
        """
        from pinecone_admin._async.workflows.rotate import rotate_api_key  # noqa: PLC0415 - imported on first use
        from pinecone_admin._async.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        async with open_run(self._admin, "rotate_api_key", dry_run=dry_run) as run:
            return await rotate_api_key(run, api_key_id=api_key_id, store=store, keep_old_for=keep_old_for)

    def temporary(
        self, *, project_id: str, roles: Sequence[APIKeyRole], ttl: timedelta = timedelta(hours=6)
    ) -> AbstractAsyncContextManager[APIKeyWithSecret]:
        """Create an API key for the time of a block, and delete it at the end, also if the block raises.

        The name of the key contains its expiry time. In the background, the client renews this time by renaming the
        key, after every third of ``ttl``. If that fails, it tries again each minute. If the process is killed, the key
        remains until its expiry time has passed. Then the next ``delete_retired`` or ``rotate_due`` deletes it, or the
        next call of this method in the same project. A forked child can use the key, and does not delete it.

        Args:
            project_id: Id of the project that the key gives access to.
            roles: Roles of the key, 1 or more.
            ttl: Time from the last renewal to the expiry time, from one minute, rounded up to minutes, by the server's
                clock. This is how long the key can remain usable after the process was killed or suspended, until the
                next run deletes it.

        Returns:
            A context manager that returns the key with its value.

        Raises:
            PaymentRequiredError: The payment status of the organization forbids creating resources.
            ForbiddenError: The plan allows no further API key in the project, or does not include one of the roles.
            NotFoundError: There is no project with this id, or your account cannot see it.
            RefusedError: The server's responses have no valid Date, so its time is unknown.
            LeftoverError: The key could not be deleted at the end, or after the response with its value was lost. If
                the block raised an exception, that is the ``__cause__``.
            PineconeError: A step failed. The message and ``__notes__`` of an error name what was done and what remains.

        Example:
            >>> roles = ["DataPlaneViewer"]
            >>> async with admin.api_keys.temporary(project_id=project.id, roles=roles) as created:
            ...     print(created.key.roles)  # here, created.value works
            ['DataPlaneViewer']
        """
        from pinecone_admin._async.workflows.temporary_key import renewed_temporary_key  # noqa: PLC0415 - imported on first use

        return renewed_temporary_key(self._admin, project_id=project_id, roles=roles, ttl=ttl)

    async def identify(self, *, value: str, project_ids: Sequence[str] = ()) -> workflows.KeyIdentification:
        """Find out whether the server accepts the value of an API key, and which key may have it.

        Use this for a value that was found in a wrong place. The API has no operation that returns the id for a value.
        So this method lists the indexes that the value may list. It compares a part of their hosts with the hosts in
        the projects that you name. The value is sent only to the API, and appears in no result, error or log.

        Args:
            value: The key value. It begins with ``pcsk_`` or ``pckey_``, or is a UUID.
            project_ids: Ids of projects that the key may belong to. In each of them, until one fits, a temporary API
                key with the role ProjectViewer is created and deleted. Without ids, nothing is changed.

        Returns:
            The evidence from the server's responses. ``not_accepted`` does not prove that the key is deleted, because a
            truncated value is not accepted, either. If its project has no index, a value does not show its project.

        Raises:
            PineconeValueError: ``value`` does not have the form of a key value. The message does not contain the value.
            NotFoundError: There is no project with one of the ids, or your account cannot see it.
            LeftoverError: A temporary API key could not be deleted. The message or ``__notes__`` of an error name a key
                that remains.
            PaginationError: The list of the indexes would never end.

        Example:
            >>> created = await admin.api_keys.create(project_id=project.id, name="writer")
            >>> found = await admin.api_keys.identify(value=created.value)
            >>> found.state
            'accepted'
        """
        from pinecone_admin._async.workflows.identify_key import identify_key, mask_key_value  # noqa: PLC0415 - as above
        from pinecone_admin._async.workflows.run import open_run  # noqa: PLC0415 - as above

        with set_operation_on_errors("identify_api_key"):
            masked = return_error(mask_key_value, value)
            del value
            secret = raise_if_error(masked)
        async with open_run(self._admin, "identify_api_key") as run:
            return await identify_key(run, value=secret, project_ids=project_ids)

    async def delete_retired(self, *, project_id: str | None = None, dry_run: bool = False) -> workflows.RetiredKeys:
        """Delete the keys that rotations replaced, and temporary keys, once their expiry time has passed.

        Run this regularly, for example every hour. An old key is deleted only if its successor exists, and has a final
        name. If an interrupted rotation has not renamed the successor, it is renamed first. If a project fails, the
        workflow goes on with the other projects. Then it raises the error, and the next run does the rest. It ends at
        once only with an error that every further call would raise, too, such as ``UnauthorizedError``.

        Args:
            project_id: Id of the project, or None for all projects of the organization.
            dry_run: Only read, and report what would be done.

        Returns:
            The deleted keys, project by project, with the earliest expiry time first; and the keys that were kept, each
            with the reason.

        Raises:
            NotFoundError: There is no project with this id, or your account cannot see it.
            RefusedError: The server's responses have no valid Date, so its time is unknown.
            PineconeError: A step failed. The message and ``__notes__`` of an error name what was done and what remains.
                If several projects failed, it is the error of the first one, and the notes have the other errors.

        Example:
            >>> retired = await admin.api_keys.delete_retired(project_id=project.id)
            >>> print(retired)
        """
        from pinecone_admin._async.workflows.delete_retired import delete_retired_keys  # noqa: PLC0415 - imported on first use
        from pinecone_admin._async.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        async with open_run(self._admin, "delete_retired", dry_run=dry_run) as run:
            return await delete_retired_keys(run, project_id=project_id)

    async def rotate_due(
        self,
        *,
        older_than: timedelta,
        keep_old_for: timedelta,
        store: Callable[[APIKeyWithSecret], object],
        project_id: str | None = None,
        dry_run: bool = False,
    ) -> workflows.DueRotations:
        """Rotate the API keys that are older than a given age, and finish what earlier rotations left.

        Run this every night. It handles one project after another:

        - It gives the new keys of interrupted rotations their names.
        - It deletes overdue retired keys, as ``delete_retired`` does.
        - It rotates keys one at a time, as ``rotate`` does. First come keys whose rotation was interrupted before their
          value was known to be stored. Then come older keys, the oldest first.

        If the process is killed, run this again. If a key cannot be rotated, or the keys of a project cannot be listed,
        the others are still handled. If ``store`` fails, the new key is deleted, and the old key still works. If the
        old key of an interrupted rotation was deleted, the new key is reported as failed, because its value may not be
        stored. Keys whose names mark them as a workflow's, such as temporary keys, are not rotated. If one is as old as
        the keys to rotate because an interrupted ``ensure`` or ``apply`` left it, it is reported as failed. A key with
        any other name that begins with ``~`` is rotated as an ordinary key.

        Do not run two calls for the same organization at the same time. Do not rotate a key in another process during a
        run. ``rotate`` describes what can happen.

        Args:
            older_than: Age above which a key is rotated, above 0, by the server's clock. If a key has no
                ``created_at``, its age is that of its oldest role binding, which may be younger than the key.
            keep_old_for: How long both keys work at least, from 0, by the server's clock, rounded up to minutes. The
                first run after that deletes the old key. A time of whole days ends shortly after that night's run. So
                with a run each night, an old key works 8 days with ``timedelta(days=7)``, and 7 days with
                ``timedelta(days=7, hours=-1)``. Until then, each project needs room for both keys, and after an
                interruption for a third one.
            store: Function that stores the value of a new key, as for ``rotate``. It is called for the keys of several
                projects; ``project_id`` of the key shows which.
            project_id: Id of the project, or None for all projects of the organization.
            dry_run: Only read, and report what would be done.

        Returns:
            The keys that were finished, rotated, deleted, kept and not rotated, and the keys of unknown age.

        Raises:
            NotFoundError: There is no project with this id, or your account cannot see it.
            RefusedError: The server's responses have no valid Date, so its time is unknown.
            PineconeError: The projects cannot be read, or the role bindings for the age of keys without ``created_at``.
                If only the permission for role bindings is missing, the age is unknown, and nothing is raised. Or no
                further call can succeed, for example after a 401, or because the client was closed. The ``__notes__``
                of the error list each step that was done before, and each failure. These steps are not undone: keys
                that were rotated have their new values in ``store``. The next run goes on.

        Example:
            >>> report = await admin.api_keys.rotate_due(
            ...     older_than=timedelta(days=90),
            ...     keep_old_for=timedelta(days=7),
            ...     store=lambda created: secret_store.update({created.key.id: created.value}),
            ... )
            >>> print(report)
            no key is due
        """
        from pinecone_admin._async.workflows.rotate_due import rotate_due_keys  # noqa: PLC0415 - imported on first use
        from pinecone_admin._async.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        async with open_run(self._admin, "rotate_due", dry_run=dry_run) as run:
            return await rotate_due_keys(
                run, older_than=older_than, keep_old_for=keep_old_for, store=store, project_id=project_id
            )
