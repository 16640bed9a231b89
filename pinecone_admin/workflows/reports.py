"""Results and reports of workflows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, Literal, NamedTuple, TypeAlias, TypedDict, TypeVar, cast

from attrs import field, fields, frozen

from generated_client.models import (
    APIKey,
    APIKeyWithSecret,
    Invite,
    PrincipalType,
    Project,
    ProjectRoleName,
    ResourceType,
    RoleBinding,
    RoleName,
    ServiceAccount,
    User,
)
from pinecone_admin._http.argument_checks import as_plain_value, check_sequence, place_in
from pinecone_admin._http.operation_checks import binding_fields
from pinecone_admin._text.counts import count_noun
from pinecone_admin._text.messages import Name
from pinecone_admin._text.printable import make_printable
from pinecone_admin._text.quoting import describe_resource
from pinecone_admin.errors import PineconeTypeError, PineconeValueError
from pinecone_admin.models import to_dict
from pinecone_admin.workflows.changes import Step

_T_co = TypeVar("_T_co", covariant=True)


OnDifference: TypeAlias = Literal["report", "raise", "update"]
"""What ``ensure`` does if an existing resource differs from the requested one."""


@frozen(kw_only=True)
class Difference:
    """A setting of an existing resource that differs from the requested one.

    Attributes:
        setting: Name of the setting.
        found: Value that was found, such as a number of pods. Of roles, a tuple of texts, sorted.
        wanted: Requested value, such as a number of pods, in the same form.
    """

    setting: str
    """Name of the setting."""
    found: str | int | bool | tuple[str, ...] | None
    """Value that was found, such as a number of pods. Of roles, a tuple of texts, sorted."""
    wanted: str | int | bool | tuple[str, ...] | None
    """Requested value, such as a number of pods, in the same form."""

    def __str__(self) -> str:
        found, wanted = _format_value(self.found), _format_value(self.wanted)
        return make_printable(f"{self.setting}: found {found}, wanted {wanted}")


@frozen(kw_only=True, repr=False)
class Ensured(Generic[_T_co]):
    """A resource that exists after the call, whether the call created it or not.

    In an annotation, name the type of the resource, as in ``Ensured[Project]``.

    Attributes:
        created: Whether this call created the resource, or sent an expired invite again. In a dry run, whether a real
            run would do this.
        differences: Settings that differed from the requested ones. All roles are one setting, which also differs if
            there are more roles than you requested.
        steps: The steps in order. In a dry run, the planned steps.
    """

    _value: _T_co | None = field(alias="value", metadata={"name": "value"})
    created: bool
    """Whether this call created the resource, or sent an expired invite again."""
    differences: list[Difference] = field(factory=list[Difference])
    """Settings that differed from the requested ones."""
    steps: list[Step] = field(factory=list[Step])
    """The steps in order."""

    @property
    def value(self) -> _T_co:
        """The resource. In a dry run that would create it, reading this raises an error.

        If this call created a resource with a secret, the value contains the secret. To find out, test
        ``isinstance(ensured.value, APIKeyWithSecret)``.

        Raises:
            PineconeValueError: It was a dry run and ``created`` is True, so the resource does not exist yet.
        """
        if self._value is None:
            raise PineconeValueError("there is no value: it was a dry run, and the resource does not exist yet")
        return self._value

    def __str__(self) -> str:
        """Return one line with what was done, or would be done, or that nothing was changed. It contains no secret."""
        return _describe_result([self])

    def __repr__(self) -> str:
        return (
            f"Ensured(value={self._value!r}, created={self.created}, differences={self.differences}, "
            f"steps={self.steps})"
        )


@frozen(kw_only=True)
class Progress:
    """The progress of a workflow, as ``progress`` gets it.

    Attributes:
        done: Number of completed steps.
        total: Number of steps that are known so far.
        step: The last completed step, or the contents that remain in a project.
    """

    done: int
    """Number of completed steps."""
    total: int
    """Number of steps that are known so far."""
    step: str = field(converter=make_printable)
    """The last completed step, or the contents that remain in a project."""


@frozen(kw_only=True)
class Rotation:
    """The result of a key rotation.

    Attributes:
        key: The new key, with the name of the old one. Its value was passed to ``store``. In a dry run that would
            create it, this is the old key.
        replaced: Id of the old key.
        delete_after: When ``delete_retired`` may delete the old key; None if this call deletes it.
        steps: The steps of this run in order; an earlier run may have done more. In a dry run, the planned steps.
    """

    key: APIKey
    """The new key, with the name of the old one. Its value was passed to ``store``."""
    replaced: str
    """Id of the old key."""
    delete_after: datetime | None
    """When ``delete_retired`` may delete the old key; None if this call deletes it."""
    steps: list[Step]
    """The steps of this run in order; an earlier run may have done more."""

    def __str__(self) -> str:
        """Return one line with what was done, or would be done."""
        return "; ".join(map(str, self.steps))


@frozen(kw_only=True)
class KeptKey:
    """A temporary key or a retired key that was not deleted.

    Attributes:
        key: The key.
        delete_after: When the key may be deleted.
        reason: Why the key was not deleted.
        is_due: Whether ``delete_after`` has passed, so that the key was kept for another reason.
    """

    key: APIKey
    """The key."""
    delete_after: datetime
    """When the key may be deleted."""
    reason: str
    """Why the key was not deleted."""
    is_due: bool = False
    """Whether ``delete_after`` has passed, so that the key was kept for another reason."""


@frozen(kw_only=True)
class RetiredKeys:
    """The result of ``delete_retired``.

    Attributes:
        dry_run: Whether this is a preview, and nothing was changed.
        deleted: Retired and temporary keys that were deleted, in order. ``steps`` also lists deleted leftovers of
            interrupted rotations.
        kept: Keys that were not deleted, each with the reason.
        steps: The steps in order, with the keys that were kept. In a dry run, the planned steps.

    Example:
        >>> json.dumps(admin.api_keys.delete_retired(dry_run=True).to_dict())
    """

    dry_run: bool
    """Whether this is a preview, and nothing was changed."""
    deleted: list[APIKey]
    """Retired and temporary keys that were deleted, in order."""
    kept: list[KeptKey]
    """Keys that were not deleted, each with the reason."""
    steps: list[Step]
    """The steps in order, with the keys that were kept."""

    def __str__(self) -> str:
        """Return the report as text, one item per line."""
        lines = [*map(str, self.steps)] or ["no key is temporary or replaced by a rotation"]
        lines += ["nothing was changed"] if self.dry_run else []
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types."""
        return to_dict(self)


