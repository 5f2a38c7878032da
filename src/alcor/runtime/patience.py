"""Leaves alone for a while what has failed: twice as many rounds after each failure in a row.

Pure: rounds are counted, no clock is read. A failure is logged as one line, not as a traceback in
every round.
"""

from collections.abc import Hashable

import structlog

from alcor.values.errors import Refusal

log = structlog.get_logger(__name__)

rounds_left_out_max = 60


class Patience:
    """How often something failed, and how many rounds it is still left alone."""

    def __init__(self) -> None:
        self._failures: dict[Hashable, int] = {}
        self._waits: dict[Hashable, int] = {}

    def is_due(self, key: Hashable) -> bool:
        """Whether to try it in this round; asked once a round."""
        waits = self._waits.get(key, 0)
        if waits:
            self._waits[key] = waits - 1
        return not waits

    def failed(self, key: Hashable, error: Exception, **told: object) -> None:
        """It has failed: that is told, and it is left alone. A refusal is no fault of ours."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        waits = self._waits[key] = min(2 ** (failures - 1) - 1, rounds_left_out_max)
        told |= {"failures": failures, "rounds_left_out": waits}
        if isinstance(error, Refusal):
            log.warning("not_settled", reason=f"{error.type}: {error.message}", **told)
        else:
            log.error("not_settled", exc_info=error, **told)

    def done(self, key: Hashable) -> None:
        """It has not failed, or is not to be done any more."""
        self._failures.pop(key, None)
        self._waits.pop(key, None)
