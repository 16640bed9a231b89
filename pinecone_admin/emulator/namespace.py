"""Run a command in new namespaces, where the production names lead to the emulator, with no other network."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import NoReturn

from pinecone_admin.emulator.control.announcement import PRODUCTION_NAMES

_HOSTS = Path("/etc/hosts")
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 1
_SIGNALLED = 128
"""A shell reports the end by a signal as this and its number."""


class NamespaceError(Exception):
    """This machine has no namespaces, or refuses them."""


def enter_namespaces(arguments: Sequence[str]) -> NoReturn:
    """Replace this process by one in new user, mount and network namespaces.

    Args:
        arguments: The arguments of the emulator there.

    Raises:
        NamespaceError: There are no such namespaces; the message says why.
    """
    program = shutil.which("unshare")
    if sys.platform != "linux" or program is None:
        raise NamespaceError("a command needs the namespaces of Linux and the program unshare of util-linux")
    unshare = [program, "--user", "--map-root-user", "--mount", "--net", "--"]
    tried = subprocess.run([*unshare, "true"], capture_output=True, text=True, check=False)  # noqa: S603 — only the program
    if tried.returncode:
        raise NamespaceError(f"this machine refuses namespaces: {tried.stderr.strip()}")
    # -P keeps modules in the current folder from replacing those of the package.
    os.execv(program, [*unshare, sys.executable, "-P", "-m", "pinecone_admin.emulator", *arguments])  # noqa: S606 — no shell


def set_up_network() -> None:
    """Start the loopback interface, the only one of a new namespace, and let the production names lead to it.

    Raises:
        NamespaceError: The machine refuses it.
    """
    import fcntl  # noqa: PLC0415 — not available on Windows

    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP))
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as hosts:
        hosts.write(f"127.0.0.1 {' '.join(PRODUCTION_NAMES)}\n{_HOSTS.read_text(encoding='utf-8')}")
        hosts.flush()
        Path(hosts.name).chmod(0o644)
        _mount(hosts.name, _HOSTS)


def trust_authority(ca_file: str) -> None:
    """Put a file in the place of that of certifi in this environment: the official SDK before 9 reads no variable.

    Args:
        ca_file: The certificate of the authority.

    Raises:
        NamespaceError: The machine refuses it.
    """
    spec = find_spec("certifi")
    for folder in (spec and spec.submodule_search_locations) or ():
        _mount(ca_file, Path(folder, "cacert.pem"))


def _mount(file: str, place: Path) -> None:
    mount = ["mount", "--bind", file, str(place)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)  # noqa: S603 — no shell
    if done.returncode:
        raise NamespaceError(f"this machine refuses to replace {place}: {done.stderr.strip()}")


def run_command(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command as the user who started the emulator, and return its exit status.

    Args:
        command: The program and its arguments.
        environment: Its environment.
    """
    # Another namespace, where the user is not root and so cannot undo this setup.
    ids = [f"--map-{kind}={_outer_id(kind)}" for kind in ("user", "group")]
    process = subprocess.Popen(["unshare", "--user", *ids, "--", *command], env=environment)  # noqa: S603, S607 — the user's own

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGTERM:  # SIGINT comes from the terminal, which sends it to the command, too
            process.terminate()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, pass_on)
    status = process.wait()
    return status if status >= 0 else _SIGNALLED - status


def _outer_id(kind: str) -> str:
    return Path(f"/proc/self/{kind[0]}id_map").read_text(encoding="ascii").split()[1]
