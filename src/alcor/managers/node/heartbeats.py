"""What hosts said last, and whether they are alive. In memory: a report is soon said again."""

from collections.abc import Callable, Sequence

import msgspec

from alcor.goal_state.reports import HostReport
from alcor.keyed_log.log import Entry
from alcor.managers.node.model import Heard, Life

_decode = msgspec.msgpack.Decoder(HostReport).decode


class Heartbeats:
    """The last report of every host.

    A host is alive while its stream is up (the transport finds out soon when it is not), and for
    `silence_s_max` seconds after, so that a reconnect is no death.
    """

    def __init__(
        self, clock: Callable[[], float], silence_s_max: float, timestamp: Callable[[float], str]
    ) -> None:
        self._clock = clock
        self._silence_s_max = silence_s_max
        self._timestamp = timestamp
        self._heard_by_host: dict[str, Heard] = {}
        self._began_s = clock()

    def hear(self, entries: Sequence[Entry]) -> list[HostReport]:
        """Take what hosts said; return what is new about who and where they are."""
        now = self._clock()
        new: list[HostReport] = []
        for entry in entries:
            if entry.value is None:
                continue
            report = _decode(entry.value)
            old = self._heard_by_host.get(report.host)
            # Of a host that went away we keep when it was last there.
            at_s = old.at_s if old and not report.connected and not old.report.connected else now
            self._heard_by_host[report.host] = Heard(report, at_s)
            if old is None or _who(old.report) != _who(report):
                new.append(report)
        return new

    def is_connected(self, host: str) -> bool:
        """Whether the host has a stream now."""
        heard = self._heard_by_host.get(host)
        return heard is not None and heard.report.connected

    def is_gone(self, host: str) -> bool:
        """Whether the host has been silent for too long, though there was time to be heard."""
        heard = self._heard_by_host.get(host)
        if self.is_connected(host):
            return False
        last_s = heard.at_s if heard is not None else self._began_s
        return not self._is_short(self._clock() - last_s)

    def life(self, host: str) -> Life:
        """What the host's reports say now."""
        heard = self._heard_by_host.get(host)
        if heard is None:
            return Life(False, "", None)
        now = self._clock()
        connected = heard.report.connected
        alive = connected or self._is_short(now - heard.at_s)
        return Life(alive, self._timestamp(now if connected else heard.at_s), heard.report)

    def _is_short(self, silence_s: float) -> bool:
        """Whether a host may be silent so long. Less than nothing: the clock was put back."""
        return 0 <= silence_s <= self._silence_s_max


def _who(report: HostReport) -> tuple[str, tuple[str, ...], bool]:
    return report.tunnel_ip, report.physical_networks, report.connected
