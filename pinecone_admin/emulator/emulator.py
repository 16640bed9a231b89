"""The emulator in process: the `Emulator` class."""

import json
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import format_datetime
from functools import partial
from random import Random
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, Unpack, cast

from attrs import evolve, frozen

from pinecone_admin._concurrency.locks import ensure_released, renew_lock_in_children
from pinecone_admin.emulator.api import checks, dispatch
from pinecone_admin.emulator.api.checks import Fields
from pinecone_admin.emulator.api.messages import Request, Response
from pinecone_admin.emulator.api.oauth import TOKEN_PATH
from pinecone_admin.emulator.api.preconditions import require_record
from pinecone_admin.emulator.api.refusals import Refusal, invalid_argument, quoted
from pinecone_admin.emulator.api.serialization import Document
from pinecone_admin.emulator.control import snapshot
from pinecone_admin.emulator.control.configuration import (
    SETTINGS,
    SettingArguments,
    changed_settings,
    settings_document,
)
from pinecone_admin.emulator.control.faults import ANY, Faults
from pinecone_admin.emulator.control.request_log import RequestLog
from pinecone_admin.emulator.http.transport import EmulatorTransport
from pinecone_admin.emulator.model.clock import Clock
from pinecone_admin.emulator.model.records import (
    PROJECT_CONTENTS,
    ContentRecord,
    Grant,
    Principal,
    ProjectRecord,
    UserRecord,
)
from pinecone_admin.emulator.model.roles import ORGANIZATION_ROLES, PROJECT_ROLES
from pinecone_admin.emulator.model.settings import PAYMENT_STATUSES, EmulatorSettings
from pinecone_admin.emulator.model.state import State, random_id

if TYPE_CHECKING:
    from pinecone_admin import Admin, AsyncAdmin
    from pinecone_admin.emulator.client_arguments import AdminArguments, AsyncAdminArguments

T = TypeVar("T")
Role: TypeAlias = str | tuple[str, str]
"""An organization role is its name; a project role is a pair of its name and the project's id."""


@frozen(repr=False)
class ServiceAccountCredentials:
    """The client credentials of a service account."""

    client_id: str
    client_secret: str


