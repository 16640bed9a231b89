# Derived from pinecone_admin/_async/workflows/take_inventory.py by scripts/unasync.py: change that, not this file.
"""Take an inventory: the projects first, then everything else in parallel, but the invites before the users."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from pinecone_admin._concurrency.clock import current_clock
from pinecone_admin._concurrency.parallel import run_in_parallel
from pinecone_admin._http.argument_checks import check_function, check_integer, set_operation_on_errors
from pinecone_admin._sync.workflows.client_state import CONCURRENCY, limit_parallel_requests, server_now, server_time
from pinecone_admin._sync.workflows.read_people import read_people
from pinecone_admin._sync.workflows.run import Run
from pinecone_admin.errors import PineconeError
from pinecone_admin.workflows.ending import ends_everything
from pinecone_admin.workflows.inventory import Inventory, InventoryBuilder, InventoryPart
from pinecone_admin.workflows.reports import Progress


def take_inventory(
    run: Run, *, concurrency: int = CONCURRENCY, progress: Callable[[Progress], object] | None = None
) -> Inventory:
    """Read every part; a part that fails does not affect the others."""
    with set_operation_on_errors("inventory"):
        check_function("progress", progress, optional=True)
        limit = limit_parallel_requests(run.admin, check_integer("concurrency", concurrency, least=1))

    def read(part: InventoryPart) -> Sequence[Any] | PineconeError:
        arguments = {} if part.project_id is None else {"project_id": part.project_id}
        try:
            return list(getattr(run.admin, part.kind).list(**arguments))
        except PineconeError as error:
            if ends_everything(error):
                raise
            return error

    def read_group(parts: Sequence[InventoryPart]) -> Sequence[Sequence[Any] | PineconeError]:
        if len(parts) > 1:
            return read_people(lambda kind: read(InventoryPart(kind)))
        return [read(part) for part in parts]

    def add_group(parts: Sequence[InventoryPart], results: Sequence[Sequence[Any] | PineconeError]) -> None:
        for part, result in zip(parts, results, strict=True):
            builder.add_part(part, result)

    clock = current_clock()
    began = clock.monotonic()
    projects = InventoryPart("projects")
    result = read(projects)
    # By the server's clock, as the dates in the inventory are; it is known only once there is a response.
    taken_at = server_now(run.admin) - timedelta(seconds=clock.monotonic() - began)
    builder = InventoryBuilder(taken_at, progress, is_server_time=server_time(run.admin) is not None)
    builder.add_part(projects, result)
    run_in_parallel(read_group, builder.plan_remaining_parts(), limit=limit, deliver=add_group)
    if torn := builder.find_torn_parts():
        *people, bindings = torn
        builder.replace_parts(dict(zip(torn, [*read_group(people), read(bindings)], strict=True)))
    unlisted = builder.find_unlisted_projects()
    if unlisted and not isinstance(listed := read(projects), PineconeError):
        unlisted -= {project.id for project in listed}  # created while this was reading
    return builder.inventory(unlisted)
