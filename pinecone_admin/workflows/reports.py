"""Results and reports of workflows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Generic, TypedDict, TypeVar, cast

from attrs import field, fields, frozen

from generated_client.models import (
    APIKey,
    APIKeyWithSecret,
    Invite,
    PrincipalType,
    Project,
    RoleBinding,
    RoleName,
    ServiceAccount,
    User,
)
from pinecone_admin._http.argument_checks import as_plain_value, check_sequence
from pinecone_admin._http.validation import binding_fields
from pinecone_admin.errors import PineconeTypeError
from pinecone_admin.models import to_dict

_T_co = TypeVar("_T_co", covariant=True)


@frozen(kw_only=True)
class Difference:
    """A setting of an existing resource that differs from the requested one; it was not changed.

    Attributes:
        setting: Name of the setting.
        found: Present value, as text.
        wanted: Requested value, as text.
    """

    setting: str
    found: str
    wanted: str

    def __str__(self) -> str:
        return f"{self.setting}: found {self.found}, wanted {self.wanted}"


@frozen(kw_only=True)
class Ensured(Generic[_T_co]):
    """A resource that exists now, whether this call created it or not.

    Attributes:
        value: The resource. If this call created it and it has a secret, the value is of the type with the secret:
            test ``isinstance(ensured.value, APIKeyWithSecret)``.
        created: Whether this call created it.
        differences: Settings that differ from the requested ones.
    """

    value: _T_co
    created: bool
    differences: list[Difference] = field(factory=list[Difference])


@frozen(kw_only=True)
class Progress:
    """Progress of a workflow.

    Attributes:
        done: Number of completed steps.
        total: Number of steps known so far.
        step: Description of the last completed step.
    """

    done: int
    total: int
    step: str


@frozen(kw_only=True)
class Rotation:
    """An API key that replaced another.

    Attributes:
        key: The new key, with the name of the old one; its value was passed to ``store``.
        replaced: Id of the old key, which was deleted.
        steps: Steps of this run, in order; an earlier run may have done others.
    """

    key: APIKey
    replaced: str
    steps: list[str]


@frozen(kw_only=True)
class RoleChange:
    """A role that replaced another.

    Attributes:
        binding: The new role binding.
        steps: Steps that were done, in order; empty if the change had been made before.
    """

    binding: RoleBinding
    steps: list[str]


@frozen(kw_only=True)
class ProjectRole:
    """A role on the project that is being provisioned.

    Attributes:
        principal_type: Type of the principal.
        principal_id: Id of the principal that gets the role.
        role: A project role.
    """

    principal_type: PrincipalType
    principal_id: str
    role: RoleName


class ProjectRoleDict(TypedDict):
    """A role on the project that is being provisioned, as a mapping with the keys of ``ProjectRole``."""

    principal_type: PrincipalType
    principal_id: str
    role: RoleName


@frozen(kw_only=True)
class Provisioned:
    """A project with its key and role bindings.

    Attributes:
        project: The project.
        key: The key of the project; if it was created, its value was passed to ``store``.
        bindings: The role bindings, in the requested order.
    """

    project: Ensured[Project]
    key: Ensured[APIKeyWithSecret | APIKey]
    bindings: list[Ensured[RoleBinding]]


@frozen(kw_only=True)
class Reach:
    """The access of a user to one project.

    Attributes:
        project: The project.
        roles: Effective roles on it, including roles on the organization that apply to it.
    """

    project: Project
    roles: list[RoleName]


@frozen(kw_only=True)
class OffboardReport:
    """A user who is removed, the access they had, and the secrets that they may know.

    Attributes:
        email: The requested email address.
        dry_run: Whether the report only previews the removal, and nothing was changed.
        user: The user, or None if no user has this address.
        invites: Invites to this address that could still be accepted or resent.
        bindings: Role bindings of the user and the invites; the server deletes them together with these.
        reach: Projects that the user could access.
        keys_to_rotate: API keys of these projects, whose values the user may know.
        service_accounts_to_rotate: Service accounts whose secrets the user may know, being able to create or rotate
            them.
        refusal: Why the user cannot be removed, or None.
        steps: Steps that were done, in order.
    """

    email: str
    dry_run: bool
    user: User | None
    invites: list[Invite]
    bindings: list[RoleBinding]
    reach: list[Reach]
    keys_to_rotate: list[APIKey]
    service_accounts_to_rotate: list[ServiceAccount]
    refusal: str | None
    steps: list[str]

    def __str__(self) -> str:
        """Return the report as text, one item per line."""
        if self.user is None and not self.invites:
            return f"{self.email}: no user or open invite has this address; nothing to do"
        who = "no user" if self.user is None else f"user {self.user.id}"
        lines = [
            f"{self.email}: {who}, {_count_noun(self.invites, 'open invite')}, {_count_noun(self.bindings, 'role')}"
        ]
        lines += [
            f"access to project {each.project.name} ({each.project.id}): {', '.join(each.roles)}" for each in self.reach
        ]
        lines += [
            f"may know the value of API key {key.name} ({key.id}) of project {key.project_id}"
            for key in self.keys_to_rotate
        ]
        lines += [
            f"may know the secret of service account {account.name} ({account.id})"
            for account in self.service_accounts_to_rotate
        ]
        lines += [f"cannot be removed: {self.refusal}"] if self.refusal else []
        return "\n".join([*lines, *self.steps, *(["nothing was changed"] if self.dry_run else [])])

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types."""
        return to_dict(self)


