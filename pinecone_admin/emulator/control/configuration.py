"""The settings as JSON, and changes to them by name."""

from collections.abc import Collection, Mapping
from typing import Any, TypedDict, cast

from attrs import evolve

from pinecone_admin.emulator.api import checks
from pinecone_admin.emulator.api.checks import Fields
from pinecone_admin.emulator.api.permissions import PERMISSION_MODES
from pinecone_admin.emulator.api.refusals import invalid_argument, quoted
from pinecone_admin.emulator.api.serialization import Document
from pinecone_admin.emulator.model.settings import MANAGED_CHANGES, EmulatorSettings

_QUOTA = checks.integer_between(0, 10**6)
LONGEST_TOKEN_LIFETIME = 365 * 24 * 3600  # seconds


def _people(field: str, value: object) -> bool | list[str]:
    if isinstance(value, bool):
        return value
    if not isinstance(value, list | tuple | set | frozenset):
        raise invalid_argument(f"{field} must be true, false or a collection of email addresses, not {quoted(value)}")
    return checks.array(checks.email)(field, list(cast("Collection[object]", value)))


SETTINGS: Mapping[str, checks.Check[object]] = {
    "builder": checks.boolean,
    "permissions": checks.one_of(PERMISSION_MODES),
    "project_quota": checks.nullable(_QUOTA),
    "user_quota": checks.nullable(_QUOTA),
    "api_key_quota": checks.nullable(_QUOTA),
    "created_key_status": checks.integer_between(200, 201),
    "key_created_at": checks.boolean,
    "invite_mails_per_hour": _QUOTA,
    "pod_access": checks.boolean,
    "default_max_pods": _QUOTA,
    "max_pods_floor": _QUOTA,
    "managed_people": _people,
    "managed_changes": checks.one_of(MANAGED_CHANGES),
    "token_lifetime": checks.integer_between(1, LONGEST_TOKEN_LIFETIME),
    "rotation_revokes_tokens": checks.boolean,
    "rotation_changes_updated_at": checks.boolean,
    "same_name_changes_updated_at": checks.boolean,
    "key_prefix": checks.max_characters(40, checks.visible_ascii),  # keys travel in a header
    "creation_delay": checks.seconds,
}
"""The check of each setting. Plans are not among them: they are set in Python only."""


class SettingArguments(TypedDict, total=False):
    """The arguments of `Emulator.configure`, which are described at the constructor."""

    plan: str
    payment_status: str
    builder: bool
    permissions: str
    project_quota: int | None
    user_quota: int | None
    api_key_quota: int | None
    created_key_status: int
    key_created_at: bool
    invite_mails_per_hour: int
    pod_access: bool
    default_max_pods: int
    max_pods_floor: int
    managed_people: bool | Collection[str]
    managed_changes: str
    token_lifetime: int
    rotation_revokes_tokens: bool
    rotation_changes_updated_at: bool
    same_name_changes_updated_at: bool
    key_prefix: str
    creation_delay: float


def settings_document(settings: EmulatorSettings) -> Document:
    """Return the settings as JSON."""
    return {name: getattr(settings, name) for name in SETTINGS}


def changed_settings(settings: EmulatorSettings, fields: Fields) -> EmulatorSettings:
    """Return the settings with the changes that the fields make."""
    changes: dict[str, Any] = {
        name: fields.get(name, check, getattr(settings, name)) for name, check in SETTINGS.items()
    }
    return evolve(settings, **changes)
