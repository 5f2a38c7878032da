"""What settings name and can't be had is told by the setting's name."""

import socket

import pytest

from alcor.runtime.config import ConfigError, needed


def test_an_address_that_is_taken_is_told_with_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = taken.getsockname()

        with (
            pytest.raises(ConfigError, match=r"^listen = here: Address already in use"),
            needed("listen", "here"),
        ):
            socket.create_server(address)
