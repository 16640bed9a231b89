"""docs/how-to/github-actions-and-gitlab.md: the files of both hosts fit their schemas, and their commands run.

Stand-ins take the place of gh and curl: the arguments are from cli.github.com/manual and docs.gitlab.com/api.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from pinecone_admin.emulator import Emulator, serving
from tests.support.concurrency import PATIENCE, wait_until
from tests.support.recipes import list_blocks
from tests.support.secret_managers import install_stand_ins, read_kept

PAGE = "docs/how-to/github-actions-and-gitlab.md"
TEXTS = {block.text.split("\n")[0][2:]: block.text for block in list_blocks(PAGE) if block.language == "yaml"}
"""The files, by the path in their first line."""
FILES: dict[str, Any] = {Path(name).stem: yaml.safe_load(text) for name, text in TEXTS.items()}
STAND_INS = {
    "pip": 'case "$*" in install\\ wheels/pinecone_admin-*.whl\\[cli\\]*) ;; *) exit 2 ;; esac',
    "pytest": 'test "$*" = tests/integration && test -n "$PINECONE_API_KEY" && test -z "$PINECONE_CLIENT_SECRET"',
    "gh": """case "$*" in
        "run list --workflow organization.yml --branch main --limit 1 --status completed --json databaseId --jq"*)
            echo 17 ;;
        "run list --workflow organization.yml --branch main --limit 1 --status success --json headSha --jq"*)
            cat "$KEPT/applied" ;;
        "run download 17 --name inventory") cp "$KEPT/inventory.json" . ;;
        "api --header Accept: application/vnd.github.raw repos/acme/shop/contents/org.yaml?ref=c0ffee")
            cat "$KEPT/org.yaml" ;;
        "api --header Accept: application/vnd.github.raw repos/acme/shop/contents/org.yaml?ref="*)
            git show "${4##*=}:org.yaml" ;;
        "pr comment 7 --body-file plan.md --edit-last --create-if-none") cp plan.md "$KEPT/comment" ;;
        *) exit 2 ;;
        esac""",
    "curl": """case "$*" in
        "--fail --location --header JOB-TOKEN: job --output inventory.json "\
"https://gitlab.example.com/api/v4/projects/5/jobs/artifacts/main/raw/inventory.json?job=inventory")
            cp "$KEPT/inventory.json" . ;;
        "--fail --header JOB-TOKEN: job --output runs.json "\
"https://gitlab.example.com/api/v4/projects/5/deployments?environment=pinecone"\
"&status=success&order_by=finished_at&sort=desc&per_page=1")
            sed 's/.*/{"sha": "&"}/; 1s/^/[/; $s/$/]/' "$KEPT/applied" > runs.json
            test -s runs.json || echo '[]' > runs.json ;;
        "--fail --header PRIVATE-TOKEN: comment --data-urlencode body@plan.md "\
"https://gitlab.example.com/api/v4/projects/5/merge_requests/7/notes") cp plan.md "$KEPT/comment" ;;
        *) exit 2 ;;
        esac""",
}
"""Scripts of the stand-ins; those of secret managers are in tests/support/secret_managers.py."""
CHECKOUT = "git clean --quiet --force -dx"
"""The default behaviour of actions/checkout and GitLab's runner, so that no job finds the report of another one."""

pytestmark = pytest.mark.long


