"""Settings of the delivery; apart from it, so that who reads them needs no gRPC."""

from pathlib import Path
from typing import Annotated

import msgspec

from alcor.transport.tls import TlsFiles


class DeliveryConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Where hosts find the control plane. With the three files, only over mutual TLS."""

    listen: str = "127.0.0.1:9697"  # address:port; port 0 takes a free one
    dns_domain: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+$",
            description="The region's domain, in which every machine has a name",
        ),
    ] = "openstacklocal."
    lazy_above: Annotated[
        int,
        msgspec.Meta(
            ge=1,
            description="A network with more bound ports than this is held lazily: a host"
            " looks for a neighbour when a machine first wants it",
        ),
    ] = 2_000
    tls_authority: str = ""  # PEM files
    tls_certificate: str = ""
    tls_key: str = ""
    nats: Annotated[
        str,
        msgspec.Meta(
            description="URL of a NATS server by which hosts are served as well, as in "
            "nats://host:4222; its account is to be another than served.nats's"
        ),
    ] = ""
    nats_credentials: Annotated[
        str, msgspec.Meta(description="File of NATS credentials; empty: none are sent")
    ] = ""

    def tls(self) -> TlsFiles | None:
        """The files, or None; `ValueError` when only some are given."""
        files = (self.tls_authority, self.tls_certificate, self.tls_key)
        if not any(files):
            return None
        if not all(files):
            raise ValueError("mutual TLS takes three files: authority, certificate and key")
        return TlsFiles(*map(Path, files))
