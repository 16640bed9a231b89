"""Settings: choices where sources disagree or organizations differ."""

from collections.abc import Mapping

from attrs import define, evolve, field, frozen

from pinecone_admin.emulator.model.roles import API_KEY_ROLES, ORGANIZATION_ROLES, PROJECT_ROLES, ROLES

MANAGED_CHANGES = ("refused", "reverted")
"""Results of a change of a person whom an identity provider manages."""

PAYMENT_STATUSES = ("Active", "PaymentPending", "PastDue", "Restricted", "Suspended", "Deactivated")


@frozen
class Plan:
    """The limits and features of a plan.

    Args:
        projects: The number of projects that the organization may have.
        users: The number of users that the organization may have; None for no limit.
        support_tier: The support tier of the plan.
        api_keys: The number of API keys that a project may have; None for no limit.
        service_accounts: Whether service accounts may be created, changed and rotated.
        roles: The roles that may be granted.
        key_roles: The roles that API keys may have.
        contents: The number of resources that a project may hold, by kind; a kind that is missing has no limit.
        regions: The regions where indexes may be created; None for all.
    """

    projects: int
    support_tier: str
    users: int | None = None
    api_keys: int | None = None
    service_accounts: bool = True
    roles: tuple[str, ...] = ROLES
    key_roles: tuple[str, ...] = API_KEY_ROLES
    contents: Mapping[str, int] = field(factory=dict[str, int])
    regions: tuple[tuple[str, str], ...] | None = None


# The limits are published, with Free under the name Starter; those of Dedicated are assumed to be Enterprise's. That
# Free is the plan without the roles on a single plane is an assumption: no source names the plan or the roles.
_FREE = Plan(
    1,
    "Free",
    users=2,
    api_keys=5,
    service_accounts=False,
    roles=ORGANIZATION_ROLES + PROJECT_ROLES[:5],
    key_roles=("ProjectEditor",),
    contents={"indexes": 5, "backups": 0},
    regions=(("aws", "us-east-1"),),
)
_ENTERPRISE = Plan(100, "Enterprise", contents={"indexes": 200, "backups": 1000})
PLANS = {
    "Free": _FREE,
    "Standard": Plan(20, "Developer", service_accounts=False, contents={"indexes": 20, "backups": 500}),
    "Enterprise": _ENTERPRISE,
    "Dedicated": _ENTERPRISE,
}
BUILDER = evolve(_FREE, projects=5, users=5, contents={"indexes": 10, "backups": 0}, regions=None)
"""A plan without a known name in the API, so it is a setting of Free."""


@define(kw_only=True)
class EmulatorSettings:
    """The settings of the emulated organization.

    Args:
        plans: The plans by name.
        builder: Whether the plan Free is Builder.
        permissions: Whether the permission matrix is enforced (published), or only the rule on granting (open).
        project_quota: The number of projects that the organization may have; None for the plan's limit.
        user_quota: The number of users that the organization may have; None for the plan's limit.
        api_key_quota: The number of API keys that a project may have; None for the plan's limit.
        created_key_status: The status of creating an API key, 200 or 201.
        key_created_at: Whether an API key has `created_at`, which no document has.
        invite_mails_per_hour: The number of invite mails that the organization may send in an hour.
        pod_access: Whether `max_pods` may exceed 0, as in organizations that began before 2025-08-18.
        default_max_pods: With pod access, the `max_pods` of a project that is created without one.
        max_pods_floor: The minimum of `max_pods`, except for 0. A smaller number is raised to it.
        managed_people: Whether an identity provider manages everybody, or the email addresses of those it manages.
        managed_changes: Whether changes of these people are refused, or accepted and reverted by the next sync.
        token_lifetime: Seconds until an access token expires.
        rotation_revokes_tokens: Whether rotating a secret revokes the access tokens of the service account.
        rotation_changes_updated_at: Whether rotating a secret changes `updated_at` of the service account.
        same_name_changes_updated_at: Whether an update with the name that a service account has changes `updated_at`.
        key_prefix: The prefix of an API key's value.
        creation_delay: Seconds until a resource that is created on the control plane is ready.
    """

    plans: Mapping[str, Plan] = PLANS
    builder: bool = False
    permissions: str = "published"
    project_quota: int | None = None
    user_quota: int | None = None
    api_key_quota: int | None = None
    created_key_status: int = 200
    key_created_at: bool = True
    invite_mails_per_hour: int = 100
    pod_access: bool = False
    default_max_pods: int = 0
    max_pods_floor: int = 0
    managed_people: bool | list[str] = False
    managed_changes: str = "refused"
    token_lifetime: int = 1800
    rotation_revokes_tokens: bool = True
    rotation_changes_updated_at: bool = True
    same_name_changes_updated_at: bool = True
    key_prefix: str = "pcsk_"
    creation_delay: float = 0.0

    def is_managed(self, email: str) -> bool:
        """Return whether an identity provider manages the person with an email, ignoring case."""
        people = self.managed_people
        return people if isinstance(people, bool) else email.casefold() in map(str.casefold, people)
