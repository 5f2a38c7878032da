"""A file of NATS credentials: when what it proves ends."""

from base64 import urlsafe_b64decode
from math import inf
from pathlib import Path

import msgspec

_BEGIN, _END = "-----BEGIN NATS USER JWT-----", "------END NATS USER JWT------"


class _Claims(msgspec.Struct):
    """What is read of a user's JWT (RFC 7519, section 4.1); NATS has 0 for never."""

    exp: int = 0


def ends_s(path: Path) -> float:
    """Since the epoch; infinity: never. `OSError` when the file can't be read, `ValueError` when
    it is none of credentials. That the JWT is signed is for NATS to look at."""
    _, found, rest = path.read_text(errors="replace").partition(_BEGIN)
    token, ended, _ = rest.partition(_END)
    parts = token.strip().split(".")
    if not found or not ended or len(parts) != 3:
        raise ValueError(f"{path} holds no JWT of a NATS user")
    payload = parts[1] + "=" * (-len(parts[1]) % 4)
    try:
        claims = msgspec.json.decode(urlsafe_b64decode(payload), type=_Claims)
    except (ValueError, msgspec.MsgspecError) as error:
        raise ValueError(f"{path} holds a JWT that can't be read: {error}") from None
    return float(claims.exp) if claims.exp else inf


def end_s(path: Path) -> float:
    """The same for a metric: 0 when the file can't be used."""
    try:
        return ends_s(path)
    except (OSError, ValueError):
        return 0.0
