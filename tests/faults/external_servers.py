"""External servers that tests run: a forward proxy, a reverse proxy and Redis."""

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

from tests.support.concurrency import PATIENCE
from tests.support.programs import find_program

_port_numbers = count(os.getpid() * 97)


def find_free_port() -> int:
    """Return a free loopback port that other test processes are unlikely to use."""
    while True:
        # Ports from 32768 on are ephemeral: the kernel assigns them to outgoing connections.
        port = 10_000 + next(_port_numbers) % 20_000
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def run_program(command: list[str], port: int) -> Iterator[int]:
    """Run a program that listens on a port, and terminate it afterwards."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            wait_until_listening(process, port)
            yield port
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE)


def wait_until_listening(process: subprocess.Popen[str], port: int) -> None:
    """Wait until the program listens on the port, and fail the test if it does not."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    process.kill()
    pytest.fail(f"the program does not listen on {port}: {process.communicate()[0]}")


@contextmanager
def run_tinyproxy(folder: Path, *lines: str) -> Iterator[int]:
    """Run tinyproxy with extra lines of configuration, and yield its port."""
    program, port = find_program("tinyproxy"), find_free_port()
    config = folder / f"tinyproxy-{port}.conf"
    basic = ["Listen 127.0.0.1", f"Port {port}", "Timeout 60", "LogLevel Error", f'PidFile "{folder}/{port}.pid"']
    config.write_text("\n".join([*basic, *lines, ""]))
    with run_program([program, "-d", "-c", str(config)], port):
        yield port


@contextmanager
def run_nginx(folder: Path, server: str) -> Iterator[int]:
    """Run nginx with the body of a server block, and yield its port."""
    program, port = find_program("nginx"), find_free_port()
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
    with run_program([program, "-e", "stderr", "-c", str(config)], port):
        yield port


@contextmanager
def run_redis(folder: Path) -> Iterator[str]:
    """Run a Redis server without persistence, and yield its URL."""
    program, port = find_program("redis-server"), find_free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with run_program(command, port):
        yield f"redis://127.0.0.1:{port}/0"