class Pipeline:
    """A repository with org.yaml and its jobs, of either host; the secrets are those of an emulator.

    Attributes:
        emulator: The emulator, with a project and no key.
        kept: The folder for what the host keeps: the comment, and as `applied` the commit of the last run that passed.
    """

    def __init__(self, emulator: Emulator, host: str, kept: Path) -> None:
        self.emulator, self.kept = emulator, kept
        with emulator.admin() as admin:
            admin.projects.create(name="search")
        self._repository = kept / "repository"
        self._repository.mkdir()
        install_stand_ins(kept / "bin")
        for name, script in STAND_INS.items():
            (kept / "bin" / name).write_text(f"#!/bin/bash\n{script}\n")
            (kept / "bin" / name).chmod(0o755)
        path = os.pathsep.join([str(kept / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
        addresses = {"PINECONE_CONTROLLER_HOST": host, "PINECONE_OAUTH_URL": emulator.oauth_url}
        self._env = {"PATH": path, "HOME": str(kept), "KEPT": str(kept)} | addresses
        self._write(kept, "{name: reader, roles: [DataPlaneViewer]}")
        self._write(self._repository, "{name: old, absent: true}")
        self.run("git init --quiet --initial-branch main; git remote add origin .")
        self._commit()
        self.keep_applied(self.run("git rev-parse HEAD"))

    def keep_applied(self, commit: str) -> None:
        """Keep the commit of the last run that passed, or an empty one if none has."""
        (self.kept / "applied").write_text(commit)

    def _write(self, folder: Path, key: str) -> None:
        text = (
            f"organization: {self.emulator.state.organization.id}\nprojects:\n- {{name: search, api_keys: [{key}]}}\n"
        )
        (folder / "org.yaml").write_text(text)

    def _commit(self) -> None:
        self.run("git add org.yaml; git -c user.name=x -c user.email=x@example.com commit --quiet --message x")

    def merge(self, keys: str | None = None) -> None:
        """Commit the change of org.yaml, or one to other keys."""
        if keys is not None:
            self._write(self.kept, keys)
        (self._repository / "org.yaml").write_text((self.kept / "org.yaml").read_text())
        self._commit()

    def apply(self, host: str, removals: int = 0) -> None:
        """Run the job that applies, by hand if it may delete."""
        run: Callable[[str, int], None]
        run = partial(self.run_github, "organization") if host == "github" else self.run_gitlab
        run("apply", removals)
        self.keep_applied(self.run("git rev-parse HEAD"))

    def run(self, script: str, env: Mapping[str, str] | None = None) -> str:
        """Run a script as the hosts do, keep the inventory that it made, and return its output."""
        command = ["bash", "-eo", "pipefail", "-c", script]
        env = self._env | dict(env or {})
        folder = self._repository
        done = subprocess.run(
            command, cwd=folder, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        if (folder / "inventory.json").exists():
            (self.kept / "inventory.json").write_bytes((folder / "inventory.json").read_bytes())
        return done.stdout

    def cancel(self, script: str, env: Mapping[str, str]) -> None:
        """Run a script that calls pytest, and cancel it as GitHub does, which signals the shell of a step only."""
        # A shell would go on after a signal that comes while it waits for a program that ends as usual.
        code = "import os, pathlib, time; pathlib.Path(os.environ['KEPT'], 'began').touch(); time.sleep(600)"
        (self.kept / "bin/pytest").write_text(f"#!{sys.executable}\n{code}\n")
        (self.kept / "step.sh").write_text(script)
        command = ["bash", "-e", str(self.kept / "step.sh")]
        with subprocess.Popen(command, cwd=self._repository, env=self._env | dict(env), start_new_session=True) as job:
            try:
                wait_until((self.kept / "began").exists)
                job.send_signal(signal.SIGINT)
                job.wait(PATIENCE)
            finally:
                if job.poll() is None:
                    os.killpg(job.pid, signal.SIGKILL)

    def run_github(self, name: str, job: str, removals: int = 0) -> None:
        """Run the commands of a job on GitHub, each with the variables of the job and its own."""
        values = {
            "github.token": "token",
            "github.event.pull_request.head.sha": "c0ffee",
            "github.event.pull_request.number": "7",
            "inputs.removals || 0": str(removals),
            "vars.PINECONE_CLIENT_ID": self.emulator.client_id,
            "secrets.PINECONE_CLIENT_SECRET": self.emulator.client_secret,
        }
        self.run(CHECKOUT)
        parts = FILES[name]["jobs"][job]
        for step in parts["steps"]:
            env = {"GITHUB_REPOSITORY": "acme/shop"} | parts.get("env", {}) | step.get("env", {})
            for key, text in env.items():
                env[key] = re.sub(r"\$\{\{ (.+?) \}\}", lambda found: values[found[1]], text)
            if "run" in step:
                self.run(step["run"], env)

    def run_gitlab(self, job: str, removals: int = 0) -> None:
        """Run the commands of a job on GitLab in one shell, with the secret of its environment."""
        self.run(CHECKOUT)
        file = FILES[".gitlab-ci"]
        parts = file["default"] | file.get(file[job].get("extends"), {}) | file[job]
        env = {
            "CI_API_V4_URL": "https://gitlab.example.com/api/v4",
            "CI_DEFAULT_BRANCH": "main",
            "CI_JOB_TOKEN": "job",
            "CI_MERGE_REQUEST_IID": "7",
            "CI_PROJECT_ID": "5",
            "COMMENT_TOKEN": "comment",
            "PINECONE_CLIENT_ID": self.emulator.client_id,
            "REMOVALS": str(removals or file["variables"]["REMOVALS"]["value"]),
        }
        if "environment" in parts:
            env["PINECONE_CLIENT_SECRET"] = self.emulator.client_secret
        self.run("\n".join([*parts["before_script"], *parts["script"]]), env)

    def check_plan(self) -> None:
        """Check that the comment has the plan, and that nothing was changed."""
        assert "would create key reader in project search" in (self.kept / "comment").read_text()
        assert len(self.emulator.state.api_keys) == 0

    def check_apply(self) -> None:
        """Check that the key was created, and is in Vault."""
        (key,) = self.emulator.state.api_keys.values()
        assert read_kept(self.kept / "bin") == {"pinecone/search/reader": key.value}


@pytest.fixture
def pipeline(tmp_path: Path) -> Generator[Pipeline]:
    """Create a repository."""
    emulator = Emulator(seed=0)
    with serving(emulator) as host:
        yield Pipeline(emulator, host, tmp_path)


def test_github_tests_with_a_key_and_plans_without_a_secret(pipeline: Pipeline) -> None:
    """The key is deleted at the end of the tests; the plan is a comment before the merge, and applied after it."""
    pipeline.run_github("tests", "tests")
    assert len(pipeline.emulator.requests.filter("api_keys.delete")) == 1
    pipeline.run_github("organization", "drift")
    pipeline.run_github("plan", "plan")
    pipeline.check_plan()
    pipeline.merge()
    pipeline.apply("github")
    pipeline.check_apply()


def test_a_job_that_is_cancelled_on_github_deletes_its_key(pipeline: Pipeline) -> None:
    """The command takes the place of the shell, and so gets the signal, which it passes on to the tests."""
    account = {"PINECONE_CLIENT_ID": pipeline.emulator.client_id}
    account["PINECONE_CLIENT_SECRET"] = pipeline.emulator.client_secret
    pipeline.cancel(FILES["tests"]["jobs"]["tests"]["steps"][-1]["run"], account)
    assert len(pipeline.emulator.requests.filter("api_keys.create")) == 1
    assert not pipeline.emulator.state.api_keys


def test_gitlab_tests_with_a_key_and_plans_without_a_secret(pipeline: Pipeline) -> None:
    """The key is deleted at the end of the tests; the plan is a comment before the merge, and applied after it."""
    pipeline.run_gitlab("tests")
    assert len(pipeline.emulator.requests.filter("api_keys.delete")) == 1
    pipeline.run_gitlab("inventory")
    pipeline.merge()
    pipeline.run_gitlab("plan")
    pipeline.check_plan()
    pipeline.apply("gitlab")
    pipeline.check_apply()
    pipeline.run_gitlab("drift")


def test_the_first_merge_of_the_file_has_no_base(pipeline: Pipeline) -> None:
    """No run has passed: everything in the file is a change in the plan and the apply of both hosts."""
    pipeline.run_github("organization", "drift")
    pipeline.keep_applied("")
    pipeline.run_github("plan", "plan")
    pipeline.check_plan()
    pipeline.merge()
    pipeline.run_gitlab("plan")
    for host in ("gitlab", "github"):
        pipeline.keep_applied("")
        pipeline.apply(host)
        pipeline.check_apply()


@pytest.mark.parametrize("host", ["github", "gitlab"])
def test_an_owner_whom_somebody_has_added_fails_the_job_at_night(pipeline: Pipeline, host: str) -> None:
    """Nobody has listed them, so that they are no step of the plan."""
    run = partial(pipeline.run_github, "organization") if host == "github" else pipeline.run_gitlab
    emulator = pipeline.emulator
    account = {"PINECONE_CLIENT_ID": emulator.client_id, "PINECONE_CLIENT_SECRET": emulator.client_secret}
    pipeline.run("pinecone-admin export > org.yaml", account)
    run("drift")
    emulator.add_user("mallory@example.com", roles=["OrgOwner"])
    with pytest.raises(AssertionError, match=r"mallory@example\.com"):
        run("drift")


@pytest.mark.parametrize("host", ["github", "gitlab"])
def test_a_merge_that_deletes_is_run_by_hand_with_the_number(pipeline: Pipeline, host: str) -> None:
    """A merge that deletes changes nothing, nor does the next one, until the number is given: it is no drift."""
    pipeline.merge("{name: reader, roles: [DataPlaneViewer]}")
    pipeline.apply(host)
    pipeline.merge("{name: reader, absent: true}")
    with pytest.raises(AssertionError, match="--confirm 0 is too low: 1 would be removed"):
        pipeline.apply(host)
    pipeline.merge("{name: reader, absent: true}, {name: writer, roles: [DataPlaneEditor]}")
    with pytest.raises(AssertionError, match="--confirm 0 is too low: 1 would be removed"):
        pipeline.apply(host)
    assert [each.name for each in pipeline.emulator.state.api_keys.values()] == ["reader"]
    pipeline.apply(host, removals=1)
    assert [each.name for each in pipeline.emulator.state.api_keys.values()] == ["writer"]


@pytest.mark.parametrize("host", ["github", "gitlab"])
def test_the_base_is_the_file_that_was_applied(pipeline: Pipeline, host: str) -> None:
    """A change that a run did not reach is a change of the next run, not drift. Removed items are not restored."""
    pipeline.merge("{name: reader, roles: [DataPlaneViewer]}")
    pipeline.apply(host)
    (reader,) = pipeline.emulator.state.api_keys
    with pipeline.emulator.admin() as admin:
        admin.api_keys.delete(api_key_id=reader)
    keys = "{name: reader, roles: [DataPlaneViewer]}, {name: one, roles: [DataPlaneViewer]}"
    pipeline.merge(keys)
    pipeline.emulator.faults.add("create_api_key", status=403)
    with pytest.raises(AssertionError, match="1 step failed"):
        pipeline.apply(host)
    pipeline.merge(keys + ", {name: two, roles: [DataPlaneViewer]}")
    pipeline.apply(host)
    assert sorted(each.name for each in pipeline.emulator.state.api_keys.values()) == ["one", "two"]


@pytest.mark.parametrize("host", ["github", "gitlab"])
def test_a_run_for_an_older_commit_fails(pipeline: Pipeline, host: str) -> None:
    """A run that is repeated after a later one has passed would bring back the older file: it changes nothing."""
    pipeline.merge()
    pipeline.run("git checkout --quiet -b old")
    pipeline.run("git checkout --quiet main")
    pipeline.merge("{name: reader, roles: [DataPlaneEditor]}")
    pipeline.apply(host)
    pipeline.run("git checkout --quiet old")
    for commit in (pipeline.run("git rev-parse main"), "0" * 40):
        pipeline.keep_applied(commit)
        with pytest.raises(AssertionError, match="git merge-base"):
            pipeline.apply(host)
    (reader,) = pipeline.emulator.state.api_keys.values()
    assert pipeline.emulator.state.roles_of(reader) == ["DataPlaneEditor"]


def test_the_files_fit_the_schemas_of_the_hosts(tmp_path: Path) -> None:
    """The hosts would take them, as far as their schemas say, and each action is one of a release."""
    schemas: dict[str, list[Path]] = {"vendor.github-workflows": [], "vendor.gitlab-ci": []}
    for name, text in TEXTS.items():
        path = tmp_path / Path(name).name
        path.write_text(text)
        schemas["vendor.gitlab-ci" if name == ".gitlab-ci.yml" else "vendor.github-workflows"].append(path)
    for schema, paths in schemas.items():
        subprocess.run([sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *paths], check=True)
    actions = re.findall(r"uses: (\S+)", "".join(TEXTS.values()))
    assert [each for each in actions if not re.fullmatch(r"\S+@v\d+", each)] == []
