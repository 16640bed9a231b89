"""The control plane of a project, as far as filling and emptying the project needs it.

The sources are the control-plane documents of 2025-10 and 2026-04, and for workspaces that of Nexus, 2026-07. Requests
carry the value of an API key instead of an access token; a key gives access to its own project only. Deleting an index,
an assistant or a workspace takes a while. Until then, the project cannot be deleted.
"""

from datetime import datetime, timedelta
from uuid import UUID, uuid5

from attrs import frozen

from pinecone_admin.emulator.api import checks
from pinecone_admin.emulator.api import control_plane_documents as documents
from pinecone_admin.emulator.api.checks import Fields
from pinecone_admin.emulator.api.context import RequestContext
from pinecone_admin.emulator.api.control_plane_documents import Properties
from pinecone_admin.emulator.api.messages import Request
from pinecone_admin.emulator.api.preconditions import (
    STATUSES_THAT_FORBID_CREATING,
    require_content_quota,
    require_record,
    require_region,
)
from pinecone_admin.emulator.api.refusals import Refusal, invalid_argument, quoted
from pinecone_admin.emulator.api.routing import OperationRoute, Router
from pinecone_admin.emulator.api.serialization import Document, format_time
from pinecone_admin.emulator.model.records import PROJECT_CONTENTS, ContentRecord, ProjectRecord
from pinecone_admin.emulator.model.state import State

RESOURCES_PER_PAGE, ASSISTANTS_PER_PAGE = 10, 50
DELETION_DURATIONS = {
    "indexes": timedelta(seconds=2),
    "assistants": timedelta(seconds=4),
    "workspaces": timedelta(seconds=4),
}
"""How long a deletion takes, by kind; other kinds are gone at once."""

_READERS = frozenset({"ProjectEditor", "ProjectViewer", "ControlPlaneEditor", "ControlPlaneViewer"})
_WRITERS = frozenset({"ProjectEditor", "ControlPlaneEditor"})


@frozen
class ControlPlaneContext(RequestContext):
    """The context of one call with an API key.

    Args:
        project: The project of the key.
        version: The API version of the request.
        kind: The kind of resource, one of `PROJECT_CONTENTS`.
    """

    project: ProjectRecord
    version: str
    kind: str

    @property
    def includes_deleted(self) -> bool:
        """Whether the query also asks for the backups of deleted indexes."""
        return self.query.get("include_deleted", checks.one_of(("true", "false")), "false") == "true"

    def find(self, kind: str, name: str) -> ContentRecord:
        """Return a resource of the project; raise 404 if there is none."""
        return require_record(PROJECT_CONTENTS[kind].capitalize(), name, self.project.contents[kind].get(name))

    @property
    def resource(self) -> ContentRecord:
        """The resource that the path names."""
        return self.find(self.kind, self.target)


def run_operation(request: Request, version: str, state: State, now: datetime) -> tuple[int, Document | None]:
    """Run the operation that a request with an API key calls; return the status and the document."""
    route, targets = ROUTER.find(request)
    run = route.require_emulated()
    project, roles = _authenticate_key(request, state)
    complete_deletions(project, now)
    if not roles & (_READERS if request.method == "GET" else _WRITERS):
        raise Refusal(403, "FORBIDDEN", f"the API key's roles do not permit {route.id}")
    return route.status, run(ControlPlaneContext(state, now, request, targets, project, version, route.kind))


def complete_deletions(project: ProjectRecord, now: datetime) -> None:
    """Complete the deletions that are due."""
    for contents in project.contents.values():
        for record in list(contents.values()):
            if record.gone_at and record.gone_at <= now:
                del contents[record.name]


def _authenticate_key(request: Request, state: State) -> tuple[ProjectRecord, frozenset[str]]:
    # A scan is fast enough: only the filling and emptying of projects comes through here.
    value = request.headers.get("api-key", "")
    key = next((key for key in state.api_keys.values() if key.value == value), None)
    if key is None:
        raise Refusal(401, "UNAUTHENTICATED", "the Api-Key header is missing or its key is unknown")
    return state.projects[key.project_id], frozenset(state.roles_of(key))


# Reading


