"""Processes that start together with a token cache of the documentation cause one exchange, also if it is down."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from tests.faults.external_servers import find_free_port, run_redis
from tests.faults.server import Server, respond_after, send_response

ROOT = Path(__file__).resolve().parents[2]
_, FILE_CACHE_EXAMPLE, REDIS_CACHE_EXAMPLE = re.findall(
    r"^```python\n(.*?)^```$",
    (ROOT / "docs/how-to/share-tokens.md").read_text(),
    re.MULTILINE | re.DOTALL,
)
ORGANIZATION = {
    "id": "o", "name": "acme", "plan": "Free", "payment_status": "Active",
    "created_at": "2026-01-01T00:00:00Z", "support_tier": "Free",
}  # fmt: skip


@pytest.fixture
def server() -> Server:
    """Return an API with one organization and a slow token endpoint."""
    return Server(
        api_actions=[send_response(200, json.dumps({"data": [ORGANIZATION]}).encode())],
        token_actions=[respond_after(0.3)],
    )


def run_processes(count: int, code: str, server: Server, **environment: str) -> list[str]:
    """Run code of the documentation in many processes at once, and return their output."""
    variables = {
        "PINECONE_CLIENT_ID": "id",
        "PINECONE_CLIENT_SECRET": "secret",
        "PINECONE_CONTROLLER_HOST": server.url,
        "PINECONE_OAUTH_URL": f"{server.url}/oauth/token",
        "PYTHONPATH": str(ROOT),
    }
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env=os.environ | variables | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(count)
    ]
    return [process.communicate(timeout=150)[0] for process in processes]


@pytest.mark.long
def test_processes_share_token_in_file(server: Server, tmp_path: Path) -> None:
    """The first process exchanges credentials, and the others load its token from the file."""
    with server:
        assert run_processes(4, FILE_CACHE_EXAMPLE, server, XDG_CACHE_HOME=str(tmp_path)) == ["acme\n"] * 4
        assert (server.exchanges, server.count_requests("GET")) == (1, 4)


@pytest.mark.long
def test_processes_share_token_in_redis(server: Server, tmp_path: Path) -> None:
    """Processes share one token through Redis, which expires the entry with the token."""
    with run_redis(tmp_path) as url, server:
        assert run_processes(4, REDIS_CACHE_EXAMPLE, server, REDIS_URL=url) == ["acme\n"] * 4
        assert (server.exchanges, server.count_requests("GET")) == (1, 4)
        with redis.Redis.from_url(url) as store:
            (key,) = store.keys("*")
            assert re.fullmatch(rb"pinecone-admin:[0-9a-f]{64}", key)
            assert 1700 < store.ttl(key) <= 1800


def test_unreachable_redis_causes_warning_and_exchange(server: Server) -> None:
    """An unreachable Redis causes a warning and an exchange, and the call succeeds."""
    with server:
        (out,) = run_processes(1, REDIS_CACHE_EXAMPLE, server, REDIS_URL=f"redis://127.0.0.1:{find_free_port()}/0")
        assert out == "the token cache failed, and later failures are not logged: ConnectionError\nacme\n"
        assert server.exchanges == 1
