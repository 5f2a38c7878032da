"""`alcor import`: a region gets what another has, with ids and addresses; the source is only read.

Source and target are both real control planes here; what a real Neutron answers is in
`tests/unit/importing`.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from tests.api.one_of_everything import BLUE, RED, change, fill
from typer.testing import CliRunner, Result

from alcor.cli.kinds import resources
from alcor.cli.main import app
from alcor.client.connection import Connection, Refused, Unreachable
from alcor.gateway.app import GatewaySettings
from alcor.importing.bringing import How
from alcor.importing.ends import Source, Target
from alcor.importing.importer import bring_all
from alcor.importing.ledger import Tally
from alcor.resource.declaration import Resource

# What an import does not keep, by kind: what is made with another thing, and what time does.
HISTORY = {"created_at", "updated_at", "revision_number"}
NOT_BROUGHT = {
    "network-agent": "hosts say who they are",
    "availability-zone": "follows from hosts",
    "auto-allocated-topology": "its networks and router are brought",
    "loggable-resource": "the same everywhere",
    "network-acl": "Alcor's own",
    "network-acl-rule": "Alcor's own",
    "network-ip-availability": "follows from the rest",
    "node": "hosts are registered, not brought",
    "qos-rule-type": "the same everywhere",
    "service-provider": "the same everywhere",
    "floatingip-pool": "follows from the rest",
}


def endpoint(api: Any) -> str:
    return f"http://{api.host}:{api.tcp_port}"


def bring(source: Any, target: Any, *words: str, code: int | None = 0) -> dict[str, Any]:
    """Run the command; its report."""
    result = run(source, target, *words, "--format", "json")
    assert code is None or result.exit_code == code, result.output
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def run(source: Any, target: Any, *words: str) -> Result:
    ends = ("--from", endpoint(source), "--endpoint", endpoint(target))
    return CliRunner().invoke(app, ["import", *ends, *words], catch_exceptions=False)


def sums(report: dict[str, Any]) -> dict[str, int]:
    names = ("found", "same", "made", "changed", "removed", "different", "missing", "owners")
    return {name: sum(each[name] for each in report["tallies"]) for name in names}


@pytest.fixture
def audit(tmp_path: Path) -> Path:
    """Where the source tells of every write."""
    return tmp_path / "audit"


@pytest.fixture
def source(tmp_path: Path, audit: Path, control_plane: Any) -> Iterator[Any]:
    with control_plane(tmp_path / "source", GatewaySettings(audit=str(audit))) as api:
        fill(api)
        yield api


@pytest.fixture
def target(tmp_path: Path, control_plane: Any) -> Iterator[Any]:
    with control_plane(tmp_path / "target", GatewaySettings()) as api:
        yield api


def everything(api: Any) -> dict[str, Any]:
    """All lists of all kinds, without what an import does not keep."""
    found: dict[str, Any] = {}
    for command, kind in resources().items():
        if command in NOT_BROUGHT:
            continue
        for path in paths(api, kind):
            items = api.listed(path)
            found[path] = sorted((kept(kind, each) for each in items), key=repr)
    return found


def paths(api: Any, kind: Resource) -> list[str]:
    if not kind.parent:
        return [kind.path]
    head, tail = kind.place
    if head == "/v2.0/flavors" or tail == "bindings":
        return []
    return [f"{head}/{parent['id']}/{tail}" for parent in api.listed(head)]


def kept(kind: Resource, item: dict[str, Any]) -> dict[str, Any]:
    without = set(HISTORY)
    if kind.name == "port" and item["device_owner"] in (
        "network:router_gateway",
        "network:floatingip",
        "network:local_ip",
    ):
        without |= {"id", "mac_address", "resource_request"}  # made with their owners
    if kind.name == "segment":
        without |= {"id", "alcor:vni"}
    if kind.name == "subnet":
        without |= {"segment_id"}  # whose prefixes say of which it is, in what is kept of them
    if kind.name == "local_ip":
        without |= {"local_port_id"} if item["name"] == "own" else set()
    if kind.name == "security_group":
        rules = item["security_group_rules"]
        plain = [{k: v for k, v in rule.items() if k not in HISTORY} for rule in rules]
        item = item | {"security_group_rules": sorted(plain, key=repr)}
    if kind.name == "security_group_rule" or kind.name == "default_security_group_rule":
        without |= set()
    return {
        name: sorted(value, key=repr) if isinstance(value, list) else value
        for name, value in item.items()
        if name not in without
    }


def has_some(api: Any, command: str) -> bool:
    """Whether there is one of a kind, of those that are brought."""
    if command in NOT_BROUGHT:
        return True
    kind = resources()[command]
    return not paths(api, kind) or any(api.listed(path) for path in paths(api, kind))


def assert_alike(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert ours.keys() == theirs.keys()
    for path, items in theirs.items():
        lacking = [each for each in items if each not in ours[path]]
        only_here = [each for each in ours[path] if each not in items]
        different = [
            {
                name: (mine.get(name), value)
                for name, value in each.items()
                if mine.get(name) != value
            }
            for mine, each in zip(only_here, lacking, strict=False)
        ]
        assert (path, different, len(only_here)) == (path, [], len(lacking))


def test_everything_is_there_afterwards_and_a_second_run_changes_nothing(
    source: Any, target: Any, audit: Path
) -> None:
    written = audit.read_text()
    checked = bring(source, target, "--check")
    untouched = target.listed("/v2.0/networks")
    report = bring(source, target)
    told = everything(target)
    again = bring(source, target)
    empty = [command for command in resources() if not has_some(source, command)]

    assert (untouched, sums(checked)) == ([], sums(report))
    assert report["complete"]
    assert report["problems"] == report["notes"] == []
    assert_alike(told, everything(source))
    assert empty == []
    assert sums(again) == sums(report) | {"made": 0, "same": sums(report)["made"] + 4}
    assert everything(target) == told
    assert audit.read_text() == written  # nothing was ever written at the source


def test_what_has_changed_since_is_told_and_brought_up_to_date(source: Any, target: Any) -> None:
    bring(source, target)
    change(source)

    told = bring(source, target, code=1)
    kinds = {each["kind"] for each in told["problems"]}
    bring(source, target, "--update", "--prune", "--yes", "--check")
    mended = bring(source, target, "--update", "--prune", "--yes")

    assert kinds >= {"networks", "subnets", "ports", "security groups", "quotas", "trunks"}
    assert mended["problems"] == []
    assert sums(mended)["removed"] > 0
    assert_alike(everything(target), everything(source))
    assert sums(bring(source, target, "--update", "--prune", "--yes"))["changed"] == 0


def test_what_can_not_be_made_is_named_and_the_rest_goes_on(source: Any, target: Any) -> None:
    network = source.network(project_id="green", name="large")
    subnet = source.subnet(network["id"], "10.80.0.0/20", project_id="green")
    bring(source, target)
    [taken] = source.port(network["id"], project_id="green", name="bad")["fixed_ips"]
    ports = [{"network_id": network["id"], "project_id": "green", "name": "many"}] * 1_100
    for some in (ports[:550], ports[550:]):
        assert source.call("POST", "/v2.0/ports", {"ports": some}).status == 201
    target.port(network["id"], fixed_ips=[taken])

    report = bring(source, target, code=1)
    said = run(source, target)

    assert [(each["name"], each["kind"]) for each in report["problems"]] == [("bad", "ports")]
    assert "IpAddressAlreadyAllocated" in report["problems"][0]["why"]
    assert len(target.listed(f"/v2.0/ports?name=many&network_id={network['id']}")) == 1_100
    assert subnet["id"] == taken["subnet_id"]
    assert said.exit_code == 1
    assert "IpAddressAlreadyAllocated" in said.stdout
    # Its project's limit of 500 ports did not matter here, and is in force again.
    assert target.listed("/v2.0/quotas") == [
        each for each in target.listed("/v2.0/quotas") if each["project_id"] == RED
    ]


def test_a_default_group_that_is_here_already_stands_for_the_sources(
    source: Any, target: Any
) -> None:
    [own] = target.listed(f"/v2.0/security-groups?project_id={RED}")
    [theirs] = source.listed(f"/v2.0/security-groups?project_id={RED}&name=default")

    checked = bring(source, target, "--check", code=None)
    done = bring(source, target, code=1)  # it has a rule more than there
    assert sums(checked) == sums(done)
    assert [each["name"] for each in checked["notes"]] == [each["name"] for each in done["notes"]]
    bring(source, target, "--update")
    again = bring(source, target)

    assert sums(again)["made"] == sums(again)["different"] == 0
    [vm] = target.listed("/v2.0/ports?name=vm")
    [there] = source.listed("/v2.0/ports?name=vm")
    assert own["id"] in vm["security_groups"]
    assert theirs["id"] in there["security_groups"]
    assert len(vm["security_groups"]) == len(there["security_groups"])
    assert traffic(target, own["id"]) == traffic(source, theirs["id"])


def traffic(api: Any, group: str) -> set[tuple[Any, ...]]:
    """What a group lets pass; a rule that names the group itself says so by None."""
    rules = api.listed(f"/v2.0/security-group-rules?security_group_id={group}")
    names = ("direction", "ethertype", "protocol", "port_range_min", "remote_ip_prefix")
    return {(*(rule[name] for name in names), rule["remote_group_id"] == group) for rule in rules}


def test_what_has_nothing_is_not_given_what_new_ones_get(source: Any, target: Any) -> None:
    network = source.network(project_id="green", name="early")
    source.make("/v2.0/qos/policies", "policy", name="default", is_default=True, project_id="green")

    subnet = source.subnet(network["id"], "10.81.0.0/24", project_id="green")
    path = f"/v2.0/subnets/{subnet['id']}"
    emptied = source.call("PUT", path, {"subnet": {"allocation_pools": []}})
    assert emptied.json["subnet"]["allocation_pools"] == []

    report = bring(source, target)

    assert report["problems"] == []
    [here] = target.listed("/v2.0/networks?name=early")
    assert here["qos_policy_id"] is network["qos_policy_id"] is None
    assert target.get(path).json["subnet"]["allocation_pools"] == []
    assert sums(bring(source, target))["different"] == 0


def test_only_one_projects_things_are_brought_if_that_is_asked_for(
    source: Any, target: Any
) -> None:
    bring(source, target, "--project", "admin")
    networks = {each["name"] for each in target.listed("/v2.0/networks")}
    bring(source, target, "--project", BLUE, code=1)  # whose port is in a network of another

    assert networks == {"public", "other-way"}
    assert {each["project_id"] for each in target.listed("/v2.0/subnets")} == {"admin"}


@pytest.mark.parametrize("steps", [1, 4, 9, 14, 20, 27])
def test_an_import_that_was_cut_short_goes_on_where_it_was(
    source: Any, target: Any, steps: int
) -> None:
    left = steps

    def cut(tally: Tally) -> None:
        nonlocal left
        left -= 1
        if not left:
            raise KeyboardInterrupt

    ends = (
        Source(lambda: Connection(endpoint(source)), sleep),
        Target(lambda: Connection(endpoint(target)), sleep),
    )
    with pytest.raises(KeyboardInterrupt):
        bring_all(*ends, resources(), How(), cut)
    for end in ends:
        end.close()

    bring(source, target, "--update")

    assert_alike(everything(target), everything(source))


def test_source_and_target_are_two(source: Any) -> None:
    result = run(source, source)

    assert result.exit_code == 2
    assert "is both source and target" in result.output


def test_a_source_that_is_not_there_is_told() -> None:
    ends = ("--from", "http://127.0.0.1:1", "--endpoint", "http://127.0.0.1:2")
    result = CliRunner().invoke(app, ["import", *ends])

    assert isinstance(result.exception, Unreachable)
    told = r"^the source at http://127.0.0.1:1 does not answer \(.*\): name another by --from$"
    assert re.search(told, str(result.exception))


@pytest.mark.parametrize(
    ("token", "status", "step"),
    [
        ("", 401, "Say who you are at the source: --from a cloud of clouds.yaml, or --from-token."),
        ("of-a-member", 403, "An import is an administrator's, at both ends."),
    ],
)
def test_who_may_not_read_the_source_is_told_what_to_do(
    tmp_path: Path, control_plane: Any, target: Any, token: str, status: int, step: str
) -> None:
    tokens = tmp_path / "tokens.toml"
    tokens.write_text('[[tokens]]\ntoken = "of-a-member"\nproject_id = "p"\nroles = ["member"]\n')
    settings = {"auth": "tokens", "tokens_file": str(tokens)}
    with (
        control_plane(tmp_path / "strict", GatewaySettings(), **settings) as strict,
        pytest.raises(Refused) as refused,
    ):
        run(strict, target, "--from-token", token)

    assert refused.value.status == status
    assert refused.value.message.endswith(step)
