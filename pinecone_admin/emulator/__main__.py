"""Serve the emulator over HTTP: `python -m pinecone_admin.emulator`."""

import argparse
import gc
import json
import logging
import os
import shlex
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import NoReturn

from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.api.oauth import TOKEN_PATH
from pinecone_admin.emulator.api.permissions import PERMISSION_MODES
from pinecone_admin.emulator.control.routes import CONTROL_PATH, is_loopback
from pinecone_admin.emulator.emulator import overlay_settings
from pinecone_admin.emulator.model.clock import Clock
from pinecone_admin.emulator.model.settings import PLANS


class ServingError(Exception):
    """The emulator cannot start.

    Args:
        message: What is wrong, in one line.
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
        serve(arguments)
    except ServingError as error:
        sys.stderr.write(f"{error}\n")
        if asks_for_exports(sys.argv[1:] if arguments is None else arguments) and not isinstance(
            error, StateNotSavedError
        ):
            sys.stdout.write(FAILING_COMMAND)
        return error.status
    return 0


FAILING_COMMAND = "false\n"
"""Written in place of exports, so that ``eval`` fails.

Evaluating nothing succeeds, and a script would go on with the credentials of a real account.
"""


def asks_for_exports(arguments: Sequence[str]) -> bool:
    """Return whether a shell evaluates what a command line prints, even if it cannot be parsed."""
    pairs = [*pairwise(arguments), *(each.partition("=")[::2] for each in arguments)]
    # argparse takes abbreviations, too.
    return any(value == "env" and len(name) > len("--") and "--format".startswith(name) for name, value in pairs)


def serve(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        arguments: The command-line arguments without the program's name.

    Raises:
        ServingError: It cannot start; a StateNotSavedError, if the state could not be written at the end.
    """
    options = _parse_arguments(sys.argv[1:] if arguments is None else arguments)
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
        _serve(emulator, options)
    except (ModuleNotFoundError, _OutputClosedError) as error:
        raise ServingError(str(error)) from error
    except OSError as error:
        reason = _describe_error(error)
        raise ServingError(f"cannot listen on {options.host} port {options.port}: {reason}") from error
    except SystemExit:
        pass
    try:
        if options.state:
            with _paused_garbage_collection():
                _write_atomically(options.state, emulator.dump_text())
    except OSError as error:
        reason = _describe_error(error)
        raise StateNotSavedError(f"cannot write the state file {_shorten(options.state)}: {reason}") from error


_VARIABLES = {
    "PINECONE_CONTROLLER_HOST": "host",
    "PINECONE_OAUTH_URL": "oauth_url",
    "PINECONE_CLIENT_ID": "client_id",
    "PINECONE_CLIENT_SECRET": "client_secret",
    "PINECONE_EMULATOR_CONTROL_URL": "control_url",
    "PINECONE_EMULATOR_ORGANIZATION_ID": "organization_id",
}
"""Clients read the first four; the others are for scripts."""


class _OutputClosedError(Exception):
    """The standard output is closed, so nobody learns where the server listens."""


class _ArgumentParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ServingError(f"{message}; --help lists the options", status=2)


def _parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = _ArgumentParser(prog="python -m pinecone_admin.emulator", description=__doc__, allow_abbrev=False)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=_parse_port, default=0, help="port to listen on (default: any free one)")
    parser.add_argument(
        "--state", type=Path, help="JSON file to load at the start, if it exists, and to write at the end"
    )
    parser.add_argument("--plan", choices=PLANS, help="the organization's plan (default: as loaded, or Enterprise)")
    parser.add_argument(
        "--permissions",
        choices=PERMISSION_MODES,
        help="enforce the permission matrix, or only the rule on granting (default: as loaded, or published)",
    )
    parser.add_argument("--token-lifetime", type=_parse_token_lifetime, help="seconds (default: as loaded, or 1800)")
    parser.add_argument(
        "--seed", type=int, help="make ids, secrets and the probabilities of faults the same in every run"
    )
    parser.add_argument(
        "--format",
        choices=("json", "env"),
        default="json",
        help="print where it listens as one line of JSON, or as exports for a shell, or false if it cannot start "
        "(default %(default)s)",
    )
    parser.add_argument("--allow-remote", action="store_true", help="allow an address that other machines can reach")
    # argparse would take the last one without a word.
    counts = Counter(word.partition("=")[0] for word in arguments if word.startswith("--"))
    if repeated := [name for name, count in counts.items() if count > 1]:
        parser.error(f"{repeated[0]} is given twice")
    return parser.parse_args(arguments)


def _parse_port(text: str) -> int:
    port = int(text)
    if port not in range(1 << 16):
        raise argparse.ArgumentTypeError(f"{port} is not a port number")
    return port


def _parse_token_lifetime(text: str) -> int:
    try:
        # The emulator knows the valid range.
        return Emulator(token_lifetime=int(text)).state.settings.token_lifetime
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _create_emulator(options: argparse.Namespace) -> Emulator:
    given = {"plan": options.plan, "permissions": options.permissions, "token_lifetime": options.token_lifetime}
    changes = {name: value for name, value in given.items() if value is not None}
    emulator = Emulator(seed=options.seed, clock=Clock(ticking=True), **changes)
    if options.state is None:
        return emulator
    if _exists(options.state):
        if not options.state.is_file():
            raise ValueError("not a file")
        document: object = json.loads(options.state.read_text(encoding="utf-8"))
        emulator.load(overlay_settings(document, changes))
    _require_writable(options.state)
    return emulator


def _exists(path: Path) -> bool:
    """Return whether a file exists; unlike ``Path.exists``, raise OSError for links that lead to each other."""
    try:
        path.stat()
    except FileNotFoundError:
        return False
    return True


def _require_writable(path: Path) -> None:
    """Raise OSError if the state could not be written at the end; an attempt tells more than modes do."""
    descriptor, name = _open_temporary(path.resolve())
    os.close(descriptor)
    Path(name).unlink()


def _serve(emulator: Emulator, options: argparse.Namespace) -> None:
    from pinecone_admin.emulator.http.server import Server, listener_url, open_listener  # noqa: PLC0415 — an extra

    _allow_many_connections()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    with open_listener(options.host, options.port) as listener:
        announce = partial(_announce, emulator, listener_url(listener), options.format)
        Server(emulator, announce, any_host=options.allow_remote).run(sockets=[listener])


def _allow_many_connections() -> None:
    # The default limit of open files is often 1024, and each connection is one.
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 — not available on Windows

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _exit_on_signal(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)


def _announce(emulator: Emulator, host: str, form: str) -> None:
    line = {
        "host": host,
        "oauth_url": host + TOKEN_PATH,
        "control_url": host + CONTROL_PATH,
        "client_id": emulator.client_id,
        "client_secret": emulator.client_secret,
        "organization_id": emulator.organization_id,
    }
    try:
        print(json.dumps(line) if form == "json" else format_exports(line), flush=True)  # noqa: T201 — for other programs to read
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # flushing at exit would fail again
        raise _OutputClosedError(f"cannot write to standard output: {_describe_error(error)}") from error


def format_exports(line: Mapping[str, str]) -> str:
    """Return what the emulator announces as exports for a shell."""
    return "\n".join(f"export {name}={shlex.quote(line[key])}" for name, key in _VARIABLES.items())


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
