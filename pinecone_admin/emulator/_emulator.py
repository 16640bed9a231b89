"""The emulator that lives in the process which uses it."""

from threading import Lock
from typing import TYPE_CHECKING, Any

from pinecone_admin.emulator import rules
from pinecone_admin.emulator.call import Request, Response
from pinecone_admin.emulator.clock import Clock
from pinecone_admin.emulator.state import Grant, Principal, Settings, State
from pinecone_admin.emulator.transport import EmulatorTransport

if TYPE_CHECKING:
    from pinecone_admin import Admin, AsyncAdmin


class Emulator:
    """Emulate Pinecone's Admin API and its token endpoint, for one organization.

    It begins with nobody but the caller, a service account that owns the organization. The defaults let a
    newcomer's script run: the Enterprise plan with its bills paid, and no pods, as in every new organization.

    Args:
        plan: Free, Standard, Enterprise or Dedicated.
        payment_status: Active, PaymentPending or PastDue, or one that forbids creating: Restricted,
            Suspended or Deactivated.
        project_quota: how many projects the organization may have; by default what the plan allows.
        pod_access: whether a project's `max_pods` may exceed 0.
        identity_provider: whether an identity provider manages the users.
        token_lifetime: seconds for which an access token is accepted.
        rotation_revokes_tokens: whether the tokens of a service account die when its secret is rotated.
        key_prefix: what the value of an API key begins with; the documents also say `pckey_`.
        seed: makes ids and secrets the same in every run.
        clock: the time; by default it stands at the moment of construction until it is advanced.

    Raises:
        KeyError: there is no such plan.

    Example:
        >>> emulator = Emulator()
        >>> with emulator.admin() as admin:
        ...     project = admin.projects.create(name="search")
        >>> emulator.state.projects[project.id].name
        'search'
    """

    def __init__(
        self,
        *,
        plan: str = "Enterprise",
        payment_status: str = "Active",
        project_quota: int | None = None,
        pod_access: bool = False,
        identity_provider: bool = False,
        token_lifetime: int = 1800,
        rotation_revokes_tokens: bool = True,
        key_prefix: str = "pcsk_",
        seed: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        settings = Settings(
            project_quota=project_quota,
            pod_access=pod_access,
            identity_provider=identity_provider,
            token_lifetime=token_lifetime,
            rotation_revokes_tokens=rotation_revokes_tokens,
            key_prefix=key_prefix,
        )
        self.clock = clock or Clock()
        now = self.clock.now()
        self.state = State.founded(plan=plan, payment_status=payment_status, settings=settings, seed=seed, now=now)
        self.transport = EmulatorTransport(self.handle)
        self._caller = self.state.add_service_account("emulator", now)
        self.state.bind(
            Principal("service_account", self._caller.id),
            [Grant("OrgOwner", "organization", self.organization_id)],
            now,
        )
        self._lock = Lock()

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
            return rules.handle(request, self.state, self.clock)

    def admin(self, **options: Any) -> "Admin":
        """Return a client of this emulator.

        Args:
            options: further arguments of `pinecone_admin.Admin`.
        """
        from pinecone_admin import Admin  # noqa: PLC0415 — the emulator must not need the client

        return Admin(**self._connection, **options)

    def async_admin(self, **options: Any) -> "AsyncAdmin":
        """Return an asynchronous client of this emulator.

        Args:
            options: further arguments of `pinecone_admin.AsyncAdmin`.
        """
        from pinecone_admin import AsyncAdmin  # noqa: PLC0415 — the emulator must not need the client

        return AsyncAdmin(**self._connection, oauth_transport=self.transport, **options)

    @property
    def _connection(self) -> dict[str, Any]:
        return {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "transport": self.transport,
        }
