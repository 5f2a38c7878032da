"""What the switch promises to a session: all or nothing, limits, packets, and an honest end."""

import asyncio
import re
from typing import Any

import pytest

from alcor.ovs.channel import Disconnected, Refused
from alcor.ovs.connection import BundleRefused, OpenFlow, PacketQueue
from alcor.ovs.flow import DROP, Flow, apply, match, output, punt, set_field
from alcor.ovs.openflow.flows import flow_body, flow_key
from alcor.ovs.openflow.meters import Meter

FRAME = bytes.fromhex("ffffffffffff0200000000010806") + bytes(46)
EXACT = (1 << 64) - 1


def pairs(*flows: Flow) -> list[Any]:
    return [(flow_key(flow), flow_body(flow)) for flow in flows]


def test_a_bundle_with_a_refused_flow_changes_nothing_and_names_it(switch: Any) -> None:
    async def main() -> None:
        conn = await OpenFlow.connect(switch.mgmt)
        good = [Flow(1, n, match(in_port=n), apply(output(2)), 7) for n in range(1, 11)]
        bad = Flow(9, 1, match(), apply(goto=3), 7)  # a goto never goes back
        unmet = Flow(1, 99, match(ipv4_dst=5), DROP, 7)  # without eth_type

        with pytest.raises(BundleRefused) as refused:
            await conn.bundle(pairs(*good[:5], bad, unmet, *good[5:]))

        assert set(refused.value.refused) == {flow_key(bad), flow_key(unmet)}
        assert "goto table" in str(refused.value)
        assert await conn.flows() == {}
        await conn.bundle(pairs(*good))
        assert len(await conn.flows(7, EXACT)) == 10
        conn.close()

    asyncio.run(main())


def test_flows_are_read_by_cookie_bits_and_by_table(switch: Any) -> None:
    async def main() -> None:
        conn = await OpenFlow.connect(switch.mgmt)
        flows = [Flow(n, 5, match(in_port=n), DROP, 0xA0 + n) for n in range(1, 4)]
        await conn.bundle(pairs(*flows, Flow(1, 9, match(), DROP, 0xB0)))

        assert await conn.flows(0xA0, 0xF0) == dict(pairs(*flows))
        assert await conn.flows(table=2) == dict(pairs(flows[1]))
        assert await conn.flows(0xA3, EXACT) == dict(pairs(flows[2]))
        await conn.delete_flows(0xA0, 0xF0)
        assert len(await conn.flows()) == 1
        conn.close()

    asyncio.run(main())


def test_adding_over_a_flow_replaces_what_it_does_and_its_cookie(switch: Any) -> None:
    async def main() -> None:
        conn = await OpenFlow.connect(switch.mgmt)
        old = Flow(1, 5, match(metadata=4), apply(output(1)), 1)
        new = old._replace(instructions=apply(output(2)), cookie=2)
        await conn.bundle(pairs(old))

        await conn.bundle(pairs(new))

        assert await conn.flows() == dict(pairs(new))
        conn.close()

    asyncio.run(main())


def test_a_large_table_is_written_and_read_back_whole(switch: Any) -> None:
    async def main() -> None:
        conn = await OpenFlow.connect(switch.mgmt)
        flows = [
            Flow(60, 9, match(metadata=n, eth_dst=n), apply(set_field("tun_id", n), output(1)))
            for n in range(5_000)
        ]
        wanted = dict(pairs(*flows))

        await conn.bundle(wanted.items())

        assert await conn.flows() == wanted
        await conn.bundle((), wanted)
        assert await conn.flows() == {}
        conn.close()

    asyncio.run(main())


def test_a_meter_can_be_set_again_and_is_read_back(switch: Any) -> None:
    async def main() -> None:
        conn = await OpenFlow.connect(switch.mgmt)
        await conn.set_meters({7: Meter(10, 20), 8: Meter(1000, 2000, per_packet=False)})
        flow = Flow(0, 1, match(), apply(output(1), meter=7))
        await conn.bundle(pairs(flow))

        await conn.set_meters({7: Meter(30, 40)})

        assert await conn.meters() == {7: Meter(30, 40), 8: Meter(1000, 2000, False)}
        assert await conn.flows() == dict(pairs(flow))  # it was not lost with its meter
        await conn.del_meter(8)
        assert set(await conn.meters()) == {7}
        conn.close()

    asyncio.run(main())


