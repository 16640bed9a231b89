"""Secrets that can be recognized, and a search of every place where one could show."""

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
from rich.traceback import Traceback

from tests.faults.server import TOKEN_PATH, Action, Exchange, head

SECRET = "canary/secret+1"
"""Its slash can be written in three ways in JSON."""
TOKEN = "canary-token-2"
PASSWORD = "canary-password-3"
KEY = "canary-key-4"
HEADER = "canary-header-5"
CANARIES = (SECRET, TOKEN, PASSWORD, KEY, HEADER)

OURS = ("pinecone_admin", "generated_client", "pinecone")
BELOW = ("httpx", "httpcore", "h11", "anyio", "asyncio", "trio", "ssl", "socket")
HERE = str(Path(__file__).parent)
ROOT = str(Path(__file__).resolve().parents[2])


@define
class Search:
    """Looks for the canaries in texts.

    Attributes:
        places: How many texts were searched.
        found: Where one was found.
    """

    places: int = 0
    found: list[str] = field(factory=list[str])

    def text(self, place: str, text: str | bytes) -> None:
        """Search one text."""
        self.places += 1
        shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        self.found += [f"{place}: {canary}" for canary in CANARIES if any(form in shown for form in forms(canary))]

    def value(self, place: str, value: object) -> None:
        """Search all that prints a value."""
        self.text(f"{place}, repr", repr(value))
        self.text(f"{place}, str", str(value))
        self.text(f"{place}, pprint", pprint.pformat(value))
        self.text(f"{place}, rich", printed(value))

    def error(self, place: str, error: BaseException) -> None:
        """Search an exception, all that it carries along, and the frames that it passed through."""
        for number, link in enumerate(links(error)):
            where = f"{place}, link {number}"
            self.value(where, link)
            self.text(f"{where}, attributes", repr(vars(link)))
            self.text(f"{where}, traceback", "".join(traceback.format_exception(link, chain=False)))
            for frame, _ in traceback.walk_tb(link.__traceback__):
                self.frame(where, frame)
        self.text(f"{place}, traceback with locals", rich_traceback(error))
        self.pickle(place, error)

    def pickle(self, place: str, value: object) -> None:
        """Search the pickle of a value, unless it refuses."""
        try:
            pickled = pickle.dumps(value, protocol=0)
        except Exception as exc:  # noqa: BLE001 - whatever it is, it says something
            self.text(f"{place}, refusal to pickle", str(exc))
        else:
            self.text(f"{place}, pickle", pickled.decode("raw_unicode_escape"))

    def frame(self, place: str, frame: FrameType) -> None:
        """Search the locals of a frame of a package."""
        if is_theirs(frame):
            for name, value in frame.f_locals.items():
                self.text(f"{place}, {name} in {frame.f_code.co_qualname}", safe_repr(value))

    def stacks(self, place: str) -> None:
        """Search the frames of every other thread as they are now."""
        frames = sys._current_frames()
        frames.pop(threading.get_ident(), None)
        for top in frames.values():
            frame: FrameType | None = top
            while frame is not None:
                self.frame(place, frame)
                frame = frame.f_back

    def objects(self, place: str, root: object) -> None:
        """Search the repr of all objects of the package that something holds."""
        seen: dict[int, object] = {}
        waiting: list[object] = [root]
        while waiting:
            each = waiting.pop()
            if id(each) not in seen:
                seen[id(each)] = each
                waiting += [held for held in gc.get_referents(each) if is_worth_following(held)]
        for each in seen.values():
            if type(each).__module__.startswith(OURS):
                self.text(f"{place}, {type(each).__qualname__}", safe_repr(each))

    @contextmanager
    def logs(self, place: str) -> Iterator[None]:
        """Search everything that is logged meanwhile, at any level and by anybody."""
        records: list[logging.LogRecord] = []
        handler = logging.Handler(0)
        handler.emit = records.append  # type: ignore[method-assign,assignment]
        root = logging.getLogger()
        before = root.level
        root.addHandler(handler)
        root.setLevel(1)
        try:
            yield
        finally:
            root.removeHandler(handler)
            root.setLevel(before)
            for record in records:
                self.text(f"{place}, log of {record.name}", record.getMessage())
                self.text(f"{place}, record of {record.name}", repr(vars(record)))