@frozen(kw_only=True)
class FailedRotation:
    """An API key that ``rotate_due`` did not rotate, or a project where it stopped.

    Attributes:
        project_id: Id of the project.
        project_name: Name of the project.
        key: The key. It is None if the keys of the project could not be listed, or if finishing earlier rotations or
            deleting retired keys failed.
        reason: The error, and what was undone. If the old key of a new key no longer exists, what you should do with
            the new one.
        help_code: Code of the error. It is None without an error, and for errors that are not of this package.
    """

    project_id: str
    """Id of the project."""
    project_name: str
    """Name of the project."""
    key: APIKey | None
    """The key. It is None if the keys of the project could not be listed, or if finishing earlier rotations or deleting
    retired keys failed."""
    reason: str = field(converter=make_printable)
    """The error, and what was undone. If the old key of a new key no longer exists, what you should do with the new
    one."""
    help_code: str | None = None
    """Code of the error. It is None without an error, and for errors that are not of this package."""

    def __str__(self) -> str:
        place = describe_resource("project", self.project_name, self.project_id)
        if self.key is None:
            return make_printable(f"failed in {place}, where no key was rotated: {self.reason}")
        key = describe_resource("key", self.key.name, self.key.id)
        return make_printable(f"failed to rotate {key} in {place}: {self.reason}")


