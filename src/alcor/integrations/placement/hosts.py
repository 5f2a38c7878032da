"""The hosts as the log tells of them, and which of them speaks of which hypervisor. Pure.

A hypervisor is spoken of by one host: the host of that name, if there is one, and otherwise the
first, by name, of those that say it is theirs. So no host can change what another one has.
"""

from collections import defaultdict
from collections.abc import Iterator

import structlog

from alcor.integrations.placement.providers import Wish, wish
from alcor.intent.records import NodeRecord

_log = structlog.get_logger("alcor.placement")


class Hosts:
    """Takes changes; says what Placement is to know of each."""

    def __init__(self) -> None:
        self._wish_by_host: dict[str, Wish] = {}
        self._hosts_by_hypervisor: defaultdict[str, set[str]] = defaultdict(set)

    def put(self, host: str, node: NodeRecord | None) -> set[str]:
        """A host as it is, or that it is gone (None); the hosts whose wish may differ now."""
        touched = {host}
        before = self._wish_by_host.pop(host, None)
        if before is not None:
            touched |= self._hosts_by_hypervisor[before.hypervisor]
            self._hosts_by_hypervisor[before.hypervisor].discard(host)
            if not self._hosts_by_hypervisor[before.hypervisor]:
                del self._hosts_by_hypervisor[before.hypervisor]
        if node is not None:
            self._wish_by_host[host] = after = wish(node)
            self._hosts_by_hypervisor[after.hypervisor].add(host)
            touched |= self._hosts_by_hypervisor[after.hypervisor]
            if not self.may_speak(host, after.hypervisor):
                _log.error("hypervisor is another host's", host=host, name=after.hypervisor)
        # Who comes or goes may be what others said that they are.
        return touched | self._hosts_by_hypervisor.get(host, set())

    def wish(self, host: str) -> Wish:
        """What Placement is to know of a host; nothing where another one speaks of it."""
        found = self._wish_by_host.get(host, Wish(""))
        return found if self.may_speak(host, found.hypervisor) else Wish(found.hypervisor)

    def guaranteeing(self) -> Iterator[str]:
        """The hosts of which Placement is to know anything, if they are to be believed."""
        return (host for host, each in self._wish_by_host.items() if each.providers)

    def may_speak(self, host: str, hypervisor: str) -> bool:
        """Whether a hypervisor is this host's, or nobody's."""
        if hypervisor in self._wish_by_host:
            return host == hypervisor
        return host == min(self._hosts_by_hypervisor.get(hypervisor, {host}))
