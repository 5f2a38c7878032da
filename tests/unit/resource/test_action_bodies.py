"""The bodies of calls beyond the four verbs: bare or under one key, as strict as any other."""

import pytest

from alcor.resource import body
from alcor.resource.declaration import Action, Field
from alcor.resource.fields import UUID, integer
from alcor.values.errors import HTTPBadRequest

PORT = "6d3e1c5e-0b1f-4f5c-8d3f-2f6f0a4d9b11"
BARE = Action(
    name="plug",
    arguments=(
        Field(name="port_id", type=UUID, required=True),
        Field(name="slot", type=integer(0, 9), default=3),
    ),
)
ROOTED = Action(name="plug", arguments=BARE.arguments, root="router")


def test_arguments_are_checked_and_what_is_left_out_has_its_default() -> None:
    assert body.arguments(BARE, b'{"port_id": "%s"}' % PORT.encode()) == {
        "port_id": PORT,
        "slot": 3,
    }


def test_arguments_may_be_asked_for_under_one_key() -> None:
    given = b'{"router": {"port_id": "%s", "slot": 1}}' % PORT.encode()

    assert body.arguments(ROOTED, given) == {"port_id": PORT, "slot": 1}


def test_an_action_without_arguments_needs_no_body() -> None:
    assert body.arguments(Action(name="activate"), b"") == {}


@pytest.mark.parametrize(
    ("action", "content"),
    [
        (BARE, b""),
        (BARE, b"[]"),
        (BARE, b'{"slot": 1}'),
        (BARE, b'{"port_id": 5}'),
        (BARE, b'{"port_id": "%s", "colour": "red"}' % PORT.encode()),
        (ROOTED, b""),
        (ROOTED, b'{"port_id": "%s"}' % PORT.encode()),
        (ROOTED, b'{"router": []}'),
        (ROOTED, b'{"router": {"port_id": "%s"}, "network": {}}' % PORT.encode()),
    ],
)
def test_any_other_body_is_refused(action: Action, content: bytes) -> None:
    with pytest.raises(HTTPBadRequest):
        body.arguments(action, content)