@frozen(kw_only=True)
class DueRotations:
    """The result of one run of ``api_keys.rotate_due``.

    Attributes:
        dry_run: Whether this is a preview, and nothing was changed.
        finished: New keys of interrupted rotations that got their names in this run. Their values were stored before,
            and their old keys were retired. If only the value was stored, as a ``ReadableStore`` can show, the rotation
            is in ``rotated``.
        rotated: The rotations of this run, in order.
        deleted: Overdue retired and temporary keys that were deleted.
        kept: Retired and temporary keys of earlier runs that were not deleted, each with the reason. Keys of a project
            in ``failed`` can be missing.
        failed: Keys that were not rotated, and projects where the run stopped, each with the reason.
        unknown_age: Keys that may be due. Nothing shows their age, or only a role binding that may be younger than the
            key.
        steps: The steps in order. In a dry run, the planned steps.

    Example:
        >>> report = admin.api_keys.rotate_due(
        ...     older_than=timedelta(days=90),
        ...     keep_old_for=timedelta(days=7),
        ...     store=lambda new_key: None,
        ...     dry_run=True,
        ... )
        >>> json.dumps(report.to_dict())
    """

    dry_run: bool
    """Whether this is a preview, and nothing was changed."""
    finished: list[APIKey] = field(factory=list[APIKey])
    """New keys of interrupted rotations that got their names in this run. Their values were stored before, and their
    old keys were retired."""
    rotated: list[Rotation] = field(factory=list[Rotation])
    """The rotations of this run, in order."""
    deleted: list[APIKey] = field(factory=list[APIKey])
    """Overdue retired and temporary keys that were deleted."""
    kept: list[KeptKey] = field(factory=list[KeptKey])
    """Retired and temporary keys of earlier runs that were not deleted, each with the reason."""
    failed: list[FailedRotation] = field(factory=list[FailedRotation])
    """Keys that were not rotated, and projects where the run stopped, each with the reason."""
    unknown_age: list[APIKey] = field(factory=list[APIKey])
    """Keys that may be due. Nothing shows their age, or only a role binding that may be younger than the key."""
    steps: list[Step] = field(factory=list[Step])
    """The steps in order."""

    def __str__(self) -> str:
        """Return the report as text, one item per line."""
        lines = [*map(str, self.steps), *map(str, self.failed)]
        lines += [
            make_printable(f"the age of {describe_resource('key', key.name, key.id)} is unknown")
            for key in self.unknown_age
        ]
        lines = lines or ["no key is due"]
        lines += ["nothing was changed"] if self.dry_run else []
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types."""
        return to_dict(self)


@frozen(kw_only=True)
class FailedAccountRotation:
    """A service account that ``service_accounts.rotate_due`` did not rotate, or whose age may not have started again.

    Attributes:
        name: Name of the service account.
        account: The service account; None if there is none with the name.
        reason: The problem, and the changes that were made.
        help_code: Code of the error. It is None without an error, and for errors that are not of this package.
        was_rotated: Whether the secret was rotated and stored, and only ``updated_at`` of the account did not change.
    """

    name: str
    """Name of the service account."""
    account: ServiceAccount | None
    """The service account; None if there is none with the name."""
    reason: str = field(converter=make_printable)
    """The problem, and the changes that were made."""
    help_code: str | None = None
    """Code of the error. It is None without an error, and for errors that are not of this package."""
    was_rotated: bool = False
    """Whether the secret was rotated and stored, and only ``updated_at`` of the account did not change."""

    def __str__(self) -> str:
        named = describe_resource("service account", self.name, None if self.account is None else self.account.id)
        what = "was rotated, but" if self.was_rotated else "is not rotated:"
        return make_printable(f"{named} {what} {self.reason}")


@frozen(kw_only=True)
class DueAccountRotations:
    """The result of one run of ``service_accounts.rotate_due``.

    Attributes:
        dry_run: Whether this is a preview, and nothing was changed.
        rotated: Service accounts whose secrets were rotated and stored, in order. In a dry run, those that a real run
            would try to rotate.
        failed: Service accounts that were not rotated, or whose age may not have started again, each with the reason.
            If the account of the client is due, it is in this list.
        own: The service account of the client, which is never rotated; None if the client cannot see it.
        ended: Why the run stopped before it tried all due service accounts, or None.
        not_tried: Due service accounts that were not tried.
        may_be_older: Service accounts that are not due, but were created long enough ago. Nothing shows whether their
            secrets are as old, because a new name also changes ``updated_at``.
        unknown_age: Service accounts with an implausible ``updated_at``.
        steps: The steps in order. In a dry run, the planned steps.

    Example:
        >>> report = admin.service_accounts.rotate_due(
        ...     older_than=timedelta(days=90),
        ...     store=lambda new_account: None,
        ...     allow_unreadable=True,
        ...     dry_run=True,
        ... )
        >>> json.dumps(report.to_dict())
    """

    dry_run: bool
    """Whether this is a preview, and nothing was changed."""
    rotated: list[ServiceAccount] = field(factory=list[ServiceAccount])
    """Service accounts whose secrets were rotated and stored, in order."""
    failed: list[FailedAccountRotation] = field(factory=list[FailedAccountRotation])
    """Service accounts that were not rotated, or whose age may not have started again, each with the reason."""
    own: ServiceAccount | None = None
    """The service account of the client, which is never rotated; None if the client cannot see it."""
    ended: str | None = None
    """Why the run stopped before it tried all due service accounts, or None."""
    not_tried: list[ServiceAccount] = field(factory=list[ServiceAccount])
    """Due service accounts that were not tried."""
    may_be_older: list[ServiceAccount] = field(factory=list[ServiceAccount])
    """Service accounts that are not due, but were created long enough ago."""
    unknown_age: list[ServiceAccount] = field(factory=list[ServiceAccount])
    """Service accounts with an implausible ``updated_at``."""
    steps: list[Step] = field(factory=list[Step])
    """The steps in order."""

    def __str__(self) -> str:
        """Return the report as text, one item per line."""
        lines = [*map(str, self.steps), *map(str, self.failed)]
        lines += [] if self.ended is None else [f"the run ended early: {self.ended}"]
        lines += [f"{_name_account(each)} was not tried" for each in self.not_tried]
        lines = lines or ["no service account is due"]
        if self.own is not None and self.own not in (each.account for each in self.failed):
            lines.append(f"{_name_account(self.own)} makes this call, so it is never rotated")
        lines += [
            f"{_name_account(each)} is not due, because it was last changed on {each.updated_at:%Y-%m-%d}; if that was "
            f"a rename, its secret may be from {each.created_at:%Y-%m-%d}; to rotate it, pass names (--name on the "
            "command line) with its name"
            for each in self.may_be_older
        ]
        lines += [f"the age of {_name_account(each)} is unknown" for each in self.unknown_age]
        lines += ["nothing was changed"] if self.dry_run else []
        return "\n".join(map(make_printable, lines))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types."""
        return to_dict(self)


