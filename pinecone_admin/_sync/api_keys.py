# Derived from pinecone_admin/_async/api_keys.py by scripts/unasync.py: change that, not this file.
"""Methods of ``admin.api_keys``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from generated_client import api, models
from generated_client.models import APIKey, APIKeyRole, APIKeyWithSecret
from pinecone_admin import workflows
from pinecone_admin._concurrency.lazy import Namespace
from pinecone_admin._http.argument_checks import copy_to_list, set_operation_on_errors
from pinecone_admin._http.lookup import require_match
from pinecone_admin._http.operation_checks import check_operation
from pinecone_admin._http.returned_errors import raise_if_error, return_error
from pinecone_admin._sync.pagination import fetch_all

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin
    from pinecone_admin._sync.sender import Sender

AllAPIKeys: TypeAlias = list[APIKey]


class APIKeys(Namespace):
    """Create, list, describe, update, rotate and delete the API keys of projects, as ``admin.api_keys``.

    Every method also raises the errors of ``Admin.send``.
    """

    def __init__(self, admin: Admin, sender: Sender) -> None:
        self._admin = admin
        self._sender = sender

    def list(self, *, project_id: str) -> AllAPIKeys:
        """List all API keys of a project, without their values.

        Args:
            project_id: Id of the project.

        Returns:
            The complete list.

        Raises:
            NotFoundError: The account sees no project with this id.

        Example:
            >>> [each.name for each in admin.api_keys.list(project_id=project.id)]
            ['reader']
        """
        return fetch_all(self._sender, api.list_project_api_keys(project_id=project_id))

    def create(self, *, project_id: str, name: str, roles: Sequence[APIKeyRole] | None = None) -> APIKeyWithSecret:
        """Create an API key.

        The response is the only one that contains the key's ``value``: store it. Names are not unique, so the client
        does not repeat a create that the server may have processed.

        Args:
            project_id: Id of the project that the key gives access to.
            name: Name of the key, 1 to 80 characters without NUL.
            roles: Roles of the key; the server's default is ProjectEditor.

        Returns:
            The new key with its value.

        Raises:
            ForbiddenError: The plan allows no further key in the project, or does not have one of the roles.
            NotFoundError: The account sees no project with this id.
            PineconeError: If ``outcome`` is ``"unknown"`` or ``"done"``, a key may exist whose value is lost.

        Example:
            >>> made = admin.api_keys.create(
            ...     project_id=project.id, name="writer", roles=["DataPlaneEditor"]
            ... )
            >>> vault["writer"] = made.value
        """
        body = models.CreateAPIKeyRequest(name=name, roles=copy_to_list(roles))
        return self._admin.send(api.create_api_key(project_id=project_id, body=body))

    def ensure(
        self,
        *,
        project_id: str,
        name: str,
        roles: Sequence[APIKeyRole] | None = None,
        store: Callable[[APIKeyWithSecret], object] | None = None,
        on_difference: workflows.OnDifference = "report",
        dry_run: bool = False,
    ) -> workflows.Ensured[APIKeyWithSecret | APIKey]:
        """Return the API key with this name in a project, and create it if there is none.

        The value of an existing key cannot be retrieved: the result holds an ``APIKeyWithSecret`` only if this call
        created the key. A new key gets its name only after ``store`` has returned; if a run is cancelled before that,
        the key is deleted, and if it is killed, the next run creates another one, and deletes the first when the new
        value is stored, or before if there is no room for both. Make one call at a time for a key, also in tasks and
        threads: two at once can create two keys, or one can delete the new key of the other.

        Args:
            project_id: Id of the project that the key gives access to.
            name: Exact name of the key, 1 to 80 characters without NUL; not one that a workflow gives to an unfinished
                key.
            roles: Roles of the key. For a new key, the server's default is ProjectEditor; for an existing one, None
                accepts any roles.
            store: Function that stores the value of a new key, which it receives under the final name, before the key
                gets it. It may return anything. If it raises, it must not have stored the value: the key is deleted.
            on_difference: What to do if the roles of an existing key differ: ``"report"`` them, ``"raise"``, or
                ``"update"`` them, so that the key has exactly ``roles``.
            dry_run: Only report what would be done.

        Returns:
            The key, whether this call created it, the settings that differed, and what was done.

        Raises:
            AmbiguousNameError: Several keys have the name; ``ids`` lists them.
            RefusedError: The roles differ, and ``on_difference`` is ``"raise"``; nothing was changed.
            ForbiddenError: The plan allows no further key in the project, or does not have one of the roles.
            LeftoverError: ``store`` failed, the response with the value was lost, or the key could not be named and
                there is no ``store``; and then the key could not be deleted.
            NotFoundError: The account sees no project with this id, or another process deleted the new key.
            PineconeError: Each response with the value was lost, or the key could not be named after ``store``: the
                next run makes another one. The notes (``__notes__``) of any error name what was done and is left.

        Example:
            >>> ensured = admin.api_keys.ensure(
            ...     project_id=project.id,
            ...     name="writer",
            ...     roles=["DataPlaneEditor"],
            ...     store=lambda made: vault.update({made.key.name: made.value}),
            ... )
            >>> ensured.created, list(vault)
            (True, ['writer'])
        """
        from pinecone_admin._sync.workflows.ensure_with_secret import ensure_api_key  # noqa: PLC0415 - imported on first use
        from pinecone_admin._sync.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        with open_run(self._admin, "ensure_api_key", dry_run=dry_run) as run:
            return ensure_api_key(
                run, project_id=project_id, name=name, roles=roles, store=store, on_difference=on_difference
            )

    def describe(self, *, api_key_id: str) -> APIKey:
        """Fetch one API key, without its value.

        Args:
            api_key_id: Id of the key.

        Raises:
            NotFoundError: The account sees no key with this id.

        Example:
            >>> key = admin.api_keys.describe(api_key_id=key.id)
        """
        return self._admin.send(api.fetch_api_key(api_key_id=api_key_id))

    def describe_by_name(self, *, project_id: str, name: str) -> APIKey:
        """Find the only API key of a project that holds this name.

        During a rotation, that is the old key until its successor is stored, and the new key from then on, even if an
        interrupted run has not renamed it yet.

        Args:
            project_id: Id of the project.
            name: Exact name of the key, 1 to 80 characters.

        Raises:
            PineconeValueError: No key can have this name; nothing was sent.
            NotFoundError: No key of the project has the name, or there is no such project.
            AmbiguousNameError: Several keys have the name; ``ids`` lists them.

        Example:
            >>> key = admin.api_keys.describe_by_name(project_id=project.id, name="reader")
        """
        from pinecone_admin.workflows.retired_keys import find_holders  # noqa: PLC0415 - imported on first use

        with set_operation_on_errors("describe_by_name"):
            check_operation(api.create_api_key(project_id=project_id, body=models.CreateAPIKeyRequest(name=name)))
        held = find_holders(name, self.list(project_id=project_id))
        return require_match(held, "API key", f"named {name!r}", "describe_by_name")

    def update(self, *, api_key_id: str, name: str | None = None, roles: Sequence[APIKeyRole] | None = None) -> APIKey:
        """Change the name or the roles of an API key. Arguments that are None leave a setting unchanged.

        Args:
            api_key_id: Id of the key.
            name: New name, 1 to 80 characters without NUL.
            roles: All roles that the key will have; they replace its present roles.

        Returns:
            The key with its new settings.

        Raises:
            PineconeValueError: There is nothing to change; nothing was sent.
            ForbiddenError: The plan does not have one of the roles.
            NotFoundError: The account sees no key with this id.

        Example:
            >>> key = admin.api_keys.update(api_key_id=key.id, roles=["ProjectViewer"])
            >>> key.roles
            ['ProjectViewer']
        """
        body = models.UpdateAPIKeyRequest(name=name, roles=copy_to_list(roles))
        return self._admin.send(api.update_api_key(api_key_id=api_key_id, body=body))

    def delete(self, *, api_key_id: str) -> None:
        """Delete an API key, which stops working.

        Args:
            api_key_id: Id of the key.

        Raises:
            NotFoundError: The account sees no key with this id.

        Example:
            >>> admin.api_keys.delete(api_key_id=key.id)
        """
        self._admin.send(api.delete_api_key(api_key_id=api_key_id))

    def rotate(
        self,
        *,
        api_key_id: str,
        store: Callable[[APIKeyWithSecret], object],
        keep_old_for: timedelta = timedelta(0),
        dry_run: bool = False,
    ) -> workflows.Rotation:
        """Replace an API key with a new one that has the same name and roles.

        The new key is created, ``store`` stores its value, and it takes the name of the old key. Then the old key is
        deleted, and with it those that earlier rotations of the name left and that are due; or, with ``keep_old_for``,
        it is left to ``delete_retired``: this call does not wait. The names of the two keys record the progress: the
        next run with the id of the old key finishes an interrupted rotation, or cleans up and starts over. If this call
        is cancelled before ``store`` has returned, the new key is deleted. Keys that interrupted runs left are deleted
        or kept with the old key when the new value is stored. If there is no room for another one, they are deleted
        before; but with ``keep_old_for`` this raises ForbiddenError, since their values may be in use.

        Rotate a key once at a time, also in tasks and threads of one process. Before ``store`` is called, the keys are
        read again, and if they show another rotation of the same key, this one is refused: of two that start together,
        at most one calls ``store``, if lists show new keys at once. A rotation that starts while another one is already
        past that point takes its key for one that an interrupted run left: then both may call ``store``, and the value
        that is stored last may be that of a key which the other one has deleted. At least one of them finds this out
        and raises LeftoverError.

        Args:
            api_key_id: Id of the old key.
            store: Function that stores the value of the new key, which it receives under the name of the old one. It
                may return anything. If it raises, it must not have stored the value: the new key is deleted, and the
                old key stays.
            keep_old_for: How long both keys work, from 0; by the server's clock, or without a Date of it by this
                machine's, rounded up to minutes. A repeated call with the same or a longer time changes nothing, but
                one with the id of the new key rotates again. The project needs room for one more key meanwhile, and for
                another one after an interruption.
            dry_run: Only report what would be done.

        Returns:
            The new key, the id of the old one, when it may be deleted, and what was done.

        Raises:
            RefusedError: An earlier run keeps the old key for longer; or the key is temporary; or another workflow,
                such as another rotation, created it and has not finished; or what replaced it has no name or is gone;
                or another rotation of the key is in progress. Nothing was changed, or the new key was deleted again.
            ForbiddenError: The plan allows no further key in the project, or does not have one of the roles.
            LeftoverError: ``store`` failed or the response with the value was lost, and the new key could not be
                deleted; or another rotation of the key has finished meanwhile.
            NotFoundError: The account sees no key with this id, or the new key was deleted; the old one stays.
            PineconeError: A step failed; the notes (``__notes__``) of any error name what was done and is left.

        Example:
            >>> rotation = admin.api_keys.rotate(
            ...     api_key_id=key.id,
            ...     store=lambda made: vault.update({made.key.name: made.value}),
            ...     keep_old_for=timedelta(hours=1),
            ... )
            >>> list(vault)
            ['reader']
        """
        from pinecone_admin._sync.workflows.rotate import rotate_api_key  # noqa: PLC0415 - imported on first use
        from pinecone_admin._sync.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        with open_run(self._admin, "rotate_api_key", dry_run=dry_run) as run:
            return rotate_api_key(run, api_key_id=api_key_id, store=store, keep_old_for=keep_old_for)

    def temporary(
        self, *, project_id: str, roles: Sequence[APIKeyRole], ttl: timedelta = timedelta(hours=6)
    ) -> AbstractContextManager[APIKeyWithSecret]:
        """Create an API key for the time of a block, and delete it at the end, however the block ends.

        The name of the key says until when it lives. In the background, the key is renamed every third of ``ttl``, and
        tried again each minute if that fails. Once the time in its name is over, as after the process was killed, the
        key is deleted by the next ``delete_retired`` or ``rotate_due``, or the next call in the same project. A forked
        child, too, can use the key, and deletes nothing.

        Args:
            project_id: Id of the project that the key gives access to.
            roles: Roles of the key.
            ttl: Time after the last renewal from which the key may be deleted, as when the process was killed or
                suspended; from a minute, rounded up to the next one, by the server's clock.

        Returns:
            A context manager that gives the key with its value.

        Raises:
            ForbiddenError: The plan allows no further key in the project, or does not have one of the roles.
            NotFoundError: The account sees no project with this id.
            RefusedError: The server's responses have no valid Date, so that its time is unknown.
            LeftoverError: The key could not be deleted, at the end or after the response with its value was lost. It
                takes the place of an error of the block, which is its cause.
            PineconeError: A step failed; the notes (``__notes__``) of any error name what was done and is left.

        Example:
            >>> roles = ["DataPlaneViewer"]
            >>> with admin.api_keys.temporary(project_id=project.id, roles=roles) as made:
            ...     print(made.key.roles)  # here, made.value works
            ['DataPlaneViewer']
        """
        from pinecone_admin._sync.workflows.temporary_key import renewed_key  # noqa: PLC0415 - imported on first use

        return renewed_key(self._admin, project_id=project_id, roles=roles, ttl=ttl)

    def identify(self, *, value: str, project_ids: Sequence[str] = ()) -> workflows.KeyIdentification:
        """Find out whether the value of an API key is accepted, and which API key may have it.

        Use this for a value that was found in a wrong place. The API has no operation that maps a value to an id. So
        this lists the indexes that the value may list, and compares a part of their hosts with those of the projects
        that you name. The value is sent to the API only, and is in no result, error or log.

        Args:
            value: The value, which begins with ``pcsk_`` or ``pckey_``, or is a UUID.
            project_ids: Ids of projects that the key may belong to. In each of them, until one fits, a temporary API
                key with the role ProjectViewer is created and deleted again. Without ids, nothing is changed.

        Returns:
            What was seen. ``not_accepted`` does not mean that the key is deleted: a value that is cut off is not
            accepted, either. Without an index in its project, a value shows no project.

        Raises:
            PineconeValueError: ``value`` does not have the form of the value of an API key. The message does not show
                it.
            NotFoundError: The account cannot see one of the projects.
            LeftoverError: A temporary API key could not be deleted. The notes (``__notes__``) of any error name a key
                that remains.

        Example:
            >>> created = admin.api_keys.create(project_id=project.id, name="writer")
            >>> found = admin.api_keys.identify(value=created.value)
            >>> found.state
            'accepted'
        """
        from pinecone_admin._sync.workflows.identify_key import identify_key, mask_key_value  # noqa: PLC0415 - as above

        with set_operation_on_errors("identify_api_key"):
            masked = return_error(mask_key_value, value)
            del value
            secret = raise_if_error(masked)
        return identify_key(self._admin, value=secret, project_ids=project_ids)

    def delete_retired(self, *, project_id: str | None = None, dry_run: bool = False) -> workflows.RetiredKeys:
        """Delete the old keys that ``rotate`` has kept, and temporary keys, that are due by the server's clock.

        An old key is deleted only if the key that replaced it still exists, under a name that marks no unfinished
        work. If an interrupted rotation has not renamed that key, it is renamed first. Run this regularly, for
        example each hour. If a project fails, the error is raised, and the next run does the rest.

        Args:
            project_id: Id of the project; None for all projects of the organization.
            dry_run: Only report what would be done.

        Returns:
            The keys that were deleted, project by project and the longest due first, and those that were kept, each
            with the reason.

        Raises:
            NotFoundError: The account sees no project with this id.
            RefusedError: The server's responses have no valid Date, so that its time is unknown.
            PineconeError: A step failed; the notes (``__notes__``) of any error name what was done and is left.

        Example:
            >>> retired = admin.api_keys.delete_retired(project_id=project.id)
            >>> print(retired)
        """
        from pinecone_admin._sync.workflows.delete_retired import delete_retired_keys  # noqa: PLC0415 - imported on first use
        from pinecone_admin._sync.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        with open_run(self._admin, "delete_retired", dry_run=dry_run) as run:
            return delete_retired_keys(run, project_id=project_id)

    def rotate_due(
        self,
        *,
        older_than: timedelta,
        keep_old_for: timedelta,
        store: Callable[[APIKeyWithSecret], object],
        project_id: str | None = None,
        dry_run: bool = False,
    ) -> workflows.DueRotations:
        """Rotate the API keys that are older than a time, and finish what earlier rotations left.

        Run this every night. In one project after another, it gives new keys of interrupted rotations their names,
        deletes retired keys as ``delete_retired`` does, and then rotates, one key at a time and as ``rotate`` does, the
        keys whose rotation was interrupted before its value was known to be stored, and those that are older, oldest
        first. If it is killed, run it again. A key that cannot be rotated, or a project whose keys cannot be listed,
        does not stop the others. If the old key of an interrupted rotation was deleted, the new one is reported as
        failed, since its value may not be stored. Keys whose names say that a workflow made them, such as temporary
        ones, are not rotated. Do not rotate a key in another process meanwhile: what ``rotate`` says of two rotations
        at once holds here, too.

        Args:
            older_than: Age above which a key is rotated, above 0, by the server's clock. Of a key without
                ``created_at``, the age is that of its oldest role binding, which may be younger than the key.
            keep_old_for: How long both keys work at least, from 0; by the server's clock, rounded up to minutes. The
                first run after that deletes the old key. A time of whole days ends just after the run of its last
                night: with a run each night, an old key works 8 days with ``timedelta(days=7)``, and 7 with
                ``timedelta(days=7, hours=-1)``. Each project needs room for both keys as long, and for a third one
                after an interruption.
            store: Function that stores the value of a new key, as for ``rotate``. It is called for keys of several
                projects: ``made.key.project_id`` says which.
            project_id: Id of the project; None for all projects of the organization.
            dry_run: Only report what would be done.

        Returns:
            What was finished, rotated, deleted, kept and not rotated, and the keys whose age is unknown.

        Raises:
            NotFoundError: The organization has no project with this id.
            RefusedError: The server's responses have no valid Date, so that its time is unknown.
            PineconeError: The projects, or role bindings for the age of keys without ``created_at``, cannot be read
                (without permission for role bindings, the age is unknown); or no call can succeed any more, as after a
                401 or once the client is closed. The notes (``__notes__``) of the error have the steps that were done
                before and what failed, one each.

        Example:
            >>> report = admin.api_keys.rotate_due(
            ...     older_than=timedelta(days=90),
            ...     keep_old_for=timedelta(days=7),
            ...     store=lambda made: vault.update({made.key.id: made.value}),
            ... )
            >>> print(report)
            no key is due
        """
        from pinecone_admin._sync.workflows.rotate_due import rotate_due_keys  # noqa: PLC0415 - imported on first use
        from pinecone_admin._sync.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        with open_run(self._admin, "rotate_due", dry_run=dry_run) as run:
            return rotate_due_keys(
                run, older_than=older_than, keep_old_for=keep_old_for, store=store, project_id=project_id
            )
