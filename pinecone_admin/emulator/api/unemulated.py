"""The published routes of api.pinecone.io that are not emulated: they say so, instead of a 404 that suggests a typo."""

import re
from collections.abc import Mapping

from pinecone_admin.emulator.api.messages import Request
from pinecone_admin.emulator.api.refusals import Refusal, quoted

UNEMULATED: Mapping[tuple[str, str], str] = {
    ("POST", "/indexes/create-for-model"): "create_index_for_model",
    ("POST", "/backups/{backup_id}/create-index"): "create_index_from_backup_operation",
    ("GET", "/restore-jobs"): "list_restore_jobs",
    ("GET", "/restore-jobs/{job_id}"): "describe_restore_job",
    ("GET", "/indexes/{index_name}/backup-schedules"): "list_backup_schedules",
    ("POST", "/indexes/{index_name}/backup-schedules"): "create_backup_schedule",
    ("GET", "/backup-schedules/{schedule_id}"): "describe_backup_schedule",
    ("PATCH", "/backup-schedules/{schedule_id}"): "update_backup_schedule",
    ("DELETE", "/backup-schedules/{schedule_id}"): "delete_backup_schedule",
    ("GET", "/backup-schedules/{schedule_id}/history"): "list_backup_schedule_history",
    ("POST", "/embed"): "embed",
    ("POST", "/rerank"): "rerank",
    ("GET", "/models"): "list_models",
    ("GET", "/models/{model_name}"): "get_model",
}
"""The operation of each method and path. Source: the control-plane documents, 2026-04; for
backup schedules and inference, the requests of the official SDKs 10 and TypeScript 9."""

_PATTERNS = [
    (method, re.compile(re.sub(r"{\w+}", "[^/]+", path)), operation) for (method, path), operation in UNEMULATED.items()
]


def require_emulated(request: Request) -> None:
    """Raise 501 for a published route that is not emulated."""
    for method, pattern, operation in _PATTERNS:
        if method == request.method and pattern.fullmatch(request.path):
            raise Refusal(501, "UNIMPLEMENTED", f"{operation} is not emulated: {method} {quoted(request.path)}")
