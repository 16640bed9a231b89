"""What workflows say: what they found, made and did."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypedDict, TypeVar, cast

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
from pinecone_admin._http.arguments import check_sequence
from pinecone_admin._http.validation import binding_fields
from pinecone_admin.errors import AmbiguousNameError, PineconeTypeError
from pinecone_admin.models import to_dict

_T_co = TypeVar("_T_co", covariant=True)


@frozen(kw_only=True)
class Difference:
    """A setting that is not what was asked for; it was not changed.

    Attributes:
        setting: Its name.
        found: What it is.
        wanted: What it should be.
    """

    setting: str
    found: str
    wanted: str

    def __str__(self) -> str:
        return f"{self.setting} is {self.found}, not {self.wanted}"


@frozen(kw_only=True)
class Ensured(Generic[_T_co]):
    """What there is now, whoever made it.

    Attributes:
        value: The thing itself. Only where it was created does it come with its secret, in a type of its own: ask
            ``isinstance(ensured.value, APIKeyWithSecret)``.
        created: Whether this call made it.
        differences: Settings that are not what was asked for.
    """

    value: _T_co
    created: bool
    differences: list[Difference] = field(factory=list[Difference])


@frozen(kw_only=True)
class Progress:
    """How far a workflow has come.

    Attributes:
        done: Steps that are done.
        total: Steps that are known of.
        step: The last one, in words.
    """

    done: int
    total: int
    step: str


@frozen(kw_only=True)
class Rotation:
    """A key that took the place of another.

    Attributes:
        key: The new key, under the name of the old one; its value went to ``store``.
        replaced: Id of the old key, which is deleted.
        steps: What was done, in order; an earlier run may have done the rest.
    """

    key: APIKey
    replaced: str
    steps: list[str]


@frozen(kw_only=True)
class RoleChange:
    """A role that took the place of another.

    Attributes:
        binding: The new binding.
        steps: What was done, in order; nothing where the change was done already.
    """

    binding: RoleBinding
    steps: list[str]


@frozen(kw_only=True)
class ProjectRole:
    """A role on the project that is provisioned.

    Attributes:
        principal_type: Kind of the principal.
        principal_id: Who gets it.
        role: A project role.
    """

    principal_type: PrincipalType
    principal_id: str
    role: RoleName


class ProjectRoleDict(TypedDict):
    """A role on the project that is provisioned, as a mapping: the same keys as ``ProjectRole``."""

    principal_type: PrincipalType
    principal_id: str
    role: RoleName


@frozen(kw_only=True)
class Provisioned:
    """A project with its key and bindings.

    Attributes:
        project: The project.
        key: Its key; the value of one that was created went to ``store``.
        bindings: The bindings, in the order they were asked for.
    """

    project: Ensured[Project]
    key: Ensured[APIKeyWithSecret | APIKey]
    bindings: list[Ensured[RoleBinding]]


@frozen(kw_only=True)
class Reach:
    """What somebody could reach in one project.

    Attributes:
        project: The project.
        roles: The roles there, those held on the organization included.
    """

    project: Project
    roles: list[RoleName]


@frozen(kw_only=True)
class OffboardReport:
    """Who leaves, what they could reach, and which secrets they may know.

    Attributes:
        email: The address that was asked for.
        dry_run: Whether this only says what would be done.
        user: The user, or None where no member has the address.
        invites: Invites of the address that could still be accepted or resent.
        bindings: Roles of the user and of the invites, which go with them.
        reach: The projects they could reach.
        keys_to_rotate: Keys of these projects, whose values they may know.
        service_accounts_to_rotate: Service accounts whose secrets they may know, since they could make or rotate them.
        refusal: Why they cannot be removed, or None.
        steps: What was done, in order.
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
        """Put it in words, a line each."""
        if self.user is None and not self.invites:
            return f"{self.email}: no user and no open invite has this address; there was nothing to do"
        who = "no user" if self.user is None else f"user {self.user.id}"
        lines = [
            f"{self.email}: {who}, {_count_noun(self.invites, 'open invite')}, {_count_noun(self.bindings, 'role')}"
        ]
        lines += [
            f"reached project {each.project.name} ({each.project.id}) as {', '.join(each.roles)}" for each in self.reach
        ]
        lines += [f"may know API key {key.name} ({key.id}) of project {key.project_id}" for key in self.keys_to_rotate]
        lines += [
            f"may know the secret of service account {account.name} ({account.id})"
            for account in self.service_accounts_to_rotate
        ]
        lines += [f"cannot be removed: {self.refusal}"] if self.refusal else []
        return "\n".join([*lines, *self.steps, *(["nothing was changed"] if self.dry_run else [])])

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON types."""
        return to_dict(self)


@frozen(kw_only=True)
class Content:
    """Something that a project holds.

    Attributes:
        kind: ``"index"``, ``"collection"``, ``"assistant"`` or ``"backup"``.
        name: Its name, or the id of a backup.
        protected: Whether deletion protection is on.
        leaving: Whether it is being deleted already.
    """

    kind: str
    name: str
    protected: bool = False
    leaving: bool = False

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@frozen(kw_only=True)
class CleanupReport:
    """What a project held, and what became of it.

    Attributes:
        project: The project.
        dry_run: Whether this only says what would be deleted.
        contents: What it held.
        deleted: Whether the project and all of it are gone.
        steps: What was done, in order.
    """

    project: Project
    dry_run: bool
    contents: list[Content]
    deleted: bool
    steps: list[str]

    def __str__(self) -> str:
        """Put it in words, a line each."""
        lines = [f"project {self.project.name} ({self.project.id}): {_count_noun(self.contents, 'thing')} in it"]
        if self.dry_run:
            lines += [f"{each}{', protected' if each.protected else ''}" for each in self.contents]
        return "\n".join([*lines, *self.steps, *(["nothing was deleted"] if self.dry_run else [])])

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON types."""
        return to_dict(self)