def _name_account(account: ServiceAccount) -> str:
    return describe_resource("service account", account.name, account.id)


@frozen(kw_only=True)
class RoleChange:
    """The result of ``change_role``.

    Attributes:
        binding: The new role binding. In a dry run that would create it, this is the old one.
        steps: The steps in order; empty if the change had been made before. In a dry run, the steps that a real run
            would do.
    """

    binding: RoleBinding
    """The new role binding."""
    steps: list[Step]
    """The steps in order; empty if the change had been made before."""

    def __str__(self) -> str:
        """Return one line with what was done, or would be done, or that nothing was changed."""
        return _describe_result([Ensured(value=self.binding, created=False, steps=self.steps)])


@frozen(kw_only=True)
class ProjectRole:
    """A role on the project that ``provision`` sets up.

    Attributes:
        principal_type: Type of the principal.
        principal_id: Id of the principal that is granted the role.
        role: A role on a project.

    Example:
        >>> support = ProjectRole(
        ...     principal_type="service_account",
        ...     principal_id=account.id,
        ...     role="ProjectViewer",
        ... )
    """

    principal_type: PrincipalType
    """Type of the principal."""
    principal_id: str
    """Id of the principal that is granted the role."""
    role: ProjectRoleName
    """A role on a project."""


class ProjectRoleDict(TypedDict):
    """A role on the project that ``provision`` sets up, as a mapping with the keys of ``ProjectRole``.

    Attributes:
        principal_type: Type of the principal.
        principal_id: Id of the principal that is granted the role.
        role: A role on a project.

    Example:
        >>> support: ProjectRoleDict = {
        ...     "principal_type": "service_account",
        ...     "principal_id": account.id,
        ...     "role": "ProjectViewer",
        ... }
    """

    principal_type: PrincipalType
    """Type of the principal."""
    principal_id: str
    """Id of the principal that is granted the role."""
    role: ProjectRoleName
    """A role on a project."""


