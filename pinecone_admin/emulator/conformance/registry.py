"""Which checks there are, by the rule that they check."""

from collections.abc import Callable
from enum import Enum, auto

from attrs import frozen

from pinecone_admin.emulator.conformance.service import RuleCheck


class Phase(Enum):
    """What a check does to the service."""

    READ = auto()
    WRITE = auto()  # creates and deletes things
    MAIL = auto()  # mails an invite, too


@frozen
class RegisteredCheck:
    """A check of a rule.

    Args:
        rule: its name in the catalogue.
        run: raises where the service differs, or where it cannot be checked.
        phase: what it does to the service.
    """

    rule: str
    run: RuleCheck
    phase: Phase


CHECKS: list[RegisteredCheck] = []


def check(rule: str, phase: Phase = Phase.READ) -> Callable[[RuleCheck], RuleCheck]:
    """Register the check of a rule.

    Args:
        rule: its name in the catalogue.
        phase: what it does to the service.
    """

    def register(run: RuleCheck) -> RuleCheck:
        CHECKS.append(RegisteredCheck(rule, run, phase))
        return run

    return register
