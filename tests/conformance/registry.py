"""The registry of the conformance checks."""

from collections.abc import Callable
from enum import Enum, auto

from attrs import frozen

from tests.conformance.service import RuleCheck


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