def _document(context: ControlPlaneContext, record: ContentRecord) -> Document:
    name, properties, state = record.name, record.properties, record.state(context.now)
    if context.kind == "indexes":
        host = f"{name}-{context.project.slug}"
        return documents.index_document(
            name, host, properties, context.version, state=state, protected=record.protected
        )
    if context.kind == "collections":
        return documents.collection_document(name, properties, state=state)
    if context.kind == "workspaces":
        return documents.workspace_document(name, format_time(context.project.created_at), state=state)
    if context.kind == "backups":
        # A backup that was not created on the control plane: of an index that was deleted, or of the index that it
        # names.
        source = record.source or "deleted-index"
        default = documents.backup_properties(source, _index_id(context, source), {}, format_time(context.now))
        return documents.backup_document(name, properties or default, context.version, state=state)
    return documents.assistant_document(name, properties, context.version, state=state)


def _index_id(context: ControlPlaneContext, name: str) -> str:
    return str(uuid5(UUID(context.project.id), name))


def _sorted_contents(context: ControlPlaneContext) -> list[ContentRecord]:
    contents = context.project.contents[context.kind]
    return [contents[name] for name in sorted(contents)]


def _list_whole(context: ControlPlaneContext) -> Document:
    return {context.kind: [_document(context, each) for each in _sorted_contents(context)]}


def _describe(context: ControlPlaneContext) -> Document:
    return _document(context, context.resource)


def _list_assistants(context: ControlPlaneContext) -> Document:
    if context.version <= documents.LAST_VERSION_WITHOUT_REGION:
        return _list_whole(context)
    records = _sorted_contents(context)
    return _page(context, records, field="assistants", parameter="pagination_token", default=ASSISTANTS_PER_PAGE)


def _list_backups(context: ControlPlaneContext) -> Document:
    records = _sorted_contents(context)
    if context.target:
        records = [record for record in records if _is_backup_of_target(context, record.properties)]
        if not context.includes_deleted:
            context.find("indexes", context.target)
    return _page(context, records, field="data")


def _is_backup_of_target(context: ControlPlaneContext, backup: Properties) -> bool:
    deleted = documents.SOURCE_DELETED_AT in backup
    return backup.get("source_index_name") == context.target and (context.includes_deleted or not deleted)


def _list_workspaces(context: ControlPlaneContext) -> Document:
    return _page(context, _sorted_contents(context), field="workspaces")


def _page(
    context: ControlPlaneContext,
    records: list[ContentRecord],
    *,
    field: str,
    parameter: str = "paginationToken",
    default: int = RESOURCES_PER_PAGE,
) -> Document:
    # The position is an offset: a deletion between two pages shifts the rest. Clients must read the whole list first.
    limit = context.query.optional("limit", checks.page_limit) or default
    token = context.query.optional(parameter, checks.string)
    listing = f"{context.kind} {context.project.id} {context.target}"
    start = 0 if token is None else context.state.decode_cursor(listing, token)
    if start is None:
        raise invalid_argument(f"{parameter} does not belong to this list: {quoted(token)}")
    end = start + limit
    # Left out on the last page: the documents' schemas do not allow null.
    more = {"pagination": {"next": context.state.encode_cursor(listing, end)}} if end < len(records) else {}
    return {field: [_document(context, record) for record in records[start:end]], **more}


# Creating


def _create(context: ControlPlaneContext, name: str, properties: Properties, *, source: str = "") -> ContentRecord:
    status = context.state.organization.payment_status
    if status in STATUSES_THAT_FORBID_CREATING:
        raise Refusal(402, "PAYMENT_REQUIRED", f"the organization's payment status {status} forbids creating")
    contents, singular = context.project.contents[context.kind], PROJECT_CONTENTS[context.kind]
    if name in contents:
        raise Refusal(409, "ALREADY_EXISTS", f"{singular.capitalize()} {quoted(name)} already exists")
    require_content_quota(context.state, context.project, context.kind)
    ready_at = context.now + timedelta(seconds=context.state.settings.creation_delay)
    contents[name] = ContentRecord(name, source=source, ready_at=ready_at, properties=properties)
    return contents[name]


