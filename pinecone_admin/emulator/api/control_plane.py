"""The control plane of a project, as far as filling and emptying the project needs it.

The sources are the control-plane documents of 2025-10 and 2026-04. Requests carry the value of an API key instead of
an access token; a key gives access to its own project only. Deleting an index or an assistant takes a while, and until
it is gone the project cannot be deleted.
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
from pinecone_admin.emulator.api.preconditions import STATUSES_THAT_FORBID_CREATING
from pinecone_admin.emulator.api.refusals import Refusal, invalid_argument, quoted
from pinecone_admin.emulator.api.routing import OperationRoute, Router
from pinecone_admin.emulator.api.serialization import Document, format_time
from pinecone_admin.emulator.model.records import PendingResource, ProjectRecord
from pinecone_admin.emulator.model.state import State

BACKUPS_PER_PAGE, ASSISTANTS_PER_PAGE = 10, 50
DELETION_DURATIONS = {"indexes": timedelta(seconds=2), "assistants": timedelta(seconds=4)}
"""How long a deletion takes, by kind; other kinds are gone at once."""

_READERS = frozenset({"ProjectEditor", "ProjectViewer", "ControlPlaneEditor", "ControlPlaneViewer"})
_WRITERS = frozenset({"ProjectEditor", "ControlPlaneEditor"})
_SINGULARS = {"indexes": "index", "collections": "collection", "assistants": "assistant", "backups": "backup"}


@frozen
class ControlPlaneContext(RequestContext):
    """The context of one call with an API key.

    Args:
        project: The project of the key.
        version: The API version of the request.
        kind: The kind of resource: indexes, collections, assistants or backups.
    """

    project: ProjectRecord
    version: str
    kind: str

    @property
    def includes_deleted(self) -> bool:
        """Whether the query also asks for the backups of deleted indexes."""
        return self.query.get("include_deleted", checks.one_of(("true", "false")), "false") == "true"

    def properties(self, kind: str, name: str) -> Properties:
        """Return the properties that a resource was created with."""
        return self.project.properties.get((kind, name), {})

    def state_of(self, kind: str, name: str) -> str:
        """Return the state of a resource."""
        if (kind, name) in self.project.going:
            return "Terminating"
        return "Initializing" if (kind, name) in self.project.pending else "Ready"


def run_operation(request: Request, version: str, state: State, now: datetime) -> tuple[int, Document | None]:
    """Run the operation that a request with an API key calls; return the status and the document."""
    route, targets = ROUTER.find(request)
    run = route.require_emulated()
    project, roles = _authenticate_key(request, state)
    complete_transitions(project, now)
    if not roles & (_READERS if request.method == "GET" else _WRITERS):
        raise Refusal(403, "FORBIDDEN", f"the API key's roles do not permit {route.id}")
    return route.status, run(ControlPlaneContext(state, now, request, targets, project, version, route.kind))


def complete_transitions(project: ProjectRecord, now: datetime) -> None:
    """Complete the deletions and creations that are due."""
    for (kind, name), until in list(project.going.items()):
        if until <= now:
            project.remove_content(kind, name)
    project.pending = {key: pending for key, pending in project.pending.items() if now < pending.until}


def _authenticate_key(request: Request, state: State) -> tuple[ProjectRecord, frozenset[str]]:
    # A scan is fast enough: only the filling and emptying of projects comes through here.
    value = request.headers.get("api-key", "")
    key = next((key for key in state.api_keys.values() if key.value == value), None)
    if key is None:
        raise Refusal(401, "UNAUTHENTICATED", "the Api-Key header is missing or its key is unknown")
    return state.projects[key.project_id], frozenset(state.roles_of(key))


# Reading


def _document(context: ControlPlaneContext, kind: str, name: str) -> Document:
    properties, state = context.properties(kind, name), context.state_of(kind, name)
    if kind == "indexes":
        protected = name in context.project.protected
        return documents.index_document(name, properties, context.version, state=state, protected=protected)
    if kind == "collections":
        return documents.collection_document(name, properties, state=state)
    if kind == "backups":
        # A backup that was not created on the control plane: of an index that is gone, or of the one that makes it.
        source = getattr(context.project.pending.get((kind, name)), "source", "") or "deleted-index"
        default = documents.backup_properties(source, _index_id(context, source), {}, format_time(context.now))
        return documents.backup_document(name, properties or default, context.version, state=state)
    return documents.assistant_document(name, properties, context.version, state=state)


def _index_id(context: ControlPlaneContext, name: str) -> str:
    return str(uuid5(UUID(context.project.id), name))


def _require_existing(context: ControlPlaneContext, kind: str, name: str) -> str:
    if name not in context.project.contents[kind]:
        raise Refusal(404, "NOT_FOUND", f"{_SINGULARS[kind].capitalize()} {quoted(name)} not found")
    return name


def _list_whole(context: ControlPlaneContext) -> Document:
    kind = context.kind
    return {kind: [_document(context, kind, name) for name in sorted(context.project.contents[kind])]}


def _describe(context: ControlPlaneContext) -> Document:
    return _document(context, context.kind, _require_existing(context, context.kind, context.target))


def _list_assistants(context: ControlPlaneContext) -> Document:
    if context.version <= documents.LAST_VERSION_WITHOUT_REGION:
        return _list_whole(context)
    names = sorted(context.project.contents["assistants"])
    return _page(context, names, field="assistants", parameter="pagination_token", default=ASSISTANTS_PER_PAGE)


def _list_backups(context: ControlPlaneContext) -> Document:
    names = sorted(context.project.contents["backups"])
    if context.target:
        names = [name for name in names if _is_backup_of_target(context, context.properties("backups", name))]
        if not context.includes_deleted:
            _require_existing(context, "indexes", context.target)
    return _page(context, names, field="data", parameter="paginationToken", default=BACKUPS_PER_PAGE)


def _is_backup_of_target(context: ControlPlaneContext, backup: Properties) -> bool:
    deleted = documents.SOURCE_DELETED_AT in backup
    return backup.get("source_index_name") == context.target and (context.includes_deleted or not deleted)


def _page(context: ControlPlaneContext, names: list[str], *, field: str, parameter: str, default: int) -> Document:
    # The position is an offset: a deletion between two pages shifts the rest. Clients must read the whole list first.
    limit = context.query.optional("limit", checks.page_limit) or default
    token = context.query.optional(parameter, checks.string)
    listing = f"{context.kind} {context.project.id} {context.target}"
    start = 0 if token is None else context.state.decode_cursor(listing, token)
    if start is None:
        raise invalid_argument(f"{parameter} does not belong to this list: {quoted(token)}")
    end = start + limit
    # Left out on the last page: the documents' schemas do not allow null.
    more = {"pagination": {"next": context.state.encode_cursor(listing, end)}} if end < len(names) else {}
    return {field: [_document(context, context.kind, name) for name in names[start:end]], **more}


# Creating


def _create(
    context: ControlPlaneContext, kind: str, name: str, properties: Properties, *, source: str = ""
) -> Document:
    status = context.state.organization.payment_status
    if status in STATUSES_THAT_FORBID_CREATING:
        raise Refusal(402, "PAYMENT_REQUIRED", f"the organization's payment status {status} forbids creating")
    project = context.project
    if name in project.contents[kind]:
        raise Refusal(409, "ALREADY_EXISTS", f"{_SINGULARS[kind].capitalize()} {quoted(name)} already exists")
    project.contents[kind].add(name)
    project.properties[kind, name] = properties
    if delay := context.state.settings.creation_delay:
        project.pending[kind, name] = PendingResource(source, context.now + timedelta(seconds=delay))
    return _document(context, kind, name)


def _create_index(context: ControlPlaneContext) -> Document:
    fields = context.fields
    given, properties = documents.read_index(fields, context.version)
    protection = fields.get("deletion_protection", documents.DELETION_PROTECTION, "disabled")
    name = given or f"index-{context.state.new_id()[:8]}"
    document = _create(context, "indexes", name, properties)
    if protection == "enabled":
        context.project.protected.add(name)
    return document | {"deletion_protection": protection}


def _create_collection(context: ControlPlaneContext) -> Document:
    name, source = documents.read_collection(context.fields)
    if source not in context.project.contents["indexes"]:
        raise invalid_argument(f"source {quoted(source)} is not an index of the project")
    properties = documents.collection_properties(source, context.properties("indexes", source))
    return _create(context, "collections", name, properties, source=source)


def _create_backup(context: ControlPlaneContext) -> Document:
    asked = documents.read_backup(Fields.from_body(context.request.body or b"{}"))
    source = _require_existing(context, "indexes", context.target)
    index = context.properties("indexes", source)
    copied = documents.backup_properties(source, _index_id(context, source), index, format_time(context.now))
    return _create(context, "backups", context.state.new_id(), copied | asked, source=source)


def _create_assistant(context: ControlPlaneContext) -> Document:
    name, properties = documents.read_assistant(context.fields)
    created = format_time(context.now)
    return _create(context, "assistants", name, properties | {"created_at": created, "updated_at": created})


# Changing and deleting


def _configure_index(context: ControlPlaneContext) -> Document:
    fields = context.fields
    protection = fields.optional("deletion_protection", documents.DELETION_PROTECTION)
    changed_tags = fields.optional("tags", documents.tags)
    name = _require_existing(context, "indexes", context.target)
    for other in ("spec", "embed", "schema", "deployment"):
        if fields.optional(other, lambda _, value: value) is not None:
            raise Refusal(501, "UNIMPLEMENTED", f"the emulator cannot change the {other} of an index")
    properties = dict(context.properties("indexes", name))
    if changed_tags is not None:
        properties["tags"] = documents.merge_tags(properties.get("tags"), changed_tags)
    if (capacity := fields.optional("read_capacity", documents.read_capacity)) is not None:
        properties["spec"] = documents.spec_with_capacity(properties, capacity)
    if protection is not None:
        (context.project.protected.add if protection == "enabled" else context.project.protected.discard)(name)
    context.project.properties["indexes", name] = properties
    return _document(context, "indexes", name)


def _update_assistant(context: ControlPlaneContext) -> Document:
    changes = documents.read_assistant_changes(context.fields)
    name = _require_existing(context, "assistants", context.target)
    updated = context.properties("assistants", name) | changes | {"updated_at": format_time(context.now)}
    context.project.properties["assistants", name] = updated
    # The documents have only this name; the official Python clients read the whole assistant.
    return _document(context, "assistants", name) | {"assistant_name": name}


def _delete_index(context: ControlPlaneContext) -> None:
    name = _require_existing(context, "indexes", context.target)
    if name in context.project.protected:
        raise Refusal(403, "FORBIDDEN", f"deletion protection is enabled for index {quoted(name)}")
    pending = context.project.pending.items()
    if made := [each for (kind, each), resource in pending if kind == "collections" and resource.source == name]:
        raise Refusal(412, "FAILED_PRECONDITION", f"index {quoted(name)} has pending collections: {', '.join(made)}")
    for backup in context.project.contents["backups"]:
        properties = context.properties("backups", backup)
        if properties.get("source_index_name") == name:
            properties.setdefault(documents.SOURCE_DELETED_AT, format_time(context.now))
    _start_deletion(context)


def _delete(context: ControlPlaneContext) -> None:
    name = _require_existing(context, context.kind, context.target)
    if context.kind == "backups" and ("backups", name) in context.project.pending:
        raise Refusal(412, "FAILED_PRECONDITION", f"backup {quoted(name)} is still being created")
    _start_deletion(context)


def _start_deletion(context: ControlPlaneContext) -> None:
    # A second request does not prolong a deletion that is under way.
    until = context.now + DELETION_DURATIONS.get(context.kind, timedelta())
    context.project.going.setdefault((context.kind, context.target), until)
    complete_transitions(context.project, context.now)


_INDEX, _COLLECTION, _BACKUP = "/indexes/{index_name}", "/collections/{collection_name}", "/backups/{backup_id}"
_ASSISTANTS, _ASSISTANT = "/assistant/assistants", "/assistant/assistants/{assistant_name}"
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
    # Published and not emulated. The sources are the control-plane documents, 2026-04, and for backup schedules and
    # inference the requests of the official SDKs 10 and TypeScript 9.
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