def test_a_refused_meter_is_an_error(switch: Any) -> None:
    async def main() -> None:
        conn = await OpenFlow.connect(switch.mgmt)
        with pytest.raises(Refused):
            await conn.set_meters({0xFFFFFF00: Meter(1, 1)})
        await conn.barrier()  # the session goes on
        conn.close()

    asyncio.run(main())


def test_a_punted_packet_carries_where_it_was_and_why(switch: Any) -> None:
    async def main() -> None:
        queue = PacketQueue(10)
        conn = await OpenFlow.connect(switch.mgmt)
        listener = await OpenFlow.connect(switch.mgmt, on_packet_in=queue.put)
        await conn.set_meters({3: Meter(100, 100)})
        first = Flow(0, 1, match(), apply(set_field("reg14", 77), metadata=(5, 255), goto=21))
        second = Flow(21, 1, match(reg14=77), apply(punt(meter=3, userdata=b"why")), 0xBEEF)
        await conn.bundle(pairs(first, second))

        conn.packet_out(FRAME, [output(0xFFFFFFF9)], in_port=4)  # 0xfffffff9: through the tables

        packet = await asyncio.wait_for(queue.get(), 5)
        assert (packet.in_port, packet.table, packet.cookie) == (4, 21, 0xBEEF)
        assert (packet.field("metadata"), packet.field("reg14")) == (5, 77)
        assert (packet.data, packet.userdata, packet.reason) == (FRAME, b"why", 1)
        assert packet.field("reg3") == 0
        conn.close()
        listener.close()

    asyncio.run(main())


def meter_counts(switch: Any) -> tuple[int, int]:
    """Packets that came to a switch's only meter, and those of them that were dropped."""
    told = switch.run("ovs-ofctl", "-O", "OpenFlow14", "meter-stats", switch.mgmt)
    came, dropped = re.findall(r"packet(?:_in)?_count:(\d+)", told)
    return int(came), int(dropped)


def test_a_meter_drops_what_exceeds_it_before_it_reaches_us(switch: Any) -> None:
    async def main() -> None:
        queue = PacketQueue(1000)
        conn = await OpenFlow.connect(switch.mgmt, on_packet_in=queue.put)
        await conn.set_meters({3: Meter(1, 5)})
        await conn.bundle(pairs(Flow(0, 1, match(), apply(punt(meter=3)))))

        for _ in range(100):
            conn.packet_out(FRAME, [output(0xFFFFFFF9)], in_port=4)
        await conn.barrier()

        async with asyncio.timeout(5):
            while (counts := meter_counts(switch))[0] < 100:
                await conn.barrier()
        assert 80 <= counts[1] < 100
        conn.close()

    asyncio.run(main())


def test_the_oldest_packet_is_dropped_when_nobody_reads_them(switch: Any) -> None:
    async def main() -> None:
        queue = PacketQueue(2)
        conn = await OpenFlow.connect(switch.mgmt, on_packet_in=queue.put)
        await conn.bundle(pairs(Flow(0, 1, match(), apply(punt()))))
        for n in range(5):
            conn.packet_out(FRAME[:-1] + bytes((n,)), [output(0xFFFFFFF9)], in_port=4)
        await conn.barrier()
        async with asyncio.timeout(5):
            while queue.dropped < 3:
                await conn.barrier()

        assert [(await queue.get()).data[-1] for _ in range(2)] == [3, 4]
        conn.close()

    asyncio.run(main())


def test_a_refused_packet_out_is_counted(switch: Any) -> None:
    async def main() -> None:
        conn = await OpenFlow.connect(switch.mgmt)
        conn.packet_out(FRAME, [set_field("ipv4_src", 5)])  # without an IPv4 header
        await conn.barrier()

        assert conn.stray_errors == 1
        conn.close()

    asyncio.run(main())


def test_a_session_ends_with_its_switch_and_a_new_one_finds_it_empty(switch: Any) -> None:
    async def main() -> None:
        conn = await OpenFlow.connect(switch.mgmt)
        await conn.bundle(pairs(Flow(0, 1, match(), DROP)))
        waiting = asyncio.create_task(conn.closed())

        switch.kill("ovs-vswitchd")

        assert await asyncio.wait_for(waiting, 5)
        with pytest.raises(Disconnected):
            await conn.barrier()
        with pytest.raises(OSError):  # noqa: PT011 - refused, or cut while it dies
            await OpenFlow.connect(switch.mgmt)
        switch.start_switch()
        again = await OpenFlow.connect(switch.mgmt)
        assert await again.flows() == {}
        again.close()

    asyncio.run(main())
