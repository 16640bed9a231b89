"""The emulator that lives in the process which uses it."""

import json
from collections.abc import Iterable
from email.utils import format_datetime
from random import Random
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from attrs import evolve, frozen

from pinecone_admin.emulator.api import checks, dispatch
from pinecone_admin.emulator.api.checks import Fields
from pinecone_admin.emulator.api.messages import Request, Response
from pinecone_admin.emulator.api.preconditions import require_record
from pinecone_admin.emulator.api.refusals import Refusal, invalid_argument, quoted
from pinecone_admin.emulator.api.serialization import Document
from pinecone_admin.emulator.control import snapshot
from pinecone_admin.emulator.control.configuration import SETTINGS, changed_settings, settings_document
from pinecone_admin.emulator.control.faults import Fault, Faults
from pinecone_admin.emulator.control.request_log import RequestLog
from pinecone_admin.emulator.http.transport import EmulatorTransport
from pinecone_admin.emulator.model.clock import Clock
from pinecone_admin.emulator.model.records import PROJECT_CONTENTS, Grant, Principal, ProjectRecord, UserRecord
from pinecone_admin.emulator.model.roles import ORGANIZATION_ROLES, PROJECT_ROLES
from pinecone_admin.emulator.model.settings import PAYMENT_STATUSES, Settings
from pinecone_admin.emulator.model.state import State

if TYPE_CHECKING:
    from pinecone_admin import Admin, AsyncAdmin

Role: TypeAlias = str | tuple[str, str]
"""An organization role by its name, a project role as a pair: its name and the project's id."""


@frozen(repr=False)
class ServiceAccountCredentials:
    """What a client exchanges for a token."""

    client_id: str
    client_secret: str


