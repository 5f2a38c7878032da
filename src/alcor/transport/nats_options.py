"""How both ends prove to NATS who they are: by credentials, by a certificate, or by both."""

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nats.aio.client import Client

from alcor.transport.tls import TlsFiles


async def connected(servers: Sequence[str], **how: Any) -> Client:
    """`nats.connect`, which leaves nothing open when it fails."""
    client = Client()
    try:
        await client.connect(list(servers), **how)
    except BaseException:
        if client._transport is not None:
            client._transport.close()  # type: ignore[no-untyped-call]
        raise
    return client


def options(credentials: Path | None, tls: TlsFiles | None) -> dict[str, Any]:
    """Keyword arguments of `nats.connect`; `OSError` when a file can't be read."""
    given: dict[str, Any] = {}
    if credentials is not None:
        given["user_credentials"] = str(credentials)
    if tls is not None:
        context = ssl.create_default_context(cafile=tls.authority)
        context.load_cert_chain(tls.certificate, tls.key)
        given["tls"] = context
    return given
