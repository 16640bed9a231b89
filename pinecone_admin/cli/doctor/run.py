"""Find what keeps commands from working: one check after the other, from the variables to the roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from pinecone_admin import Admin, ForbiddenError, PineconeError, PineconeValueError, UnauthorizedError
from pinecone_admin._config.client_config import ClientConfig, resolve_config
from pinecone_admin._http.returned_errors import return_error
from pinecone_admin._text.printable import make_printable
from pinecone_admin.cli.doctor.checks import (
    CHECKS,
    Diagnosis,
    find_variable_problems,
    judge_clock,
    judge_organization,
    judge_probes,
    judge_read,
    judge_refused_configuration,
    judge_refused_identity,
    judge_roles,
    judge_supplied_token,
    judge_token,
    skipped,
)
from pinecone_admin.cli.doctor.probes import Probe, send_probe
from pinecone_admin.cli.exit_codes import REFUSED
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.identity.caller import look_at_caller
from pinecone_admin.cli.identity.client import complete_identity, open_client
from pinecone_admin.cli.identity.sources import SECRET_VARIABLE, TOKEN_VARIABLE, CallerIdentity, check_schemes
from pinecone_admin.cli.output.progress import show_progress
from pinecone_admin.cli.output.writing import write_items
from pinecone_admin.cli.session import Session

_STYLES = {"ok": "green", "failed": "bold red", "skipped": "dim"}
_STATUS_WIDTH, _CHECK_WIDTH = 7, 14


def run_checks(session: Session) -> None:
    """Make the checks, and write what was found."""
    results = examine(session)
    if session.output == "table" and session.settings.get("query") is None:
        with session.until_closed():
            for result in results:
                _print_result(session, result)
    else:
        write_items(session, (result._asdict() for result in results))
    for _ in results:  # whoever reads the output may have enough, but the exit code is that of all checks
        pass


def _print_result(session: Session, result: Diagnosis) -> None:
    """Print one result, and below it how a failure is fixed."""
    from rich.table import Table  # noqa: PLC0415 - only tables need it
    from rich.text import Text  # noqa: PLC0415 - as above

    from pinecone_admin.cli.output.tables import print_layouts  # noqa: PLC0415 - as above

    detail = Text(make_printable(result.detail), style="dim" if result.status == "skipped" else "")
    if result.fix:
        detail.append("\nfix: ", style="bold").append(make_printable(result.fix))
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=_STATUS_WIDTH)
    grid.add_column(width=_CHECK_WIDTH)
    grid.add_column(overflow="fold")
    grid.add_row(Text(result.status, style=_STYLES[result.status]), result.check, detail)
    print_layouts(session, grid)


def examine(session: Session) -> Iterator[Diagnosis]:
    """Yield the result of each check, in order; those behind a failed one that they depend on are skipped.

    Args:
        session: The session. Its identity and its environment are checked; a failure changes its exit code.
    """
    done: set[str] = set()
    results = _make_checks(session)
    while (result := _find_next(session, results)) is not None:
        done.add(result.check)
        if result.status == "failed":
            session.exit_code = REFUSED
        yield result
    yield from skipped(check for check in CHECKS if check not in done)


def _find_next(session: Session, results: Iterator[Diagnosis]) -> Diagnosis | None:
    with show_progress(session, "checking"):
        return next(results, None)


def _make_checks(session: Session) -> Iterator[Diagnosis]:
    try:
        identity = session.identity
    except CLIError as exc:
        yield Diagnosis("variables", "failed", exc.message, "correct the option, or the file that it names")
        return
    problems = find_variable_problems(session.env, _list_used_variables(session, identity))
    used, refusal = _try_to_complete_identity(session)
    config = _resolve_config(session.env, used)
    if problems or not isinstance(config, Diagnosis) or config.check != "variables":  # else "no fault found" is untrue
        fine = Diagnosis("variables", "ok", f"no fault found; credentials are from {identity.origin}")
        yield from problems or [fine]
    if refusal and not problems:  # else what is missing has been named already
        yield judge_refused_identity(refusal)
    if isinstance(config, Diagnosis):
        yield config
        return
    probes = _probe_servers(config, uses_token_endpoint=used.access_token is None)
    yield from judge_probes(probes, proxies=_describe_proxies(config))
    if not probes[0].failed:
        yield judge_clock(probes[0].date, now=datetime.now(UTC))
    if not refusal and not any(probe.failed for probe in probes):
        yield from _check_calls(session, used, is_explained=bool(problems))


def _try_to_complete_identity(session: Session) -> tuple[CallerIdentity, str]:
    """Return the identity with its secret, or without it and why it cannot be obtained."""
    try:
        return complete_identity(session), ""
    except CLIError as exc:
        return session.identity, exc.message


def _list_used_variables(session: Session, identity: CallerIdentity) -> Mapping[str, str]:
    if identity.variables and session.settings.get("client_secret_stdin"):
        variables = {name: value for name, value in identity.variables.items() if name != TOKEN_VARIABLE}
        return {**variables, SECRET_VARIABLE: "stdin"}
    return identity.variables


def _resolve_config(env: Mapping[str, str], identity: CallerIdentity) -> ClientConfig | Diagnosis:
    """Return what a client would use, or why it refuses it; a client does not show its proxies and TLS context."""
    try:
        check_schemes(identity.host, identity.oauth_url)
        return resolve_config(
            env=env if identity.in_environment else {},
            host=None if identity.in_environment else identity.host,
            oauth_url=None if identity.in_environment else identity.oauth_url,
            allow_http=identity.allow_http,
            additional_headers=None,
            source_tag=None,
            proxy_url=None,
            ssl_verify=True,
            opens_connections=True,
            timeout=60.0,
            retry=None,
            max_connections=1,
            lazy=True,
            read_only=False,
            on_attempt=None,
        )
    except PineconeValueError as exc:
        return judge_refused_configuration(exc.message_with_names(identity.spellings), exc.argument or "")


def _probe_servers(config: ClientConfig, *, uses_token_endpoint: bool) -> list[Probe]:
    targets = [(f"{config.api_url}/admin/organizations", config.api_proxy)]
    if uses_token_endpoint:
        targets.append((config.oauth_url, config.oauth_proxy))
    return [send_probe(url, proxy=proxy, ssl_context=config.ssl_context) for url, proxy in targets]


def _describe_proxies(config: ClientConfig) -> list[str]:
    proxies = (config.api_proxy, config.oauth_proxy)
    return list(dict.fromkeys(str(each.url.copy_with(userinfo=b"")) for each in proxies if each is not None))


def _check_calls(session: Session, identity: CallerIdentity, *, is_explained: bool) -> Iterator[Diagnosis]:
    try:
        admin = open_client(session, identity)
    except CLIError as exc:
        if not is_explained:
            yield judge_refused_identity(exc.message)
        return
    with admin:
        if identity.access_token is None:
            token = return_error(admin.token)
            yield from judge_token(token if isinstance(token, PineconeError) else None)
            if isinstance(token, PineconeError):
                return
        error = return_error(_send_a_read, admin)
        if identity.access_token is not None:
            yield from judge_supplied_token(error)
            if isinstance(error, UnauthorizedError):
                return
        yield from judge_read(error)
        if error is None:
            yield from _check_roles(admin, identity, session.client_id)


def _check_roles(admin: Admin, identity: CallerIdentity, client_id: str | None) -> Iterator[Diagnosis]:
    view = return_error(look_at_caller, admin, client_id=client_id)
    if isinstance(view, PineconeError):
        yield Diagnosis("roles", "failed", view.message, f"pinecone-admin explain {view.help_code}")
        return
    yield judge_roles(view)
    yield from judge_organization(view, identity.expect_organization)


def _send_a_read(admin: Admin) -> None:
    try:
        admin.organizations.list()
    except ForbiddenError as exc:
        # A proxy refuses without a code, and the API does so where the account has roles on projects only.
        if exc.error_code is None:
            raise
        admin.projects.list()
