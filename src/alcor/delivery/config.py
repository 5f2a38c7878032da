"""Settings of the delivery; apart from it, so that who reads them needs no gRPC."""

from pathlib import Path
from typing import Annotated

import msgspec

from alcor.runtime.config import ConfigError, file_of, without_login
from alcor.transport.nats_urls import each_of, urls_of
from alcor.transport.tls import TlsFiles


class DeliveryConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Where hosts find the control plane, `[agents]`. With the three files, only by mutual TLS."""

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
            "nats://host:4222, or of several of a cluster, with commas between them; the account "
            "is to be another than served.nats's"
        ),
    ] = ""
    nats_credentials: Annotated[
        str, msgspec.Meta(description="File of NATS credentials; empty: none are sent")
    ] = ""

    def tls(self) -> TlsFiles | None:
        """The files, or None; `ConfigError` when only some are given, or they can't be used."""
        names = ("tls_authority", "tls_certificate", "tls_key")
        path_by_setting = {f"agents.{name}": getattr(self, name) for name in names}
        all_three = ", ".join(path_by_setting)
        if not any(path_by_setting.values()):
            return None
        if not all(path_by_setting.values()):
            raise ConfigError(f"mutual TLS takes three files: {all_three}")
        for setting, path in path_by_setting.items():
            file_of(setting, path)
        files = TlsFiles(*(Path(path).expanduser() for path in path_by_setting.values()))
        try:
            files.client_context()
        except OSError as error:
            raise ConfigError(f"{all_three} don't fit together: {error}") from error
        return files

    def nats_servers(self) -> list[str]:
        """By which hosts are served by NATS; `ConfigError` when that is malformed."""
        try:
            return urls_of(self.nats)
        except ValueError as error:
            raise ConfigError(f"agents.nats = {self.nats_shown()}: {error}") from None

    def nats_shown(self) -> str:
        """The setting, without passwords."""
        return ",".join(map(without_login, each_of(self.nats)))

    def credentials(self) -> Path | None:
        """The file of NATS credentials, or None; `ConfigError` when it can't be read."""
        if not self.nats_credentials:
            return None
        file_of("agents.nats_credentials", self.nats_credentials)
        return Path(self.nats_credentials).expanduser()
