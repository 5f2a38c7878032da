"""Where commands look for the API, from what an endpoint says."""

import pytest

from alcor.client.connection import ClientError, Place, place_of


@pytest.mark.parametrize(
    ("endpoint", "place"),
    [
        ("http://127.0.0.1:9696", Place(False, "127.0.0.1", 9696, "")),
        ("network.example", Place(False, "network.example", 9696, "")),
        ("http://network.example", Place(False, "network.example", 80, "")),
        ("https://network.example", Place(True, "network.example", 443, "")),
        ("https://cloud.example/network/", Place(True, "cloud.example", 443, "/network")),
        ("http://network.example:9696/v2.0/", Place(False, "network.example", 9696, "")),
        ("http://[2001:db8::1]:9696", Place(False, "2001:db8::1", 9696, "")),
    ],
)
def test_an_endpoint_is_read_as_catalogues_write_it(endpoint: str, place: Place) -> None:
    assert place_of(endpoint) == place


@pytest.mark.parametrize(
    "endpoint", ["", "ftp://network.example", "http://", "http://host:port", "http://[::1"]
)
def test_what_is_no_endpoint_is_refused(endpoint: str) -> None:
    with pytest.raises(ClientError, match="is no endpoint"):
        place_of(endpoint)
