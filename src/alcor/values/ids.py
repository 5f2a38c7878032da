"""Ids of resources, always in canonical form.

An id is parsed once, at the edge (`uuid_text`), and from then on is a `str` that is known to be a
lower-case, hyphenated UUID. A host is known by the name its operator gave it.
"""

import re
from typing import TypeGuard

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,252}[A-Za-z0-9])?")


def is_uuid(text: object) -> bool:
    """Whether `text` is a UUID in canonical form."""
    return isinstance(text, str) and _UUID.fullmatch(text) is not None


def uuid_text(text: object) -> str:
    """The canonical form of a UUID; `ValueError` when it is none."""
    if not isinstance(text, str):
        raise ValueError(f"'{text}' is not a valid UUID")
    canonical = text.lower()
    if _UUID.fullmatch(canonical) is None:
        raise ValueError(f"'{text}' is not a valid UUID")
    return canonical


def is_host_id(text: object) -> TypeGuard[str]:
    """Whether `text` is a host's name: letters, digits, dots, hyphens, underscores; at most 254."""
    return isinstance(text, str) and _HOST.fullmatch(text) is not None


def host_id(text: object) -> str:
    """A host's name; `ValueError` when it is none."""
    if not is_host_id(text):
        raise ValueError(f"'{text}' is not a valid host name")
    return text
