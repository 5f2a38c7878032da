"""Keys of a log as NATS subjects: one token a part, what NATS reserves written as %XX."""

from urllib.parse import quote, unquote


def subject_of(prefix: str, key: str) -> str:
    """The subject of a key: `host/h1.example/port/7` is `<prefix>.host.h1%2Eexample.port.7`."""
    parts = (quote(part, safe="").replace(".", "%2E") or "%" for part in key.split("/"))
    return f"{prefix}.{'.'.join(parts)}"


def key_of(prefix: str, subject: str) -> str:
    """The key of a subject."""
    parts = subject[len(prefix) + 1 :].split(".")
    return "/".join("" if part == "%" else unquote(part) for part in parts)
