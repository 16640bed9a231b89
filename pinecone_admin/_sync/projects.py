# Derived from pinecone_admin/_async/projects.py by scripts/unasync.py: change that, not this file.
"""Methods of ``admin.projects``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias, overload

from generated_client import api, models
from generated_client.models import Project
from pinecone_admin import workflows
from pinecone_admin._concurrency.lazy import Namespace
from pinecone_admin._http.lookup import find_by_name
from pinecone_admin._http.operation_checks import check_name
from pinecone_admin._sync.pagination import fetch_all
from pinecone_admin._text.messages import Name
from pinecone_admin.errors import PineconeValueError
from pinecone_admin.workflows.sent_changes import IgnoreGone

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin
    from pinecone_admin._sync.sender import Sender

AllProjects: TypeAlias = list[Project]


class Projects(Namespace):
    """Create, list, describe, update, provision and delete projects, as ``admin.projects``.

    Every method also raises the errors of ``Admin.send``.
    """

    def __init__(self, admin: Admin, sender: Sender) -> None:
        self._admin = admin
        self._sender = sender

    def list(self) -> AllProjects:
        """List the projects of the organization that the caller may see.

        Returns:
            All of them.

        Example:
            >>> [each.name for each in admin.projects.list()]
            ['search']
        """
        return fetch_all(self._sender, api.list_projects())

    def create(
        self, *, name: str, max_pods: int | None = None, force_encryption_with_cmek: bool | None = None
    ) -> Project:
        """Create a project.

        Project names are not unique, so a repeated request would create a second project. The client therefore does not
        repeat a create that the server may have processed.

        Args:
            name: Name of the project, 1 to 512 characters without NUL.
            max_pods: Maximum number of pods for the indexes of the project, from 0; the server's default is 0.
            force_encryption_with_cmek: Require a customer-managed encryption key, which cannot be undone; the server's
                default is False.

        Returns:
            The new project.

        Raises:
            BadRequestError: ``max_pods`` is above 0, and the organization has no pod access; by Pinecone's pages on
                projects, those that signed up on or after 2025-08-18 have none.
            ForbiddenError: The plan allows no further project.
            PineconeError: If ``outcome`` is ``"unknown"`` or ``"done"``, the project may exist: look for it before you
                create it again.

        Example:
            >>> project = admin.projects.create(name="checkout")
            >>> project.name
            'checkout'
        """
        body = models.CreateProjectRequest(
            name=name, max_pods=max_pods, force_encryption_with_cmek=force_encryption_with_cmek
        )
        return self._admin.send(api.create_project(body=body))

    def ensure(
        self,
        *,
        name: str,
        max_pods: int | None = None,
        force_encryption_with_cmek: bool | None = None,
        on_difference: workflows.OnDifference = "report",
        dry_run: bool = False,
    ) -> workflows.Ensured[Project]:
        """Return the project with this name, and create it if there is none.

        If the response to the create is lost, the project is looked for until the client's ``timeout`` has passed. If
        this call is cancelled, a project that it has created is deleted. Make one call at a time for a name, also in
        tasks and threads of one process: two at once can create two projects. So can an account that does not see the
        first one: only an OrgOwner sees all.

        Args:
            name: Exact name of the project, 1 to 512 characters without NUL.
            max_pods: Maximum number of pods for the indexes of the project, from 0; None accepts any.
            force_encryption_with_cmek: Require a customer-managed encryption key, which cannot be undone; None accepts
                either setting.
            on_difference: What to do if settings of an existing project differ: ``"report"`` them, ``"raise"``, or
                ``"update"`` them.
            dry_run: Only report what would be done.

        Returns:
            The project, whether this call created it, the settings that differed, and what was done.

        Raises:
            AmbiguousNameError: Several projects have the name; ``ids`` lists them.
            RefusedError: Settings differ, and ``on_difference`` is ``"raise"``; nothing was changed.
            BadRequestError: As of ``create`` and ``update``.
            ForbiddenError: The plan allows no further project.
            PineconeError: The response to the create was lost, and no new project appeared before the client's
                ``timeout`` had passed; ``outcome`` is ``"unknown"``. The notes (``__notes__``) of any error name
                what was done and is left.

        Example:
            >>> ensured = admin.projects.ensure(name="checkout")
            >>> ensured.created, ensured.value.name
            (True, 'checkout')
        """
        from pinecone_admin._sync.workflows.ensure import ensure_project  # noqa: PLC0415 - imported on first use
        from pinecone_admin._sync.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        with open_run(self._admin, "ensure_project", dry_run=dry_run) as run:
            return ensure_project(
                run,
                name=name,
                max_pods=max_pods,
                force_encryption_with_cmek=force_encryption_with_cmek,
                on_difference=on_difference,
            )

    def describe(self, *, project_id: str) -> Project:
        """Fetch one project.

        Args:
            project_id: Id of the project.

        Raises:
            NotFoundError: The account sees no project with this id.

        Example:
            >>> project = admin.projects.describe(project_id=project.id)
        """
        return self._admin.send(api.fetch_project(project_id=project_id))

    def describe_by_name(self, *, name: str) -> Project:
        """Find the only project with this name.

        Args:
            name: Exact name of the project, 1 to 512 characters without NUL.

        Raises:
            PineconeValueError: No project can have this name; nothing was sent.
            NotFoundError: The account sees no project with this name.
            AmbiguousNameError: Several projects have the name; ``ids`` lists them.

        Example:
            >>> project = admin.projects.describe_by_name(name="search")
        """
        check_name(name, Project, operation="describe_by_name")
        return find_by_name(name, self.list(), noun="project", operation="describe_by_name")

    def exists(self, *, project_id: str | None = None, name: str | None = None) -> bool:
        """Return whether the account sees a project with this id or name.

        Pass either ``project_id`` or ``name``.

        Args:
            project_id: Id of the project.
            name: Exact name of the project, 1 to 512 characters without NUL.

        Returns:
            False if the API responds 404 or no project has the name; True if one project or several have it. Every
            other failure is raised, also a 404 without an error code, which another server than the API sends.

        Raises:
            PineconeValueError: Both arguments or neither were passed, or no project can have this name; nothing was
                sent.

        Example:
            >>> admin.projects.exists(name="search")
            True
        """
        if (project_id is None) == (name is None):
            raise PineconeValueError("pass either ", Name("project_id"), " or ", Name("name"), operation="exists")
        if project_id is None:
            check_name(name, Project, operation="exists")
            return any(project.name == name for project in self.list())
        with IgnoreGone():
            self.describe(project_id=project_id)
            return True
        return False

    def update(
        self,
        *,
        project_id: str,
        name: str | None = None,
        max_pods: int | None = None,
        force_encryption_with_cmek: bool | None = None,
    ) -> Project:
        """Change the settings of a project. Arguments that are None leave a setting unchanged.

        Args:
            project_id: Id of the project.
            name: New name, 1 to 512 characters without NUL.
            max_pods: Maximum number of pods for the indexes of the project, from 0.
            force_encryption_with_cmek: True requires a customer-managed encryption key, which cannot be undone.

        Returns:
            The project with its new settings.

        Raises:
            PineconeValueError: There is nothing to change; nothing was sent.
            BadRequestError: ``force_encryption_with_cmek`` is False and was True, or ``max_pods`` is above 0, and the
                organization has no pod access.
            NotFoundError: The account sees no project with this id.

        Example:
            >>> project = admin.projects.update(project_id=project.id, name="search-eu")
            >>> project.name
            'search-eu'
        """
        body = models.UpdateProjectRequest(
            name=name, max_pods=max_pods, force_encryption_with_cmek=force_encryption_with_cmek
        )
        return self._admin.send(api.update_project(project_id=project_id, body=body))

    def provision(
        self,
        *,
        name: str,
        key_roles: Sequence[models.APIKeyRole],
        store: Callable[[models.APIKeyWithSecret], object],
        bindings: Sequence[workflows.ProjectRole | workflows.ProjectRoleDict] = (),
        dry_run: bool = False,
    ) -> workflows.Provisioned:
        """Set up a tenant: a project, role bindings, and an API key with the same name in it.

        Existing parts are kept, also a key with other roles, which its ``differences`` show, so that the next run
        completes an interrupted one; as of ``ensure``, what the account does not see is made again. The key comes last.
        If a step fails or this call is cancelled before ``store`` has returned, everything that it created is deleted
        in reverse order, and notes on the error say so; later, nothing is deleted, and the next run completes it.
        Make one call at a time for a tenant, also in tasks and threads of one process, such as for a repeated POST: two
        can create two projects, and the one that fails deletes what the other depends on.

        Args:
            name: Name of the project, 1 to 512 characters without NUL. The first 80 characters are the name of the key.
            key_roles: Roles of the key.
            store: Function that stores the value of a new key, which it receives under the final name, before the key
                gets it. It may return anything. If it raises, it must not have stored the value: the key is deleted.
            bindings: Roles on the project for other principals, as ``ProjectRole`` models or mappings.
            dry_run: Only report what would be done.

        Returns:
            The project, the key and the bindings, each with whether this call created it.

        Raises:
            AmbiguousNameError: Several projects, or several keys in the project, have the name.
            ForbiddenError: The plan allows no further project or key, or does not have one of the roles.
            LeftoverError: A step failed, and not everything could be deleted; ``left`` lists what remains.
            NotFoundError: A principal does not exist.
            ConflictError: An invite was accepted, or an identity provider manages a person.
            PineconeError: If ``outcome`` is ``"unknown"`` or ``"done"``, something may remain, which the next run
                keeps. The notes (``__notes__``) of any error name what was done and is left.

        Example:
            >>> tenant = admin.projects.provision(
            ...     name="tenant-0042",
            ...     key_roles=["DataPlaneEditor"],
            ...     store=lambda made: vault.update({made.key.name: made.value}),
            ... )
            >>> tenant.project.created, tenant.key.created
            (True, True)
        """
        from pinecone_admin._sync.workflows.provision import provision  # noqa: PLC0415 - imported on first use
        from pinecone_admin._sync.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        with open_run(self._admin, "provision", dry_run=dry_run) as run:
            return provision(run, name=name, key_roles=key_roles, store=store, bindings=bindings)

    def delete(self, *, project_id: str) -> None:
        """Delete a project and its API keys.

        Args:
            project_id: Id of the project.

        Raises:
            FailedPreconditionError: The project still contains indexes, collections, assistants, backups or workspaces.
            NotFoundError: The account sees no project with this id.

        Example:
            >>> admin.projects.delete(project_id=project.id)
        """
        self._admin.send(api.delete_project(project_id=project_id))

    def delete_with_cleanup(
        self,
        *,
        project_id: str,
        dry_run: bool = False,
        time_limit: timedelta = timedelta(minutes=10),
        lift_protection: bool = False,
        progress: Callable[[workflows.Progress], object] | None = None,
    ) -> workflows.CleanupReport:
        """Delete everything in a project, wait until it is gone, and delete the project.

        Indexes, collections, assistants, backups and workspaces can be reached only with an API key of the project. A
        temporary key with ControlPlaneEditor, or where that is refused ProjectEditor, is created, and then deleted, as
        are those that earlier runs left. This also happens with ``dry_run=True``, which changes nothing else;
        ``temporary_keys`` in the report names the keys. The next run completes an interrupted one, and concurrent runs
        do not harm each other.

        Args:
            project_id: Id of the project.
            dry_run: Only report what would be deleted; ``refusal`` in the report says why a real run would refuse.
            time_limit: Time after which it waits no longer, above 0; requests in progress can take the client's
                ``timeout`` in addition.
            lift_protection: Also delete indexes with deletion protection.
            progress: Function that receives what is left, each time that the contents are read, once some were found.

        Returns:
            What the project contained, what was done, and whether the project is deleted.

        Raises:
            RefusedError: Deletion protection is on for an index, or the server forbids a deletion; then other contents
                may be deleted. Protection that is on at the start is reported before anything is.
            FailedPreconditionError: The server still found something in the project when the time was up.
            PineconeTimeoutError: Something was still there when the time was up; the message names it.
            ForbiddenError: The project has no room for another key.
            LeftoverError: The temporary key could not be deleted; ``left`` names it.
            UnauthorizedError: The service did not accept the temporary key for 30 seconds.
            NotFoundError: The account sees no project with this id; an earlier run may have deleted it.
            PineconeError: A step failed; the notes (``__notes__``) of any error name what was done and is left.

        Example:
            >>> report = admin.projects.delete_with_cleanup(
            ...     project_id=project.id, time_limit=timedelta(minutes=5)
            ... )
            >>> report.deleted
            True
        """
        from pinecone_admin._sync.workflows.delete_with_cleanup import delete_with_cleanup  # noqa: PLC0415 - imported on first use
        from pinecone_admin._sync.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        with open_run(self._admin, "delete_with_cleanup", dry_run=dry_run) as run:
            return delete_with_cleanup(
                run, project_id=project_id, time_limit=time_limit, lift_protection=lift_protection, progress=progress
            )

    @overload
    def delete_stale(
        self,
        *,
        name_pattern: str,
        older_than: timedelta,
        plan: None = None,
        concurrency: int = 4,
        progress: Callable[[workflows.Progress], object] | None = None,
    ) -> workflows.StalePlan: ...

    @overload
    def delete_stale(
        self,
        *,
        name_pattern: str | None = None,
        older_than: timedelta | None = None,
        plan: workflows.StalePlan,
        concurrency: int = 4,
        progress: Callable[[workflows.Progress], object] | None = None,
    ) -> workflows.StaleReport: ...

    def delete_stale(
        self,
        *,
        name_pattern: str | None = None,
        older_than: timedelta | None = None,
        plan: workflows.StalePlan | None = None,
        concurrency: int = 4,
        progress: Callable[[workflows.Progress], object] | None = None,
    ) -> workflows.StalePlan | workflows.StaleReport:
        """Delete projects that test runs left behind: first make a plan of them, then carry it out.

        Without ``plan``, return a plan of the projects whose name matches and that are old enough, with all their
        contents that the server shows. Nothing changes, apart from temporary API keys that read the contents: they are
        deleted again, with those that earlier runs left, and the plan names them. ``to_json`` and
        ``StalePlan.from_json`` save and restore the plan.

        With a plan, delete its projects with everything in them, and no others. A project stays, and is listed under
        ``left`` with the reason, if it was renamed, has no date of creation or is not old enough, contains something
        that is protected or not in the plan, or cannot be deleted; ``steps`` shows contents that are deleted. The next
        run of the same plan completes an interrupted one: a project that is gone counts as deleted if the account is
        seen to be an OrgOwner, who sees every project; otherwise it is left, because it may only be invisible.

        Args:
            name_pattern: Pattern of names, such as ``"ci-*"``, with ``*``, ``?`` and ``[…]`` as in a shell; matching
                respects case. With a plan, pass None or the pattern of the plan.
            older_than: Age that a project must exceed, above 0. With a plan, pass None or the age of the plan.
            plan: Plan to carry out.
            concurrency: Maximum number of projects in progress at once, from 1.
            progress: Function that is called after each project.

        Returns:
            The plan; or, if one was carried out, a report of what was deleted, and what was left.

        Raises:
            RefusedError: The plan is of another organization, or the server's responses have no valid Date, so that its
                time is unknown; nothing was changed.
            PineconeTypeError: ``plan`` is not a ``StalePlan``.
            ClientClosedError: The client is closed.
            ReadOnlyError: The client is read-only, so it can create no key.
            PineconeError: A step failed; the notes (``__notes__``) of any error name what was done and is left.

        Example:
            >>> plan = admin.projects.delete_stale(
            ...     name_pattern="ci-*", older_than=timedelta(days=7)
            ... )
            >>> print(plan)
            >>> report = admin.projects.delete_stale(plan=plan)
        """
        from pinecone_admin._sync.workflows.delete_stale import carry_out_deletion, plan_deletion  # noqa: PLC0415 - imported on first use
        from pinecone_admin._sync.workflows.run import open_run  # noqa: PLC0415 - imported on first use

        if plan is None:
            with open_run(self._admin, "delete_stale") as run:
                return plan_deletion(
                    run, name_pattern=name_pattern, older_than=older_than, concurrency=concurrency, progress=progress
                )
        with open_run(self._admin, "delete_stale") as run:
            return carry_out_deletion(
                run,
                name_pattern=name_pattern,
                older_than=older_than,
                plan=plan,
                concurrency=concurrency,
                progress=progress,
            )
