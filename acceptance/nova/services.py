"""Glance, Placement and Nova: their settings, their databases, their processes."""

import configparser
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from acceptance.environments import WORK, environment, run
from acceptance.keystone import REGION, Account, Keystone
from acceptance.nova.backends import mariadb, rabbitmq
from acceptance.processes import Server, free_port
from alcor.lab.layout import layout

HOSTS = ("h1", "h2")  # as the lab calls them
_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]
_DATABASES = ("nova_api", "nova_cell0", "nova", "placement", "glance")
Settings = Mapping[str, Mapping[str, str]]
# Applications read sys.argv when they are made; gunicorn's arguments are not for them.
_APPLICATION = "import sys\nsys.argv = ['{name}']\nfrom {module} import application\n"


class Ports(NamedTuple):
    """Where each is to listen: chosen before anything starts, as they name each other."""

    compute: int
    metadata: int
    placement: int
    image: int

    @classmethod
    def free(cls) -> "Ports":
        """Four that nobody holds now."""
        return cls(*(free_port() for _ in cls._fields))

    def url(self, name: str) -> str:
        """Of the service of this name."""
        return f"http://127.0.0.1:{getattr(self, name)}{'/v2.1' if name == 'compute' else ''}"


class Services:
    """Settings in a folder; `running` starts what has them."""

    def __init__(
        self, folder: Path, keystone: Keystone, ports: Ports, secret: str, environments: Path = WORK
    ) -> None:
        self._folder, self._keystone = folder.absolute(), keystone
        self.ports, self._secret = ports, secret
        self.bin = environment(environments, "nova")
        self.computes: dict[str, Server] = {}  # by host
        self._folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def running(self, lab: str) -> Iterator["Services"]:
        """All of it, with a nova-compute for each of the lab's hosts, until the context ends."""
        with ExitStack() as stack:
            database = stack.enter_context(mariadb(self._folder / "mariadb", _DATABASES))
            broker = stack.enter_context(rabbitmq(self._folder / "rabbitmq"))
            stack.enter_context(self._image(database))
            stack.enter_context(self._placement(database))
            self._make_cells(database, broker, lab)
            self.api = self._wsgi("compute", "nova.wsgi.osapi_compute", self._config_folder)
            for server in (*self._control(), self.api, *self._on_hosts(lab)):
                stack.enter_context(server)
            yield self

    def discover(self) -> None:
        """Make hosts known that have come to the cell."""
        self.manage("cell_v2", "discover_hosts")

    def log(self, name: str) -> str:
        """What a process has written."""
        return (self._folder / f"{name}.log").read_text(errors="replace")

    def _image(self, database: str) -> Server:
        account = self._account("glance", "image")
        home = self._home("glance", "glance-api-paste.ini")
        images = home / "images"
        images.mkdir()
        settings = {
            "DEFAULT": {"enabled_backends": "files:file", "state_path": str(home)},
            "database": {"connection": database.format("glance")},
            "keystone_authtoken": self._trusted(account),
            "paste_deploy": {"flavor": "keystone"},
            "glance_store": {"default_backend": "files"},
            "files": {"filesystem_store_datadir": str(images)},
        }
        config = _written(home / "glance-api.conf", settings)
        log = self._folder / "image.log"
        run([str(self.bin / "glance-manage"), "--config-file", str(config), "db_sync"], log)
        return self._wsgi("image", "glance.wsgi.api", {"OS_GLANCE_CONFIG_DIR": str(home)})

    def _placement(self, database: str) -> Server:
        account = self._account("placement", "placement")
        home = self._home("placement")
        settings = {
            "placement_database": {"connection": database.format("placement")},
            "keystone_authtoken": self._trusted(account),
        }
        config = _written(home / "placement.conf", settings)
        log = self._folder / "placement.log"
        run([str(self.bin / "placement-manage"), "--config-file", str(config), "db", "sync"], log)
        return self._wsgi("placement", "placement.wsgi.api", {"OS_PLACEMENT_CONFIG_DIR": str(home)})

    def _make_cells(self, database: str, broker: str, lab: str) -> None:
        account = self._account("nova", "compute")
        home = self._home("nova", "api-paste.ini")
        settings = self._nova_settings(account, home, broker)
        for host in HOSTS:
            own = {"host": host, "state_path": str(home / host)}
            switch = layout(lab).host(int(host.removeprefix("h"))).database_socket
            of_host = {
                "DEFAULT": settings["DEFAULT"] | own,
                "os_vif_ovs": {"ovsdb_connection": f"unix:{switch}"},
            }
            _written(home / f"{host}.conf", settings | of_host)
            (home / host).mkdir()
        databases = {
            "api_database": {"connection": database.format("nova_api")},
            "database": {"connection": database.format("nova")},
        }
        _written(home / "nova.conf", settings | databases)
        self.manage("api_db", "sync")
        self.manage("cell_v2", "map_cell0", "--database_connection", database.format("nova_cell0"))
        self.manage("db", "sync")
        self.manage("cell_v2", "create_cell", "--name", "cell1")

    @property
    def _config_folder(self) -> dict[str, str]:
        return {"OS_NOVA_CONFIG_DIR": str(self._folder / "nova")}

    def _control(self) -> list[Server]:
        config = ["--config-file", str(self._folder / "nova" / "nova.conf")]
        programs = [
            Server([str(self.bin / f"nova-{name}"), *config], "", self._folder / f"{name}.log")
            for name in ("conductor", "scheduler")
        ]
        return [*programs, self._wsgi("metadata", "nova.wsgi.metadata", self._config_folder)]

    def _on_hosts(self, lab: str) -> list[Server]:
        driver = {"ALCOR_PYTHON": sys.executable, "ALCOR_ROOT": str(_ROOT), "ALCOR_LAB": lab}
        argv = [str(self.bin / "python"), str(_HERE / "compute.py"), "--config-file"]
        for host in HOSTS:
            config = str(self._folder / "nova" / f"{host}.conf")
            log = self._folder / f"{host}.log"
            self.computes[host] = Server([*argv, config], "", log, driver)
        return list(self.computes.values())

    def _nova_settings(
        self, account: Account, home: Path, broker: str
    ) -> dict[str, dict[str, str]]:
        client = self._client(account)
        override = {
            name: {"endpoint_override": self.ports.url(name)} for name in ("placement", "image")
        }
        return {
            "DEFAULT": {
                "transport_url": broker,
                "state_path": str(home),
                "compute_driver": "networked.NetworkedDriver",
                "vif_plugging_is_fatal": "true",
                "vif_plugging_timeout": "45",
                "graceful_shutdown_timeout": "2",
                "debug": "true",
            },
            "keystone_authtoken": self._trusted(account),
            "service_user": client | {"send_service_user_token": "true"},
            "neutron": client
            | {"service_metadata_proxy": "true", "metadata_proxy_shared_secret": self._secret},
            "placement": client | override["placement"],
            "glance": override["image"],
            "keystone": client,
            "oslo_concurrency": {"lock_path": str(home / "locks")},
            # Nova keeps what providers there are for five minutes: one that goes in the moment in
            # which it looks again, as steps have them go, fails each boot on the host until then.
            "compute": {"resource_provider_association_refresh": "1"},
            "scheduler": {"workers": "1"},
            "conductor": {"workers": "1"},
        }

    def manage(self, *words: str) -> None:
        """Run nova-manage."""
        config = ["--config-file", str(self._folder / "nova" / "nova.conf")]
        run([str(self.bin / "nova-manage"), *config, *words], self._folder / "manage.log")

    def _account(self, name: str, type_: str) -> Account:
        self._keystone.publish(self.ports.url(type_), name, type_)
        return self._keystone.user(name, "service", ("admin", "service"))

    def _client(self, account: Account) -> dict[str, str]:
        return {
            "auth_type": "password",
            "auth_url": self._keystone.url,
            "username": account.name,
            "password": account.password,
            "project_name": account.project,
            "user_domain_name": "Default",
            "project_domain_name": "Default",
            "region_name": REGION,
        }

    def _trusted(self, account: Account) -> dict[str, str]:
        own = {"www_authenticate_uri": self._keystone.url, "service_token_roles_required": "true"}
        return self._client(account) | own

    def _home(self, name: str, *files: str) -> Path:
        home = self._folder / name
        home.mkdir()
        for file in files:
            shutil.copy(self.bin.parent / "etc" / name / file, home)
        return home

    def _wsgi(self, name: str, module: str, env: Mapping[str, str]) -> Server:
        (self._folder / f"serve_{name}.py").write_text(
            _APPLICATION.format(name=name, module=module)
        )
        argv = [str(self.bin / "gunicorn"), "--no-control-socket", "--workers", "1"]
        argv += ["--threads", "16", "--timeout", "120", "--pythonpath", str(self._folder)]
        port = getattr(self.ports, name)
        argv += ["--bind", f"127.0.0.1:{port}", f"serve_{name}:application"]
        url, log = f"http://127.0.0.1:{port}/", self._folder / f"{name}.log"
        return Server(argv, url, log, env)


def _written(path: Path, settings: Settings) -> Path:
    parser = configparser.RawConfigParser()
    parser.read_dict(settings)
    with path.open("w") as file:
        parser.write(file)
    return path
