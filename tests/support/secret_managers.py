"""Stand-ins of the commands of secret managers: each checks its arguments, reads its input, and keeps what it got.

A stand-in is this file under the name of the command. It takes the arguments that the vendor documents for the use that
docs/how-to/rotate-every-night.md and docs/how-to/github-actions-and-gitlab.md make of it, and no others:

- vault: developer.hashicorp.com/vault/docs/commands/kv/put
- op: developer.1password.com/docs/cli/reference/management-commands/item
- aws: docs.aws.amazon.com/cli/latest/userguide/cli-usage-parameters-file.html
- gcloud: cloud.google.com/sdk/gcloud/reference/secrets/versions/add
- kubectl: external-secrets.io/latest/introduction/faq
- gh: cli.github.com/manual/gh_secret_set and gh_variable_set
- glab: docs.gitlab.com/cli/variable/set
- doppler: docs.doppler.com/docs/setting-secrets
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

COMMANDS = ("vault", "op", "aws", "gcloud", "kubectl", "gh", "doppler")


def install_stand_ins(folder: Path) -> None:
    """Write the stand-ins into a folder. They also keep their input there."""
    folder.mkdir()
    for name in FORMS:
        path = folder / name
        path.write_text(f"#!{sys.executable}\n{Path(__file__).read_text(encoding='utf-8')}", encoding="utf-8")
        path.chmod(0o755)


def read_kept(folder: Path) -> dict[str, str]:
    """Return what the stand-ins in a folder keep, by the place that their arguments name."""
    return {each["place"]: each["value"] for each in _read_log(folder) if "place" in each}


def read_arguments(folder: Path) -> list[list[str]]:
    """Return the words of each command that was run."""
    return [each["words"] for each in _read_log(folder)]


def _read_log(folder: Path) -> list[dict[str, Any]]:
    path = folder / "log.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


FORMS = {
    "vault": r"kv put -mount=secret (?P<place>\S+) value=-",
    "op": r"item (?P<action>get|edit) (?P<place>\S+ --vault \S+)(?P<format> --format json)?",
    "aws": r"secretsmanager put-secret-value --secret-id (?P<place>\S+) --secret-string (?P<file>file:///dev/stdin)",
    "gcloud": r"secrets versions add (?P<place>[\w-]+) --data-file=-",
    "kubectl": r"annotate externalsecret \S+ --namespace \S+ force-sync=\d+ --overwrite",
    "gh": r"secret set (?P<place>[A-Z_][A-Z0-9_]*( --env [\w-]+)? --repo [\w.-]+/[\w.-]+)"
    r"|variable set [A-Z_]+ --env [\w-]+ --repo [\w.-]+/[\w.-]+ --body \S+",
    "glab": r"variable set ((?P<place>[A-Z_]+ --masked --scope [\w-]+)|[A-Z_]+ --scope [\w-]+ --value \S+)",
    "doppler": r"secrets set (?P<place>[A-Z_][A-Z0-9_]* --project \S+ --config \S+) --no-interactive --silent",
}


def main() -> int:
    """Do what the command of this name does."""
    path = Path(sys.argv[0])
    form = re.fullmatch(FORMS[path.name], " ".join(sys.argv[1:]))
    if form is None or os.environ.get("UNAVAILABLE") == path.name:
        sys.stderr.write(f"{path.name}: this cannot be done\n")
        return 2
    found = {name: text for name, text in form.groupdict().items() if text}
    entry: dict[str, object] = {"words": [path.name, *sys.argv[1:]]}
    if found.get("action") == "get":
        fields = [{"id": "username", "value": "x"}, {"id": "credential", "type": "CONCEALED", "value": "old"}]
        sys.stdout.write(json.dumps({"title": "x", "category": "API_CREDENTIAL", "fields": fields}))
    elif found.get("action") == "edit":
        item = json.loads(sys.stdin.read())
        entry |= {"place": found["place"], "value": item["fields"][1]["value"]}
    elif "file" in found:
        entry |= {"place": found["place"], "value": Path("/dev/stdin").read_text("utf-8")}
    elif "place" in found:
        entry |= {"place": found["place"], "value": sys.stdin.read()}
    with (path.parent / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