@frozen(kw_only=True)
class Content:
    """A resource in a project.

    Attributes:
        kind: ``"index"``, ``"collection"``, ``"assistant"`` or ``"backup"``.
        name: Name of the resource; the id for a backup.
        protected: Whether deletion protection is on.
        leaving: Whether the server is already deleting it.
    """

    kind: str
    name: str
    protected: bool = False
    leaving: bool = False

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@frozen(kw_only=True)
class CleanupReport:
    """The contents of a project, and what was deleted.

    Attributes:
        project: The project.
        dry_run: Whether the report only previews the deletion, and nothing was deleted.
        contents: Contents that were found in the project.
        deleted: Whether the project and all its contents are deleted.
        steps: Steps that were done, in order.
    """

    project: Project
    dry_run: bool
    contents: list[Content]
    deleted: bool
    steps: list[str]

    def __str__(self) -> str:
        """Return the report as text, one item per line."""
        lines = [f"project {self.project.name} ({self.project.id}) contains {_count_noun(self.contents, 'resource')}"]
        if self.dry_run:
            lines += [f"{each}{', deletion protection is on' if each.protected else ''}" for each in self.contents]
        return "\n".join([*lines, *self.steps, *(["nothing was deleted"] if self.dry_run else [])])

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types."""
        return to_dict(self)


def parse_project_roles(bindings: object) -> list[ProjectRole]:
    """Convert roles on a project, given as ``ProjectRole`` or as mappings.

    Raises:
        PineconeTypeError: An entry is neither, or a mapping has other keys.
    """
    return [
        _project_role(f"bindings[{position}]", each)
        for position, each in enumerate(check_sequence("bindings", bindings))
    ]


def _project_role(where: str, entry: object) -> ProjectRole:
    if isinstance(entry, ProjectRole):
        return entry
    names = [each.name for each in fields(ProjectRole)]
    if not isinstance(entry, Mapping) or set(cast("Mapping[object, object]", entry)) != set(names):
        raise PineconeTypeError(f"{where} must be a ProjectRole, or a mapping with exactly the keys {', '.join(names)}")
    return ProjectRole(**cast("ProjectRoleDict", entry))


def compare_settings(**settings: tuple[object, object]) -> list[Difference]:
    """Compare settings, each given as a pair of the found and the wanted value; None means not requested."""
    return [
        Difference(setting=setting, found=_format_value(found), wanted=_format_value(wanted))
        for setting, (found, wanted) in settings.items()
        if wanted is not None and found != wanted
    ]


def _count_noun(items: Collection[object], noun: str) -> str:
    return f"{len(items)} {noun}{'' if len(items) == 1 else 's'}"


def _format_value(value: object) -> str:
    if isinstance(value, Collection) and not isinstance(value, str):
        return ", ".join(sorted(map(_format_value, value))) or "nothing"  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return str(as_plain_value(value))


def describe_bindings(bindings: Iterable[RoleBinding]) -> frozenset[str]:
    """Describe role bindings, for a comparison with the wanted ones."""
    return frozenset(_describe_role(each.role, each.resource_type, each.resource_id) for each in bindings)


def describe_wanted_bindings(bindings: Iterable[object]) -> frozenset[str]:
    """Describe role bindings to create, given as models or mappings."""
    fields = [binding_fields(each) or {} for each in bindings]
    return frozenset(_describe_role(each["role"], each["resource_type"], each.get("resource_id")) for each in fields)


def _describe_role(role: object, resource_type: object, resource_id: object) -> str:
    # The id of the organization is optional in a binding to create, so it is left out of the comparison.
    role, resource_type, resource_id = map(as_plain_value, (role, resource_type, resource_id))
    return f"{role} on {resource_type}" + (f" {resource_id}" if resource_type == "project" else "")
