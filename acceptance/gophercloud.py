"""Gophercloud's acceptance tests of networking, as devstack's administrator, like their authors."""

from pathlib import Path

from acceptance import golang
from acceptance.devstack import Devstack
from acceptance.report import Outcome

MODULE = golang.Module("github.com/gophercloud/gophercloud/v2", "v2.16.0")
_TESTS = "internal/acceptance/openstack/networking/v2"
_LEFT_OUT = ("/bgp/", "/bgpvpns", "/fwaas_v2", "/vpnaas")  # of plugins beside Neutron


def run(folder: Path, devstack: Devstack, regex: str) -> list[Outcome]:
    """Run the tests that `regex` finds."""
    folder.mkdir()
    base = golang.source(MODULE)
    holding = {f"./{test.parent.relative_to(base)}" for test in (base / _TESTS).rglob("*_test.go")}
    packages = sorted(p for p in holding if not any(part in f"{p}/" for part in _LEFT_OUT))
    words = ["-tags=acceptance", f"-run={regex or '.'}"]
    return golang.tests(MODULE, packages, words, devstack.accounts["admin"], folder / "admin.log")
