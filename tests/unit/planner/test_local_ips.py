"""Local IPs for hosts: they are part of the ports that have them, on the hosts of these alone."""

from itertools import permutations

import pytest

from alcor.goal_state import codec
from alcor.goal_state.entries import LocalIp, Port
from alcor.goal_state.slices import host_port_key
from alcor.intent.local_ip_records import LocalIpAssociationRecord
from alcor.intent.records import FixedIp, PortRecord, Record, key
from alcor.planner.graph import IntentChange, Planner
from alcor.values.addresses import address

KIND: dict[type, str] = {LocalIpAssociationRecord: "local_ip_association", PortRecord: "port"}
NAME = host_port_key("h1", "p")
VIRTUAL, FIXED = "10.0.0.100", "10.0.0.5"
HAD = LocalIp(address(VIRTUAL), address(FIXED))


def port(host: str = "h1", fixed: str = FIXED) -> PortRecord:
    return PortRecord(
        id="p", network_id="n", project_id="blue", mac_address="fa:16:3e:00:00:01", host=host,
        fixed_ips=(FixedIp("s", fixed),),
    )  # fmt: skip


def given(id_: str = "a", virtual: str = VIRTUAL, fixed: str = FIXED) -> LocalIpAssociationRecord:
    return LocalIpAssociationRecord(
        id=id_, local_ip_id="l", port_id="p", ip_address=virtual, fixed_ip=fixed
    )


class Region:
    """A planner, and what it has planned."""

    def __init__(self, *records: Record) -> None:
        self._planner, self._revision = Planner(), 0
        for record in records:
            self.put(record)

    def put(self, record: Record) -> int:
        """How many entries that changes."""
        return self._apply(record, record)

    def drop(self, record: Record) -> int:
        return self._apply(record, None)

    def _apply(self, named: Record, record: Record | None) -> int:
        self._revision += 1
        assert isinstance(named, PortRecord | LocalIpAssociationRecord)
        name = key(KIND[type(named)], named.id)
        return len(self._planner.apply(IntentChange(name, record, self._revision)))

    @property
    def local_ips(self) -> tuple[LocalIp, ...] | None:
        """Those of the port on h1; None: it is not there."""
        value = self._planner.goal.get(NAME)
        if value is None:
            return None
        entry = codec.decode(NAME, value)
        assert isinstance(entry, Port)
        return entry.local_ips


def test_a_port_has_its_local_ips_whichever_came_first() -> None:
    other = given("b", "10.0.0.101")
    for order in permutations((port(), given(), other)):
        second = LocalIp(address("10.0.0.101"), address(FIXED))
        assert Region(*order).local_ips == (HAD, second)


def test_they_come_and_go_as_one_entry_of_the_port_s_host() -> None:
    region = Region(port())
    assert region.put(given()) == 1
    assert region.local_ips == (HAD,)
    assert region.drop(given()) == 1
    assert not region.local_ips


def test_without_its_port_there_is_nothing_to_tell() -> None:
    region = Region(given())
    assert region.local_ips is None
    region.put(port())
    region.drop(port())
    assert region.local_ips is None
    assert region.drop(given()) == 0


@pytest.mark.parametrize("moved", [port(fixed="10.0.0.6"), port("h2"), port("")])
def test_they_are_where_the_port_is_and_at_an_address_that_it_has(moved: PortRecord) -> None:
    region = Region(port(), given())
    region.put(moved)
    assert not region.local_ips
    region.put(port())
    assert region.local_ips == (HAD,)
