"""Queues of uplinks: made once, changed where they differ, taken away, and others' left alone."""

from itertools import count
from typing import Any

from alcor.agent.drivers import queues
from alcor.agent.drivers.bridge import Operation, Wish, lock_of
from alcor.ovs.ovsdb.values import as_map, as_set

WISH = Wish("br-int", "netdev", "172.31.0.1", egress={"br-ex": 10_000})
EMPTY = ["set", []]
GIGABIT = 1_000_000_000


def wish(**queues_: dict[int, int]) -> Wish:
    return WISH._replace(queues={name.replace("_", "-"): of for name, of in queues_.items()})


class Database:
    """As much of the switch's database as queues are in; it does what operations say."""

    def __init__(self, speed: Any = EMPTY) -> None:
        interfaces = {
            "eth0": ("", speed),
            "br-ex": ("internal", EMPTY),
            "phy-br-ex": ("patch", EMPTY),
        }
        self.rows: dict[str, dict[str, dict[str, Any]]] = {
            "Bridge": {
                "b": {"name": "br-ex", "ports": ["set", [["uuid", f"p-{n}"] for n in interfaces]]}
            },
            "Port": {
                f"p-{n}": {"name": n, "interfaces": ["uuid", f"i-{n}"], "qos": EMPTY}
                for n in interfaces
            },
            "Interface": {
                f"i-{n}": {"name": n, "type": type_, "link_speed": of}
                for n, (type_, of) in interfaces.items()
            },
            "QoS": {},
            "Queue": {},
        }
        self._numbers = count()

    def keep(self, wanted: Wish) -> list[Operation]:
        """Make it as wished, and check that nothing is missing then."""
        operations = queues.missing(self.rows, wanted)
        named = {
            each["uuid-name"]: f"u{next(self._numbers)}"
            for each in operations
            if "uuid-name" in each
        }
        for each in operations:
            self._do(each, named)
        assert queues.missing(self.rows, wanted) == []
        self._check_references()
        return operations

    def _do(self, operation: Operation, named: dict[str, str]) -> None:
        table = self.rows[operation["table"]]
        if operation["op"] == "insert":
            table[named[operation["uuid-name"]]] = _resolved(operation["row"], named)
            return
        ((column, _, value),) = operation["where"]
        hit = [
            uuid
            for uuid, row in table.items()
            if (["uuid", uuid] if column == "_uuid" else row[column]) == value
        ]
        assert hit, operation
        for uuid in hit:
            if operation["op"] == "delete":
                del table[uuid]
            else:
                table[uuid] |= _resolved(operation["row"], named)

    def _check_references(self) -> None:
        """No row is referred to that is not there, as the database would refuse."""
        for port in self.rows["Port"].values():
            assert set(as_set(port["qos"])) <= self.rows["QoS"].keys()
        for qos in self.rows["QoS"].values():
            assert set(as_map(qos["queues"]).values()) <= self.rows["Queue"].keys()

    def held(self) -> dict[str, tuple[str, dict[int, str]]]:
        """By port: the rate of all, and the least of each queue, in bits a second."""
        found = {}
        for port in self.rows["Port"].values():
            for uuid in as_set(port["qos"]):
                qos = self.rows["QoS"][uuid]
                assert qos["type"] == "linux-htb"
                least = {
                    number: as_map(self.rows["Queue"][queue]["other_config"])["min-rate"]
                    for number, queue in as_map(qos["queues"]).items()
                }
                found[port["name"]] = as_map(qos["other_config"])["max-rate"], least
        return found


def _resolved(value: Any, named: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _resolved(each, named) for key, each in value.items()}
    if isinstance(value, list):
        if len(value) == 2 and value[0] == "named-uuid":
            return ["uuid", named[value[1]]]
        return [_resolved(each, named) for each in value]
    return value


def test_nothing_is_done_before_it_is_known_what_is_guaranteed() -> None:
    database = Database()
    database.keep(wish(br_ex={2: 5_000}))

    assert queues.missing(database.rows, WISH) == []


def test_an_uplink_gets_a_queue_for_each_port_and_no_other_port_of_the_bridge_does() -> None:
    database = Database(GIGABIT)

    database.keep(wish(br_ex={2: 5_000, 7: 9_000}))

    assert database.held() == {"eth0": (str(GIGABIT), {2: "5000", 7: "9000"})}


def test_an_uplink_that_does_not_say_how_fast_it_is_is_as_fast_as_the_operator_says() -> None:
    database = Database()

    database.keep(wish(br_ex={2: 5_000}))

    assert database.held() == {"eth0": ("10000000", {2: "5000"})}


def test_only_what_differs_is_changed() -> None:
    database = Database()
    database.keep(wish(br_ex={2: 5_000, 7: 9_000}))

    (changed,) = database.keep(wish(br_ex={2: 6_000, 7: 9_000}))
    assert (changed["op"], changed["table"]) == ("update", "Queue")

    operations = database.keep(wish(br_ex={7: 9_000, 8: 1_000}))
    done = sorted((each["op"], each["table"]) for each in operations)
    assert done == [("delete", "Queue"), ("insert", "Queue"), ("update", "QoS")]
    assert database.held() == {"eth0": ("10000000", {7: "9000", 8: "1000"})}


def test_what_others_changed_is_put_back() -> None:
    database = Database()
    database.keep(wish(br_ex={2: 5_000}))
    (qos,) = database.rows["QoS"].values()
    qos["other_config"] = ["map", [["max-rate", "7"]]]
    database.rows["Port"]["p-eth0"]["qos"] = EMPTY

    database.keep(wish(br_ex={2: 5_000}))

    assert database.held() == {"eth0": ("10000000", {2: "5000"})}


def test_what_is_guaranteed_to_nobody_any_more_goes_with_all_its_queues() -> None:
    database = Database()
    database.keep(wish(br_ex={2: 5_000, 7: 9_000}))

    database.keep(wish())

    assert database.held() == {}
    assert database.rows["QoS"] == database.rows["Queue"] == {}


def test_an_uplink_that_left_its_bridge_is_shaped_no_more() -> None:
    database = Database()
    database.keep(wish(br_ex={2: 5_000}))
    database.rows["Bridge"]["b"]["ports"] = ["set", [["uuid", "p-br-ex"]]]

    database.keep(wish(br_ex={2: 5_000}))

    assert database.rows["QoS"] == {}
    (fault,) = queues.faults(database.rows, wish(br_ex={2: 5_000}))
    assert fault == "br-ex has no uplink that could hold bandwidth back"


def test_a_qos_of_somebody_else_is_left_alone_and_named() -> None:
    database = Database()
    database.rows["QoS"]["theirs"] = {
        "type": "linux-hfsc",
        "queues": ["map", []],
        "other_config": ["map", []],
        "external_ids": ["map", []],
    }
    database.rows["Port"]["p-eth0"]["qos"] = ["uuid", "theirs"]

    assert queues.missing(database.rows, wish(br_ex={2: 5_000})) == []
    (fault,) = queues.faults(database.rows, wish(br_ex={2: 5_000}))
    assert "eth0 of br-ex has a QoS already" in fault


def test_of_two_agents_on_a_machine_each_has_its_own() -> None:
    database = Database()
    database.keep(wish(br_ex={2: 5_000}))
    other = wish()._replace(bridge="br-other")

    assert lock_of(other) != lock_of(WISH)
    assert queues.missing(database.rows, other) == []
