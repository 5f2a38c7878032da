"""The copy of what is asked of all nodes: while the table is read, and after a lost answer."""

from alcor.managers.node.model import Node, node
from alcor.managers.node.remembered import Remembered


def _node(name: str, *uplinks: str) -> Node:
    return node(
        {"id": name, "tunnel_ip": "", "description": "", "physical_networks": uplinks}, "now"
    )


def _names(copy: Remembered) -> set[str]:
    return {each.id for each in copy.uplinked()}


def test_what_is_saved_while_the_table_is_read_counts_and_not_what_was_read() -> None:
    copy = Remembered()
    copy.begin()
    read = [_node("kept", "ext"), _node("unplugged", "ext"), _node("removed", "ext")]
    copy.put([_node("unplugged"), _node("new", "ext")])
    copy.remove("removed")
    copy.fill(read)

    assert copy.is_whole
    assert _names(copy) == {"kept", "new"}
    assert copy.zones() == dict.fromkeys(("kept", "unplugged", "new"), "nova")


def test_after_a_write_that_may_have_been_saved_the_table_counts() -> None:
    copy = Remembered()
    copy.begin()
    copy.fill([_node("a", "ext"), _node("b", "ext")])
    copy.doubt()
    assert not copy.is_whole

    copy.begin()
    copy.fill([_node("b", "ext")])
    assert _names(copy) == {"b"}
    assert copy.zones() == {"b": "nova"}
