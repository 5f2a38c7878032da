"""The NATS servers that a setting names, with commas between them."""

import re
from urllib.parse import urlsplit

_SCHEMES = ("nats", "tls")
_BEFORE_NEXT = re.compile(r",\s*(?=\w+://)")


def urls_of(text: str) -> list[str]:
    """The URL of each server; `ValueError` when one is none, which quotes nothing of it, as it may
    hold a password. Any of them may be connected to, so all are of one cluster, and either all by
    TLS or none."""
    named = [each.strip() for each in text.split(",")]
    urls = [each if "://" in each else f"nats://{each}" for each in named]
    if not all(map(_names_server, urls)):
        raise ValueError("write each as in nats://host:4222, with commas between them")
    if len({urlsplit(url).scheme for url in urls}) > 1:
        raise ValueError("the servers are to be either all of nats:// or all of tls://")
    return urls


def _names_server(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of a port that is none: it quotes what may be a password
        return False


def each_of(text: str) -> list[str]:
    """The same for whoever shows them: malformed or not, and never a password in two parts."""
    return _BEFORE_NEXT.split(text)
