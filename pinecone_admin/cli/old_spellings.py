"""Commands and options of version 0.3, each with what it is called now; this version refuses them, and the next not."""

from __future__ import annotations

from collections.abc import Mapping

from pinecone_admin.emulator.options import OLD_OPTIONS as OLD_EMULATOR_OPTIONS

_REQUIRE_CMEK = "--require-cmek"
_NEVER_OFF = "left out, since a required encryption key cannot be turned off"

OLD_COMMANDS: Mapping[str, str] = {
    "profile add": "login --name NAME",
    "project delete-stale": "apply PLAN",
    "project delete-with-cleanup": "project delete --with-contents",
    "role change-role": "role change",
    "role create": "role grant",
    "role delete": "role revoke",
    "role ensure": "role grant",
    "service-account rotate-secret": "service-account rotate",
}
OLD_OPTIONS: Mapping[str, str] = {
    "access --accept": "--waivers",
    "apply --allow-removals": "--confirm",
    "apply --client-id": "--own-client-id",
    "apply --drift": "--fix-drift",
    "apply --report": "--out",
    "each --failed": "--failed-rows",
    "each --stop": "--stop-on-error",
    **{f"emulator {old}": new for old, new in OLD_EMULATOR_OPTIONS.items()},
    "inventory --compare": "the command diff OLD NEW",
    "inventory --diff": "the command diff OLD",
    "inventory --fail-on-change": "an option of the command diff",
    "inventory --save": "--out",
    "invite ensure --revoke-unlisted": "--revoke-others",
    "login --host": "--api-url",
    "plan --client-id": "--own-client-id",
    "plan --save": "--out",
    "project create --force-encryption-with-cmek": _REQUIRE_CMEK,
    "project create --no-force-encryption-with-cmek": _NEVER_OFF,
    "project ensure --force-encryption-with-cmek": _REQUIRE_CMEK,
    "project ensure --no-force-encryption-with-cmek": _NEVER_OFF,
    "project provision --key-role": "--role",
    "project stale --name": "--match",
    "project stale --save": "--out",
    "project update --force-encryption-with-cmek": _REQUIRE_CMEK,
    "project update --no-force-encryption-with-cmek": _NEVER_OFF,
    "role list --project": "--on",
    "service-account ensure --client-id": "--own-client-id",
    "service-account ensure --revoke-unlisted": "--revoke-others",
    "service-account rotate-due --client-id": "--own-client-id",
    "user ensure --revoke-unlisted": "--revoke-others",
    "user offboard --from": "--people",
    "user offboard --plan": "the command apply PLAN",
    "user offboard --save": "--out",
}
