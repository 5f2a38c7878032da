"""What a check has found."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple


class Health(StrEnum):
    """How it is with what was looked at."""

    GOOD = "good"
    FAULT = "fault"
    UNKNOWN = "unknown"  # it could not be looked at; the words say why


class Finding(NamedTuple):
    """One thing that was looked at; of a fault, what to do next."""

    check: str
    health: Health
    says: str
    next_step: str = ""


def good(check: str, says: str) -> Finding:
    """Nothing is wrong there."""
    return Finding(check, Health.GOOD, says)


def fault(check: str, says: str, next_step: str) -> Finding:
    """Something is wrong."""
    return Finding(check, Health.FAULT, says, next_step)


def unknown(check: str, says: str) -> Finding:
    """It can't be told."""
    return Finding(check, Health.UNKNOWN, says)


def sick(findings: Iterable[Finding]) -> bool:
    """Whether anything is wrong."""
    return any(each.health is Health.FAULT for each in findings)
