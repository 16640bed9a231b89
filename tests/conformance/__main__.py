"""Check an Admin API against the rules over HTTP, as a black box, and report each rule that differs.

The credentials are taken from PINECONE_CLIENT_ID and PINECONE_CLIENT_SECRET. The service account must be an OrgOwner.
Without --write, nothing is changed. Without --mail-to, nobody is mailed. With --record, the run writes a recording.
Without --record, it writes the verdicts on Pinecone's service to docs/conformance, without ids or secrets. With
--replay, it sends nothing to a service. The exit status is 0 if no rule differs, 1 if one does, and 2 if the run could
not finish.
"""

import argparse
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import NoReturn
from urllib.request import getproxies, proxy_bypass

import httpx

from pinecone_admin.emulator.api.rule_catalogue import RULES
from tests.conformance import permission_checks, read_checks, write_checks
from tests.conformance.audit import LeakError
from tests.conformance.recording import (
    PRODUCTION,
    SUFFIX,
    RecordingTransport,
    list_arguments,
    read_first,
    read_recording,
    write_recording,
)
from tests.conformance.registry import CHECKS, CheckResult, Phase, run_check
from tests.conformance.replay import replay
from tests.conformance.service import (
    VERSION,
    AccountCredentials,
    DiffersError,
    Service,
    SkippedError,
    expect_success,
)

__all__ = ["CHECKS", "main", "permission_checks", "read_checks", "write_checks"]

OAUTH_URL = "https://login.pinecone.io/oauth/token"
_NO_CREDENTIALS = "PINECONE_CLIENT_ID and PINECONE_CLIENT_SECRET must both be set"
REPORTS = Path(__file__).resolve().parents[2] / "docs/conformance"


def main(arguments: Sequence[str] | None = None) -> int:
    """Check a service and return the exit status.

    Args:
        arguments: The command-line arguments without the program's name.
    """
    options = _argument_parser().parse_args(arguments)
    if options.replay:
        return _replay(options.replay)
    credentials = [os.environ.get(name, "") for name in ("PINECONE_CLIENT_ID", "PINECONE_CLIENT_SECRET")]
    problem = _prepare_output(options) if all(credentials) else _NO_CREDENTIALS
    if problem:
        return _report_failure(problem)
    account = AccountCredentials(*credentials)
    recorder = _start_recording(options, account) if options.record else None
    with httpx.Client(base_url=options.host, timeout=30, transport=recorder) as http:
        service = Service(http, options.oauth_url, account, options.mail_to, options.patience)
        try:
            return _check_service(service, options, recorder)
        except LeakError as error:
            problem = f"nothing was recorded, because {error}: report this, it is a bug of the sanitizer"
        except (httpx.HTTPError, httpx.InvalidURL, DiffersError, ValueError) as error:
            problem = f"cannot check {options.host}: {error}"
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # flushing at exit would fail again
            suffix = f"; {', '.join(service.leftovers)} could not be deleted" if service.leftovers else ""
            problem = f"cannot write the report: {error.strerror}{suffix}"
        except KeyboardInterrupt:
            problem = "interrupted; everything created has been deleted, except what a line that begins with LEFT names"
    return _report_failure(problem)


def _prepare_output(options: argparse.Namespace) -> str | None:
    """Return why the report or the recording could not be written at the end, or None."""
    path: Path | None = options.record
    folder = options.reports if path is None else path.absolute().parent
    if path and path.suffix != SUFFIX:
        return f"the name of a recording ends in {SUFFIX}: {path}"
    if path and folder.resolve() == REPORTS and options.host.rstrip("/") != PRODUCTION:
        return f"{REPORTS} is for recordings of {PRODUCTION}"
    try:
        if path is None:
            folder.mkdir(exist_ok=True)
        elif not os.access(folder, os.W_OK | os.X_OK):
            return f"cannot write to {folder}"
    except OSError as error:
        return f"cannot write to {folder}: {error.strerror}"
    return None


def _check_service(service: Service, options: argparse.Namespace, recorder: RecordingTransport | None) -> int:
    expect_success(service.send("GET", "/admin/organizations"), 200)
    if recorder:
        read_first(service)
    findings = _run_and_print(service, recorder, write=options.write)
    if recorder:
        lines = recorder.sanitize()
        write_recording(options.record, options.host, lines, {each.rule: each.verdict for each in findings})
        _print_line(f"Recorded {len(lines)} requests in {options.record}.")
    elif options.host.rstrip("/") == PRODUCTION or options.reports != REPORTS:
        _write_report(options.reports, options.host, findings)
    return 1 if service.leftovers or any(each.verdict == "DIFFERS" for each in findings) else 0


