"""Settings that name NATS servers: what is none is refused, and nothing secret is quoted."""

import pytest

from alcor.transport.nats_urls import urls_of


def test_servers_are_named_with_commas_between_them() -> None:
    assert urls_of("nats://a:4222, b") == ["nats://a:4222", "nats://b"]


@pytest.mark.parametrize(
    "text",
    [
        "nats://alcor:secret,rest@host:4222",
        "nats://alcor:secret/rest@host",
        "nats://alcor:secret[rest@host",
        "nats://a:secret",
        "nats://a:99999",
        "nats://a:0",
        "nats://a,,nats://b",
        "http://a",
        "nats://[::1",
        "",
    ],
)
def test_what_is_no_server_is_refused_without_a_part_of_a_password(text: str) -> None:
    """Of a password with a comma the first part was told as a port that is none."""
    with pytest.raises(ValueError, match="write each as in nats://host:4222") as refusal:
        urls_of(text)
    assert "secret" not in str(refusal.value)
