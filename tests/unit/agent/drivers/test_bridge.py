"""What the switch's database must say: only what differs is changed, and faults are named."""

from typing import Any

import pytest

from alcor.agent.doctor.switch import copies_faults
from alcor.agent.drivers import bridge
from alcor.agent.drivers.bridge import Wish
from alcor.agent.model.model import Interface, Tunnel
from alcor.ovs.ovsdb.values import as_map
from alcor.values.addresses import address

WISH = Wish("br-int", "netdev", "172.31.0.1")
OPTIONS = ["map", [["remote_ip", "flow"], ["key", "flow"], ["local_ip", "172.31.0.1"]]]


def interface(name: str, port_id: str = "", **changed: Any) -> dict[str, Any]:
    ids = [["iface-id", port_id]] if port_id else []
    return {
        "name": name,
        "type": "",
        "options": ["map", []],
        "external_ids": ["map", ids],
        "ofport": 3,
        "link_state": "up",
        "ifindex": 7,
        "error": ["set", []],
        **changed,
    }


def database(*interfaces: dict[str, Any], **changed: Any) -> dict[str, dict[str, dict[str, Any]]]:
    tunnel = interface(bridge.TUNNEL_NAME, type="vxlan", options=OPTIONS, ofport=1)
    every = dict(enumerate((tunnel, *interfaces)))
    settings = {
        "name": "br-int",
        "datapath_type": "netdev",
        "fail_mode": "secure",
        "protocols": ["set", list(bridge.PROTOCOLS)],
        "other_config": ["map", [["disable-in-band", "true"]]],
        "controller": ["set", []],
        "ports": ["set", [["uuid", f"p{n}"] for n in every]],
        **changed,
    }
    return {
        "Bridge": {"b": settings},
        "Port": {
            f"p{n}": {"name": each["name"], "interfaces": ["uuid", f"i{n}"]}
            for n, each in every.items()
        },
        "Interface": {f"i{n}": each for n, each in every.items()},
    }


def test_a_bridge_that_is_as_wished_is_not_touched() -> None:
    assert bridge.missing(database(), WISH) == []
    assert list(bridge.faults(database(), WISH)) == []


def test_a_bridge_is_made_secure_in_the_transaction_that_makes_it() -> None:
    operations = bridge.missing({}, WISH)

    made = next(each["row"] for each in operations if each.get("table") == "Bridge")
    assert made["fail_mode"] == "secure"
    assert made["datapath_type"] == "netdev"
    assert made["other_config"] == ["map", [["disable-in-band", "true"]]]
    assert any(each["table"] == "Open_vSwitch" for each in operations)


def test_a_tunnel_of_another_type_is_made_of_the_one_that_is_wished() -> None:
    wish = WISH._replace(tunnel_type="geneve")

    (operation,) = bridge.missing(database(), wish)

    assert operation["row"]["type"] == "geneve"
    assert bridge.tunnel_of(database(), wish) is None


def test_only_the_setting_that_differs_is_set() -> None:
    operations = bridge.missing(database(fail_mode=["set", []]), WISH)

    assert [each["row"] for each in operations] == [{"fail_mode": "secure"}]


def test_protocols_of_others_stay() -> None:
    (operation,) = bridge.missing(database(protocols="OpenFlow10"), WISH)

    assert operation["row"] == {"protocols": ["set", ["OpenFlow10", *bridge.PROTOCOLS]]}


def test_a_tunnel_of_another_address_is_changed_and_not_used_until_then() -> None:
    moved = WISH._replace(tunnel_ip="172.31.0.9")

    (operation,) = bridge.missing(database(), moved)

    assert operation["row"]["options"] == [
        "map",
        [["remote_ip", "flow"], ["key", "flow"], ["local_ip", "172.31.0.9"]],
    ]
    assert bridge.tunnel_of(database(), moved) is None
    assert bridge.tunnel_of(database(), WISH) == Tunnel(1, address("172.31.0.1"))


def test_what_is_not_ours_to_change_is_said() -> None:
    rows = database(datapath_type="", controller=["uuid", "c"])

    assert len(list(bridge.faults(rows, WISH))) == 2


@pytest.mark.parametrize(
    ("column", "type_"), [("netdev", "netdev"), ("system", "system"), ("", "system")]
)
def test_a_bridges_datapath_is_the_systems_if_nothing_is_said(column: str, type_: str) -> None:
    assert bridge.datapath_type_of(database(datapath_type=column), WISH) == type_
    assert bridge.datapath_type_of({}, WISH) == ""


def test_interfaces_are_known_by_the_port_they_say_they_are() -> None:
    rows = database(interface("tap1", "p1"), interface("eth7"))

    assert bridge.interfaces_of(rows, WISH, {}) == {"p1": Interface(3, True)}


def test_interfaces_of_other_bridges_are_not_ours() -> None:
    rows = database(interface("tap1", "p1"))
    rows["Bridge"]["b"]["name"] = "br-other"

    assert bridge.interfaces_of(rows, WISH, {}) == {}


def test_a_device_that_has_gone_is_not_present_and_an_error_is_told() -> None:
    gone = interface("tap1", "p1", link_state="down", ifindex=0)
    broken = interface("tap2", "p2", ofport=-1, error="no such device")
    quiet = interface("tap3", "p3", link_state="down")  # a machine that is not started yet
    said = "could not open network device tap4 (No such device)"
    early = interface("tap4", "p4", ofport=-1, error=said)  # its device is not made yet

    found = bridge.interfaces_of(database(gone, broken, quiet, early), WISH, {})

    assert not found["p1"].present
    assert found["p2"] == Interface(-1, True, "no such device")
    assert found["p3"].present
    assert found["p4"] == Interface(-1, False)


