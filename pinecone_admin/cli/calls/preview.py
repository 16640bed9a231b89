"""A client that reads, and shows the first change instead of sending it."""

from __future__ import annotations

from typing import Any, TypeVar

from generated_client.types import Operation
from pinecone_admin import Admin
from pinecone_admin._http.operation_checks import check_operation
from pinecone_admin._http.operation_mapping import RequestBuilder
from pinecone_admin.cli.output.plain import to_plain, without_null

_T = TypeVar("_T")


class WouldSend(Exception):  # noqa: N818 - it is no failure
    """A change that a dry run does not send.

    Attributes:
        document: The request as plain JSON values, without secrets.
    """

    def __init__(self, operation: Operation[Any]) -> None:
        super().__init__(operation.id)
        request = RequestBuilder(api_url="https://host", user_agent="", headers={}).build(operation)
        self.document: dict[str, Any] = {
            "operation": operation.id,
            "method": operation.method,
            "path": request.url.raw_path.decode("ascii"),
            "body": None if operation.body is None else without_null(to_plain(operation.body)),
        }


class PreviewAdmin(Admin):
    """A client that sends reads only, and raises ``WouldSend`` in place of the first change."""

    def send(self, operation: Operation[_T]) -> _T:
        """Send a read; check a change as if it were sent."""
        if operation.method == "GET":
            return super().send(operation)
        check_operation(operation)
        raise WouldSend(operation)
