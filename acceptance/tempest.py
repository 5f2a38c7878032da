"""Tempest and neutron-tempest-plugin against one endpoint."""

import configparser
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

from acceptance import networking
from acceptance.environments import WORK, AcceptanceError, environment, run
from acceptance.keystone import REGION, Keystone
from acceptance.report import Outcome

EVERYTHING = r"tempest\.api\.network|neutron_tempest_plugin\.(tap_as_a_service\.)?api"
_outcomes = Path(__file__).with_name("outcomes.py")


class Tempest:
    """A workspace for runs against the endpoint that Keystone's catalog names."""

    def __init__(self, folder: Path, environments: Path = WORK) -> None:
        self._folder = folder.absolute()
        self._bin = environment(environments, "tempest")
        self._log = self._folder / "run.log"
        self._config = self._folder / "etc" / "tempest.conf"

    def prepare(self, keystone: Keystone, endpoint: str) -> None:
        """Make the workspace, and the external network that many tests need."""
        self._folder.mkdir(parents=True)
        registry = str(self._folder.parent / "workspaces.yaml")
        init = [str(self._bin / "tempest"), "init", "--workspace-path", registry]
        run([*init, str(self._folder)], self._folder.parent / "init.log", self._environment())
        api = keystone.adapter(keystone.admin, endpoint)
        networking.default_pools(api)
        parser = configparser.RawConfigParser()
        parser.read_dict(
            _settings(self._folder, keystone)
            | _features(networking.extensions(api), networking.external_network(api))
        )
        with self._config.open("w") as file:
            parser.write(file)

    def run(self, regex: str, exclude: str = "", concurrency: int = 2) -> list[Outcome]:
        """Run what matches; a set-up of a class that failed is an outcome, too."""
        argv = [str(self._bin / "tempest"), "run", "--config-file", str(self._config)]
        argv += ["--regex", regex, "--concurrency", str(concurrency)]
        argv += ["--exclude-regex", exclude] if exclude else []
        with self._log.open("ab") as out:
            subprocess.run(
                argv, stdout=out, stderr=out, env=self._environment(), cwd=self._folder, check=False
            )
        return self._last()

    def _last(self) -> list[Outcome]:
        env, programs = self._environment(), self._bin
        last = subprocess.run(
            [str(programs / "stestr"), "last", "--subunit"],
            cwd=self._folder, env=env, capture_output=True, check=False,
        )  # fmt: skip
        read = subprocess.run(
            [str(programs / "python"), str(_outcomes)],
            input=last.stdout, env=env, capture_output=True, check=False,
        )  # fmt: skip
        if read.returncode or not read.stdout:
            tail = self._log.read_text(errors="replace")[-2_000:]
            raise AcceptanceError(f"no test ran: {tail}{read.stderr.decode()[-1_000:]}")
        return [msgspec.json.decode(line, type=Outcome) for line in read.stdout.splitlines()]

    def _environment(self) -> dict[str, str]:
        path = f"{self._bin}{os.pathsep}{os.environ['PATH']}"
        return dict(os.environ) | {"PATH": path, "OS_TEST_TIMEOUT": "600"}


def _settings(folder: Path, keystone: Keystone) -> dict[str, dict[str, str]]:
    return {
        "DEFAULT": {"log_file": f"{folder}/tempest.log", "debug": "true"},
        "oslo_concurrency": {"lock_path": f"{folder}/lock"},
        "auth": {
            "use_dynamic_credentials": "true",
            "admin_username": keystone.admin.name,
            "admin_password": keystone.admin.password,
            "admin_project_name": keystone.admin.project,
            "admin_domain_name": "Default",
            "default_credentials_domain_name": "Default",
            "tempest_roles": "member",
        },
        "identity": {
            "uri_v3": keystone.url,
            "auth_version": "v3",
            "region": REGION,
            "v3_endpoint_type": "public",
        },
        "service_available": {
            name: str(name == "neutron").lower()
            for name in ("neutron", "nova", "glance", "cinder", "swift", "horizon")
        },
        "validation": {"run_validation": "false"},
        "compute-feature-enabled": {"console_output": "false"},
    }


def _features(extensions: Sequence[str], external: str) -> dict[str, dict[str, str]]:
    yes = ("ipv6", "ipv6_subnet_attributes", "floating_ips", "port_security")
    return {
        "network": {
            "public_network_id": external,
            "floating_network_name": "public",
            "project_network_cidr": "10.100.0.0/16",
            "project_networks_reachable": "false",
            "endpoint_type": "public",
        },
        "network-feature-enabled": {
            "api_extensions": ",".join(extensions),
            "port_admin_state_change": "true",
            "qos_placement_physnet": "public",
            **dict.fromkeys(yes, "true"),
        },
        "neutron_plugin_options": {
            "agent_availability_zone": "nova",
            "available_type_drivers": "flat,vlan,local,vxlan,geneve,gre",
            "provider_vlans": "public",
            "max_networks_per_project": "10",
            "dns_domain": "example.org",
            "create_shared_resources": "true",
        },
    }