class Emulator:
    """Emulate Pinecone's Admin API and its token endpoint, for one organization.

    It begins with nobody but the caller, a service account that owns the organization. The defaults let a
    newcomer's script run: the Enterprise plan with its bills paid, and no pods, as in every new organization.

    Args:
        plan: Free, Standard, Enterprise or Dedicated.
        payment_status: Active, PaymentPending or PastDue, or one that forbids creating: Restricted,
            Suspended or Deactivated.
        project_quota: how many projects the organization may have; by default what the plan allows.
        api_key_quota: how many keys a project may have; by default what the plan allows.
        invite_mails_per_hour: how many invite mails the organization may send within an hour.
        pod_access: whether a project's `max_pods` may exceed 0.
        identity_provider: whether an identity provider manages the users.
        token_lifetime: seconds for which an access token is accepted.
        rotation_revokes_tokens: whether the tokens of a service account die when its secret is rotated.
        key_prefix: what the value of an API key begins with; the documents also say `pckey_`.
        seed: makes ids, secrets and the chances of faults the same in every run.
        clock: the time; by default it stands at the moment of construction until it is advanced.

    Attributes:
        clock: the emulator's time; `clock.advance(seconds)` lets tokens expire, invites lapse and quotas recover.
        state: everything in the organization, for tests to look at and to fill.
        faults: what goes wrong on purpose.
        requests: the requests received, without their secrets.
        transport: for httpx clients, synchronous and asynchronous.

    Raises:
        ValueError: an argument cannot be right; the message names it.

    Example:
        >>> emulator = Emulator()
        >>> with emulator.admin() as admin:
        ...     project = admin.projects.create(name="search")
        >>> emulator.state.projects[project.id].name
        'search'
    """

    state: State

    def __init__(
        self,
        *,
        plan: str = "Enterprise",
        payment_status: str = "Active",
        project_quota: int | None = None,
        api_key_quota: int | None = None,
        invite_mails_per_hour: int = 100,
        pod_access: bool = False,
        identity_provider: bool = False,
        token_lifetime: int = 1800,
        rotation_revokes_tokens: bool = True,
        key_prefix: str = "pcsk_",
        seed: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        settings = {name: value for name, value in locals().items() if name in SETTINGS}
        self.clock = clock or Clock()
        self.faults = Faults(seed)
        self.requests = RequestLog()
        self.transport = EmulatorTransport(self.handle, self.clock)
        self._lock = RLock()
        organization = {"plan": plan, "payment_status": payment_status}
        random = Random(seed)  # noqa: S311 — what it makes protects nothing, and a seed must repeat it
        self._load_state({"organization": organization, "settings": settings}, Settings(), random)
        self._initial_state = json.dumps(self.dump())

    @property
    def client_id(self) -> str:
        """The caller's OAuth client id."""
        return self._caller.client_id

    @property
    def client_secret(self) -> str:
        """The caller's OAuth client secret, as it is now."""
        return self._caller.client_secret

    @property
    def organization_id(self) -> str:
        """The organization's id."""
        return self.state.organization.id

    def handle(self, request: Request) -> Response:
        """Answer a request, one at a time, from any thread."""
        with self._lock:
            now = self.clock.now()
            operation_id = dispatch.operation_id(request)
            fault = self.faults.next_match(operation_id)
            response = (
                dispatch.handle(request, self.state, self.clock)
                if fault is None
                else self._respond_with_fault(fault, request)
            )
            self.requests.add(request, operation_id, response, now, fault.kind if fault else None)
            return evolve(response, headers={"date": format_datetime(now, usegmt=True), **response.headers})

    def _respond_with_fault(self, fault: Fault, request: Request) -> Response:
        if fault.revoke_token:
            self.state.revoke_token(dispatch.bearer_token(request) or "")
        return self.faults.respond(
            fault,
            request,
            lambda: dispatch.handle(request, self.state, self.clock),
            self.clock.now(),
        )

    # Clients

    def admin(self, *, roles: Iterable[Role] | None = None, **options: object) -> "Admin":
        """Return a client of this emulator.

        Args:
            roles: make a service account that holds these, and a client of it; by default the owner's client.
                An organization role is its name, a project role a pair of its name and the project's id.
            options: further arguments of `pinecone_admin.Admin`.

        Raises:
            ValueError: a role or project does not exist.
        """
        from pinecone_admin import Admin  # noqa: PLC0415 — the emulator must not need the client

        return Admin(**self._client_options(roles, options))

    def async_admin(self, *, roles: Iterable[Role] | None = None, **options: object) -> "AsyncAdmin":
        """Return an asynchronous client of this emulator.

        Args:
            roles: as in `admin`.
            options: further arguments of `pinecone_admin.AsyncAdmin`.

        Raises:
            ValueError: a role or project does not exist.
        """
        from pinecone_admin import AsyncAdmin  # noqa: PLC0415 — the emulator must not need the client

        return AsyncAdmin(**self._client_options(roles, options), oauth_transport=self.transport)

    def _client_options(self, roles: Iterable[Role] | None, options: dict[str, object]) -> dict[str, Any]:
        account = self if roles is None else self.add_client(roles=roles)
        defaults = {"client_id": account.client_id, "client_secret": account.client_secret, "transport": self.transport}
        return defaults | options

    # Control

    def reset(self) -> None:
        """Begin anew: the state that was constructed or last loaded, the time, no faults, and no requests received.

        The caller's credentials are those of the beginning again, and its tokens live on, so that a client can go on.
        `state` is another object afterwards.
        """
        with self._lock:
            caller = self._caller.id
            tokens = {value: each for value, each in self.state.tokens.items() if each.service_account_id == caller}
            self.clock.reset()
            self._restore(self._initial_state)
            self.state.tokens |= tokens
            self.faults.clear()
            self.requests.clear()

    def dump(self) -> Document:
        """Return everything in the emulator as a JSON document, secrets included."""
        with self._lock:
            return snapshot.dump_state(self.state, self._caller, self.clock.now())

    def load(self, document: object) -> None:
        """Replace everything in the emulator by what a document says; faults and requests stay.

        `state` is another object afterwards.

        Args:
            document: what `dump` gave, or a part of it written by hand. A document without a `caller` gets one
                that owns the organization. If it is from a later time, the clock is advanced to that.

        Raises:
            ValueError: the document is not of this form; the message names the field.
        """
        try:
            text = json.dumps(document)
        except TypeError as error:
            raise ValueError(f"the document is not of JSON's types: {error}") from error
        with self._lock:
            self._restore(text)

    def _restore(self, text: str) -> None:
        # What is to come depends on what there is, so that no id comes twice.
        random = Random(text)  # noqa: S311 — as above
        self._load_state(json.loads(text), evolve(Settings(), plans=self.state.settings.plans), random)
        self._initial_state = text

    def _load_state(self, document: object, settings: Settings, random: Random) -> None:
        now = self.clock.now()
        read = snapshot.load_state(document, settings, random, now)
        if read.time is not None and read.time > now:
            self.clock.advance((read.time - now).total_seconds())
        self.state, self._caller = read.state, read.caller

    @property
    def settings(self) -> Document:
        """The plan, the payment status and the settings, by the names that they have in the constructor."""
        organization = self.state.organization
        document: Document = {"plan": organization.plan, "payment_status": organization.payment_status}
        return document | settings_document(self.state.settings)

    def configure(self, /, **changes: object) -> None:
        """Change the plan, the payment status or the settings, by the names that they have in the constructor.

        Args:
            changes: new values; what is left out stays.

        Raises:
            ValueError: there is no such setting, or its value cannot be right; nothing is changed then.
        """
        with self._lock:
            plan, payment_status, settings = checks.closed_object(self._read_changes)("", changes)
            self.state.settings = settings
            self.state.set_plan(plan)
            self.state.organization.payment_status = payment_status

    def _read_changes(self, fields: Fields) -> tuple[str, str, Settings]:
        organization, settings = self.state.organization, self.state.settings
        return (
            fields.get("plan", checks.one_of(settings.plans), organization.plan),
            fields.get("payment_status", checks.one_of(PAYMENT_STATUSES), organization.payment_status),
            changed_settings(settings, fields),
        )

    def add_user(self, email: str, *, name: str | None = None, roles: Iterable[Role] = ("OrgMember",)) -> UserRecord:
        """Make somebody a member, without an invite.

        Args:
            email: their address, which no other member has.
            name: their name, if they have set one.
            roles: what they hold; an organization role is its name, a project role a pair of its name and the
                project's id.

        Raises:
            ValueError: the address is taken or malformed, or a role or project does not exist.
        """
        with self._lock:
            grants = self._read_roles(roles)
            checks.email("email", email)
            if self.state.find_user_by_email(email):
                raise Refusal(409, "ALREADY_EXISTS", f"a user has the address {quoted(email)} already")
            user = self.state.add_user(email, checks.nullable(checks.string)("name", name))
            self.state.bind(Principal("user", user.id), grants, self.clock.now())
            return user

    def accept_invite(self, invite_id: str, *, name: str | None = None) -> UserRecord:
        """Let somebody accept their invite.

        Args:
            invite_id: the id of a pending invite.
            name: the name that they set.

        Returns:
            The user who appears, and holds what the invite held.

        Raises:
            ValueError: there is no such invite, or it is processed or expired.
        """
        with self._lock:
            now = self.clock.now()
            invite = require_record("invite", invite_id, self.state.invites.get(invite_id))
            if invite.status(now) != "pending":
                raise Refusal(409, "ABORTED", f"invite {invite.id} is {invite.status(now)}")
            return self.state.accept_invite(invite, now, checks.nullable(checks.string)("name", name))

    def add_client(self, *, roles: Iterable[Role], name: str = "client") -> ServiceAccountCredentials:
        """Make a service account, whatever the plan, and give its credentials.

        Args:
            roles: what it holds, as in `add_user`.
            name: its name.

        Raises:
            ValueError: a role or project does not exist.
        """
        with self._lock:
            grants = self._read_roles(roles)
            account = self.state.add_service_account(checks.max_bytes(80)("name", name), self.clock.now())
            self.state.bind(Principal("service_account", account.id), grants, self.clock.now())
            return ServiceAccountCredentials(account.client_id, account.client_secret)

    def hold(self, project_id: str, kind: str, name: str, *, protected: bool = False) -> None:
        """Put something into a project that keeps it from being deleted.

        Args:
            project_id: the project.
            kind: indexes, collections, assistants or backups.
            name: what to call it.
            protected: whether deletion protection is on, which only indexes have.

        Raises:
            ValueError: there is no such project or kind, or the kind has no deletion protection.
        """
        with self._lock:
            project, kind = self._find_project(project_id), checks.one_of(PROJECT_CONTENTS)("kind", kind)
            if checks.boolean("protected", protected) and kind != "indexes":
                raise invalid_argument(f"{kind} have no deletion protection")
            project.contents[kind].add(checks.max_characters(512)("name", name))
            if kind == "indexes":
                (project.protected.add if protected else project.protected.discard)(name)

    def release(self, project_id: str, kind: str, name: str) -> None:
        """Take something out of a project, protected or not.

        Args:
            project_id: the project.
            kind: indexes, collections, assistants or backups.
            name: what it is called.

        Raises:
            ValueError: there is no such project, kind or thing.
        """
        with self._lock:
            project, kind = self._find_project(project_id), checks.one_of(PROJECT_CONTENTS)("kind", kind)
            require_record(f"{name} among the {kind}", name, name if name in project.contents[kind] else None)
            project.remove_content(kind, name)

    def _find_project(self, project_id: str) -> ProjectRecord:
        return require_record("project", project_id, self.state.projects.get(project_id))

    def _read_roles(self, roles: Iterable[Role]) -> list[Grant]:
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
