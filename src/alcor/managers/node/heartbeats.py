"""What hosts said last, and whether they are alive. In memory: the report log holds it too."""

from collections.abc import Callable, Sequence

import msgspec

from alcor.goal_state.reports import HostReport, SyncReport
from alcor.keyed_log.log import Entry
from alcor.managers.node.listening import Listening
from alcor.managers.node.model import Heard, Life

_decode = msgspec.msgpack.Decoder(HostReport).decode
_decode_sync = msgspec.msgpack.Decoder(SyncReport).decode


class Heartbeats:
    """The last report of every host.

    A host is alive while its stream is up (the transport finds out soon when it is not), and for
    `silence_s_max` seconds after, so that a reconnect is no death. Only seconds count in which it
    could have been heard.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        steady: Callable[[], float],  # which never goes back
        silence_s_max: float,
        timestamp: Callable[[float], str],
        listening: Listening,
    ) -> None:
        self._clock = clock
        self._steady = steady
        self._silence_s_max = silence_s_max
        self._timestamp = timestamp
        self._listening = listening
        self._heard_by_host: dict[str, Heard] = {}
        self._synced_by_host: dict[str, bool | None] = {}
        self.begin()

    def begin(self) -> None:
        """From now on hosts have time to be heard: until we lead nobody listens to them."""
        self._began_s = self._steady()

    def hear(self, entries: Sequence[Entry]) -> list[HostReport]:
        """Take what hosts said; return what is new about who and where they are."""
        now = self._clock(), self._steady()
        new: list[HostReport] = []
        for entry in entries:
            if entry.value is None:
                continue
            report = _decode(entry.value)
            old = self._heard_by_host.get(report.host)
            # Of a host that went away we keep when it was last there.
            stays_away = old and not report.connected and not old.report.connected
            at = (old.at_s, old.since_s) if old and stays_away else now
            self._heard_by_host[report.host] = Heard(report, *at)
            if old is None or _who(old.report) != _who(report):
                new.append(report)
        return new

    async def hear_synced(self, entries: Sequence[Entry]) -> None:
        """Whether Placement knows all that hosts have to guarantee."""
        for entry in entries:
            if entry.value is not None:
                said = _decode_sync(entry.value)
                self._synced_by_host[said.host] = said.is_whole

    def is_connected(self, host: str) -> bool:
        """Whether the host has a stream now."""
        heard = self._heard_by_host.get(host)
        return heard is not None and heard.report.connected

    def is_alive(self, host: str) -> bool:
        """Whether the host was heard, and is not gone."""
        return host in self._heard_by_host and not self.is_gone(host)

    def is_gone(self, host: str) -> bool:
        """Whether the host has been silent for too long, though there was time to be heard."""
        return self.silence_s(host) > self._silence_s_max

    def silence_s(self, host: str) -> float:
        """For how long the host could have been heard, and was not; 0: it is connected, or there is
        no delivery now that could hear it."""
        listening_since_s = self._listening.since_s()
        if self.is_connected(host) or listening_since_s is None:
            return 0.0
        heard = self._heard_by_host.get(host)
        since_s = heard.since_s if heard is not None else self._began_s
        return self._steady() - max(since_s, listening_since_s)

    def life(self, host: str) -> Life:
        """What the host's reports say now."""
        heard, synced = self._heard_by_host.get(host), self._synced_by_host.get(host)
        if heard is None:
            return Life(False, "", None, synced)
        at_s = heard.at_s
        if heard.report.connected:
            at_s = max(at_s, self._listening.heard_at_s())
        return Life(self.is_alive(host), self._timestamp(at_s), heard.report, synced)


def _who(report: HostReport) -> tuple[object, ...]:
    has = report.physical_networks, report.capacity, report.bridge, report.datapath_type
    return report.tunnel_ip, report.connected, *has