@frozen(kw_only=True)
class Provisioned:
    """A project with its API key and role bindings, as ``provision`` returns it.

    Attributes:
        project: The project.
        key: The key of the project. If this call created it, its value was passed to ``store``. If an existing key has
            other roles, its ``differences`` list them.
        bindings: The role bindings, in the order of your request.
    """

    project: Ensured[Project]
    """The project."""
    key: Ensured[APIKeyWithSecret | APIKey]
    """The key of the project. If this call created it, its value was passed to ``store``."""
    bindings: list[Ensured[RoleBinding]]
    """The role bindings, in the order of your request."""

    @property
    def key_id(self) -> str:
        """Id of the key, whether this call created it or not.

        Raises:
            PineconeValueError: It was a dry run, and the key does not exist yet.
        """
        key = self.key.value
        return key.key.id if isinstance(key, APIKeyWithSecret) else key.id

    @property
    def steps(self) -> list[Step]:
        """The steps in order. In a dry run, the planned steps."""
        return [step for part in self._parts for step in part.steps]

    @property
    def _parts(self) -> list[Ensured[Any]]:
        return [self.project, *self.bindings, self.key]

    def __str__(self) -> str:
        """Return one line with what was done, or would be done, and what existed. It contains no secret."""
        return _describe_result(self._parts)


@frozen(kw_only=True)
class Reach:
    """The access of a user to one project.

    Attributes:
        project: The project.
        roles: Effective roles on the project, including roles on the organization that apply to it.
    """

    project: Project
    """The project."""
    roles: list[RoleName]
    """Effective roles on the project, including roles on the organization that apply to it."""


