"""A certificate authority, by openssl."""

import subprocess
from pathlib import Path

from alcor.transport.tls import TlsFiles


class Authority:
    """A certificate authority in a folder."""

    def __init__(self, folder: Path, days: int = 2) -> None:
        self.folder = folder
        folder.mkdir()
        self._openssl(
            f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days {days} "
            "-subj /CN=authority -keyout ca.key -out ca.pem"
        )

    def files(self, name: str, days: int = 2) -> TlsFiles:
        """Key and certificate of `name`, which also stands for the loopback, for some days."""
        (self.folder / "san").write_text(f"subjectAltName=DNS:{name},IP:127.0.0.1\n")
        self._openssl(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
            f"-subj /CN={name} -keyout {name}.key -out {name}.csr"
        )
        self._openssl(
            f"x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days {days} "
            f"-extfile san -out {name}.pem"
        )
        pem, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        return TlsFiles(self.folder / "ca.pem", pem, key)

    def _openssl(self, arguments: str) -> None:
        subprocess.run(
            ["openssl", *arguments.split()], cwd=self.folder, check=True, capture_output=True
        )


def put(files: TlsFiles, found: TlsFiles) -> None:
    """Let files hold what others do, as who renews certificates does."""
    for path, other in zip(files, found, strict=True):
        path.write_bytes(other.read_bytes())