def _create_index(context: ControlPlaneContext) -> Document:
    fields = context.fields
    given, properties = documents.read_index(fields, context.version)
    protection = fields.get("deletion_protection", documents.DELETION_PROTECTION, "disabled")
    require_region(context.state, properties)
    record = _create(context, given or f"index-{context.state.new_id()[:8]}", properties)
    record.protected = protection == "enabled"
    return _document(context, record)


def _create_collection(context: ControlPlaneContext) -> Document:
    name, source = documents.read_collection(context.fields)
    index = context.project.indexes.get(source)
    if index is None:
        raise invalid_argument(f"source {quoted(source)} is not an index of the project")
    properties = documents.collection_properties(source, index.properties)
    return _document(context, _create(context, name, properties, source=source))


def _create_backup(context: ControlPlaneContext) -> Document:
    asked = documents.read_backup(Fields.from_body(context.request.body or b"{}"))
    index = context.find("indexes", context.target)
    source_id, created = _index_id(context, index.name), format_time(context.now)
    properties = documents.backup_properties(index.name, source_id, index.properties, created) | asked
    return _document(context, _create(context, context.state.new_id(), properties, source=index.name))


def _create_assistant(context: ControlPlaneContext) -> Document:
    name, properties = documents.read_assistant(context.fields)
    created = format_time(context.now)
    record = _create(context, name, properties | {"created_at": created, "updated_at": created})
    return _document(context, record)


# Changing and deleting


def _configure_index(context: ControlPlaneContext) -> Document:
    fields = context.fields
    protection = fields.optional("deletion_protection", documents.DELETION_PROTECTION)
    changed_tags = fields.optional("tags", documents.tags)
    index = context.resource
    for other in ("spec", "embed", "schema", "deployment"):
        if fields.optional(other, lambda _, value: value) is not None:
            raise Refusal(501, "UNIMPLEMENTED", f"the emulator cannot change the {other} of an index")
    properties = dict(index.properties)
    if changed_tags is not None:
        properties["tags"] = documents.merge_tags(properties.get("tags"), changed_tags)
    if (capacity := fields.optional("read_capacity", documents.read_capacity)) is not None:
        properties["spec"] = documents.spec_with_capacity(properties, capacity)
    if protection is not None:
        index.protected = protection == "enabled"
    index.properties = properties
    return _document(context, index)


def _update_assistant(context: ControlPlaneContext) -> Document:
    changes = documents.read_assistant_changes(context.fields)
    assistant = context.resource
    assistant.properties |= changes | {"updated_at": format_time(context.now)}
    # The documents have only this name; the official Python clients read the whole assistant.
    return _document(context, assistant) | {"assistant_name": assistant.name}


def _delete_index(context: ControlPlaneContext) -> None:
    index, project = context.resource, context.project
    if index.protected:
        raise Refusal(403, "FORBIDDEN", f"deletion protection is enabled for index {quoted(index.name)}")
    pending = [each for each in project.collections.values() if each.state(context.now) == "Initializing"]
    if made := [each.name for each in pending if each.source == index.name]:
        message = f"index {quoted(index.name)} has pending collections: {', '.join(made)}"
        raise Refusal(412, "FAILED_PRECONDITION", message)
    for backup in project.backups.values():
        if backup.properties.get("source_index_name") == index.name:
            backup.properties.setdefault(documents.SOURCE_DELETED_AT, format_time(context.now))
    _start_deletion(context)


def _delete(context: ControlPlaneContext) -> None:
    record = context.resource
    if context.kind == "backups" and record.state(context.now) == "Initializing":
        raise Refusal(412, "FAILED_PRECONDITION", f"backup {quoted(record.name)} is still being created")
    _start_deletion(context)


def _start_deletion(context: ControlPlaneContext) -> None:
    # A second request does not prolong a deletion that is under way.
    record = context.resource
    record.gone_at = record.gone_at or context.now + DELETION_DURATIONS.get(context.kind, timedelta())
    complete_deletions(context.project, context.now)


_INDEX, _COLLECTION, _BACKUP = "/indexes/{index_name}", "/collections/{collection_name}", "/backups/{backup_id}"
_ASSISTANTS, _ASSISTANT = "/assistant/assistants", "/assistant/assistants/{assistant_name}"
_WORKSPACE = "/workspaces/{workspace_name}"
_SCHEDULES, _SCHEDULE = f"{_INDEX}/backup-schedules", "/backup-schedules/{schedule_id}"

