"""Programs of the system that tests use, started for a test and stopped: a forward and a reverse proxy, and a store."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest

from tests.support.programs import find
from tests.support.together import PATIENCE

_numbers = count(os.getpid() * 97)


def free_port() -> int:
    """Give a port of loopback that nobody listens on, and that no other process of the tests is likely to take."""
    while True:
        # Below 32768, where the kernel begins with the ports that it gives to connections by itself.
        port = 10_000 + next(_numbers) % 20_000
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def running(command: list[str], port: int) -> Iterator[int]:
    """Run a program until the end of the test, once it listens."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            wait_for(process, port)
            yield port
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE)


def wait_for(process: subprocess.Popen[str], port: int) -> None:
    """Wait until it listens."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    process.kill()
    pytest.fail(f"it does not listen on {port}: {process.communicate()[0]}")


@contextmanager
def tinyproxy(folder: Path, *lines: str) -> Iterator[int]:
    """Run tinyproxy with some more lines of configuration; gives its port."""
    program, port = find("tinyproxy"), free_port()
    config = folder / f"tinyproxy-{port}.conf"
    basic = ["Listen 127.0.0.1", f"Port {port}", "Timeout 60", "LogLevel Error", f'PidFile "{folder}/{port}.pid"']
    config.write_text("\n".join([*basic, *lines, ""]))
    with running([program, "-d", "-c", str(config)], port):
        yield port


@contextmanager
def nginx(folder: Path, server: str) -> Iterator[int]:
    """Run nginx with the body of a server block, in which PORT stands for its port; gives that."""
    program, port = find("nginx"), free_port()
    config = folder / f"nginx-{port}.conf"
    config.write_text(
        f"""
        daemon off; master_process off; pid {folder}/nginx-{port}.pid; error_log stderr error;
        events {{ worker_connections 64; }}
        http {{
            access_log off;
            client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
            uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
            server {{ listen 127.0.0.1:{port}; {server} }}
        }}
        """
    )
    with running([program, "-e", "stderr", "-c", str(config)], port):
        yield port


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Run a Redis that keeps nothing on disk; gives its address."""
    program, port = find("redis-server"), free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with running(command, port):
        yield f"redis://127.0.0.1:{port}/0"
