"""Reading what `ofproto/trace` answers."""

import pytest

from alcor.ovs.packet_trace import read

# As Open vSwitch 3.1 wrote it, shortened: two passes, and the underlay's bridge.
TUNNELLED = """\
Flow: tcp,in_port=3,dl_src=fa:16:3e:00:00:02,dl_dst=fa:16:3e:00:00:00,nw_src=10.0.0.2,nw_ttl=64

bridge("br-int")
----------------
 0. in_port=3,vlan_tci=0x0000/0x1fff, priority 100, cookie 0xa102be59cac4c5a0
    goto_table:31
31. ip, priority 50, cookie 0xa101103dda6b41a4
    ct(table=32,zone=NXM_NX_REG14[0..15])
    drop

Final flow: unchanged
Megaflow: recirc_id=0,eth,tcp,in_port=3
Datapath actions: ct(zone=3),recirc(0x1)

===============================================================================
recirc(0x1) - resume conntrack with default ct_state=trk|new (use --ct-next to customize)
===============================================================================

Flow: recirc_id=0x1,ct_state=new|trk,eth,tcp,in_port=3,nw_src=10.0.0.2,nw_ttl=64

bridge("br-int")
----------------
    thaw
        Resuming from table 32
32. ct_state=-rpl-inv+trk, priority 100, cookie 0xa101103dda6b41a4
    resubmit(,110)
    110. ct_state=-inv+trk,ip,reg6=0x3, priority 200, cookie 0xa102be59cac4c5a0
            set_field:0x1/0x1->reg7
    goto_table:100
100. priority 100, cookie 0xa101103dda6b41a4
     -> NXM_NX_TUN_ID[] is now 0x2
    output:1
     -> output to native tunnel

bridge("br-phys")
-----------------
 0. priority 0
    NORMAL

Final flow: recirc_id=0x1,eth,tcp,tun_dst=172.31.0.2,dl_src=fa:16:3e:00:00:01,nw_ttl=63
Megaflow: recirc_id=0x1,eth,tcp,in_port=3
Datapath actions: tnl_push(tnl_port(4)),2
"""


def test_tables_of_every_pass_count_and_those_of_other_bridges_do_not() -> None:
    course = read(TUNNELLED, "br-int")

    assert course.tables == (0, 31, 32, 110, 100)
    assert (course.outputs, course.tunnel_id, course.to_controller) == ((1,), 2, False)


def test_the_packet_is_told_as_it_leaves() -> None:
    fields = read(TUNNELLED, "br-int").fields

    assert (fields["nw_ttl"], fields["dl_src"]) == ("63", "fa:16:3e:00:00:01")
    assert fields["tun_dst"] == "172.31.0.2"


def test_a_packet_that_nothing_changes_is_told_as_it_came() -> None:
    text = 'Flow: udp,nw_ttl=9\n\nbridge("b")\n 0. priority 0\n    drop\nFinal flow: unchanged'

    assert read(text, "b").fields["nw_ttl"] == "9"


def test_what_is_no_trace_is_refused() -> None:
    with pytest.raises(ValueError, match="no trace"):
        read("Bridge b does not exist.", "b")