def _replay(path: Path) -> int:
    try:
        result = replay(read_recording(path))
    except (OSError, ValueError, LookupError, TypeError) as error:
        return _report_failure(f"cannot replay {path}: {error}")
    _print_line(str(result))
    return 1 if result.differences or result.skipped else 0


def _start_recording(options: argparse.Namespace, account: AccountCredentials) -> RecordingTransport:
    url = httpx.URL(options.host)
    # As httpx does without a transport; where a proxy is needed, the service is reached in no other way.
    proxy = None if proxy_bypass(url.host) else getproxies().get(url.scheme)
    inner = httpx.HTTPTransport(proxy=proxy)
    return RecordingTransport(inner, options.oauth_url, list_arguments(account, options.mail_to))


def _argument_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.conformance",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--host",
        default=os.environ.get("PINECONE_CONTROLLER_HOST", PRODUCTION),
        help=f"URL of the Admin API (default: PINECONE_CONTROLLER_HOST, otherwise {PRODUCTION})",
    )
    parser.add_argument(
        "--oauth-url",
        default=os.environ.get("PINECONE_OAUTH_URL", OAUTH_URL),
        help=f"URL of the token endpoint (default: PINECONE_OAUTH_URL, otherwise {OAUTH_URL})",
    )
    parser.add_argument(
        "--write",
        action="store_true",
        help="also check rules that need changes, in a new project that is deleted at the end",
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=10.0,
        metavar="SECONDS",
        help="how long to wait for changes that take effect with a delay (default %(default)s)",
    )
    parser.add_argument(
        "--mail-to", metavar="ADDRESS", help="with --write, also check invites, and mail one to this address"
    )
    parser.add_argument(
        "--record",
        type=Path,
        metavar="FILE",
        help="write what is sent and received to this file, without names, ids, addresses or secrets",
    )
    parser.add_argument(
        "--replay",
        type=Path,
        metavar="FILE",
        help="send no request to a service, but those of a recording to an emulator, and report where it differs",
    )
    parser.add_argument(
        "--reports",
        type=Path,
        default=REPORTS,
        metavar="FOLDER",
        help="folder for a file with the verdicts; default docs/conformance, and none for other services",
    )
    return parser


def _write_report(folder: Path, host: str, findings: Iterable[CheckResult]) -> None:
    now = datetime.now(UTC)
    report = {
        "service": host.rstrip("/"),
        "version": VERSION,
        "date": now.date().isoformat(),
        # Not the reasons: those of differences name ids of the organization.
        "rules": {each.rule: each.verdict for each in findings},
    }
    text = json.dumps(report, indent=1) + "\n"
    (folder / f"{now:%Y-%m-%dT%H%M%S}.json").write_text(text, encoding="utf-8")


def _run_and_print(service: Service, recorder: RecordingTransport | None, *, write: bool) -> list[CheckResult]:
    findings: list[CheckResult] = []
    try:
        with service.clean_up():
            for finding in _run_checks(service, recorder, write=write):
                _print_line(str(finding))
                findings.append(finding)
    finally:
        for path in service.leftovers:
            _print_line(f"LEFT     {path}")
    count = Counter(finding.verdict for finding in findings)
    unseen = len(RULES.keys() - {each.rule for each in CHECKS})
    _print_line(
        f"\nRules that are the same: {count['same']}; that differ: {count['DIFFERS']}; skipped: {count['skipped']}."
    )
    _print_line(f"Rules that cannot be checked from outside: {unseen}.")
    return findings


def _run_checks(service: Service, recorder: RecordingTransport | None, *, write: bool) -> Iterator[CheckResult]:
    for phase in Phase:
        checks = [each for each in CHECKS if each.phase is phase]
        if recorder:
            recorder.rule = f"prepare {phase.name.lower()}"
        obstacle = _prepare_phase(service, phase, write=write)
        for each in checks:
            if recorder:
                recorder.rule = each.rule
            yield run_check(each, service) if obstacle is None else CheckResult(each.rule, "skipped", obstacle)


def _prepare_phase(service: Service, phase: Phase, *, write: bool) -> str | None:
    """Create what the checks of a phase need; return the reason to skip the phase, or None."""
    if phase is not Phase.READ and not write:
        return "needs --write"
    if phase is Phase.MAIL and service.mail_to is None:
        return "needs --mail-to"
    try:
        if phase is Phase.WRITE:
            service.create_project()
        elif phase is Phase.MAIL:
            service.create_invite()
    except SkippedError as error:
        return str(error)
    return None


def _print_line(line: str) -> None:
    print(line, flush=True)  # noqa: T201 — the report


def _report_failure(message: str) -> int:
    sys.stderr.write(message + "\n")
    return 2


def _interrupt_on_signal(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt_on_signal)  # a cancelled CI job must leave nothing behind
    sys.exit(main())
