"""An operator, an account and its users for a NATS server, as `nsc` would make them.

Hosts' users are signed by a key of the account whose role says what a user of that name may do.
"""

import json
import os
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from pathlib import Path
from socket import create_connection
from typing import Any

import nkeys
from tests.ports import free_port

_HOST_ROLE = {
    "pub": {"allow": ["alcor.up.{{name()}}.>"]},
    "sub": {"allow": ["alcor.down.{{name()}}", "alcor.beat.*"]},
    "subs": -1,
    "data": -1,
    "payload": -1,
}
_UNLIMITED = {"subs": -1, "data": -1, "payload": -1}
start_s_max = 60.0


class Key:
    """A new key pair of NATS."""

    def __init__(self, prefix: int) -> None:
        self.seed: bytes = nkeys.encode_seed(os.urandom(32), prefix)
        self._pair = nkeys.from_seed(bytearray(self.seed))
        self.public: str = self._pair.public_key.decode()

    def token(
        self, subject: str, name: str, claims: dict[str, Any], lasts_s: int | None = None
    ) -> str:
        """A JWT of these claims, issued by this key, that ends after so long, or never."""
        body = {"jti": os.urandom(16).hex(), "iat": int(time.time()), "iss": self.public}
        body |= {"name": name, "sub": subject, "nats": claims | {"version": 2}}
        if lasts_s is not None:
            body["exp"] = int(time.time()) + lasts_s
        head = {"typ": "JWT", "alg": "ed25519-nkey"}
        text = ".".join(_encoded(json.dumps(each).encode()) for each in (head, body))
        return f"{text}.{_encoded(self._pair.sign(text.encode()))}"


class GuardedNats:
    """A NATS server that lets in only users of its account, and its users' files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._operator = Key(nkeys.PREFIX_BYTE_OPERATOR)
        self._account = Key(nkeys.PREFIX_BYTE_ACCOUNT)
        self._hosts = Key(nkeys.PREFIX_BYTE_ACCOUNT)
        port = free_port()
        self.url = f"nats://127.0.0.1:{port}"
        settings = folder / "nats.conf"
        settings.write_text(
            f"listen: 127.0.0.1:{port}\noperator: {self._operator_token()}\nresolver: MEMORY\n"
            f"resolver_preload: {{ {self._account.public}: {self._account_token()} }}\n"
        )
        program = Path(sys.executable).with_name("nats-server")
        with (folder / "nats.log").open("ab") as log:
            self._process = subprocess.Popen([program, "-c", settings], stdout=log, stderr=log)
        self._wait_for(port)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def host(self, name: str, lasts_s: int | None = None) -> Path:
        """The credentials of a host, which end after so long, or never."""
        user = Key(nkeys.PREFIX_BYTE_USER)
        claims = {"type": "user", "issuer_account": self._account.public}
        return self._file(name, user, self._hosts.token(user.public, name, claims, lasts_s))

    def delivery(self, lasts_s: int | None = None) -> Path:
        """The credentials of a delivery, which end after so long, or never."""
        user = Key(nkeys.PREFIX_BYTE_USER)
        claims = _UNLIMITED | {"type": "user", "pub": {}, "sub": {}}
        token = self._account.token(user.public, "delivery", claims, lasts_s)
        return self._file("delivery", user, token)

    def _operator_token(self) -> str:
        return self._operator.token(self._operator.public, "operator", {"type": "operator"})

    def _account_token(self) -> str:
        scope = {"kind": "user_scope", "key": self._hosts.public, "role": "host"}
        limits = _UNLIMITED | dict.fromkeys(("imports", "exports", "conn", "leaf"), -1)
        claims = {
            "type": "account",
            "limits": limits | {"wildcards": True},
            "signing_keys": [scope | {"template": _HOST_ROLE}],
            "default_permissions": {"pub": {}, "sub": {}},
        }
        return self._operator.token(self._account.public, "hosts", claims)

    def _file(self, name: str, user: Key, token: str) -> Path:
        path = self._folder / f"{name}.creds"
        path.write_text(
            f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{user.seed.decode()}\n"
            f"------END USER NKEY SEED------\n"
        )
        return path

    def _wait_for(self, port: int) -> None:
        end = time.monotonic() + start_s_max
        while True:
            try:
                return create_connection(("127.0.0.1", port)).close()
            except ConnectionRefusedError:
                log = (self._folder / "nats.log").read_text()
                assert self._process.poll() is None, log
                assert time.monotonic() < end, log


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
