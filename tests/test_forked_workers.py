"""docs/how-to/django-celery-fastapi.md: the forked workers of Celery use the client that their parent has made."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pinecone_admin.testing import emulate
from tests.support.concurrency import PATIENCE
from tests.support.recipes import list_blocks

PROGRAM = """
import threading, time
from tasks import app, ensure_project, get_admin

admin = get_admin()
app.conf.broker_url = "memory://"
quiet = {"quiet": True, "without_gossip": True, "without_mingle": True, "without_heartbeat": True}
worker = app.Worker(pool="prefork", concurrency=2, loglevel="ERROR", **quiet)

def send_tasks():
    for number in range(4):
        ensure_project.delay(f"project-{number}")
    while len(admin.projects.list()) < 4:
        time.sleep(0.05)
    worker.stop()

threading.Thread(target=send_tasks).start()
worker.start()
"""


@pytest.mark.long
def test_forked_workers_share_the_client_of_their_parent(tmp_path: Path) -> None:
    """Two workers run the tasks of the page with the token of the parent, each with connections of its own."""
    (tasks,) = [block for block in list_blocks("docs/how-to/django-celery-fastapi.md") if block.file == "tasks.py"]
    (tmp_path / tasks.file).write_text(tasks.text, encoding="utf-8")
    with emulate(serve=True) as emulator:
        env = os.environ | {"PYTHONPATH": str(tmp_path)}
        subprocess.run([sys.executable, "-c", PROGRAM], env=env, capture_output=True, check=True, timeout=PATIENCE)
        assert len(emulator.requests.filter("get_token")) == 1
        assert {each.name for each in emulator.state.projects.values()} == {f"project-{n}" for n in range(4)}
