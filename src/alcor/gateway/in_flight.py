"""How many requests are being answered, of each project: one may not take the door from the others.

Source: Neutron has no such limit; the status is RFC 6585's.
"""

from alcor.runtime.observability.metrics import limit_reached
from alcor.values.errors import Kind, Refusal


class InFlight:
    """Requests of each project that are being answered; `per_project_max` at once."""

    def __init__(self, per_project_max: int) -> None:
        self._max = per_project_max
        self._now_by_project: dict[str, int] = {}

    def enter(self, project: str) -> None:
        """Count one more; a `Refusal` when there are too many. Then `leave` must follow."""
        now = self._now_by_project.get(project, 0)
        if now >= self._max:
            limit_reached.labels("gateway.requests_per_project_max").inc()
            raise Refusal(
                f"{self._max} requests of project {project} are being answered already",
                type="HTTPTooManyRequests",
                kind=Kind.TOO_MANY,
            )
        self._now_by_project[project] = now + 1

    def leave(self, project: str) -> None:
        """Count one less; projects that ask nothing are forgotten."""
        now = self._now_by_project[project] - 1
        if now:
            self._now_by_project[project] = now
        else:
            del self._now_by_project[project]