def test_of_two_interfaces_for_one_port_the_newest_that_works_counts() -> None:
    old, new = interface("tap1", "p1", ofport=5), interface("tap2", "p1", ofport=6)
    dead = interface("tap3", "p1", ofport=-1)
    rows = database(old, new, dead)

    assert bridge.interfaces_of(rows, WISH, {"i1": 1, "i2": 2, "i3": 3})["p1"].ofport == 6
    assert bridge.interfaces_of(rows, WISH, {"i1": 2, "i2": 1, "i3": 3})["p1"].ofport == 5
    assert bridge.doubled(rows, WISH) == {"p1"}


def test_a_device_made_again_under_its_name_is_noticed_once() -> None:
    known: dict[str, int] = {}
    first = {"i": interface("tap1", "p1", ifindex=7)}
    gone = {"i": interface("tap1", "p1", ifindex=0)}
    again = {"i": interface("tap1", "p1", ifindex=8)}

    noticed = [bridge.replaced(rows, known) for rows in (first, gone, again, again)]

    assert noticed == [[], [], ["tap1"], []]


def test_a_physical_network_is_joined_by_a_pair_of_patch_ports_once_its_bridge_is_there() -> None:
    wish = WISH._replace(mappings={"ext": "br-ext"})
    rows = database()
    assert bridge.missing(rows, wish) == []
    assert list(bridge.faults(rows, wish)) == ["physical network ext: there is no bridge br-ext"]

    rows["Bridge"]["o"] = {**rows["Bridge"]["b"], "name": "br-ext", "ports": ["set", []]}
    made = [each["row"] for each in bridge.missing(rows, wish) if each.get("table") == "Interface"]

    assert made == [
        {"name": "int-br-ext", "type": "patch", "options": ["map", [["peer", "phy-br-ext"]]]},
        {"name": "phy-br-ext", "type": "patch", "options": ["map", [["peer", "int-br-ext"]]]},
    ]
    assert list(bridge.faults(rows, wish)) == []


def test_an_uplink_is_there_when_its_patch_port_is_open() -> None:
    wish = WISH._replace(mappings={"ext": "br-ext"})
    rows = database(interface("int-br-ext", type="patch", ofport=9))
    assert bridge.uplinks_of(rows, wish) == {}

    rows["Bridge"]["o"] = {**rows["Bridge"]["b"], "name": "br-ext", "ports": ["set", []]}

    assert bridge.uplinks_of(rows, wish) == {"ext": 9}


def test_ports_for_mirrors_are_made_when_some_are_wanted_and_stay() -> None:
    made = bridge.missing(database(), WISH._replace(copies=frozenset(("gre", "erspan"))))

    rows = [each["row"] for each in made if each["table"] == "Interface"]
    assert [(row["name"], row["type"]) for row in rows] == [
        (bridge.GRE, "gre"),
        (bridge.ERSPAN, "erspan"),
    ]
    gre = interface(bridge.GRE, type="gre", options=OPTIONS, ofport=8)
    assert bridge.missing(database(gre), WISH) == []
    there = bridge.tunnel_of(database(gre), WISH)
    assert there is not None
    assert there.copies == (8, 0, 0)


def test_a_port_for_mirrors_that_the_switch_could_not_open_is_told_of_and_not_used() -> None:
    broken = interface(bridge.GRE, type="gre", options=OPTIONS, ofport=-1, error="no module")

    assert list(bridge.faults(database(broken), WISH)) == [f"{bridge.GRE}: no module"]
    there = bridge.tunnel_of(database(broken), WISH)
    assert there is not None
    assert there.copies == (0, 0, 0)


def test_a_port_for_taps_is_made_when_one_is_wanted_and_hears_a_udp_port_of_its_own() -> None:
    wish = WISH._replace(tap_udp_port=4_000, copies=frozenset(("taps",)))
    made = bridge.missing(database(), wish)

    (row,) = [each["row"] for each in made if each["table"] == "Interface"]
    assert (row["name"], row["type"]) == (bridge.TAPS, "vxlan")
    assert as_map(row["options"]) == as_map(OPTIONS) | {"dst_port": "4000"}
    there = interface(bridge.TAPS, type="vxlan", options=row["options"], ofport=8)
    assert bridge.missing(database(there), wish._replace(copies=frozenset())) == []
    tunnel = bridge.tunnel_of(database(there), wish)
    assert tunnel is not None
    assert tunnel.copies == (0, 0, 8)


def test_the_doctor_names_ports_for_copies_that_are_wanted_and_do_not_work() -> None:
    kinds = frozenset(("erspan", "gre", "taps"))
    there = interface(bridge.GRE, type="gre", options=OPTIONS, ofport=8)
    broken = interface(bridge.TAPS, type="vxlan", ofport=-1, error="port is in use")

    found = [each.says for each in copies_faults(database(there, broken), WISH, kinds)]
    assert len(found) == 2
    assert "(erspan)" in found[0]
    assert "(taps)" in found[1]
    assert list(copies_faults(database(there), WISH, frozenset(("gre",)))) == []
