# Derived from pinecone_admin/_async/projects.py by scripts/unasync.py: change that, not this file.
"""Projects: what indexes and API keys live in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from generated_client.api.projects.create_project import create_project
from generated_client.api.projects.delete_project import delete_project
from generated_client.api.projects.fetch_project import fetch_project
from generated_client.api.projects.list_projects import list_projects
from generated_client.api.projects.update_project import update_project
from generated_client.models import APIKeyRole, APIKeyWithSecret, CreateProjectRequest, Project, UpdateProjectRequest
from pinecone_admin._http.lookup import find_by_name
from pinecone_admin._http.validation import check_project_name
from pinecone_admin._sync.pagination import Paginator
from pinecone_admin.errors import NotFoundError, PineconeValueError

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin
    from pinecone_admin.workflows.reports import (
        CleanupReport,
        Ensured,
        Progress,
        ProjectRole,
        ProjectRoleDict,
        Provisioned,
    )

AllProjects: TypeAlias = list[Project]


class Projects:
    """Projects, as ``admin.projects``."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin

    def list(self) -> AllProjects:
        """List the projects of the organization, completely."""
        return Paginator[Project](self._admin, list_projects()).to_list()

    def create(
        self, *, name: str, max_pods: int | None = None, force_encryption_with_cmek: bool | None = None
    ) -> Project:
        """Create a project. It is sent once: names are not unique, so a repeat would make another project.

        Args:
            name: 1 to 512 characters, no NUL.
            max_pods: Pods that its indexes may have, from 0; the server's default is 0.
            force_encryption_with_cmek: Demand a customer-managed encryption key, which cannot be undone; the
                server's default is False.

        Raises:
            BadRequestError: ``max_pods`` above 0 without pod access.
            ForbiddenError: The plan allows no further project.
            ServiceError: The server failed; where ``outcome`` is ``"unknown"``, look for the project before repeating.
        """
        body = CreateProjectRequest(name=name, max_pods=max_pods, force_encryption_with_cmek=force_encryption_with_cmek)
        return self._admin.send(create_project(body=body))

    def ensure(
        self, *, name: str, max_pods: int | None = None, force_encryption_with_cmek: bool | None = None
    ) -> Ensured[Project]:
        """Give the project of this name, created where there is none.

        After a create whose answer was lost it looks for the project until the time for a call is over. Settings that
        differ are reported, not changed. Two processes that do this at the same moment can still make two projects.

        Args:
            name: Its exact name, 1 to 512 characters, no NUL.
            max_pods: Pods that its indexes may have, from 0.
            force_encryption_with_cmek: Demand a customer-managed encryption key, which cannot be undone.

        Raises:
            AmbiguousNameError: Several have the name; ``ids`` holds all of them.
            ForbiddenError: The plan allows no further project.
            PineconeError: The answer to the create was lost, and no new project was seen until the client's ``timeout``
                was over; ``outcome`` is ``"unknown"``.
        """
        from pinecone_admin._sync.workflows.ensure import ensure_project  # noqa: PLC0415 - only who uses it pays

        return ensure_project(
            self._admin, name=name, max_pods=max_pods, force_encryption_with_cmek=force_encryption_with_cmek
        )

    def describe(self, *, project_id: str) -> Project:
        """Fetch a project.

        Args:
            project_id: Its id.

        Raises:
            NotFoundError: The organization has no such project.
        """
        return self._admin.send(fetch_project(project_id=project_id))

    def describe_by_name(self, *, name: str) -> Project:
        """Find the one project of this name.

        Args:
            name: Its exact name.

        Raises:
            PineconeValueError: No project can have it.
            NotFoundError: No project has it.
            AmbiguousNameError: Several have it; ``ids`` holds all of them.
        """
        check_project_name(name, operation="describe_by_name")
        return find_by_name(name, self.list(), operation="describe_by_name")

    def exists(self, *, project_id: str | None = None, name: str | None = None) -> bool:
        """Tell whether there is such a project; any failure but 404 is raised.

        Args:
            project_id: Its id, or
            name: its exact name; several projects of one name exist, too.

        Raises:
            PineconeValueError: Both or neither are given, or no project can have the name.
        """
        if (project_id is None) == (name is None):
            raise PineconeValueError("exists needs either project_id or name", operation="exists")
        if project_id is None:
            check_project_name(name, operation="exists")
            return any(project.name == name for project in self.list())
        try:
            self.describe(project_id=project_id)
        except NotFoundError:
            return False
        return True

    def update(
        self,
        *,
        project_id: str,
        name: str | None = None,
        max_pods: int | None = None,
        force_encryption_with_cmek: bool | None = None,
    ) -> Project:
        """Change a project; what is None stays as it is.

        Args:
            project_id: Its id.
            name: New name, 1 to 512 characters, no NUL.
            max_pods: Pods that its indexes may have, from 0.
            force_encryption_with_cmek: True demands a customer-managed encryption key, which cannot be undone.

        Raises:
            PineconeValueError: Nothing to change is given.
            NotFoundError: The organization has no such project.
        """
        body = UpdateProjectRequest(name=name, max_pods=max_pods, force_encryption_with_cmek=force_encryption_with_cmek)
        return self._admin.send(update_project(project_id=project_id, body=body))

    def provision(
        self,
        *,
        name: str,
        key_roles: Sequence[APIKeyRole],
        store: Callable[[APIKeyWithSecret], None],
        bindings: Sequence[ProjectRole | ProjectRoleDict] = (),
    ) -> Provisioned:
        """Set up a tenant: a project, a key of the same name in it, and roles.

        What exists already is kept, so that a run that died is completed by the next one. Where a step fails, what this
        call made is deleted again, in reverse. Provision a tenant from one process at a time: where two do, the one
        that fails undoes what the other is building on.

        Args:
            name: Name of the project, 1 to 512 characters; the key has its first 80.
            key_roles: What the key may do.
            store: Keeps the value of a new key, before the key gets its name. If it raises, it must not have kept it:
                the key is deleted.
            bindings: Who else gets a role on the project, as models or mappings.

        Raises:
            AmbiguousNameError: Several projects, or several keys in it, have the name.
            ForbiddenError: The plan allows no further project or key, or not this role.
            LeftoverError: A step failed, and not everything could be deleted again; ``left`` says what.
            NotFoundError: A principal does not exist.
        """
        from pinecone_admin._sync.workflows.provision import provision  # noqa: PLC0415 - only who uses it pays

        return provision(self._admin, name=name, key_roles=key_roles, store=store, bindings=bindings)

    def delete(self, *, project_id: str) -> None:
        """Delete a project and its API keys.

        Args:
            project_id: Its id.

        Raises:
            FailedPreconditionError: It still holds indexes, collections, assistants or backups.
            NotFoundError: The organization has no such project.
        """
        self._admin.send(delete_project(project_id=project_id))

    def delete_with_cleanup(
        self,
        *,
        project_id: str,
        dry_run: bool = False,
        timeout: float = 600.0,
        lift_protection: bool = False,
        progress: Callable[[Progress], None] | None = None,
    ) -> CleanupReport:
        """Delete everything in a project, wait until it is gone, and delete the project.

        Indexes, collections, assistants and backups can be reached with a key of the project only: a temporary one, of
        the least role, is made and deleted in every case, also by ``dry_run=True``, which deletes nothing else. A run
        that died is finished by the next one; runs side by side do not harm each other.

        Args:
            project_id: Its id.
            dry_run: Only say what would be deleted.
            timeout: Seconds for everything, above 0.
            lift_protection: Delete indexes with deletion protection, too.
            progress: Is told what is left, each time that is looked at.

        Raises:
            RefusedError: Deletion protection is on for an index; told before anything is deleted, where it was on then.
            FailedPreconditionError: The server still finds something when the time is over.
            PineconeTimeoutError: Something was still there when the time was over; the message names it.
            ForbiddenError: The project has no room for another key.
            LeftoverError: The temporary key could not be deleted; ``left`` names it.
            NotFoundError: The organization has no such project, also after a run that finished.
        """
        from pinecone_admin._sync.workflows.delete_with_cleanup import delete_with_cleanup  # noqa: PLC0415 - only who uses it pays

        return delete_with_cleanup(
            self._admin,
            project_id=project_id,
            dry_run=dry_run,
            timeout=timeout,
            lift_protection=lift_protection,
            progress=progress,
        )