@frozen(kw_only=True)
class OffboardReport:
    """A user who is removed, what the user could access, and the secrets that the user may know.

    Attributes:
        email: The requested email address.
        dry_run: Whether this is a preview, and nothing was changed.
        user: The user, or None if no user has this address.
        invites: Invites to this address that somebody could still accept, or that could be sent again.
        bindings: Role bindings of the user and the invites. The server deletes them together with the user and the
            invites.
        reach: Projects that the user could access.
        keys_to_rotate: API keys of the projects in ``reach``. The user may know their values.
        service_accounts_to_rotate: Service accounts whose secrets the user may know, because the user could create or
            rotate them.
        refusal: Why the user cannot be removed, as far as the roles show it; otherwise None.
        steps: The steps in order. In a dry run, the planned steps.

    Example:
        >>> json.dumps(admin.users.offboard(email="ada@example.com").to_dict())
    """

    email: str
    """The requested email address."""
    dry_run: bool
    """Whether this is a preview, and nothing was changed."""
    user: User | None
    """The user, or None if no user has this address."""
    invites: list[Invite]
    """Invites to this address that somebody could still accept, or that could be sent again."""
    bindings: list[RoleBinding]
    """Role bindings of the user and the invites. The server deletes them together with the user and the invites."""
    reach: list[Reach]
    """Projects that the user could access."""
    keys_to_rotate: list[APIKey]
    """API keys of the projects in ``reach``. The user may know their values."""
    service_accounts_to_rotate: list[ServiceAccount]
    """Service accounts whose secrets the user may know, because the user could create or rotate them."""
    refusal: str | None
    """Why the user cannot be removed, as far as the roles show it; otherwise None."""
    steps: list[Step]
    """The steps in order. In a dry run, the planned steps."""

    def __str__(self) -> str:
        """Return the report as text, one item per line."""
        who = "no user" if self.user is None else f"user {self.user.id}"
        statuses = Counter(f"{each.status} invite" for each in self.invites) or Counter({"invite": 0})
        invites = ", ".join(count_noun(number, noun) for noun, number in statuses.items())
        roles = count_noun(len(self.bindings), "role")
        before, access = ("", "access") if self.dry_run else (" before", "had access")
        lines = [f"{self.email}{before}: {who}, {invites}, {roles}"]
        lines += [
            f"{access} to project {each.project.name} ({each.project.id}): {', '.join(each.roles)}"
            for each in self.reach
        ]
        names = {each.project.id: f"{each.project.name} ({each.project.id})" for each in self.reach}
        placed = [(key, names.get(key.project_id, key.project_id)) for key in self.keys_to_rotate]
        lines += [
            f"may know the value of API key {key.name} ({key.id}) of project {project}" for key, project in placed
        ]
        lines += [
            f"may know the secret of service account {account.name} ({account.id})"
            for account in self.service_accounts_to_rotate
        ]
        lines += [f"cannot be removed: {self.refusal}"] if self.refusal else []
        lines += map(str, self.steps)
        return "\n".join(map(make_printable, lines))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types."""
        return to_dict(self)


@frozen(kw_only=True)
class Content:
    """A resource in a project, such as an index.

    Attributes:
        kind: Kind of the resource: ``"index"``, ``"collection"``, ``"assistant"``, ``"backup"`` or ``"workspace"``.
        name: Name of the resource; for a backup, its id.
        protected: Whether deletion protection is on.
        leaving: Whether the server is already deleting the resource.
    """

    kind: str
    """Kind of the resource: ``"index"``, ``"collection"``, ``"assistant"``, ``"backup"`` or ``"workspace"``."""
    name: str
    """Name of the resource; for a backup, its id."""
    protected: bool = False
    """Whether deletion protection is on."""
    leaving: bool = False
    """Whether the server is already deleting the resource."""

    @property
    def key(self) -> tuple[str, str]:
        """Kind and name, which identify the resource in its project."""
        return self.kind, self.name

    def __str__(self) -> str:
        return make_printable(f"{self.kind} {self.name}")


@frozen(kw_only=True)
class CleanupReport:
    """The contents of a project, and what was deleted.

    Attributes:
        project: The project.
        dry_run: Whether this is a preview, and nothing was deleted except temporary API keys.
        contents: Contents that were found in the project.
        unseen: Kinds of content that the server refuses to list, such as ``"workspace"``. The project may contain some,
            and the workflow deletes none.
        deleted: Whether the project and all its contents are deleted.
        refusal: Why a real run would delete nothing, as far as the contents show it; otherwise None.
        temporary_keys: Ids of the temporary API keys that read the contents, with those that earlier runs left. All of
            them were deleted. A dry run makes no other change.
        steps: The steps in order. In a dry run, the planned steps.

    Example:
        >>> report = admin.projects.delete_with_cleanup(project_id=project.id, dry_run=True)
        >>> json.dumps(report.to_dict())
    """

    project: Project
    """The project."""
    dry_run: bool
    """Whether this is a preview, and nothing was deleted except temporary API keys."""
    contents: list[Content]
    """Contents that were found in the project."""
    unseen: list[str]
    """Kinds of content that the server refuses to list, such as ``"workspace"``. The project may contain some, and the
    workflow deletes none."""
    deleted: bool
    """Whether the project and all its contents are deleted."""
    refusal: str | None
    """Why a real run would delete nothing, as far as the contents show it; otherwise None."""
    temporary_keys: list[str]
    """Ids of the temporary API keys that read the contents, with those that earlier runs left. All of them were
    deleted."""
    steps: list[Step]
    """The steps in order. In a dry run, the planned steps."""

    def __str__(self) -> str:
        """Return the report as text, one item per line."""
        lines = [
            f"project {self.project.name} ({self.project.id}) contains {count_noun(len(self.contents), 'resource')}"
            + describe_unseen(self.unseen)
        ]
        if self.dry_run and self.refusal:
            lines += [
                f"{content}{', deletion protection is on' if content.protected else ''}" for content in self.contents
            ]
            lines += [f"cannot be deleted: {self.refusal}"]
        lines += map(str, self.steps)
        lines += name_temporary_keys(self.temporary_keys)
        lines += ["nothing else was deleted"] if self.dry_run else []
        return "\n".join(map(make_printable, lines))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types."""
        return to_dict(self)


def _describe_result(parts: Sequence[Ensured[Any]]) -> str:
    """Return what was done to the parts and which were there, and that nothing was changed if that is so for all."""
    texts: list[str] = []
    for each in parts:
        texts += map(str, each.steps) if each.steps else [_describe_found(each.value)]
        texts += [f"differs: {difference}" for difference in each.differences]
    changed = any(part.steps for part in parts)
    return "; ".join(texts if changed else [*texts, "nothing was changed"])


