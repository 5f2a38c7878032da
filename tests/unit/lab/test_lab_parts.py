"""What a lab waits for of its control plane."""

from typing import Any, cast

import pytest

from alcor.client.api import Api
from alcor.client.connection import Refused
from alcor.lab.parts import wait_alive


class Region:
    """A gateway that answers this before it lists agents."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = list(statuses)

    def list_page(self, kind: object) -> list[dict[str, Any]]:
        if self._statuses:
            raise Refused(self._statuses.pop(0), "Unavailable", "try again", "")
        return []


def test_a_gateway_whose_managers_still_start_is_asked_again() -> None:
    """`make served` ended with it on a slow machine, before there was anything to show."""
    region = Region(503, 503)

    wait_alive(cast(Api, region), [])

    assert region.list_page(None) == []


def test_a_gateway_that_refuses_is_not() -> None:
    with pytest.raises(Refused):
        wait_alive(cast(Api, Region(401)), [])
