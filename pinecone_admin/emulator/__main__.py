"""Serve the emulator over HTTP: `python -m pinecone_admin.emulator`."""

import argparse
import ipaddress
import json
import logging
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.clock import Clock
from pinecone_admin.emulator.rules import TOKEN_PATH
from pinecone_admin.emulator.state import PLANS

if TYPE_CHECKING:
    import uvicorn


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT, and return the exit status.

    Args:
        arguments: those of the command line, without the program's name.
    """
    options = _parser().parse_args(arguments)
    if not (options.allow_remote or _is_loopback(options.host)):
        return _fail(2, f"{options.host} is not a loopback address: pass --allow-remote to be reached from elsewhere")
    try:
        listener = _listen(options.host, options.port)
    except OSError as error:
        return _fail(1, f"cannot listen on {options.host} port {options.port}: {error.strerror}")
    with listener:
        emulator = Emulator(plan=options.plan, clock=Clock(ticking=True))
        try:
            server = _server(emulator, lambda: _announce(emulator, listener))
        except ModuleNotFoundError as error:
            return _fail(1, f"{error.name} is not installed: pip install 'pinecone-admin[emulator]'")
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
        # uvicorn raises the signal that stopped it once more, when it has closed its connections.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _exit)
        server.run(sockets=[listener])
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pinecone_admin.emulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=_port, default=0, help="port to listen on (default: any free one)")
    parser.add_argument("--plan", choices=PLANS, default="Enterprise", help="the organization's plan")
    parser.add_argument("--allow-remote", action="store_true", help="allow addresses that other machines reach")
    return parser


def _port(text: str) -> int:
    port = int(text)
    if port not in range(1 << 16):
        raise argparse.ArgumentTypeError(f"{port} is no port number")
    return port


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family)
    # asyncio leaves it off for this kind of socket, and every answer with a body would take 40 ms longer.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _server(emulator: Emulator, announce: Callable[[], None]) -> "uvicorn.Server":
    import uvicorn  # noqa: PLC0415 — an extra

    from pinecone_admin.emulator.asgi import application  # noqa: PLC0415 — needs an extra

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            announce()

    return Server(
        uvicorn.Config(
            application(emulator.handle),
            log_config=None,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=3,
        )
    )


def _exit(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)


def _announce(emulator: Emulator, listener: socket.socket) -> None:
    address, port = listener.getsockname()[:2]
    host = f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"
    line = {
        "host": host,
        "oauth_url": host + TOKEN_PATH,
        "control_url": host + "/_emulator",
        "client_id": emulator.client_id,
        "client_secret": emulator.client_secret,
        "organization_id": emulator.organization_id,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _fail(status: int, message: str) -> int:
    sys.stderr.write(message + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
