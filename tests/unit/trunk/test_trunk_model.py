"""Trunks: which ports and tags they take, and how they are."""

import pytest

from alcor.contracts.trunking import ParentPortInUse, TrunkPortInUse
from alcor.managers.trunk.model.refusals import (
    DuplicateSubPort,
    SubPortNotFound,
    SubPortsExhausted,
)
from alcor.managers.trunk.model.trunk import (
    Status,
    SubPort,
    Trunk,
    Wired,
    changed,
    status_of,
    with_sub_ports,
    without_sub_ports,
)

UP, FAILED, NOT_YET = Wired.UP, Wired.FAILED, Wired.NOT_YET


def seat(port_id: str, tag: int) -> SubPort:
    return SubPort(port_id=port_id, segmentation_id=tag)


TRUNK = Trunk(
    id="t",
    name="",
    port_id="parent",
    tenant_id="p1",
    project_id="p1",
    admin_state_up=True,
    sub_ports=(seat("one", 1),),
    description="",
    revision_number=1,
    created_at="then",
    updated_at="then",
)


@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        ([seat("parent", 2)], ParentPortInUse),
        ([seat("one", 2)], TrunkPortInUse),
        ([seat("two", 1)], DuplicateSubPort),
        ([seat("two", 2), seat("three", 2)], DuplicateSubPort),
        ([seat("two", 2), seat("two", 3)], TrunkPortInUse),
        ([seat("two", 2), seat("three", 3)], SubPortsExhausted),
    ],
)
def test_a_port_and_a_tag_are_there_once_and_there_is_an_end(
    more: list[SubPort], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        with_sub_ports(TRUNK, more, 2)


def test_sub_ports_keep_their_order() -> None:
    more = with_sub_ports(TRUNK, [seat("two", 9), seat("three", 3)], 3)
    assert [each.port_id for each in more] == ["one", "two", "three"]

    with pytest.raises(SubPortNotFound):
        without_sub_ports(TRUNK, ["one", "two"])
    assert without_sub_ports(TRUNK, ["one"]) == ()


def test_a_change_that_changes_nothing_is_no_revision() -> None:
    assert changed(TRUNK, {"name": "", "admin_state_up": True}, "now") is TRUNK
    assert changed(TRUNK, {"name": "x", "tags": ["a"]}, "now").revision_number == 2


@pytest.mark.parametrize(
    ("parent", "sub_ports", "status"),
    [
        (NOT_YET, [UP], Status.DOWN),
        (FAILED, [UP], Status.ERROR),
        (UP, [], Status.ACTIVE),
        (UP, [UP, UP], Status.ACTIVE),
        (UP, [UP, NOT_YET], Status.BUILD),
        (UP, [FAILED, NOT_YET], Status.DEGRADED),
    ],
)
def test_a_trunk_is_as_its_ports_are(parent: Wired, sub_ports: list[Wired], status: Status) -> None:
    assert status_of(parent, sub_ports) is status