def forms(canary: str) -> set[str]:
    """Give the ways to write a canary."""
    return {
        canary,
        b64encode(f"ada:{canary}".encode()).decode(),
        json.dumps(canary)[1:-1],
        canary.replace("/", "\\/"),
        canary.replace("/", "%2F").replace("+", "%2B"),
    }


def links(error: BaseException) -> list[BaseException]:
    """Give an exception with all that it was raised from or beside, suppressed or not."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is not None and each not in found:
            found.append(each)
            waiting += [each.__cause__, each.__context__, *getattr(each, "exceptions", ())]
    return found


def is_theirs(frame: FrameType) -> bool:
    """Tell whether a frame is of the package or below it, rather than of a test, which may hold the canaries."""
    module = str(frame.f_globals.get("__name__", ""))
    return module.split(".", maxsplit=1)[0] in {*OURS, *BELOW}


def is_worth_following(value: object) -> bool:
    """Tell whether an object can lead to others of the package."""
    module = type(value).__module__
    return module.startswith((*OURS, "httpx", "concurrent")) or isinstance(value, dict | list | tuple | set)


def safe_repr(value: object) -> str:
    """Print a value as a debugger would."""
    try:
        return repr(value)
    except Exception as exc:  # noqa: BLE001 - as a debugger would
        return f"<{type(exc).__name__}>"


def printed(value: object) -> str:
    """Print a value with rich."""
    console = Console(file=io.StringIO(), width=1000)
    console.print(value)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def rich_traceback(error: BaseException) -> str:
    """Print a traceback with the locals of every frame but the test's."""
    trace = Traceback.extract(type(error), error, error.__traceback__, show_locals=True, locals_max_string=10_000)
    console = Console(file=io.StringIO(), width=1000)
    console.print(Traceback(trace, suppress=[HERE], show_locals=True, max_frames=0))
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def mint(exchange: Exchange) -> None:
    """Give out the canary of a token."""
    exchange.process()
    body = json.dumps({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 1800}).encode()
    exchange.send(head(200, len(body)) + body)


def given(exchange: Exchange) -> str:
    """Give the secret that came with a request: the client's, or the token."""
    if exchange.request.path == TOKEN_PATH:
        return str(json.loads(exchange.request.body)["client_secret"])
    return exchange.request.headers.get("authorization", "")


def raw(exchange: Exchange) -> bytes:
    """Give a request back as it came."""
    lines = [f"{name}: {value}" for name, value in exchange.request.headers.items()]
    return (
        "\r\n".join([f"{exchange.request.verb} {exchange.request.path}", *lines, "", ""]).encode()
        + exchange.request.body
    )


def telling(status: int, template: str, *, escape: bool = False) -> Action:
    """Answer with a body in which GIVEN stands for the secret that came."""

    def act(exchange: Exchange) -> None:
        secret = given(exchange).replace("/", "\\/") if escape else given(exchange)
        body = template.replace("GIVEN", secret).encode()
        exchange.send(head(status, len(body)) + body)

    return act


def in_a_header(name: str, status: int = 400) -> Action:
    """Answer with a header that holds the secret that came."""

    def act(exchange: Exchange) -> None:
        exchange.send(head(status, 2, f"{name}: {given(exchange)}") + b"{}")

    return act


def echoing(before: bytes = b"") -> Action:
    """Send a request back instead of an answer."""

    def act(exchange: Exchange) -> None:
        exchange.send(before + raw(exchange))
        exchange.keep = False

    return act
