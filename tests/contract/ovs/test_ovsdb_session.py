"""What the switch's database promises to a session."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from alcor.ovs.ovsdb import operations
from alcor.ovs.ovsdb.client import Disconnected, Ovsdb, Refused
from alcor.ovs.ovsdb.values import as_map, as_set, map_value

PORT_COLUMNS = {
    "Bridge": ("name", "ports"),
    "Port": ("name", "interfaces"),
    "Interface": ("name", "ofport", "external_ids", "error"),
}


def on(switch: Any, given: Callable[[Ovsdb], Awaitable[None]]) -> None:
    async def main() -> None:
        db = await Ovsdb.connect(switch.db)
        try:
            await given(db)
        finally:
            db.close()

    asyncio.run(main())


def interface(db: Ovsdb, name: str) -> dict[str, Any] | None:
    for row in db.rows["Interface"].values():
        if row["name"] == name:
            return row
    return None


async def seen(db: Ovsdb, wanted: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not wanted():
            await db.change()


def add_port(bridge: str, name: str, interface: Mapping[str, Any]) -> list[operations.Operation]:
    """A port of one interface on a bridge; `interface` holds its columns, as on the wire."""
    own = name.encode().hex()  # a row is called by letters, digits and _ only
    return [
        operations.must_exist("Bridge", bridge),
        operations.insert("Interface", {**interface, "name": name}, f"interface_{own}"),
        operations.insert(
            "Port", {"name": name, "interfaces": ["named-uuid", f"interface_{own}"]}, f"p_{own}"
        ),
        operations.add_to_set("Bridge", operations.by_name(bridge), "ports", f"p_{own}"),
    ]


def test_a_port_that_is_added_gets_its_number(switch: Any) -> None:
    async def given(db: Ovsdb) -> None:
        await db.monitor(PORT_COLUMNS)
        columns = {"type": "dummy", "external_ids": map_value({"iface-id": "p"})}

        await db.transact(add_port("br0", "tap1", columns))

        def numbered() -> bool:
            row = interface(db, "tap1")
            return row is not None and as_set(row["ofport"]) not in ((), (-1,))

        await seen(db, numbered)
        row = interface(db, "tap1")
        assert row is not None
        assert as_map(row["external_ids"]) == {"iface-id": "p"}

    on(switch, given)


def test_a_change_that_another_makes_is_seen_and_so_is_its_end(switch: Any) -> None:
    async def given(db: Ovsdb) -> None:
        rows = await db.monitor(PORT_COLUMNS)
        before = set(rows["Interface"])

        switch.run("ovs-vsctl", "--no-wait", "add-port", "br0", "x", "--", "set", "Interface", "x",
                   "type=dummy", "external_ids:iface-id=seven")  # fmt: skip
        await seen(db, lambda: interface(db, "x") is not None)
        assert as_map(interface(db, "x")["external_ids"]) == {"iface-id": "seven"}  # type: ignore[index]

        switch.run("ovs-vsctl", "--no-wait", "del-port", "br0", "x")
        await seen(db, lambda: set(rows["Interface"]) == before)

    on(switch, given)


def test_a_port_on_a_bridge_that_is_not_there_is_refused(switch: Any) -> None:
    async def given(db: Ovsdb) -> None:
        with pytest.raises(Refused, match="timed out"):
            await db.transact(add_port("nowhere", "tap1", {}))

        await db.monitor(PORT_COLUMNS)
        assert interface(db, "tap1") is None

    on(switch, given)


def test_an_error_of_the_commit_itself_is_found_behind_the_results(switch: Any) -> None:
    async def given(db: Ovsdb) -> None:
        twice = [
            operations.insert("Bridge", {"name": "twin"}, "one"),
            operations.insert("Bridge", {"name": "twin"}, "two"),
            operations.add_to_set("Open_vSwitch", [], "bridges", "one"),
            operations.add_to_set("Open_vSwitch", [], "bridges", "two"),
        ]

        with pytest.raises(Refused, match="constraint violation"):
            await db.transact(twice)

    on(switch, given)


def test_a_port_is_put_on_a_bridge_and_taken_off_again(switch: Any) -> None:
    async def given(db: Ovsdb) -> None:
        await db.monitor(PORT_COLUMNS)
        await db.transact(add_port("br0", "tap1", {"type": "dummy"}))
        await seen(db, lambda: interface(db, "tap1") is not None)

        (port,) = [uuid for uuid, row in db.rows["Port"].items() if row["name"] == "tap1"]
        await db.transact(operations.delete_port("br0", port))

        await seen(db, lambda: interface(db, "tap1") is None)

    on(switch, given)


def test_a_lock_has_one_owner_and_passes_on_when_it_goes(switch: Any) -> None:
    async def main() -> None:
        first, second = await Ovsdb.connect(switch.db), await Ovsdb.connect(switch.db)
        assert await first.lock("agent")
        assert not await second.lock("agent")
        assert (first.holds("agent"), second.holds("agent")) == (True, False)

        first.close()

        await seen(second, lambda: second.holds("agent"))
        third = await Ovsdb.connect(switch.db)
        await third._call("steal", ["agent"])
        await seen(second, lambda: not second.holds("agent"))
        second.close()
        third.close()

    asyncio.run(main())


def test_a_session_ends_with_its_database_and_a_new_one_is_had_after_it(switch: Any) -> None:
    async def main() -> None:
        db = await Ovsdb.connect(switch.db)
        await db.monitor(PORT_COLUMNS)
        waiting = asyncio.create_task(db.closed())

        switch.kill("ovsdb-server")

        assert await asyncio.wait_for(waiting, 5)
        with pytest.raises(Disconnected):
            await db.transact([])
        switch.start_database()
        again = await Ovsdb.connect(switch.db)
        assert any(
            row["name"] == "br0" for row in (await again.monitor(PORT_COLUMNS))["Bridge"].values()
        )
        again.close()

    asyncio.run(main())


def test_many_ports_are_added_in_one_transaction(switch: Any) -> None:
    async def given(db: Ovsdb) -> None:
        await db.monitor(PORT_COLUMNS)
        ports = [add_port("br0", f"tap-{n}", {"type": "dummy"}) for n in range(100)]

        await db.transact([each for port in ports for each in port])

        await seen(db, lambda: all(as_set(row["ofport"]) for row in db.rows["Interface"].values()))
        assert len(db.rows["Interface"]) == 101

    on(switch, given)
