"""Routes: the operation of a method and a path, and its arguments from the path."""

from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar
from urllib.parse import unquote

from attrs import define, field, frozen

from pinecone_admin.emulator.api.messages import Request
from pinecone_admin.emulator.api.refusals import Refusal, method_not_allowed, quoted
from pinecone_admin.emulator.api.serialization import Document

C = TypeVar("C")


@frozen
class Route:
    """A method and a path; a segment of the path in braces stands for an argument."""

    method: str
    path: str


@frozen
class OperationRoute(Route, Generic[C]):
    """The route of an operation.

    Args:
        id: The id of the operation.
        status: The status of a success.
        run: Runs the operation; None if it is not emulated.
        kind: The kind of resource, on the control plane.
    """

    id: str
    status: int
    run: Callable[[C], Document | None] | None
    kind: str = ""

    def require_emulated(self) -> Callable[[C], Document | None]:
        """Return the function that runs the operation; raise 501 if there is none."""
        if self.run is None:
            raise Refusal(501, "UNIMPLEMENTED", f"{self.id} is not emulated: {self.method} {self.path}")
        return self.run


def matches_path(template: str, path: str) -> bool:
    """Return whether a template matches a path; a segment of the template in braces matches any segment."""
    wanted, sent = template.split("/"), path.split("/")
    return len(wanted) == len(sent) and all(
        each == segment or (each.startswith("{") and segment != "") for each, segment in zip(wanted, sent, strict=True)
    )


R = TypeVar("R", bound=Route)


@define
class _Node(Generic[R]):
    """The segments that can follow the beginning of a path."""

    segments: dict[str, "_Node[R]"] = field(factory=dict)
    argument: "_Node[R] | None" = None
    routes: dict[str, R] = field(factory=dict)


class Router(Generic[R]):
    """Find routes, with one look-up for each segment of a path; a segment that a route names is no argument.

    Args:
        routes: The routes.
        hint: The end of the error for an unknown path.
    """

    def __init__(self, routes: Iterable[R], hint: str = "") -> None:
        self._hint = hint
        self._root: _Node[R] = _Node()
        for route in routes:
            node = self._root
            for segment in route.path.split("/")[1:]:
                if not segment.startswith("{"):
                    node = node.segments.setdefault(segment, _Node())
                    continue
                node.argument = node.argument or _Node()
                node = node.argument
            node.routes[route.method] = route

    def match(self, path: str) -> tuple[Mapping[str, R], tuple[str, ...]]:
        """Return the routes of a path by method, none if the path is unknown, and the arguments in it."""
        node = self._root
        arguments: list[str] = []
        for segment in path.split("/")[1:]:
            if segment in node.segments:
                node = node.segments[segment]
            elif segment and node.argument:
                node = node.argument
                # Unquoted only after the path is split: an encoded slash in an id must not lead to another route.
                arguments.append(unquote(segment))
            else:
                return {}, ()
        return node.routes, tuple(arguments)

    def find(self, request: Request) -> tuple[R, tuple[str, ...]]:
        """Return the route of a request and the arguments in its path; raise 404 or 405."""
        routes, arguments = self.match(request.path)
        if not routes:
            raise Refusal(404, "NOT_FOUND", f"there is no route {quoted(request.path)}{self._hint}")
        if request.method not in routes:
            raise method_not_allowed(request, routes)
        return routes[request.method], arguments
