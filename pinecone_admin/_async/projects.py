"""Methods of ``admin.projects``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias, overload

from generated_client import api, models
from generated_client.models import Project
from pinecone_admin import workflows
from pinecone_admin._async.pagination import AsyncCompleteList
from pinecone_admin._concurrency.lazy import Namespace
from pinecone_admin._http.lookup import find_by_name
from pinecone_admin._http.operation_checks import check_name
from pinecone_admin._text.messages import Name
from pinecone_admin.errors import PineconeValueError
from pinecone_admin.workflows.sent_changes import IgnoreGone

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin
    from pinecone_admin._async.sender import AsyncSender

AllProjects: TypeAlias = AsyncCompleteList[Project]


class AsyncProjects(Namespace):
    """Create, list, describe, update, provision and delete projects, as ``admin.projects``.

    Every method also raises the errors of ``AsyncAdmin.send``.
    """

    def __init__(self, admin: AsyncAdmin, sender: AsyncSender) -> None:
        self._admin = admin
        self._sender = sender

    def list(self) -> AllProjects:
        """List the projects of the organization that your account can see.

        An OrgOwner can see all projects. For other accounts, the list is shorter, and no error shows it.

        Returns:
            The complete list.

        Example:
            >>> [project.name for project in await admin.projects.list()]
            ['search']
        """
        return AsyncCompleteList(self._sender, api.list_projects())

    async def create(
        self, *, name: str, max_pods: int | None = None, force_encryption_with_cmek: bool | None = None
    ) -> Project:
        """Create a project.

        Names of projects are not unique, so a second request would create a second project. The client never sends a
        create again if the first request may have taken effect. To create a project only if it is missing, use
        ``ensure``.

        Args:
            name: Name of the project, 1 to 512 characters without NUL.
            max_pods: Maximum number of pods for the indexes of the project, from 0; the server's default is 0.
            force_encryption_with_cmek: True to require a customer-managed encryption key, which cannot be undone; the
                server's default is False.

        Returns:
            The new project.

        Raises:
            BadRequestError: ``max_pods`` is above 0, and the organization has no access to pods. Pinecone's pages on
                projects state that organizations that signed up on or after 2025-08-18 have none.
            PaymentRequiredError: The payment status of the organization forbids creating resources.
            ForbiddenError: The plan allows no further project.
            PineconeError: If ``outcome`` is ``"unknown"`` or ``"done"``, the project may exist. Check whether it exists
                before you create it again.

        Example:
            >>> project = await admin.projects.create(name="checkout")
            >>> project.name
            'checkout'
        """
        body = models.CreateProjectRequest(
            name=name, max_pods=max_pods, force_encryption_with_cmek=force_encryption_with_cmek
        )
        return await self._admin.send(api.create_project(body=body))

    async def ensure(
        self,
        *,
        name: str,
        max_pods: int | None = None,
        force_encryption_with_cmek: bool | None = None,
        on_difference: workflows.OnDifference = "report",
        dry_run: bool = False,
    ) -> workflows.Ensured[Project]:
        """Return the project with this name. If there is none, create it.

        If the response to the create is lost, this method searches for the project in the rest of the client's
        ``timeout``. If this call is cancelled, it deletes a project that it has created.

        Do not run two calls for the same name at the same time. Two calls can create two projects. An account that is
        not an OrgOwner can also create a second project, because it does not see all projects.

        Args:
            name: Exact name of the project, 1 to 512 characters without NUL.
            max_pods: Maximum number of pods for the indexes of the project, from 0; None accepts any number.
            force_encryption_with_cmek: True to require a customer-managed encryption key, which cannot be undone; None
                accepts either setting.
            on_difference: What to do if an existing project has other settings: ``"report"`` lists the differences in
                the result, ``"raise"`` raises RefusedError, and ``"update"`` changes the project.
            dry_run: Only read, and report what would be done.

        Returns:
            The project, whether this call created it, the settings that differed, and the steps.

        Raises:
            AmbiguousNameError: Several projects have the name. ``ids`` lists them.
            RefusedError: Settings differ, and ``on_difference`` is ``"raise"``. Nothing was changed.
            BadRequestError: The server refused the settings, as ``create`` and ``update`` describe.
            PaymentRequiredError: The payment status of the organization forbids creating resources.
            ForbiddenError: The plan allows no further project.
            PineconeError: For example, the response to the create was lost, and the project did not appear before the
                client's ``timeout`` passed; then ``outcome`` is ``"unknown"``. The message and ``__notes__`` of an
                error name what was done and what remains.

        Example:
            >>> ensured = await admin.projects.ensure(name="checkout")
            >>> ensured.created, ensured.value.name
            (True, 'checkout')
        """
        from pinecone_admin._async.workflows.ensure_project import ensure_project  # noqa: PLC0415 - imported on first use
        from pinecone_admin._async.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        async with open_run(self._admin, "ensure_project", dry_run=dry_run) as run:
            return await ensure_project(
                run,
                name=name,
                max_pods=max_pods,
                force_encryption_with_cmek=force_encryption_with_cmek,
                on_difference=on_difference,
            )

    async def describe(self, *, project_id: str) -> Project:
        """Return one project.

        Args:
            project_id: Id of the project.

        Raises:
            NotFoundError: There is no project with this id, or your account cannot see it.

        Example:
            >>> project = await admin.projects.describe(project_id=project.id)
        """
        return await self._admin.send(api.fetch_project(project_id=project_id))

    async def describe_by_name(self, *, name: str) -> Project:
        """Return the only project with this name.

        Args:
            name: Exact name of the project, 1 to 512 characters without NUL.

        Raises:
            PineconeValueError: No project can have this name. No request was sent.
            NotFoundError: There is no project with this name, or your account cannot see it.
            AmbiguousNameError: Several projects have the name. ``ids`` lists them.

        Example:
            >>> project = await admin.projects.describe_by_name(name="search")
        """
        check_name(name, Project, operation="describe_by_name")
        return find_by_name(name, await self.list(), noun="project", operation="describe_by_name")

    async def exists(self, *, project_id: str | None = None, name: str | None = None) -> bool:
        """Return whether your account can see a project with this id or name.

        Pass either ``project_id`` or ``name``.

        Args:
            project_id: Id of the project.
            name: Exact name of the project, 1 to 512 characters without NUL.

        Returns:
            True if one or several projects fit. False if the API responds with 404, or no project has the name. Other
            failures are raised. A 404 without an error code is raised, too, because it comes from another server.

        Raises:
            PineconeValueError: You passed both arguments or neither, or no project can have this name. No request was
                sent.

        Example:
            >>> await admin.projects.exists(name="search")
            True
        """
        if (project_id is None) == (name is None):
            raise PineconeValueError("pass either ", Name("project_id"), " or ", Name("name"), operation="exists")
        if project_id is None:
            check_name(name, Project, operation="exists")
            return any(project.name == name for project in await self.list())
        with IgnoreGone():
            await self.describe(project_id=project_id)
            return True
        return False

    async def update(
        self,
        *,
        project_id: str,
        name: str | None = None,
        max_pods: int | None = None,
        force_encryption_with_cmek: bool | None = None,
    ) -> Project:
        """Change the settings of a project. A setting that is None stays as it is.

        Args:
            project_id: Id of the project.
            name: New name, 1 to 512 characters without NUL.
            max_pods: Maximum number of pods for the indexes of the project, from 0.
            force_encryption_with_cmek: True to require a customer-managed encryption key, which cannot be undone.

        Returns:
            The project with its new settings.

        Raises:
            PineconeValueError: All settings are None. No request was sent.
            BadRequestError: ``force_encryption_with_cmek`` is False and was True; or ``max_pods`` is above 0, and the
                organization has no access to pods.
            NotFoundError: There is no project with this id, or your account cannot see it.

        Example:
            >>> project = await admin.projects.update(project_id=project.id, name="search-eu")
            >>> project.name
            'search-eu'
        """
        body = models.UpdateProjectRequest(
            name=name, max_pods=max_pods, force_encryption_with_cmek=force_encryption_with_cmek
        )
        return await self._admin.send(api.update_project(project_id=project_id, body=body))

    async def provision(
        self,
        *,
        name: str,
        key_roles: Sequence[models.APIKeyRole],
        store: Callable[[models.APIKeyWithSecret], object],
        bindings: Sequence[workflows.ProjectRole | workflows.ProjectRoleDict] = (),
        dry_run: bool = False,
    ) -> workflows.Provisioned:
        """Set up a tenant: a project, role bindings on it, and an API key with the same name.

        Existing parts are kept, so you can run this again after an interruption. A key that exists with other roles is
        also kept, and its ``differences`` list the roles. The key is created last.

        If a step fails or this call is cancelled before ``store`` has returned, everything that this call created is
        deleted, in reverse order. There is one exception: if the response to the creation of the project or of a role
        binding was lost, that project or role binding is kept, because somebody else may have created it. The notes of
        the error list all of this, and a LeftoverError names what could not be deleted. After ``store`` has returned,
        nothing is deleted, and the next run finishes the work.

        Do not run two calls for the same name at the same time. A web service does so if a client sends a POST twice.
        Two calls can create two projects, and a call that fails deletes what the other call depends on. An account that
        does not see an existing project creates another one.

        Args:
            name: Name of the project, 1 to 512 characters without NUL. The name of the key is its first 80 characters.
            key_roles: Roles of the key, 1 or more.
            store: Function that stores the value of a new key. It gets the final name of the key. It must raise an
                exception if it has not stored the value, and only then. If it raises, the key is deleted. The return
                value is ignored.
            bindings: Roles on the project for other principals, as ``ProjectRole`` objects or mappings.
            dry_run: Only read, and report what would be done.

        Returns:
            The project, the key and the role bindings, each with whether this call created it.

        Raises:
            AmbiguousNameError: Several projects have the name, or several keys in the project have it.
            PaymentRequiredError: The payment status of the organization forbids creating resources.
            ForbiddenError: The plan allows no further project or API key, or does not include one of the roles.
            LeftoverError: A step failed, and not everything could be deleted. ``left`` lists what remains.
            NotFoundError: One of the principals does not exist.
            ConflictError: A person has accepted the invite that you named, or an identity provider manages the person.
            PineconeError: If ``outcome`` is ``"unknown"`` or ``"done"``, something may remain, and the next run uses
                it. The message and ``__notes__`` of an error name what was done and what remains.

        Example:
            >>> tenant = await admin.projects.provision(
            ...     name="tenant-0042",
            ...     key_roles=["DataPlaneEditor"],
            ...     store=lambda created: secret_store.update({created.key.name: created.value}),
            ... )
            >>> tenant.project.created, tenant.key.created
            (True, True)
        """
        from pinecone_admin._async.workflows.provision import provision  # noqa: PLC0415 - imported on first use
        from pinecone_admin._async.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        async with open_run(self._admin, "provision", dry_run=dry_run) as run:
            return await provision(run, name=name, key_roles=key_roles, store=store, bindings=bindings)

    async def delete(self, *, project_id: str) -> None:
        """Delete a project and its API keys. This cannot be undone.

        Args:
            project_id: Id of the project.

        Raises:
            FailedPreconditionError: The project still contains indexes, collections, assistants, backups or workspaces.
            NotFoundError: There is no project with this id, or your account cannot see it.

        Example:
            >>> await admin.projects.delete(project_id=project.id)
        """
        await self._admin.send(api.delete_project(project_id=project_id))

    async def delete_with_cleanup(
        self,
        *,
        project_id: str,
        dry_run: bool = False,
        time_limit: timedelta = timedelta(minutes=10),
        lift_protection: bool = False,
        progress: Callable[[workflows.Progress], object] | None = None,
    ) -> workflows.CleanupReport:
        """Delete everything in a project, wait until it is empty, and delete the project. This cannot be undone.

        Only an API key of the project can read and delete its indexes, collections, assistants, backups and workspaces.
        So this method creates a temporary API key, and deletes it at the end. The key has the role ControlPlaneEditor,
        or ProjectEditor if the server refuses that role. Overdue temporary keys of earlier runs are deleted, too. This
        also happens with ``dry_run=True``, which changes nothing else. ``temporary_keys`` in the report lists the keys.

        You can run this again after an interruption. Concurrent runs do not harm each other.

        Args:
            project_id: Id of the project.
            dry_run: Only report what would be deleted. ``refusal`` in the report contains the reason if a real run
                would refuse.
            time_limit: Time to wait until the project is empty, above 0. Requests in progress can take the client's
                ``timeout`` in addition.
            lift_protection: True to also delete indexes with deletion protection.
            progress: Function that gets the remaining contents, each time after the contents were read. It is called
                only once contents were found.

        Returns:
            A report with the contents of the project, the steps, and whether the project is deleted.

        Raises:
            RefusedError: An index has deletion protection, or the server forbids a deletion. Protection that is on at
                the start is found before anything is deleted. Otherwise, other contents may have been deleted.
            FailedPreconditionError: At the end of ``time_limit``, the server still found something in the project.
            PineconeTimeoutError: At the end of ``time_limit``, the project still had contents. The message names them.
                Or the server did not accept the temporary key within 30 seconds.
            PaymentRequiredError: The payment status of the organization forbids creating resources.
            ForbiddenError: The project has no room for another API key.
            LeftoverError: The temporary key could not be deleted. ``left`` names it.
            NotFoundError: There is no project with this id, or your account cannot see it. An earlier run may have
                deleted it.
            ReadOnlyError: The client is read-only, so it cannot create a temporary key, not even for a dry run.
            PineconeError: A step failed. The message and ``__notes__`` of an error name what was done and what remains.

        Example:
            >>> report = await admin.projects.delete_with_cleanup(
            ...     project_id=project.id, time_limit=timedelta(minutes=5)
            ... )
            >>> report.deleted
            True
        """
        from pinecone_admin._async.workflows.delete_with_cleanup import delete_with_cleanup  # noqa: PLC0415 - imported on first use
        from pinecone_admin._async.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        async with open_run(self._admin, "delete_with_cleanup", dry_run=dry_run) as run:
            return await delete_with_cleanup(
                run, project_id=project_id, time_limit=time_limit, lift_protection=lift_protection, progress=progress
            )

    @overload
    async def delete_stale(
        self,
        *,
        name_pattern: str,
        older_than: timedelta,
        plan: None = None,
        concurrency: int = 4,
        progress: Callable[[workflows.Progress], object] | None = None,
    ) -> workflows.StalePlan: ...

    @overload
    async def delete_stale(
        self,
        *,
        name_pattern: str | None = None,
        older_than: timedelta | None = None,
        plan: workflows.StalePlan,
        concurrency: int = 4,
        progress: Callable[[workflows.Progress], object] | None = None,
    ) -> workflows.StaleReport: ...

    async def delete_stale(
        self,
        *,
        name_pattern: str | None = None,
        older_than: timedelta | None = None,
        plan: workflows.StalePlan | None = None,
        concurrency: int = 4,
        progress: Callable[[workflows.Progress], object] | None = None,
    ) -> workflows.StalePlan | workflows.StaleReport:
        """Delete old projects, for example of test runs: first make a plan, then carry it out.

        Without ``plan``, return a plan. It lists the projects that match ``name_pattern`` and are older than
        ``older_than``, and the contents of each that the server shows. Nothing is changed, except that temporary API
        keys are created to read the contents, and deleted. Overdue temporary keys of earlier runs are deleted, too. The
        plan lists these keys. ``to_json`` saves a plan, and ``StalePlan.from_json`` restores it.

        With a plan, delete its projects with everything in them, and no others. This cannot be undone. A project is
        kept if it was renamed, has no creation date, is not old enough, or cannot be deleted. It is also kept if
        something in it is protected, or if an API key or something else in it is not in the plan. ``left`` of the
        report lists these projects with the reason, and ``steps`` lists what was deleted in them. Projects that would
        be kept when the plan is made, such as protected ones, are only in ``left`` of the plan.

        You can run the same plan again after an interruption. A project that the account can no longer see counts as
        deleted only if the account is known to be an OrgOwner, who can see every project. Otherwise it is in ``left``.

        Args:
            name_pattern: Pattern of names, such as ``"ci-*"``, with ``*``, ``?`` and ``[…]`` as in a shell. Upper and
                lower case differ. With a plan, pass None or the pattern of the plan.
            older_than: Age above which a project is deleted, above 0. With a plan, pass None or the age of the plan.
            plan: The plan to carry out.
            concurrency: Maximum number of projects in progress at the same time, from 1.
            progress: Function that is called after each project.

        Returns:
            Without ``plan``, the plan. With one, a report of what was deleted and what was kept.

        Raises:
            RefusedError: The plan is of another organization, or the server's responses have no valid Date, so its time
                is unknown. Nothing was changed.
            PineconeTypeError: ``plan`` is not a ``StalePlan``.
            ClientClosedError: The client was closed before or during the call.
            ReadOnlyError: The client is read-only, so it cannot create a temporary key.
            PineconeError: A step failed. The message and ``__notes__`` of an error name what was done and what remains.
                Projects that were deleted stay deleted, and others can have lost a part of their contents. Run the same
                plan again to finish.

        Example:
            >>> plan = await admin.projects.delete_stale(
            ...     name_pattern="ci-*", older_than=timedelta(days=7)
            ... )
            >>> print(plan)
            >>> report = await admin.projects.delete_stale(plan=plan)
        """
        from pinecone_admin._async.workflows.delete_stale import carry_out_deletion, plan_deletion  # noqa: PLC0415 - imported on first use
        from pinecone_admin._async.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        if plan is None:
            async with open_run(self._admin, "delete_stale") as run:
                return await plan_deletion(
                    run, name_pattern=name_pattern, older_than=older_than, concurrency=concurrency, progress=progress
                )
        async with open_run(self._admin, "delete_stale") as run:
            return await carry_out_deletion(
                run,
                name_pattern=name_pattern,
                older_than=older_than,
                plan=plan,
                concurrency=concurrency,
                progress=progress,
            )
