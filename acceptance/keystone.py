"""A real Keystone on a loopback port, with accounts and a catalog.

Everything is under one folder: an SQLite database, keys, logs. `service` is our own account; `user`
makes others. The administrator is `admin` of project `admin`.
"""

import json
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

from keystoneauth1.adapter import Adapter
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from acceptance.environments import WORK, environment, run
from acceptance.processes import Server, free_port

REGION = "RegionOne"
ROLES = ("admin", "manager", "member", "reader", "service")

_OWNER = {"user": str(os.getuid()), "group": str(os.getgid())}
_CONFIG = """\
[DEFAULT]
log_file = {folder}/keystone-app.log
[database]
connection = sqlite:///{folder}/keystone.db?timeout=60
[token]
provider = fernet
expiration = 86400
[fernet_tokens]
key_repository = {folder}/fernet
[credential]
key_repository = {folder}/credential
[identity]
password_hash_rounds = 4
[cache]
enabled = true
backend = dogpile.cache.memory
"""
# Keystone reads sys.argv when its application is made; gunicorn's arguments are not for it.
_APPLICATION = """\
import sys
sys.argv = ["keystone"]
from keystone.wsgi.api import application
"""
# What keystone-manage does, word for word, but Keystone is loaded once for all of it.
_MANAGING = """\
import json, os, sys
from keystone.cmd import cli
for words in json.loads(sys.argv[1]):
    if not (child := os.fork()):
        sys.exit(cli.main(["keystone-manage", *words]))
    if os.waitpid(child, 0)[1]:
        sys.exit(f"{words} failed")
"""


class Account(NamedTuple):
    """Who can ask for tokens."""

    name: str
    password: str
    project: str


