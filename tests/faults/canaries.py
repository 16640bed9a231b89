"""Recognizable secrets, and a search of every place where a secret could appear."""

from __future__ import annotations

import gc
import io
import json
import logging
import pickle
import pprint
import sys
import threading
import traceback
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from attrs import define, field
from rich.console import Console
from rich.traceback import Trace, Traceback

from tests.faults.server import TOKEN_PATH, Action, RequestContext, format_head

SECRET = "canary/secret+1"
"""Contains a slash, which has three encodings."""
TOKEN = "canary-token-2"
PASSWORD = "canary-password-3"
KEY = "canary-key-4"
HEADER = "canary-header-5"
CANARIES = (SECRET, TOKEN, PASSWORD, KEY, HEADER)

PACKAGES = ("pinecone_admin", "generated_client", "pinecone")
DEPENDENCIES = ("httpx", "httpcore", "h11", "anyio", "asyncio", "trio", "ssl", "socket")
FOLDER = str(Path(__file__).parent)
ROOT = str(Path(__file__).resolve().parents[2])


@define
class SecretSearch:
    """A search for canaries in texts.

    Attributes:
        places: Number of texts searched.
        found: Place and canary of each match.
    """

    places: int = 0
    found: list[str] = field(factory=list[str])

    def text(self, place: str, text: str | bytes) -> None:
        """Search a text."""
        self.places += 1
        decoded = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        self.found += [
            f"{place}: {canary}" for canary in CANARIES if any(encoding in decoded for encoding in ENCODINGS[canary])
        ]

    def value(self, place: str, value: object) -> None:
        """Search every printed form of a value."""
        self.text(f"{place}, repr", repr(value))
        self.text(f"{place}, str", str(value))
        self.text(f"{place}, pprint", pprint.pformat(value))
        self.text(f"{place}, rich", render_with_rich(value))

    def error(self, place: str, error: BaseException) -> None:
        """Search an exception, its linked exceptions, and the frames of its traceback."""
        for number, link in enumerate(list_linked_errors(error)):
            where = f"{place}, link {number}"
            self.value(where, link)
            self.text(f"{where}, attributes", repr(vars(link)))
            self.text(f"{where}, traceback", "".join(traceback.format_exception(link, chain=False)))
            for frame, _ in traceback.walk_tb(link.__traceback__):
                self.frame(where, frame)
        self.text(f"{place}, traceback with locals", render_traceback(error))
        self.pickle(place, error)

    def frames(self, place: str, error: BaseException) -> None:
        """Search the texts and frames of an exception and those linked to it; much faster than ``error``."""
        for number, link in enumerate(list_linked_errors(error)):
            self.text(f"{place}, link {number}", repr(link))
            for frame, _ in traceback.walk_tb(link.__traceback__):
                self.frame(f"{place}, link {number}", frame)

    def pickle(self, place: str, value: object) -> None:
        """Search the pickle of a value, or the error if it cannot be pickled."""
        try:
            pickled = pickle.dumps(value, protocol=0)
        except Exception as exc:  # noqa: BLE001 - the message of any error is searched
            self.text(f"{place}, refusal to pickle", str(exc))
        else:
            self.text(f"{place}, pickle", pickled.decode("raw_unicode_escape"))

    def frame(self, place: str, frame: FrameType) -> None:
        """Search the local variables of a frame of a package."""
        if is_package_frame(frame):
            for name, value in frame.f_locals.items():
                self.text(f"{place}, {name} in {frame.f_code.co_qualname}", safe_repr(value))

    def stacks(self, place: str) -> None:
        """Search the current frames of all other threads."""
        frames = sys._current_frames()
        frames.pop(threading.get_ident(), None)
        for top in frames.values():
            frame: FrameType | None = top
            while frame is not None:
                self.frame(place, frame)
                frame = frame.f_back

    def objects(self, place: str, root: object) -> None:
        """Search the repr and the ``vars`` of every object of the package that is reachable from an object."""
        seen: dict[int, object] = {}
        pending: list[object] = [root]
        while pending:
            each = pending.pop()
            if id(each) not in seen:
                seen[id(each)] = each
                pending += [referent for referent in gc.get_referents(each) if leads_to_package(referent)]
        for each in seen.values():
            if type(each).__module__.startswith(PACKAGES):
                self.text(f"{place}, {type(each).__qualname__}", safe_repr(each))
                if hasattr(each, "__dict__"):
                    self.text(f"{place}, vars of {type(each).__qualname__}", safe_repr(vars(each)))

    @contextmanager
    def logs(self, place: str) -> Iterator[None]:
        """Search all log records of the block, at every level and from every logger."""
        records: list[logging.LogRecord] = []
        handler = logging.Handler(0)
        handler.emit = records.append  # type: ignore[method-assign,assignment]
        root = logging.getLogger()
        previous_level = root.level
        root.addHandler(handler)
        root.setLevel(1)
        try:
            yield
        finally:
            root.removeHandler(handler)
            root.setLevel(previous_level)
            for record in records:
                self.text(f"{place}, log of {record.name}", record.getMessage())
                self.text(f"{place}, record of {record.name}", repr(vars(record)))


