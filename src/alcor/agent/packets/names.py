"""Domain names on the wire: labels with their lengths, without compression.

Source: RFC 1035 section 3.1. Text is ASCII; a name that can't be written is a `ValueError`.
"""

import re
from collections.abc import Sequence

from alcor.values.addresses import Address

label_bytes_max, name_bytes_max = 63, 255

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


def name_bytes(text: str) -> bytes:
    """A name in wire form, its root included; a dot at the end makes no difference."""
    out = bytearray()
    for label in text.rstrip(".").split(".") if text.rstrip(".") else ():
        raw = label.encode("ascii")
        if not 0 < len(raw) <= label_bytes_max:
            raise ValueError(f"a label of {len(raw)} bytes")
        out.append(len(raw))
        out += raw
    out.append(0)
    if len(out) > name_bytes_max:
        raise ValueError(f"a name of {len(out)} bytes")
    return bytes(out)


def is_domain(text: str) -> bool:
    """Whether the text is a domain that a machine may be told: clients hand names to scripts."""
    return len(text) <= name_bytes_max - 2 and _DOMAIN.fullmatch(text) is not None


def host_label(address: Address) -> bytes:
    """The name that an address has of itself, as `host-10-0-0-5` (Neutron: DNS integration)."""
    return f"host-{address}".replace(".", "-").replace(":", "-").encode()


def can_be_written(labels: Sequence[bytes]) -> bool:
    """Whether `name_bytes` takes these labels."""
    size = sum(len(label) + 1 for label in labels) + 1
    return size <= name_bytes_max and all(
        0 < len(label) <= label_bytes_max and label.isascii() for label in labels
    )
