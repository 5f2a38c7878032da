"""What the relay publishes again after a start."""

from alcor.intent.store import living_of, told_rows
from alcor.managers.elastic_ip import intent
from alcor.managers.elastic_ip.sql.ndp_proxies import NDP_PROXIES
from alcor.managers.elastic_ip.sql.tables import (
    FLOATING_IPS,
    FORWARDINGS,
    forwarding_of,
    held_of,
)

living = living_of(
    told_rows(FLOATING_IPS.living, lambda row: intent.told_floating_ip(held_of(row))),
    NDP_PROXIES.living,
    told_rows(FORWARDINGS.living, lambda row: intent.told_port_forwarding(forwarding_of(row))),
)
