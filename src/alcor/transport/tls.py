"""Who may speak to whom: certificates of one authority, for both sides.

The name in a host's certificate (common name or alternative name) is the host's name.
"""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # settings name these files in processes that speak no gRPC: it is large
    import grpc


class TlsFiles(NamedTuple):
    """PEM files: the authority that signs both sides, and this side's certificate and key."""

    authority: Path
    certificate: Path
    key: Path

    def server_credentials(self) -> "grpc.ServerCredentials":
        """For a server that takes only clients with a certificate; `OSError` when unreadable."""
        import grpc

        pair = (self.key.read_bytes(), self.certificate.read_bytes())
        return grpc.ssl_server_credentials(
            [pair], root_certificates=self.authority.read_bytes(), require_client_auth=True
        )

    def client_credentials(self) -> "grpc.ChannelCredentials":
        """For a client that takes only the authority's servers; `OSError` when unreadable."""
        import grpc

        return grpc.ssl_channel_credentials(
            self.authority.read_bytes(), self.key.read_bytes(), self.certificate.read_bytes()
        )
