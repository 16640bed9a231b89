# Derived from pinecone_admin/_async/workflows/empty_project.py by scripts/unasync.py: change that, not this file.
"""Read and delete the contents of a project, with a client that sends one of its keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from pinecone_admin._concurrency.parallel import run_in_parallel
from pinecone_admin._concurrency.waiting import COMPLETION_TIMEOUT
from pinecone_admin._sync.workflows.client_state import limit_parallel_requests
from pinecone_admin._sync.workflows.read_pages import read_pages
from pinecone_admin._sync.workflows.run import Run
from pinecone_admin.errors import (
    ApiError,
    FailedPreconditionError,
    ForbiddenError,
    NotFoundError,
    RefusedError,
)
from pinecone_admin.workflows.changes import Ref, Step
from pinecone_admin.workflows.project_contents import (
    CONTENT_KINDS,
    ContentKind,
    describe_deletion_of,
    list_contents_page,
)
from pinecone_admin.workflows.reports import Content
from pinecone_admin.workflows.sent_changes import is_api_404, is_foreign_refusal

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin

_REFUSED_STATUSES = (403, 404, 501)


def read_contents(keyed: Admin) -> tuple[list[Content], list[str]]:
    """Read all lists completely before anything is deleted; also return the kinds that the server refuses to list."""
    found: dict[str, list[Content] | None] = {}
    run_in_parallel(
        partial(_list_contents, keyed),
        CONTENT_KINDS,
        limit=len(CONTENT_KINDS),
        deliver=lambda kind, contents: found.update({kind.name: contents}),
    )
    contents = [content for kind in CONTENT_KINDS for content in found[kind.name] or []]
    return contents, [kind.name for kind in CONTENT_KINDS if found[kind.name] is None]


def _list_contents(keyed: Admin, kind: ContentKind) -> list[Content] | None:
    """Return the contents of a kind, or None if the server refuses to list them."""
    contents: dict[str, Content] = {}
    try:
        for page in read_pages(keyed, partial(list_contents_page, kind)):
            contents |= zip(page.names, page.items, strict=True)
    except ApiError as error:
        if kind.may_be_refused and error.status_code in _REFUSED_STATUSES:
            return None
        if not is_api_404(error):  # the plan does not include this kind
            raise
    return [*contents.values()]


def delete_contents(
    keyed: Admin, contents: Sequence[Content], project: Ref, record: Callable[[Sequence[Step]], object]
) -> None:
    """Delete in parallel, and record what was done; what the server cannot delete yet is left out."""

    def delete(content: Content) -> None:
        run = Run(keyed, "delete_with_cleanup", dry_run=False)
        try:
            for change in describe_deletion_of(content, project):
                run.do(change)
        except (FailedPreconditionError, NotFoundError) as error:
            if is_foreign_refusal(error):
                raise
        except ForbiddenError as error:
            raise RefusedError(
                f"{content} cannot be deleted: {error.message}{_describe_protection(run.steps)}",
                operation="delete_with_cleanup",
            ) from error
        finally:
            # Recorded here, because results beside a failure are not delivered.
            record([each for each in run.steps if each.state != "rejected"])

    run_in_parallel(
        delete,
        contents,
        limit=limit_parallel_requests(keyed),
        deliver=lambda _, done: done,
        interrupt_timeout=COMPLETION_TIMEOUT,
    )


def _describe_protection(steps: Sequence[Step]) -> str:
    """Return as a clause what the steps of a failed deletion show of the protection; empty if they show nothing."""
    states = {"done": "; its deletion protection is off now", "rejected": "; its deletion protection is still on"}
    lifted = [each for each in steps if each.change.settings.deletion_protection is not None]
    return states.get(lifted[0].state, "") if lifted else ""
