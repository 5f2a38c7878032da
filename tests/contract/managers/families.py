"""A network with a subnet of each family, for tests of ports."""

from typing import Any

N1 = "11111111-0000-4000-8000-000000000001"
N2 = "11111111-0000-4000-8000-000000000002"
S4 = "44444444-0000-4000-8000-000000000001"
S4B = "44444444-0000-4000-8000-000000000002"
S6 = "66666666-0000-4000-8000-000000000001"
P1 = "99999999-0000-4000-8000-000000000001"
P2 = "99999999-0000-4000-8000-000000000002"


async def two_families(world: Any) -> None:
    """Make it."""
    await world.add_network(N1)
    await world.add_subnet(S4, N1, "10.0.0.0/29", "10.0.0.2", "10.0.0.6", gateway="10.0.0.1")
    await world.add_subnet(S6, N1, "fd00::/64", "fd00::2", "fd00::ffff:ffff:ffff:ffff")
