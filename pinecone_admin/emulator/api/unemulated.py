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
    ("PATCH", "/assistant/assistants/{assistant_name}"): "update_assistant",
    ("POST", "/embed"): "embed",
    ("POST", "/rerank"): "rerank",
    ("GET", "/models"): "list_models",
    ("GET", "/models/{model_name}"): "get_model",
}
"""The operation of each method and path. Source: the control-plane and assistant documents, 2026-04;
the routes of inference are assumed."""

_PATTERNS = [
    (method, re.compile(re.sub(r"{\w+}", "[^/]+", path)), operation) for (method, path), operation in UNEMULATED.items()
]


def require_emulated(request: Request) -> None:
    """Raise 501 for a published route that is not emulated."""
    for method, pattern, operation in _PATTERNS:
        if method == request.method and pattern.fullmatch(request.path):
            raise Refusal(501, "UNIMPLEMENTED", f"{operation} is not emulated: {method} {quoted(request.path)}")
