"""Where hosts are: of what the report log says and what they say here, in any order."""

import msgspec

from alcor.delivery.hosts import Hosts
from alcor.goal_state.reports import HostReport, host_key
from alcor.keyed_log.log import Entry
from alcor.transport.link import NOTHING, Reached

HERE, THERE, LIFE = 7, 8, "a"


class Region:
    """What this delivery knows of host h1."""

    def __init__(self) -> None:
        self.life = LIFE
        self.hosts = Hosts(HERE, lambda: self.life)
        self.position = 0

    def tell(
        self, delivery: int, term: int, *, connected: bool = True, reached: int = 0, count: int = 2
    ) -> None:
        """The report log says so."""
        self.position += 1
        report = HostReport(
            host="h1",
            epoch=0,
            position=0,
            connected=connected,
            delivery=delivery,
            life=LIFE,
            reached=reached,
        )
        value = msgspec.msgpack.encode(report)
        entry = Entry(host_key("h1"), value, term << 32 | count, "", self.position)
        self.hosts.hear([entry])

    @property
    def at(self) -> tuple[bool, int | None, int]:
        """Whether it is here, where else, and how far."""
        hosts = self.hosts
        return hosts.is_here("h1"), hosts.elsewhere("h1"), hosts.applied("h1")


def test_nobody_has_heard_of_a_host() -> None:
    region = Region()

    assert region.at == (False, None, 0)
    assert not region.hosts.is_connected("h1")
    assert not region.hosts.deliveries


def test_what_a_host_says_here_counts_more_than_what_the_log_was_told_of_it() -> None:
    region = Region()
    region.hosts.said("h1", 5, Reached(LIFE, 30))

    region.tell(HERE, 5, reached=10)

    assert region.at == (True, None, 30)


def test_a_host_that_comes_here_again_has_said_nothing_yet() -> None:
    region = Region()
    region.hosts.said("h1", 5, Reached(LIFE, 30))

    region.hosts.said("h1", 6, NOTHING)
    region.tell(HERE, 5, reached=30)  # comes late

    assert region.at == (True, None, 0)


def test_a_host_that_has_gone_elsewhere_is_there_whatever_its_connection_here_still_says() -> None:
    region = Region()
    region.hosts.said("h1", 5, Reached(LIFE, 30))

    region.tell(THERE, 6, reached=20)
    region.hosts.said("h1", 5, Reached(LIFE, 40))

    assert region.at == (False, THERE, 20)


def test_a_host_that_goes_keeps_what_it_had() -> None:
    region = Region()
    region.hosts.said("h1", 5, Reached(LIFE, 30))

    region.tell(HERE, 5, connected=False, reached=25, count=4)

    assert region.at == (False, None, 30)
    assert not region.hosts.is_connected("h1")


def test_a_log_that_was_lost_may_say_less_of_hosts_elsewhere_than_it_did() -> None:
    region = Region()
    region.tell(THERE, 100, reached=30)

    region.tell(THERE + 1, 90)

    assert region.at == (False, THERE + 1, 0)


def test_what_a_host_had_in_another_life_of_the_log_says_nothing() -> None:
    region = Region()
    region.hosts.said("h1", 5, Reached(LIFE, 30))

    region.life = "b"

    assert region.at == (True, None, 0)


def test_deliveries_are_those_that_have_hosts() -> None:
    region = Region()
    region.tell(THERE, 5)
    assert (set(region.hosts.deliveries), region.hosts.connected_to(THERE)) == ({THERE}, ["h1"])

    region.hosts.said("h1", 6, NOTHING)
    assert (set(region.hosts.deliveries), region.hosts.connected_to(THERE)) == ({HERE}, [])

    region.tell(HERE, 6, connected=False, count=4)
    assert not region.hosts.deliveries


def test_a_delivery_of_the_release_before_is_not_asked() -> None:
    region = Region()
    region.hosts.answers(THERE, asked=False)

    region.tell(THERE, 5, reached=10)

    assert region.at == (False, None, 10)
    assert region.hosts.heard_by_older
