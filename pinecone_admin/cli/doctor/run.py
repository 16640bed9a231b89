"""Find what keeps commands from working: one check after the other, from the variables to the roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from pinecone_admin import Admin, ForbiddenError, PineconeError, PineconeValueError, UnauthorizedError
from pinecone_admin._config.client_config import ClientConfig, resolve_config
from pinecone_admin._http.returned_errors import return_error
from pinecone_admin.cli.doctor.checks import (
    CHECKS,
    Diagnosis,
    find_variable_problems,
    judge_clock,
    judge_organization,
    judge_probes,
    judge_read,
    judge_refusal,
    judge_refused_configuration,
    judge_roles,
    judge_supplied_token,
    judge_token,
    skipped,
)
from pinecone_admin.cli.doctor.probes import send_probe
from pinecone_admin.cli.exit_codes import REFUSED
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.identity.caller import look_at_caller
from pinecone_admin.cli.identity.client import complete_identity, open_client
from pinecone_admin.cli.identity.sources import CallerIdentity, check_schemes
from pinecone_admin.cli.output.progress import show_progress
from pinecone_admin.cli.output.writing import write_items
from pinecone_admin.cli.sentences import join_sentences
from pinecone_admin.cli.session import Session


def run_checks(session: Session) -> None:
    """Make the checks, from the variables to the roles, and write what was found; a failure is exit code 1.

    The checks behind a failed one that they depend on are skipped.
    """
    with show_progress(session, "checking"):
        results = list(_make_checks(session))
    done = {each.check for each in results}
    results += skipped(check for check in CHECKS if check not in done)
    if any(each.status == "failed" for each in results):
        session.exit_code = REFUSED
    if session.output == "table" and session.settings.get("query") is None:
        write_items(session, map(_describe, results))
    else:
        write_items(session, (each._asdict() for each in results))


def _describe(result: Diagnosis) -> dict[str, str]:
    """Return a row of the table, which has the fix behind the fault."""
    detail = join_sentences([result.detail, f"Fix: {result.fix}"]) if result.fix else result.detail
    return {"status": result.status, "check": result.check, "detail": detail}


def _make_checks(session: Session) -> Iterator[Diagnosis]:
    try:
        identity = session.identity
    except CLIError as exc:
        fix = "correct the option or the variable that names the account, or its file"
        yield judge_refusal("variables", exc, fix=fix)
        return
    problems = find_variable_problems(session.env, identity.variables)
    yield from problems
    config = _resolve_config(session.env, identity)
    if isinstance(config, Diagnosis):
        if config.check != "variables" and not problems:
            yield Diagnosis("variables", "skipped", "not checked, because the client refuses another setting")
        yield config
        return
    admin, refusal = _try_to_open_client(session)
    check = "variables" if identity.variables else "credentials"
    if refusal and not problems:  # else it may be a consequence of them
        yield judge_refusal(check, refusal)
    if not (problems or (refusal and check == "variables")):
        yield Diagnosis("variables", "ok", f"no fault found; credentials are from {identity.origin}")
    uses_token = identity.access_token is not None and not session.settings.get("client_secret_stdin")
    targets = [(f"{config.api_url}/admin/organizations", config.api_proxy)]
    targets += [] if uses_token else [(config.oauth_url, config.oauth_proxy)]
    probes = [send_probe(url, proxy=proxy, ssl_context=config.ssl_context) for url, proxy in targets]
    proxies = (config.api_proxy, config.oauth_proxy)
    shown = [str(each.url.copy_with(userinfo=b"")) for each in proxies if each is not None]
    yield from judge_probes(probes, proxies=list(dict.fromkeys(shown)))
    if not probes[0].failed:
        yield judge_clock(probes[0].date, now=datetime.now(UTC))
    if admin is not None:
        with admin:
            if not any(probe.failed for probe in probes):
                yield from _check_calls(session, admin, uses_token=uses_token)


def _try_to_open_client(session: Session) -> tuple[Admin | None, CLIError | None]:
    """Return the client, or None and why there is none."""
    try:
        return open_client(session, complete_identity(session)), None
    except CLIError as exc:
        return None, exc


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


def _check_calls(session: Session, admin: Admin, *, uses_token: bool) -> Iterator[Diagnosis]:
    if not uses_token:
        token = return_error(admin.token)
        yield from judge_token(token if isinstance(token, PineconeError) else None)
        if isinstance(token, PineconeError):
            return
    error = return_error(_send_a_read, admin)
    if uses_token:
        yield from judge_supplied_token(error)
        if isinstance(error, UnauthorizedError):
            return
    yield from judge_read(error)
    if error is not None:
        return
    view = return_error(look_at_caller, admin, client_id=session.client_id)
    if isinstance(view, PineconeError):
        yield Diagnosis("roles", "failed", view.message, f"pinecone-admin explain {view.help_code}")
        return
    yield judge_roles(view)
    yield from judge_organization(view, session.identity.expect_organization)


def _send_a_read(admin: Admin) -> None:
    try:
        admin.organizations.list()
    except ForbiddenError as exc:
        # A proxy refuses without a code, and the API does so where the account has roles on projects only.
        if exc.error_code is None:
            raise
        admin.projects.list()
