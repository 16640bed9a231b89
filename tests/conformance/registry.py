"""The registry of the conformance checks."""

from collections.abc import Callable
from enum import Enum, auto

import httpx
from attrs import frozen

from pinecone_admin.emulator.api.rule_catalogue import RULES
from tests.conformance.service import DiffersError, RuleCheck, Service, SkippedError


class Phase(Enum):
    """The phases of a run, by what their checks do to the service."""

    READ = auto()
    WRITE = auto()  # creates and deletes things
    MAIL = auto()  # also mails an invite


@frozen
class RegisteredCheck:
    """A registered check of a rule.

    Args:
        rule: The name of the rule in the catalogue.
        run: Raises if the service differs from the rule or the rule cannot be checked.
        phase: The phase in which it runs.
    """

    rule: str
    run: RuleCheck
    phase: Phase


CHECKS: list[RegisteredCheck] = []


def check(rule: str, phase: Phase = Phase.READ) -> Callable[[RuleCheck], RuleCheck]:
    """Register a function as the check of a rule.

    Args:
        rule: The name of the rule in the catalogue.
        phase: The phase in which it runs.
    """

    def register(run: RuleCheck) -> RuleCheck:
        CHECKS.append(RegisteredCheck(rule, run, phase))
        return run

    return register


@frozen
class CheckResult:
    """The result of a check."""

    rule: str
    verdict: str
    reason: str = ""

    def __str__(self) -> str:
        reason = f"\n         {self.reason}" if self.reason else ""
        return f"{self.verdict:<8} {self.rule}: {RULES[self.rule].text}{reason}"


def run_check(check: RegisteredCheck, service: Service) -> CheckResult:
    """Run a check, and delete what it has created."""
    try:
        with service.clean_up():
            check.run(service)
    except SkippedError as error:
        return CheckResult(check.rule, "skipped", str(error))
    except (DiffersError, httpx.HTTPError) as error:
        return CheckResult(check.rule, "DIFFERS", str(error))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        return CheckResult(check.rule, "DIFFERS", f"a response is malformed: {type(error).__name__} {error}")
    return CheckResult(check.rule, "same")
