"""The acceptance tests of Terraform's provider for OpenStack, and OpenTofu, which carries them out.

As its authors do, they are run as devstack's administrator, and then as its demo user: each test
skips itself for one of the two.
"""

import shutil
from pathlib import Path

from acceptance import golang
from acceptance.devstack import Devstack
from acceptance.environments import WORK
from acceptance.report import Outcome

MODULE = golang.Module(
    "github.com/terraform-provider-openstack/terraform-provider-openstack/v3", "v3.4.0"
)
_TOFU = golang.Module("github.com/opentofu/opentofu", "v1.10.10")
_NETWORKING = "^TestAcc(OpenStack)?Networking|^TestAccTaas"
_LEFT_OUT = "BGP|Trunk_Instance"  # a plugin's beside Neutron, and of Nova
# OpenTofu looks for providers in its own registry; here it finds them in a folder, as if mirrored.
_REGISTRY = "registry.opentofu.org"
_MIRROR = """\
provider_installation {{
  filesystem_mirror {{
    path = "{folder}"
  }}
}}
"""


def tofu() -> Path:
    """The program `tofu`."""
    return golang.program(_TOFU, "./cmd/tofu", "tofu")


def mirror() -> str:
    """A configuration of OpenTofu's command line by which it finds the provider."""
    folder = WORK / "go" / "mirror"
    version = MODULE.version.removeprefix("v")
    address = f"terraform-provider-openstack/openstack/{version}/{golang.platform()}"
    place = folder / _REGISTRY / address
    built = golang.program(MODULE, ".", "terraform-provider-openstack")
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy2(built, place)
    return _MIRROR.format(folder=folder)


def run(folder: Path, devstack: Devstack, regex: str) -> list[Outcome]:
    """Run the tests that `regex` finds."""
    folder.mkdir()
    carried = {
        "TF_ACC": "1",
        "TF_ACC_TERRAFORM_PATH": str(tofu()),
        "TF_ACC_PROVIDER_NAMESPACE": "hashicorp",
        "TF_ACC_PROVIDER_HOST": _REGISTRY,
    }
    words = [f"-run={regex or _NETWORKING}", f"-skip={_LEFT_OUT}"]
    found: dict[str, Outcome] = {}
    for who, account in devstack.accounts.items():
        log = folder / f"{who}.log"
        for one in golang.tests(MODULE, ["./openstack"], words, carried | account, log):
            if one.status != "skipped" or one.test not in found:
                found[one.test] = one
    return list(found.values())