ROUTES: tuple[OperationRoute[ControlPlaneContext], ...] = (
    OperationRoute("GET", "/indexes", "list_indexes", 200, _list_whole, "indexes"),
    OperationRoute("POST", "/indexes", "create_index", 201, _create_index, "indexes"),
    OperationRoute("GET", _INDEX, "describe_index", 200, _describe, "indexes"),
    OperationRoute("PATCH", _INDEX, "configure_index", 202, _configure_index, "indexes"),
    OperationRoute("DELETE", _INDEX, "delete_index", 202, _delete_index, "indexes"),
    OperationRoute("GET", f"{_INDEX}/backups", "list_index_backups", 200, _list_backups, "backups"),
    OperationRoute("POST", f"{_INDEX}/backups", "create_backup", 201, _create_backup, "backups"),
    OperationRoute("GET", "/collections", "list_collections", 200, _list_whole, "collections"),
    OperationRoute("POST", "/collections", "create_collection", 201, _create_collection, "collections"),
    OperationRoute("GET", _COLLECTION, "describe_collection", 200, _describe, "collections"),
    OperationRoute("DELETE", _COLLECTION, "delete_collection", 202, _delete, "collections"),
    OperationRoute("GET", "/backups", "list_backups", 200, _list_backups, "backups"),
    OperationRoute("GET", _BACKUP, "describe_backup", 200, _describe, "backups"),
    OperationRoute("DELETE", _BACKUP, "delete_backup", 202, _delete, "backups"),
    OperationRoute("GET", _ASSISTANTS, "list_assistants", 200, _list_assistants, "assistants"),
    OperationRoute("POST", _ASSISTANTS, "create_assistant", 200, _create_assistant, "assistants"),
    OperationRoute("GET", _ASSISTANT, "describe_assistant", 200, _describe, "assistants"),
    OperationRoute("PATCH", _ASSISTANT, "update_assistant", 200, _update_assistant, "assistants"),
    OperationRoute("DELETE", _ASSISTANT, "delete_assistant", 200, _delete, "assistants"),
    OperationRoute("GET", "/workspaces", "list_workspaces", 200, _list_workspaces, "workspaces"),
    OperationRoute("GET", _WORKSPACE, "describe_workspace", 200, _describe, "workspaces"),
    OperationRoute("DELETE", _WORKSPACE, "delete_workspace", 202, _delete, "workspaces"),
    # Published and not emulated. The sources are the control-plane documents, 2026-04 and of Nexus 2026-07, and for
    # backup schedules and inference the requests of the official SDKs 10 and TypeScript 9.
    OperationRoute("POST", "/workspaces", "create_workspace", 501, None),
    OperationRoute("POST", "/indexes/create-for-model", "create_index_for_model", 501, None),
    OperationRoute("POST", f"{_BACKUP}/create-index", "create_index_from_backup_operation", 501, None),
    OperationRoute("GET", "/restore-jobs", "list_restore_jobs", 501, None),
    OperationRoute("GET", "/restore-jobs/{job_id}", "describe_restore_job", 501, None),
    OperationRoute("GET", _SCHEDULES, "list_backup_schedules", 501, None),
    OperationRoute("POST", _SCHEDULES, "create_backup_schedule", 501, None),
    OperationRoute("GET", _SCHEDULE, "describe_backup_schedule", 501, None),
    OperationRoute("PATCH", _SCHEDULE, "update_backup_schedule", 501, None),
    OperationRoute("DELETE", _SCHEDULE, "delete_backup_schedule", 501, None),
    OperationRoute("GET", f"{_SCHEDULE}/history", "list_backup_schedule_history", 501, None),
    OperationRoute("POST", "/embed", "embed", 501, None),
    OperationRoute("POST", "/rerank", "rerank", 501, None),
    OperationRoute("GET", "/models", "list_models", 501, None),
    OperationRoute("GET", "/models/{model_name}", "get_model", 501, None),
)
"""The published operations of the control plane."""

ROUTER = Router(ROUTES)
OPERATION_IDS = tuple(route.id for route in ROUTES if route.run)