def parse_project_roles(bindings: object) -> list[ProjectRole]:
    """Take roles on a project in both their forms.

    Raises:
        PineconeTypeError: An entry has neither.
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
        raise PineconeTypeError(f"{where} must be a ProjectRole, or a mapping with {', '.join(names)} and nothing else")
    return ProjectRole(**cast("ProjectRoleDict", entry))


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


_I = TypeVar("_I", bound=_Identified)


def require_single(found: Sequence[_I], what: str) -> _I:
    """Give the one thing there is.

    Raises:
        AmbiguousNameError: There are several.
    """
    if len(found) > 1:
        ids = [each.id for each in found]
        raise AmbiguousNameError(f"there are {len(ids)} of {what}: {', '.join(ids)}", ids=ids)
    return found[0]


def compare_settings(**settings: tuple[object, object]) -> list[Difference]:
    """Compare settings, each given as it was found and as it was wanted; what was not asked for is None."""
    return [
        Difference(setting=setting, found=_format_value(found), wanted=_format_value(wanted))
        for setting, (found, wanted) in settings.items()
        if wanted is not None and found != wanted
    ]


def _count_noun(things: Collection[object], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


def _format_value(value: object) -> str:
    if isinstance(value, Collection) and not isinstance(value, str):
        return ", ".join(sorted(map(str, value))) or "nothing"  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return str(value)


def describe_bindings(bindings: Iterable[RoleBinding]) -> frozenset[str]:
    """Put bindings in words, for a comparison."""
    return frozenset(_describe_role(each.role, each.resource_type, each.resource_id) for each in bindings)


def describe_wanted_bindings(bindings: Iterable[object]) -> frozenset[str]:
    """Put bindings to create in words, whichever form they have."""
    fields = [binding_fields(each) or {} for each in bindings]
    return frozenset(_describe_role(each["role"], each["resource_type"], each.get("resource_id")) for each in fields)


def _describe_role(role: object, resource_type: object, resource_id: object) -> str:
    # One's own organization may be named or left out.
    return f"{role} on {resource_type}" + (f" {resource_id}" if resource_type == "project" else "")