def list_encodings(canary: str) -> set[str]:
    """Return the encodings of a canary."""
    return {
        canary,
        b64encode(f"ada:{canary}".encode()).decode(),
        json.dumps(canary)[1:-1],
        canary.replace("/", "\\/"),
        canary.replace("/", "%2F").replace("+", "%2B"),
    }


def list_linked_errors(error: BaseException) -> list[BaseException]:
    """Return an exception with all its causes, contexts and group members, suppressed or not."""
    found: list[BaseException] = []
    pending: list[BaseException | None] = [error]
    while pending:
        each = pending.pop()
        if each is not None and each not in found:
            found.append(each)
            pending += [each.__cause__, each.__context__, *getattr(each, "exceptions", ())]
    return found


ENCODINGS = {canary: list_encodings(canary) for canary in CANARIES}


def is_package_frame(frame: FrameType) -> bool:
    """Return whether a frame belongs to the package or a dependency, not to a test, which may hold canaries."""
    module = str(frame.f_globals.get("__name__", ""))
    return module.split(".", maxsplit=1)[0] in {*PACKAGES, *DEPENDENCIES}


def leads_to_package(value: object) -> bool:
    """Return whether an object can reference objects of the package."""
    module = type(value).__module__
    return module.startswith((*PACKAGES, "httpx", "concurrent")) or isinstance(value, dict | list | tuple | set)


def safe_repr(value: object) -> str:
    """Return the repr of a value, or the name of the error that it raises."""
    try:
        return repr(value)
    except Exception as exc:  # noqa: BLE001 - as a debugger would
        return f"<{type(exc).__name__}>"


def render_with_rich(value: object) -> str:
    """Return a value as printed by rich."""
    console = Console(file=io.StringIO(), width=1000)
    console.print(value)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def render_traceback(error: BaseException) -> str:
    """Return what rich's traceback shows of an error and of the local variables of every frame outside this folder.

    Its layout and the source lines that it colors are left out, since they take ten times as long.
    """
    trace = extract_traceback(error)
    lines = [f"{stack.exc_type}: {stack.exc_value} {stack.notes}" for stack in trace.stacks]
    frames = [frame for stack in trace.stacks for frame in stack.frames if not frame.filename.startswith(FOLDER)]
    lines += [f"{name} = {value}" for frame in frames for name, value in (frame.locals or {}).items()]
    return "\n".join(lines)


def extract_traceback(error: BaseException) -> Trace:
    """Return an error with the local variables of its frames; if another thread changes one, look again."""
    while True:
        try:
            return Traceback.extract(
                type(error), error, error.__traceback__, show_locals=True, locals_max_string=10_000
            )
        except RuntimeError as exc:
            if "changed size during iteration" not in str(exc):
                raise


def issue_canary_token(context: RequestContext) -> None:
    """Send a token response whose token is the canary."""
    context.process()
    body = json.dumps({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 1800}).encode()
    context.send(format_head(200, len(body)) + body)


def read_secret(context: RequestContext) -> str:
    """Return the secret in a request: the client's secret or the Authorization header."""
    if context.request.path == TOKEN_PATH:
        return str(json.loads(context.request.body)["client_secret"])
    return context.request.headers.get("authorization", "")


def format_request(context: RequestContext) -> bytes:
    """Return a request as bytes."""
    lines = [f"{name}: {value}" for name, value in context.request.headers.items()]
    return (
        "\r\n".join([f"{context.request.verb} {context.request.path}", *lines, "", ""]).encode() + context.request.body
    )


def send_secret_in_body(status: int, template: str, *, escape: bool = False) -> Action:
    """Respond with a body. ECHOED in it stands for the secret of the request."""

    def act(context: RequestContext) -> None:
        secret = read_secret(context).replace("/", "\\/") if escape else read_secret(context)
        body = template.replace("ECHOED", secret).encode()
        context.send(format_head(status, len(body)) + body)

    return act


def send_secret_in_header(name: str, status: int = 400) -> Action:
    """Respond with a header that contains the secret of the request."""

    def act(context: RequestContext) -> None:
        context.send(format_head(status, 2, f"{name}: {read_secret(context)}") + b"{}")

    return act


def send_request_back(prefix: bytes = b"") -> Action:
    """Send the request itself instead of a response."""

    def act(context: RequestContext) -> None:
        context.send(prefix + format_request(context))
        context.keep_alive = False

    return act
