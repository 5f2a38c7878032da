"""What a host can guarantee is read from settings of Neutron's names and forms."""

from typing import Any

import pytest

from alcor.agent.capacity import capacity_of
from alcor.agent.config import AgentConfig
from alcor.runtime.config import ConfigError
from alcor.values.capacity import Bandwidth, Capacity, Inventory, PacketRates

MAPPINGS = {"physnet1": "br-ex", "physnet2": "br-two"}


def read(**settings: str) -> Capacity:
    named: dict[str, Any]
    named = {f"resource_provider_{name}": value for name, value in settings.items()}
    config = AgentConfig(host="h1", tunnel_ip="192.0.2.1", **named)
    return capacity_of(config, MAPPINGS)


def test_a_host_of_which_nothing_is_said_guarantees_nothing() -> None:
    assert read() == Capacity()


def test_bandwidths_are_of_bridges_and_of_tunnels() -> None:
    assert read(bandwidths="br-ex:10000:20000, br-two::5,rp_tunnelled:7:").bandwidths == (
        Bandwidth("br-ex", "physnet1", False, 10_000, 20_000),
        Bandwidth("br-two", "physnet2", False, 0, 5),
        Bandwidth("rp_tunnelled", "", True, 7, 0),
    )


def test_tunnels_may_share_a_bridge_with_a_physical_network() -> None:
    config = AgentConfig(
        host="h1",
        tunnel_ip="192.0.2.1",
        tunnelled_network_rp_name="br-ex",
        resource_provider_bandwidths="br-ex:10:10",
    )

    found = capacity_of(config, MAPPINGS)

    assert found.bandwidths == (Bandwidth("br-ex", "physnet1", True, 10, 10),)


def test_packet_rates_are_of_the_host_whether_it_is_named_or_not() -> None:
    assert read(packet_processing_without_direction=":100").packet_rates == PacketRates(any=100)
    assert read(packet_processing_with_direction="h1:1:2").packet_rates == PacketRates(1, 2)
    named = read(default_hypervisor="h1.example", packet_processing_with_direction="h1.example:1:")
    assert (named.hypervisor, named.packet_rates) == ("h1.example", PacketRates(1, 0))


def test_totals_are_given_out_as_the_operator_says() -> None:
    found = read(inventory_defaults="allocation_ratio:1.5,min_unit:100,step_size:10,max_unit:900")

    assert found.bandwidth_inventory == Inventory(1.5, 100, 900, 10, 0)
    assert found.packet_rate_inventory == Inventory()


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("bandwidths", "br-nowhere:1:1"),
        ("bandwidths", "br-ex:1:1,br-ex:2:2"),
        ("bandwidths", "br-ex:1"),
        ("bandwidths", "br-ex:-1:1"),
        ("bandwidths", "br-ex:²:1"),
        ("bandwidths", "br-ex:2147483648:1"),
        ("packet_processing_without_direction", "h2:100"),
        ("packet_processing_without_direction", ":100,h1:100"),
        ("inventory_defaults", "allocation_ratio:0"),
        ("inventory_defaults", "allocation_ratio:nan"),
        ("inventory_defaults", "step_size:0"),
        ("inventory_defaults", "least:1"),
    ],
)
def test_what_can_not_be_is_refused_by_the_settings_name(setting: str, text: str) -> None:
    with pytest.raises(ConfigError, match=f"^resource_provider_{setting}: "):
        read(**{setting: text})


def test_packet_rates_have_directions_or_none() -> None:
    with pytest.raises(ConfigError, match="not beside"):
        read(packet_processing_without_direction=":1", packet_processing_with_direction=":1:1")
