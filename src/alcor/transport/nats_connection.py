"""A connection to NATS: who we are is proved by credentials, by a certificate, or by both."""

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nats.errors
from nats.aio.client import Client
from nats.protocol.parser import PERMISSIONS_ERR

from alcor.transport.tls import TlsFiles


class _Client(Client):
    """Reads its files of TLS anew for each connection; `OSError` when they can't be read."""

    def __init__(self, tls: TlsFiles | None) -> None:
        super().__init__()
        self._renewed = tls and tls.renewing_client_context()

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        """What a server says of itself, before anything is said to it. NATS' client would go on
        without TLS where the server demands none, whatever our URL says."""
        server = self._current_server
        secure = self._renewed is not None or (server is not None and server.uri.scheme == "tls")
        if initial_connection and secure and not info.get("tls_required"):
            raise ConnectionError("the server does not speak TLS")
        await super()._process_info(info, initial_connection)

    async def _process_err(self, err_msg: str) -> None:
        """What a server says before it hangs up, of credentials that have ended for instance. NATS'
        client would close for ever; who is to connect again does, with its files as they are then.
        """
        if not self.options["allow_reconnect"] or PERMISSIONS_ERR in err_msg:
            await super()._process_err(err_msg)
            return
        error = nats.errors.Error("nats: " + err_msg.strip("'"))
        await self._error_cb(error)
        await self._process_op_err(error)

    @property
    def ssl_context(self) -> ssl.SSLContext:
        return self._renewed() if self._renewed is not None else super().ssl_context


ping_every_s = 3  # a server that does not answer three of them is left for another one


async def connected(
    servers: Sequence[str], credentials: Path | None, tls: TlsFiles | None, **how: Any
) -> Client:
    """`nats.connect`, which leaves nothing open when it fails; `OSError` when a file can't be read.
    Of several servers any will do, and another one when that is gone, or silent.

    The credentials' file NATS' client reads anew by itself.
    """
    if credentials is not None:
        how["user_credentials"] = str(credentials)
    how.setdefault("ping_interval", ping_every_s)
    client = _Client(tls)
    try:
        await client.connect(list(servers), **how)
    except BaseException:
        if client._transport is not None:
            client._transport.close()  # type: ignore[no-untyped-call]
        raise
    return client


async def close(client: Client) -> None:
    """Close it; what waits to be sent while NATS is away is lost."""
    client._disconnected_cb = None  # which would tell that NATS is away
    if not client.is_connected:
        client._pending_data_size = 0  # NATS' client would write it to what is closed, and fail
    await client.close()
