"""What tests written for devstack expect: its accounts and networks, and variables as its openrc.

Gophercloud's tests and those of Terraform's provider are run against a devstack by their authors.
"""

from pathlib import Path
from typing import NamedTuple

from keystoneauth1.adapter import Adapter

from acceptance import networking
from acceptance.keystone import REGION, Account, Keystone

# Both projects' own runs give Neutron these rules and the tunnels of OVN.
_RULES = """\
"create_port:binding:profile": "rule:admin_only or rule:service_api"
"update_port:binding:profile": "rule:admin_only or rule:service_api"
"""
_ABSENT = ("IMAGE_ID", "FLAVOR_ID", "FLAVOR_ID_RESIZE")  # of Nova and Glance, but asked for by all


class Devstack(NamedTuple):
    """A region as tests are told of it."""

    api: Adapter  # as its administrator
    accounts: dict[str, dict[str, str]]  # the variables of `admin` and of `demo`
    demo_project: str


def settings(folder: Path) -> dict[str, str]:
    """What the product is told beside its defaults, as variables."""
    rules = folder / "policy.yaml"
    rules.write_text(_RULES)
    return {"ALCOR_GATEWAY__POLICY_FILE": str(rules), "ALCOR_NETWORK__TUNNEL_TYPE": "geneve"}


def prepare(keystone: Keystone, endpoint: str) -> Devstack:
    """Make the accounts and networks; once for a control plane."""
    demo = keystone.user("demo", "demo", ("member", "reader"))
    api = keystone.adapter(keystone.admin, endpoint)
    networking.default_pools(api)
    external = networking.external_network(api)
    private, subnet = networking.private_network(keystone.adapter(demo, endpoint))
    where = {
        "OS_AUTH_URL": keystone.url,
        "OS_REGION_NAME": REGION,
        "OS_BRANCH": "master",
        "OS_EXTGW_ID": external,
        "OS_POOL_NAME": "public",
        "OS_NETWORK_ID": private,
        "OS_SUBNET_ID": subnet,
        "OS_TAAS_ENVIRONMENT": "1",
    } | {f"OS_{name}": name.lower() for name in _ABSENT}
    accounts = {account.name: where | _openrc(account) for account in (keystone.admin, demo)}
    return Devstack(api, accounts, keystone.project("demo"))


def _openrc(account: Account) -> dict[str, str]:
    return {
        "OS_USERNAME": account.name,
        "OS_PASSWORD": account.password,
        "OS_PROJECT_NAME": account.project,
        "OS_DOMAIN_ID": "default",
    }
