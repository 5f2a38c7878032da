"""Who may speak to whom: certificates of one authority, for both sides.

The name in a host's certificate (common name or alternative name) is the host's name. Certificates
are renewed now and then: both sides read their files anew for each connection.
"""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import structlog

if TYPE_CHECKING:  # settings name these files in processes that speak no gRPC: it is large
    import grpc

_log = structlog.get_logger(__name__)


class Pem(NamedTuple):
    """What the files hold."""

    authority: bytes
    certificate: bytes
    key: bytes


class TlsFiles(NamedTuple):
    """PEM files: the authority that signs both sides, and this side's certificate and key."""

    authority: Path
    certificate: Path
    key: Path

    def read(self) -> Pem:
        """`OSError` when one is unreadable."""
        return Pem(*(path.read_bytes() for path in self))

    def client_context(self) -> ssl.SSLContext:
        """For a client that takes only the authority's servers; `OSError` (`ssl.SSLError`) when
        they are unreadable, or don't fit together."""
        context = ssl.create_default_context(cafile=self.authority)
        context.load_cert_chain(self.certificate, self.key)
        return context

    def renewing_client_context(self) -> Callable[[], ssl.SSLContext]:
        """The same for one connection after the other: of the files as they are at each, or, while
        those can't be used, which is told, as they were before. `OSError` at first."""
        used, latest = self.read(), self.client_context()

        def renewed() -> ssl.SSLContext:
            nonlocal used, latest
            try:
                found = self.read()
                if found != used:
                    latest, used = self.client_context(), found
                    _log.info("tls.renewed", certificate=str(self.certificate))
            except OSError as error:
                _log.error("tls.not_renewed", certificate=str(self.certificate), why=str(error))
            return latest

        return renewed

    def server_credentials(self) -> "grpc.ServerCredentials":
        """For a server that takes only clients with a certificate; `OSError` when unreadable.

        Files that have changed are used for connections made from then on; those that can't be
        used are told of, and the ones before stay in force.
        """
        import grpc

        def configuration(pem: Pem) -> "grpc.ServerCertificateConfiguration":
            pairs = [(pem.key, pem.certificate)]
            return grpc.ssl_server_certificate_configuration(pairs, pem.authority)

        seen = self.read()
        first = configuration(seen)

        def renewed() -> "grpc.ServerCertificateConfiguration | None":
            """Called by gRPC, in a thread of its own, before each handshake."""
            nonlocal seen
            try:
                found = self.read()
                if found == seen:
                    return None
                self.client_context()  # which says whether they fit together
            except OSError as error:
                _log.error("tls.not_renewed", certificate=str(self.certificate), why=str(error))
                return None
            seen = found
            _log.info("tls.renewed", certificate=str(self.certificate))
            return configuration(found)

        return grpc.dynamic_ssl_server_credentials(
            first,
            renewed,  # type: ignore[arg-type]  # which may answer None: no change
            require_client_authentication=True,
        )

    def client_credentials(self) -> "grpc.ChannelCredentials":
        """For a client that takes only the authority's servers; `OSError` when unreadable."""
        import grpc

        pem = self.read()
        return grpc.ssl_channel_credentials(pem.authority, pem.key, pem.certificate)