class Keystone:
    """The identity service in a fresh folder; use it as a context."""

    def __init__(self, folder: Path, environments: Path = WORK) -> None:
        self._folder = folder.absolute()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._bin = environment(environments, "keystone")
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}/v3"
        self.admin = Account("admin", self._secret("admin"), "admin")
        self.service = Account("alcor", self._secret("alcor"), "service")
        self._server = self._prepared()
        self._api = Adapter(self._session(self.admin), endpoint_override=self.url)

    def __enter__(self) -> Self:
        self._server.start()
        for name in ROLES:
            self._made("roles", name)
        self.user("alcor", "service", ("admin", "service"), self.service.password)
        return self

    def __exit__(self, *problem: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop answering; `start` goes on with the same accounts and tokens."""
        self._server.stop()

    def start(self) -> None:
        """Answer again."""
        self._server.start()

    def project(self, name: str) -> str:
        """The id of a project, which is made when it is missing."""
        return str(self._made("projects", name, domain_id="default")["id"])

    def user(self, name: str, project: str, roles: Sequence[str], password: str = "") -> Account:
        """An account with these roles in a project; both are made when they are missing."""
        password = password or self._secret(name)
        user = self._made("users", name, domain_id="default", password=password)["id"]
        project_id = self.project(project)
        for role in roles:
            id_ = self._made("roles", role)["id"]
            self._api.put(f"/projects/{project_id}/users/{user}/roles/{id_}")
        return Account(name, password, project)

    def grant_system(self, account: Account, role: str) -> None:
        """A role over the whole system."""
        user = self._made("users", account.name)["id"]
        self._api.put(f"/system/users/{user}/roles/{self._made('roles', role)['id']}")

    def token(self, account: Account, *, scope: str = "project") -> str:
        """A new token of an account: of its project, of the `system`, or of nothing (`none`)."""
        session = self._session(account, scope)
        return str(session.get_token())

    def adapter(self, account: Account, endpoint: str) -> Adapter:
        """A client that sends an account's token to an endpoint."""
        return Adapter(self._session(account), endpoint_override=endpoint)

    def revoke(self, token: str) -> None:
        """End a token."""
        self._api.delete("/auth/tokens", headers={"X-Subject-Token": token})

    def publish(self, endpoint: str, name: str = "neutron", type_: str = "network") -> None:
        """Make `endpoint` the catalog's service of this name and type."""
        service = self._made("services", name, type=type_)["id"]
        query = f"/endpoints?service_id={service}"
        held = {e["interface"]: e for e in self._api.get(query).json()["endpoints"]}
        for interface in ("public", "internal", "admin"):
            wanted = {
                "service_id": service,
                "interface": interface,
                "url": endpoint,
                "region_id": REGION,
            }
            if interface not in held:
                self._api.post("/endpoints", json={"endpoint": wanted})
            elif held[interface]["url"] != endpoint:
                path = f"/endpoints/{held[interface]['id']}"
                self._api.patch(path, json={"endpoint": {"url": endpoint}})

    def _made(self, collection: str, name: str, **fields: Any) -> dict[str, Any]:
        held = self._api.get(f"/{collection}?name={name}").json()[collection]
        if not held:
            singular = collection.removesuffix("s")
            body = {singular: {"name": name, **fields}}
            held = [self._api.post(f"/{collection}", json=body).json()[singular]]
        found: dict[str, Any] = held[0]
        return found

    def _session(self, account: Account, scope: str = "project") -> Session:
        scopes: dict[str, dict[str, Any]] = {
            "project": {"project_name": account.project, "project_domain_name": "Default"},
            "system": {"system_scope": "all"},
            "none": {"unscoped": True},
        }
        auth = v3.Password(
            auth_url=self.url,
            username=account.name,
            password=account.password,
            user_domain_name="Default",
            **scopes[scope],
        )
        return Session(auth=auth, timeout=30)

    def _secret(self, name: str) -> str:
        """A password, made once and kept."""
        path = self._folder / f"{name}.secret"
        if not path.exists():
            path.touch(0o600)
            path.write_text(secrets.token_hex(12))
        return path.read_text()

    def _prepared(self) -> Server:
        folder, log = self._folder, self._folder / "keystone.log"
        config = folder / "keystone.conf"
        config.write_text(_CONFIG.format(folder=folder))
        (folder / "serve_keystone.py").write_text(_APPLICATION)
        for keys in ("fernet", "credential"):
            (folder / keys).mkdir(mode=0o700, exist_ok=True)
        owner = [f"--keystone-{kind}={id_}" for kind, id_ in _OWNER.items()]
        commands = [["db_sync"], ["fernet_setup", *owner], ["credential_setup", *owner]]
        commands.append(["bootstrap", *self._bootstrap()])
        words = json.dumps([["--config-file", str(config), *each] for each in commands])
        run([str(self._bin / "python"), "-c", _MANAGING, words], log)
        return Server(self._argv(), self.url, log, self._environment(config))

    def _bootstrap(self) -> list[str]:
        words = {"password": self.admin.password, "username": "admin", "project-name": "admin"}
        words |= {"role-name": "admin", "service-name": "keystone", "region-id": REGION}
        words |= {f"{interface}-url": self.url for interface in ("admin", "public", "internal")}
        return [f"--bootstrap-{name}={value}" for name, value in words.items()]

    def _environment(self, config: Path) -> dict[str, str]:
        return {
            "OS_KEYSTONE_CONFIG_DIR": str(self._folder),
            "OS_KEYSTONE_CONFIG_FILES": str(config),
        }

    def _argv(self) -> list[str]:
        # One synchronous worker: with two writers SQLite answers "database is locked" at once, and
        # Keystone makes a 500 of that.
        gunicorn = [str(self._bin / "gunicorn"), "--no-control-socket", "--workers", "1"]
        limits = ["--timeout", "120", "--backlog", "512", "--pythonpath", str(self._folder)]
        bind = ["--bind", f"127.0.0.1:{self._port}", "serve_keystone:application"]
        return [*gunicorn, *limits, *bind]