class Emulator:
    """An emulator of Pinecone's Admin API and token endpoint for one organization.

    At first, the organization has two owners: the caller, which is a service account, and one user. Most scripts run
    with the defaults: an Enterprise plan in good standing, and no pods, as in every new organization.

    Args:
        plan: Free, Standard, Enterprise or Dedicated.
        builder: Whether the plan Free is the one that Pinecone calls Builder, with more projects, users and indexes.
        payment_status: Active, PaymentPending or PastDue; or Restricted, Suspended or Deactivated, which forbid
            creating resources.
        permissions: ``"published"`` to enforce the permission matrix. ``"open"`` to enforce only the rule that a
            principal cannot grant a role that it does not have.
        project_quota: Number of projects that the organization may have; by default the limit of the plan.
        user_quota: Number of users that the organization may have; by default the limit of the plan.
        api_key_quota: Number of API keys that a project may have; by default the limit of the plan.
        created_key_status: HTTP status after the creation of an API key, from 200 to 201. Existing clients require 200;
            the published documents state 201.
        key_created_at: Whether an API key has `created_at`. No document contains the field, and official tests expect
            it.
        invite_mails_per_hour: Number of invite emails that the organization may send in an hour.
        pod_access: Whether the `max_pods` of a project may be above 0, as in organizations from before 2025-08-18. The
            command `pc project create` needs it.
        default_max_pods: With pod access, the `max_pods` of a project that is created without one, from 0.
        max_pods_floor: Number from 0. A smaller `max_pods` other than 0 is raised to it.
        managed_people: True if an identity provider manages all people, or the email addresses of those that it
            manages.
        managed_changes: ``"refused"`` to refuse changes of these people. ``"reverted"`` to accept them until the next
            `sync` reverts them.
        token_lifetime: Seconds until an access token expires.
        rotation_revokes_tokens: Whether the rotation of a secret revokes the access tokens of the service account.
        rotation_changes_updated_at: Whether the rotation of a secret changes `updated_at` of the service account.
        same_name_changes_updated_at: Whether an update of a service account with its own name changes `updated_at`.
        key_prefix: Prefix of key values. The published documents also show `pckey_`.
        creation_delay: Seconds until an index, collection, assistant or backup that a client creates is ready.
        seed: Number that makes ids, secrets and the probabilities of faults the same in every run. After `load`, new
            ids and secrets depend on the document instead. After `reset`, they depend on the last loaded document, or
            on the state at construction. This state and the documents of `dump` contain times, so pass a fixed
            `clock`, too, if a program calls these methods.
        clock: The clock; by default a new one at the real time, which stands still until you advance it.

    Attributes:
        clock: The clock of the emulator. `clock.advance(seconds)` makes tokens and invites expire and quotas recover.
        state: The state of the organization, for tests to inspect.
        faults: The faults to inject. `faults.add` adds one.
        requests: The requests that were received, with masked secrets.
        transport: A transport for httpx clients, sync and async. A forked child has only a copy of the emulator. There,
            the transport sends requests to `host`, or refuses them if the emulator is not served.

    Raises:
        ValueError: An argument is invalid. The message names it.

    Example:
        >>> emulator = Emulator()
        >>> with emulator.admin() as admin:
        ...     project = admin.projects.create(name="search")
        >>> emulator.state.projects[project.id].name
        'search'
    """

    state: State
    """The state of the organization, for tests to inspect."""

    def __init__(
        self,
        *,
        plan: str = "Enterprise",
        builder: bool = False,
        payment_status: str = "Active",
        permissions: str = "published",
        project_quota: int | None = None,
        user_quota: int | None = None,
        api_key_quota: int | None = None,
        created_key_status: int = 200,
        key_created_at: bool = True,
        invite_mails_per_hour: int = 100,
        pod_access: bool = False,
        default_max_pods: int = 0,
        max_pods_floor: int = 0,
        managed_people: bool | Collection[str] = False,
        managed_changes: str = "refused",
        token_lifetime: int = 1800,
        rotation_revokes_tokens: bool = True,
        rotation_changes_updated_at: bool = True,
        same_name_changes_updated_at: bool = True,
        key_prefix: str = "pcsk_",
        creation_delay: float = 0.0,
        seed: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        settings = {name: value for name, value in locals().items() if name in SETTINGS}
        self.clock: Clock = clock or Clock()
        """The clock of the emulator. `clock.advance(seconds)` makes tokens and invites expire and quotas recover."""
        self.faults: Faults = Faults(seed)
        """The faults to inject. `faults.add` adds one."""
        self.requests: RequestLog = RequestLog()
        """The requests that were received, with masked secrets."""
        self.transport: EmulatorTransport = EmulatorTransport(
            self.handle, self.clock, lambda: self._hosts[-1] if self._hosts else None
        )
        """A transport for httpx clients, sync and async."""
        # Not the numbers of the state or of the faults: these begin again, and an id must not.
        self._request_ids = Random(None if seed is None else f"request ids {seed}")  # noqa: S311 — an id is no secret
        self._lock = RLock()
        renew_lock_in_children(self)
        self._hosts: list[str] = []
        organization = {"plan": plan, "payment_status": payment_status}
        random = Random(seed)  # noqa: S311 — its secrets protect nothing, and a seed must repeat them
        document = {"organization": organization, "settings": settings}
        read = snapshot.load_state(document, EmulatorSettings(), random, self.clock.now())
        self.state, self._caller = read.state, read.caller
        self._initial_state = json.dumps(self.dump()), self._identify()

    def __repr__(self) -> str:
        return f"<Emulator of organization {self.organization_id}>"

    @property
    def client_id(self) -> str:
        """The caller's client id."""
        return self._caller.client_id

    @property
    def client_secret(self) -> str:
        """The caller's current client secret."""
        return self._caller.client_secret

    @property
    def organization_id(self) -> str:
        """The organization's id."""
        return self.state.organization.id

    @property
    def host(self) -> str:
        """The URL where the emulator is served.

        Raises:
            RuntimeError: The emulator is not served. `emulate(serve=True)` and `serving(emulator)` serve it.
        """
        if not self._hosts:
            raise RuntimeError("the emulator is not served: use emulate(serve=True), or serving(emulator)")
        return self._hosts[-1]

    @property
    def oauth_url(self) -> str:
        """The URL of the token endpoint where the emulator is served.

        Raises:
            RuntimeError: The emulator is not served.
        """
        return self.host + TOKEN_PATH

    @contextmanager
    def served_at(self, host: str) -> Generator[None, None, None]:
        """Set `host` and `oauth_url` to the address of a server for the time of a block.

        Args:
            host: URL of the server.
        """
        self._hosts.append(host)
        try:
            yield
        finally:
            self._hosts.remove(host)

    def handle(self, request: Request) -> Response:
        """Handle a request. Requests are handled one at a time, from any thread.

        Args:
            request: The request, as the emulator's server and transport create it.
        """
        with ensure_released(self._lock), self._lock:
            now = self.clock.now()
            operation_id = dispatch.operation_id(request)
            fault = self.faults.next_match(request, operation_id)
            # A fault may name an operation that the emulator does not have.
            if fault and not operation_id and fault.operation != ANY:
                operation_id = fault.operation
            if fault and fault.revoke_token:
                self.state.revoke_token(dispatch.bearer_token(request) or "")
            request_id = random_id(self._request_ids)
            respond = partial(dispatch.handle, request, self.state, self.clock, request_id)
            response = self.faults.respond(fault, request, respond, now, request_id) if fault else respond()
            self.requests.add(request, operation_id, response, now, fault.kind if fault else None)
            # The emulator's time, not the server's: clients compare a date in Retry-After with it.
            return evolve(response, headers={"date": format_datetime(now, usegmt=True), **response.headers})

    def read_state(self, read: Callable[[State], T]) -> T:
        """Call a function with the state, and return its result. No request changes the state during the call.

        Args:
            read: Function that reads the state. It should take only a few milliseconds, because all requests wait for
                it.
        """
        with ensure_released(self._lock), self._lock:
            return read(self.state)

    # Clients

    def admin(self, *, roles: Iterable[Role] | None = None, **options: "Unpack[AdminArguments]") -> "Admin":
        """Return a client that is connected to this emulator.

        The client uses real time. Inside `emulate(emulator)`, it uses the emulator's clock.

        Args:
            roles: Roles of a new service account for the client; by default, the client uses the caller, which is an
                owner. A role on the organization is its name; a role on a project is a pair of its name and the id of
                the project.
            options: Further arguments of `pinecone_admin.Admin`.

        Raises:
            ValueError: A role or project does not exist.
        """
        from pinecone_admin import Admin  # noqa: PLC0415 — the emulator must not need the client

        return Admin(**self._client_options(roles, options))

    def async_admin(
        self, *, roles: Iterable[Role] | None = None, **options: "Unpack[AsyncAdminArguments]"
    ) -> "AsyncAdmin":
        """Return an async client that is connected to this emulator.

        The client uses real time. Inside `emulate(emulator)`, it uses the emulator's clock.

        Args:
            roles: As in `admin`.
            options: Further arguments of `pinecone_admin.AsyncAdmin`.

        Raises:
            ValueError: A role or project does not exist.

        Example:
            >>> async with emulator.async_admin(roles=["OrgMember"]) as member:
            ...     print(len(await member.users.list()))
            2
        """
        from pinecone_admin import AsyncAdmin  # noqa: PLC0415 — the emulator must not need the client

        return AsyncAdmin(**self._client_options(roles, {"oauth_transport": self.transport, **options}))

    def _client_options(self, roles: Iterable[Role] | None, options: Mapping[str, object]) -> dict[str, Any]:
        account = self if roles is None else self.add_client(roles=roles)
        defaults = {"client_id": account.client_id, "client_secret": account.client_secret, "transport": self.transport}
        return {**defaults, **options}

    # Control

    def reset(self) -> None:
        """Restore the state of construction or of the last `load`, and the time. Remove all faults and requests.

        The caller has its initial credentials again. Its access tokens stay valid, so that clients continue to work; a
        client that has rotated the secret is an exception. `state` is a new object after the call. Unless a document
        was loaded, new resources get other ids than after construction.

        Example:
            >>> emulator.state.projects.clear()
            >>> emulator.reset()
        """
        with ensure_released(self._lock), self._lock:
            self.clock.reset()
            self._replace_state(self._read_state(*self._initial_state))
            self.faults.clear()
            self.requests.clear()

    def dump(self) -> Document:
        """Return the whole state as a JSON document. It contains secrets.

        Example:
            >>> saved = json.dumps(emulator.dump())
        """
        return snapshot.write_document(self._freeze())

    def dump_text(self) -> Iterator[str]:
        """Yield the whole state as JSON text, with one record in each line. The emulator continues to handle requests.

        Example:
            >>> saved = "".join(emulator.dump_text())
        """
        return snapshot.encode_document(self._freeze())

    def _freeze(self) -> Mapping[str, snapshot.Writer]:
        with ensure_released(self._lock), self._lock:
            return snapshot.freeze_state(self.state, self._caller, self.clock.now())

    def load(self, document: object) -> None:
        """Replace the whole state. Faults and requests stay, and `state` is a new object after the call.

        Args:
            document: A document that `dump` returned, or a part of one. Without a `caller`, the credentials and tokens
                of the emulator stay valid, and their account is an owner. Without an id of the organization, the id
                stays. If the document is from a later time, the clock is set to that time.

        Raises:
            ValueError: The document is malformed. The message names the field.

        Example:
            >>> emulator.load({"projects": [{"name": "search"}]})
            >>> [project.name for project in emulator.state.projects.values()]
            ['search']
        """
        try:
            text = json.dumps(document)
        except TypeError as error:
            raise ValueError(f"the document cannot be encoded as JSON: {error}") from error
        # Reading a large document takes seconds, and requests need not wait for it.
        known = self._identify()
        read = self._read_state(text, known)
        with ensure_released(self._lock), self._lock:
            self._replace_state(read)
            self._initial_state = text, known

    def _identify(self) -> snapshot.Identity:
        return snapshot.Identity(self.organization_id, evolve(self._caller))

    def _read_state(self, text: str, known: snapshot.Identity) -> snapshot.Snapshot:
        # Seeded by the document: with a fixed seed, new ids would repeat those that the document already has.
        random = Random(text)  # noqa: S311 — as above
        settings = evolve(EmulatorSettings(), plans=self.state.settings.plans)
        return snapshot.load_state(json.loads(text), settings, random, self.clock.now(), known)

    def _replace_state(self, read: snapshot.Snapshot) -> None:
        # A document from an earlier time leaves the clock where it is.
        if read.time is not None and read.time > self.clock.now():
            self.clock.set(read.time)
        caller = self._caller.id
        if read.caller.id == caller:
            # Without its tokens, a client that is in use would get a 401 on its next call.
            kept = {value: each for value, each in self.state.tokens.items() if each.service_account_id == caller}
            read.state.tokens |= kept
        self.state, self._caller = read.state, read.caller

    @property
    def settings(self) -> Document:
        """The plan, the payment status and the settings, by the names of the constructor's arguments."""
        organization = self.state.organization
        document: Document = {"plan": organization.plan, "payment_status": organization.payment_status}
        return document | settings_document(self.state.settings)

    def configure(self, /, **changes: "Unpack[SettingArguments]") -> None:
        """Change the plan, the payment status or other settings, by the names of the constructor's arguments.

        Args:
            changes: The new values. All other settings stay.

        Raises:
            ValueError: A setting does not exist, or its value is invalid. Then nothing is changed.

        Example:
            >>> emulator.configure(plan="Standard", project_quota=3)
        """
        with ensure_released(self._lock), self._lock:
            plan, payment_status, settings = checks.closed_object(self._read_changes)("", changes)
            self.state.settings = settings
            self.state.organization.plan = plan
            self.state.organization.payment_status = payment_status

    def _read_changes(self, fields: Fields) -> tuple[str, str, EmulatorSettings]:
        organization, settings = self.state.organization, self.state.settings
        return (
            fields.get("plan", checks.one_of(settings.plans), organization.plan),
            fields.get("payment_status", checks.one_of(PAYMENT_STATUSES), organization.payment_status),
            changed_settings(settings, fields),
        )

    def add_user(self, email: str, *, name: str | None = None, roles: Iterable[Role] = ("OrgMember",)) -> UserRecord:
        """Add a user without an invite.

        Args:
            email: Email address that no other user has.
            name: Name of the user, or None.
            roles: Roles of the user. A role on the organization is its name; a role on a project is a pair of its name
                and the id of the project.

        Raises:
            ValueError: Another user has the email address, it is malformed, or a role or project does not exist.

        Example:
            >>> eve = emulator.add_user(
            ...     "eve@example.com", roles=["OrgManager", ("ProjectViewer", project.id)]
            ... )
        """
        with ensure_released(self._lock), self._lock:
            grants = self._read_roles(roles)
            checks.email("email", email)
            if self.state.users.find(email):
                raise Refusal(409, "ALREADY_EXISTS", f"a user already has the email {quoted(email)}")
            user = self.state.add_user(email, checks.nullable(checks.string)("name", name))
            self.state.bind(Principal("user", user.id), grants, self.clock.now())
            return user

    def accept_invite(self, invite_id: str, *, name: str | None = None) -> UserRecord:
        """Accept an invite, as its recipient would do.

        Args:
            invite_id: Id of a pending invite.
            name: Name that the user enters, or None.

        Returns:
            The new user, with the roles of the invite.

        Raises:
            ValueError: The invite does not exist, was accepted before, or has expired.

        Example:
            >>> bob = emulator.accept_invite(invite.id, name="Bob")
        """
        with ensure_released(self._lock), self._lock:
            now = self.clock.now()
            invite = require_record("Invite", invite_id, self.state.invites.get(invite_id))
            if invite.status(now) != "pending":
                raise Refusal(409, "ABORTED", f"invite {invite.id} is {invite.status(now)}")
            return self.state.accept_invite(invite, now, checks.nullable(checks.string)("name", name))

    def sync(self) -> None:
        """Let the identity provider revert the changes that clients have made to the people that it manages.

        With `managed_changes="reverted"`, it restores removed people and the former roles of these people, and
        withdraws invites for them. People who accepted such an invite are removed.

        Example:
            >>> emulator.configure(managed_people=True, managed_changes="reverted")
            >>> emulator.sync()
        """
        with ensure_released(self._lock), self._lock:
            self.state.restore_people()

    def add_client(self, *, roles: Iterable[Role], name: str = "client") -> ServiceAccountCredentials:
        """Create a service account on any plan, and return its credentials.

        Args:
            roles: Roles of the account, as in `add_user`.
            name: Name of the account.

        Raises:
            ValueError: A role or project does not exist.

        Example:
            >>> reporter = emulator.add_client(roles=["OrgMember"], name="reporter")
            >>> admin = Admin(
            ...     client_id=reporter.client_id, client_secret=reporter.client_secret
            ... )
        """
        with ensure_released(self._lock), self._lock:
            grants = self._read_roles(roles)
            account = self.state.add_service_account(checks.max_bytes(80)("name", name), self.clock.now())
            self.state.bind(Principal("service_account", account.id), grants, self.clock.now())
            return ServiceAccountCredentials(account.client_id, account.client_secret)

    def hold(self, project_id: str, kind: str, name: str, *, protected: bool = False) -> None:
        """Add a resource to a project. The project cannot be deleted until the resource is removed.

        Args:
            project_id: Id of the project.
            kind: indexes, collections, assistants, backups or workspaces.
            name: The name of the resource.
            protected: Whether the resource has deletion protection. Only indexes can have it.

        Raises:
            ValueError: The project or kind does not exist, or resources of this kind cannot have deletion protection.

        Example:
            >>> emulator.hold(project.id, "indexes", "articles", protected=True)
        """
        with ensure_released(self._lock), self._lock:
            project, kind = self._find_project(project_id), checks.one_of(PROJECT_CONTENTS)("kind", kind)
            if checks.boolean("protected", protected) and kind != "indexes":
                raise invalid_argument(f"{kind} have no deletion protection")
            record = ContentRecord(checks.max_characters(512)("name", name))
            project.contents[kind].setdefault(name, record).protected = protected

    def release(self, project_id: str, kind: str, name: str) -> None:
        """Remove a resource from a project, also if it is protected.

        Args:
            project_id: Id of the project.
            kind: indexes, collections, assistants, backups or workspaces.
            name: The name of the resource.

        Raises:
            ValueError: The project, kind or resource does not exist.

        Example:
            >>> emulator.hold(project.id, "collections", "snapshot")
            >>> emulator.release(project.id, "collections", "snapshot")
        """
        with ensure_released(self._lock), self._lock:
            project, kind = self._find_project(project_id), checks.one_of(PROJECT_CONTENTS)("kind", kind)
            if name not in project.contents[kind]:
                raise Refusal(404, "NOT_FOUND", f"{quoted(name)} is not one of the project's {kind}")
            del project.contents[kind][name]

    def _find_project(self, project_id: str) -> ProjectRecord:
        return require_record("Project", project_id, self.state.projects.get(project_id))

    def _read_roles(self, roles: Iterable[Role]) -> list[Grant]:
        # A string is iterable, too: "OrgOwner" would otherwise be refused letter by letter.
        if isinstance(roles, str):
            raise invalid_argument(f"roles must be a list of roles, not {quoted(roles)}")
        grants = checks.array(self._read_role)("roles", list(roles))
        return list(dict.fromkeys(grants))

    def _read_role(self, field: str, value: object) -> Grant:
        if isinstance(value, str) and value in ORGANIZATION_ROLES:
            return Grant(value, "organization", self.organization_id)
        sent = quoted(value)
        pair = tuple(cast("Iterable[object]", value)) if isinstance(value, list | tuple) else ()
        if len(pair) != 2:  # noqa: PLR2004 — a pair
            roles = ", ".join(ORGANIZATION_ROLES)
            raise invalid_argument(f"{field} must be one of {roles}, or a project role and its project's id: {sent}")
        role, project_id = checks.one_of(PROJECT_ROLES)(f"{field}[0]", pair[0]), checks.string(f"{field}[1]", pair[1])
        return Grant(role, "project", self._find_project(project_id).id)


def overlay_settings(document: object, changes: Mapping[str, object]) -> object:
    """Return a document whose own settings are replaced by other settings, so that a reset restores these, too.

    Args:
        document: A document that `Emulator.dump` returned, or a part of one.
        changes: The plan and the settings by the names of the emulator's arguments.
    """
    if not isinstance(document, Mapping):
        return document  # loading refuses it
    overlaid = dict(cast("Mapping[str, object]", document))
    for name, value in changes.items():
        part = "organization" if name == "plan" else "settings"
        fields = overlaid.get(part, {})
        if isinstance(fields, Mapping):
            overlaid[part] = {**cast("Mapping[str, object]", fields), name: value}
    return overlaid