def _describe_found(value: object) -> str:
    if isinstance(value, RoleBinding):
        named = describe_binding(value)
    else:
        known: Any = value
        nouns: Mapping[Any, str] = {APIKey: "key", Invite: "invite for", ServiceAccount: "service account"}
        name = known.email if isinstance(value, Invite | User) else known.name
        named = describe_resource(nouns.get(type(known), type(known).__name__.lower()), name, known.id)
    return make_printable(f"found {named}")


def describe_unseen(kinds: Iterable[str]) -> str:
    """Return the end of a sentence that says which kinds of content cannot be seen, if there are any."""
    return "".join(f"; whether it has a {each} cannot be seen" for each in kinds)


def name_temporary_keys(ids: Iterable[str]) -> list[str]:
    """Return a line that names the temporary keys of a workflow, if there are any."""
    named = ", ".join(ids)
    return [f"temporary API keys that were deleted again: {named}"] if named else []


def parse_project_roles(bindings: object) -> list[ProjectRole]:
    """Convert roles on a project, given as ``ProjectRole`` or as mappings.

    Raises:
        PineconeTypeError: An entry is neither, or a mapping has other keys.
    """
    return [
        _project_role(place_in("bindings", f"[{position}]"), each)
        for position, each in enumerate(check_sequence("bindings", bindings))
    ]


def _project_role(where: Name, entry: object) -> ProjectRole:
    if isinstance(entry, ProjectRole):
        return entry
    names = [each.name for each in fields(ProjectRole)]
    if not isinstance(entry, Mapping) or set(cast("Mapping[object, object]", entry)) != set(names):
        keys = ", ".join(names)
        raise PineconeTypeError(where, f" must be a ProjectRole, or a mapping with exactly the keys {keys}")
    return ProjectRole(**cast("ProjectRoleDict", entry))


def compare_settings(**settings: tuple[object, object]) -> list[Difference]:
    """Compare settings, each given as a pair of the found and the wanted value; None means not requested."""
    return [
        Difference(setting=setting, found=_read_value(found), wanted=_read_value(wanted))
        for setting, (found, wanted) in settings.items()
        if wanted is not None and found != wanted
    ]


def _read_value(value: object) -> Any:
    if isinstance(value, Collection) and not isinstance(value, str):
        return tuple(sorted(str(as_plain_value(each)) for each in cast("Collection[object]", value)))
    return as_plain_value(value)


def _format_value(value: object) -> str:
    return (", ".join(cast("tuple[str, ...]", value)) or "nothing") if isinstance(value, tuple) else str(value)


class BindingKey(NamedTuple):
    """The identity of a role binding of one principal. The id of the resource counts only for a project."""

    role: RoleName
    resource_type: ResourceType
    project_id: str | None

    def __str__(self) -> str:
        return f"{self.role} on {self.resource_type}" + (f" {self.project_id}" if self.project_id is not None else "")


def key_of_binding(role: RoleName, resource_type: ResourceType, resource_id: str | None) -> BindingKey:
    """Return what identifies a role binding of one principal."""
    # The id of the organization is optional in a binding to create, so it is left out of the comparison.
    project_id = as_plain_value(resource_id) if as_plain_value(resource_type) == "project" else None
    return BindingKey(as_plain_value(role), as_plain_value(resource_type), project_id)


def describe_binding(binding: RoleBinding) -> str:
    """Return the role, on what it is, and who holds it."""
    key = key_of_binding(binding.role, binding.resource_type, binding.resource_id)
    noun = "key" if binding.principal_type == "api_key" else binding.principal_type.replace("_", " ")
    return f"{key} for {describe_resource(noun, None, binding.principal_id)}"


def keys_of_wanted_bindings(bindings: Iterable[object]) -> list[BindingKey]:
    """Return what identifies role bindings to create, given as models or mappings, in their order."""
    found = [cast("Mapping[str, Any]", binding_fields(binding) or {}) for binding in bindings]
    return [key_of_binding(each["role"], each["resource_type"], each.get("resource_id")) for each in found]
