"""Mirrors that are kept already can be read, whoever kept them."""

from alcor.managers.monitoring.sql import MIRRORS


def test_a_tunnel_id_that_was_kept_with_a_fraction_of_nothing_can_be_read() -> None:
    row = (
        b'{"id":"m","name":"","description":"","tenant_id":"p","project_id":"p","port_id":"a",'
        b'"directions":{"IN":5.0,"OUT":"6"},"remote_ip":"192.0.2.9","mirror_type":"gre"}'
    )

    held = MIRRORS.decode(row)

    assert (held.in_tunnel, held.out_tunnel) == (5, 6)
