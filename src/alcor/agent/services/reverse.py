"""Names made of addresses backwards: whose names are asked for, and in which zone they are.

Pure. Sources: RFC 1035 section 3.5 (in-addr.arpa), RFC 3596 section 2.5 (ip6.arpa).
"""

from alcor.agent.packets.dns import Labels
from alcor.values.addresses import Prefix

_VERSION: dict[Labels, int] = {(b"in-addr", b"arpa"): 4, (b"ip6", b"arpa"): 6}
_BITS = {4: 8, 6: 4}  # of an address in each label


def reverse_prefix(name: Labels) -> Prefix | None:
    """The addresses whose names end with this one, or the one whose name it is; None where it is
    no name made of addresses."""
    version = _VERSION.get(name[-2:])
    labels = name[-3::-1]
    if version is None or not 0 < len(labels) * _BITS[version] <= _width(version):
        return None
    number = 0
    for label in labels:
        value = _octet(label) if version == 4 else _digit(label)
        if value is None:
            return None
        number = number << _BITS[version] | value
    length = len(labels) * _BITS[version]
    return Prefix(version, number << (_width(version) - length), length)


def reverse_zone(prefix: Prefix, name: Labels) -> Labels:
    """The zone of a subnet's addresses that a name in it is of: the first labels that its own
    prefix fills. A subnet smaller than the last label shares a zone with its neighbours."""
    bits = _BITS[prefix.version]
    filled = min(-(-prefix.length // bits), _width(prefix.version) // bits - 1)
    return name[-2 - max(filled, 1) :]


def _octet(label: bytes) -> int | None:
    return int(label) if label.isdigit() and len(label) <= 3 and int(label) < 256 else None


def _digit(label: bytes) -> int | None:
    return int(label, 16) if len(label) == 1 and label in b"0123456789abcdef" else None


def _width(version: int) -> int:
    return 32 if version == 4 else 128
