"""Serve the emulator over HTTP: `python -m pinecone_admin.emulator`."""

import argparse
import gc
import json
import logging
import os
import signal
import socket
import stat
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from itertools import pairwise, takewhile
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.control.announcement import (
    HTTPS_PORT,
    describe,
    describe_tls,
    format_exports,
    namespace_environment,
)
from pinecone_admin.emulator.control.configuration import LONGEST_TOKEN_LIFETIME
from pinecone_admin.emulator.control.routes import is_loopback
from pinecone_admin.emulator.emulator import overlay_settings
from pinecone_admin.emulator.model.clock import Clock
from pinecone_admin.emulator.namespace import (
    NamespaceError,
    enter_namespaces,
    run_command,
    set_up_network,
    trust_authority,
)
from pinecone_admin.emulator.options import COMMAND, OLD_OPTIONS, OPTIONS

if TYPE_CHECKING:
    from pinecone_admin.emulator.http.server import Server

CREDENTIALS = ("PINECONE_EMULATOR_CLIENT_ID", "PINECONE_EMULATOR_CLIENT_SECRET")
"""Variables with the owner's credentials, so that no secret has to be on a command line."""


class ServingError(Exception):
    """The emulator cannot start.

    Args:
        message: The problem, in one line.
        status: The exit status.
    """

    def __init__(self, message: str, *, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


class StateNotSavedError(ServingError):
    """The emulator has served, and its state could not be written."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT, and return the exit status; what is wrong goes to standard error.

    Args:
        arguments: The command-line arguments without the program's name.
    """
    try:
        return serve(arguments)
    except ServingError as error:
        sys.stderr.write(f"{error}\n")
        if asks_for_exports(sys.argv[1:] if arguments is None else arguments) and not isinstance(
            error, StateNotSavedError
        ):
            sys.stdout.write(FAILING_COMMAND)
        return error.status


FAILING_COMMAND = "false\n"
"""Written in place of exports, so that ``eval`` fails.

Evaluating nothing succeeds, and a script would go on with the credentials of a real account.
"""


def asks_for_exports(arguments: Sequence[str]) -> bool:
    """Return whether a shell evaluates what a command line prints, even if it cannot be parsed."""
    arguments = own_arguments(arguments)
    pairs = [*pairwise(arguments), *(each.partition("=")[::2] for each in arguments)]
    # argparse takes abbreviations, too.
    return any(value == "env" and len(name) > len("--") and "--format".startswith(name) for name, value in pairs)


def own_arguments(arguments: Sequence[str]) -> list[str]:
    """Return the emulator's own arguments, without the command that follows ``--``."""
    return list(takewhile("--".__ne__, arguments))


def serve(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT, or until a command has ended, and return its exit status or 0.

    Args:
        arguments: The command-line arguments without the program's name.

    Raises:
        ServingError: It cannot start; a StateNotSavedError, if the state could not be written at the end.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parse_arguments(arguments)
    if options.command:
        _prepare_namespaces(arguments, is_inside=options.in_namespace)
    if not (options.allow_remote or is_loopback(options.host)):
        raise ServingError(f"{options.host} is not a loopback address: pass --allow-remote to allow it", status=2)
    # uvicorn raises the signal that stopped it again once its connections are closed; this turns it into SystemExit.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _exit_on_signal)
    try:
        with _paused_garbage_collection():
            emulator = _create_emulator(options)
    except (OSError, ValueError, RecursionError) as error:  # JSON that is nested too deep
        raise ServingError(f"cannot use the state file {_shorten(options.state)}: {_describe_error(error)}") from error
    try:
        status = _serve(emulator, options)
    except (ModuleNotFoundError, NamespaceError, _OutputClosedError) as error:
        raise ServingError(str(error)) from error
    except OSError as error:
        raise ServingError(f"cannot start: {_shorten(error)}") from error
    except SystemExit:
        status = 0
    if options.state:
        _save_state(emulator, options.state)
    return status


def _save_state(emulator: Emulator, path: Path) -> None:
    try:
        with _paused_garbage_collection():
            _write_atomically(path, emulator.dump_text())
    except OSError as error:
        reason = _describe_error(error)
        raise StateNotSavedError(f"cannot write the state file {_shorten(path)}: {reason}") from error


def _prepare_namespaces(arguments: Sequence[str], *, is_inside: bool) -> None:
    try:
        if is_inside:
            set_up_network()
        else:
            enter_namespaces(["--in-namespace", *arguments])
    except (NamespaceError, OSError) as error:
        raise ServingError(str(error)) from error


class _OutputClosedError(Exception):
    """The standard output is closed, so nobody learns where the server listens."""


class _ArgumentParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ServingError(f"{message.removeprefix('argument ')}; --help lists the options", status=2)


def _parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = _ArgumentParser(prog="python -m pinecone_admin.emulator", description=__doc__, allow_abbrev=False)
    defaults = {"--host": "127.0.0.1", "--port": 0, "--format": "json"}
    defaults |= {"--client-id": os.environ.get(CREDENTIALS[0]), "--client-secret": os.environ.get(CREDENTIALS[1])}
    for each in OPTIONS:
        if each.metavar or each.choices:
            parser.add_argument(
                each.name,
                metavar=each.metavar or None,
                choices=each.choices or None,
                type=_TYPES.get(each.name, str),
                default=defaults.get(each.name),
                help=each.text,
            )
        else:
            parser.add_argument(each.name, action="store_true", help=each.text)
    parser.add_argument("--in-namespace", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("command", nargs="*", metavar="COMMAND", help=COMMAND)
    for name in (word.partition("=")[0] for word in own_arguments(arguments)):
        if name in OLD_OPTIONS:
            parser.error(f"{name} is now {OLD_OPTIONS[name]}")
    # argparse would take the last one without a word.
    counts = Counter(word.partition("=")[0] for word in own_arguments(arguments) if word.startswith("--"))
    if repeated := [name for name, count in counts.items() if count > 1]:
        parser.error(f"{repeated[0]} is given twice")
    options = parser.parse_args(arguments)
    if not options.tls and (options.command or options.tls_port or options.ca_file):
        parser.error("a COMMAND, --tls-port and --ca-file require --tls")
    return options


def _parse_url(text: str) -> str:
    parts = urlsplit(text)
    url = f"{parts.scheme}://{parts.netloc}"
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in url or text not in {url, f"{url}/"}:
        raise argparse.ArgumentTypeError("it must be like http://emulator:8080, without credentials and path")
    return url


def _read_credential(text: str) -> str:
    if text.startswith("@"):
        try:
            text = Path(text[1:]).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            raise argparse.ArgumentTypeError(f"cannot read the file: {_describe_error(error)}") from error
    if not (text and text.isascii() and text.isprintable() and " " not in text):
        raise argparse.ArgumentTypeError("it must be visible ASCII characters")  # the value may be a secret
    return text


def _parse_port(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or int(text) not in range(1 << 16):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port number")
    return int(text)


def _parse_seed(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def _parse_token_lifetime(text: str) -> int:
    number, unit = text[:-1], text[-1:]
    if not (number.isascii() and number.isdecimal()) or unit not in _UNITS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time: write a number and a unit, such as 90s, 30m or 2h")
    seconds = int(number) * _UNITS[unit] if len(number) < _MOST_DIGITS else LONGEST_TOKEN_LIFETIME + 1
    if not 1 <= seconds <= LONGEST_TOKEN_LIFETIME:
        longest = f"{LONGEST_TOKEN_LIFETIME // _UNITS['d']}d"
        raise argparse.ArgumentTypeError(f"{text!r} is {'too long' if seconds else 'too short'}: write 1s to {longest}")
    return seconds


_MOST_DIGITS = 10
"""Digits that are more than any valid time has; of thousands, ``int`` makes no number."""
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_TYPES: Mapping[str, Callable[[str], Any]] = {
    "--port": _parse_port,
    "--state": Path,
    "--token-lifetime": _parse_token_lifetime,
    "--seed": _parse_seed,
    "--advertise-url": _parse_url,
    "--client-id": _read_credential,
    "--client-secret": _read_credential,
    "--tls-port": _parse_port,
    "--ca-file": Path,
}
"""The readers of the values of options that are not texts."""


class _EmulatorOfProcess(Emulator):
    """An emulator that has the process to itself, whose garbage collector then need not know its states."""

    def load(self, document: object) -> None:
        with _paused_garbage_collection():
            super().load(document)


def _create_emulator(options: argparse.Namespace) -> Emulator:
    given = {"plan": options.plan, "permissions": options.permissions, "token_lifetime": options.token_lifetime}
    changes = {name: value for name, value in given.items() if value is not None}
    emulator = _EmulatorOfProcess(seed=options.seed, clock=Clock(ticking=True), **changes)
    if options.state is not None:
        with suppress(FileNotFoundError):  # it is written at the end; links that lead to each other raise OSError
            if not stat.S_ISREG(options.state.stat().st_mode):
                raise ValueError("not a file")
            document: object = json.loads(options.state.read_text(encoding="utf-8"))
            emulator.load(overlay_settings(document, changes))
        _require_writable(options.state)
    if options.client_id or options.client_secret:
        emulator.load(_overlay_credentials(emulator.dump(), options))
    return emulator


def _overlay_credentials(document: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """Return a state whose caller has the credentials of the options, so that a reset restores them, too."""
    caller = next(each for each in document["service_accounts"] if each["id"] == document["caller"])
    caller["client_id"] = options.client_id or caller["client_id"]
    caller["client_secret"] = options.client_secret or caller["client_secret"]
    return document


def _require_writable(path: Path) -> None:
    """Raise OSError if the state could not be written at the end; an attempt tells more than modes do."""
    descriptor, name = _open_temporary(path.resolve())
    os.close(descriptor)
    Path(name).unlink()


def _serve(emulator: Emulator, options: argparse.Namespace) -> int:
    from pinecone_admin.emulator.http import server  # noqa: PLC0415 — an extra

    _allow_many_connections()
    with ExitStack() as stack:
        listener = stack.enter_context(_open_listener(options.host, options.port))
        stack.enter_context(emulator.served_at(options.advertise_url or server.listener_url(listener)))
        line = describe(emulator)
        create_server: Callable[..., Server] = partial(server.Server, any_host=options.allow_remote)
        if options.tls:
            from pinecone_admin.emulator.http import tls  # noqa: PLC0415 — an extra

            port = options.tls_port or (HTTPS_PORT if options.in_namespace else 0)
            tls_listener = stack.enter_context(_open_listener(options.host, port))
            context, ca_file = stack.enter_context(tls.create_authority(options.ca_file))
            line |= describe_tls(emulator.host, tls_listener.getsockname()[1], ca_file)
            create_server = partial(tls.TLSServer, context, tls_listener, any_host=options.allow_remote)
        if options.command:
            trust_authority(line["ca_file"])
            ready = Event()
            with server.running(create_server(emulator, ready.set), ready, listener):
                return run_command(options.command, namespace_environment(line, os.environ))
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
        create_server(emulator, partial(_announce, line, options.format)).run(sockets=[listener])
    return 0


def _open_listener(host: str, port: int) -> socket.socket:
    from pinecone_admin.emulator.http.server import open_listener  # noqa: PLC0415 — an extra

    try:
        return open_listener(host, port)
    except OSError as error:
        raise ServingError(f"cannot listen on {host} port {port}: {_describe_error(error)}") from error


def _allow_many_connections() -> None:
    # The default limit of open files is often 1024, and each connection is one.
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 — not available on Windows

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _exit_on_signal(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)


def _announce(line: Mapping[str, str], form: str) -> None:
    try:
        print(json.dumps(line) if form == "json" else format_exports(line), flush=True)  # noqa: T201 — for other programs to read
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # flushing at exit would fail again
        raise _OutputClosedError(f"cannot write to standard output: {_describe_error(error)}") from error


@contextmanager
def _paused_garbage_collection() -> Generator[None, None, None]:
    """Collect no garbage inside, and exempt from then on what has been created inside.

    A state has no reference cycles, and with 100,000 users each full collection would stop the server for some 200 ms.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _write_atomically(path: Path, pieces: Iterable[str]) -> None:
    """Write a file that only its owner can read, completely or not at all."""
    path = path.resolve()
    descriptor, name = _open_temporary(path)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 — a descriptor has no path
            file.writelines(pieces)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _open_temporary(path: Path) -> tuple[int, str]:
    """Create the file that replaces another one when it is complete, and return its descriptor and its path."""
    return tempfile.mkstemp(dir=path.parent, prefix=path.name)


_MAX_SHOWN = 200


def _describe_error(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deep"  # each Python says that in other words
    text = error.strerror if isinstance(error, OSError) else str(error)
    return _shorten(text or type(error).__name__)


def _shorten(text: object) -> str:
    """Return a text as one printable line, cut at some length: a state file may have anything in it."""
    line = " ".join(str(text).split())
    shown = "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in line[:_MAX_SHOWN])
    return shown if len(line) <= _MAX_SHOWN else f"{shown}…"


if __name__ == "__main__":
    sys.exit(main())
