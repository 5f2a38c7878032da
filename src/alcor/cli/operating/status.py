"""`alcor status`: how a region is, at a glance, and what to do about what is wrong."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from math import isinf

from alcor.agent.doctor.certificate import lasting
from alcor.agent.doctor.finding import Finding, fault, good, unknown
from alcor.cli.operating.doctor import tell_findings
from alcor.cli.options import RowsFormat
from alcor.cli.session import Endpoint, api, default_endpoint
from alcor.cli.tables import Output
from alcor.client.api import NODE, Api, Item
from alcor.client.connection import Refused
from alcor.runtime.clock import now_s

page_items = 1_000
hosts_named_max = 10


def status(endpoint: Endpoint = default_endpoint, output: RowsFormat = Output.TABLE) -> None:
    """Look at the control plane and its hosts; exit status 1 when something is wrong."""
    with api(endpoint) as client:
        findings = [
            _plane(client.checks(), client.endpoint),
            _delivery(client),
            *_hosts(client),
            *_proofs(client.ends(), now_s()),
        ]
    tell_findings(findings, output)


def _plane(checks: Mapping[str, bool], endpoint: str) -> Finding:
    broken = sorted(name for name, works in checks.items() if not works)
    if broken:
        says = f"{endpoint} answers, but these parts can't do their work: {', '.join(broken)}"
        step = "its log says what they wait for"
        if any(name.endswith(".writes") for name in broken):
            step = "writes are refused: make room on the databases' disk; its log says why"
        return fault("control plane", says, step)
    return good("control plane", f"{endpoint} answers, and can do its work")


def _switches(nodes: Sequence[Item]) -> Iterator[Finding]:
    """Of hosts that are there, those that can't tell their switch anything."""
    sick = [f"{each['id']} ({each['fault']})" for each in nodes if each.get("fault")]
    if sick:
        says = f"{len(sick)} of {len(nodes)} can't make changes: {_named(sick)}"
        yield fault("switches", says, "look at Open vSwitch there: `alcor doctor` on them")


def _named(hosts: Sequence[str]) -> str:
    more = f" and {len(hosts) - hosts_named_max} more" if len(hosts) > hosts_named_max else ""
    return f"{', '.join(hosts[:hosts_named_max])}{more}"


def _proofs(ends: Mapping[str, float], now_s: float) -> Iterator[Finding]:
    """Of the process that answers; of others their metrics tell."""
    for setting, ends_s in sorted(ends.items()):
        if not ends_s:
            says = f"the file of {setting} can't be used"
            yield fault("proofs", says, "its process's log says why")
        elif isinf(ends_s):
            yield good("proofs", f"{setting} never ends")
        else:
            yield lasting("proofs", setting, ends_s, now_s, f"{setting} ends")


def _delivery(client: Api) -> Finding:
    """Whether a delivery answers, and has planned what there is: asked how far hosts are with a
    write that concerns none."""
    try:
        client.wait("node:0", 0)
    except Refused as refused:
        if refused.status == HTTPStatus.SERVICE_UNAVAILABLE:
            says = f"hosts hear of no change: {refused.message}"
            return fault(
                "delivery", says, "does a delivery run? Its /readyz says what it waits for"
            )
        return unknown("delivery", f"whether hosts hear of changes is not told: {refused.message}")
    return good("delivery", "hosts are told of changes")


def _hosts(client: Api) -> Iterator[Finding]:
    try:
        nodes = list(client.list_all(NODE, (), 0, page_items))
    except Refused as refused:
        if refused.status != HTTPStatus.SERVICE_UNAVAILABLE:
            raise
        yield fault("managers", refused.message, "do managers run? Their /readyz says what is away")
        return
    yield from _well(nodes)


def _well(nodes: Sequence[Item]) -> Iterator[Finding]:
    if not nodes:
        yield unknown("hosts", "no host has said hello yet, or you may not see them")
        return
    away = [each for each in nodes if not each["alive"]]
    if away:
        said = [f"{each['id']} (heard {each['heartbeat_timestamp'] or 'never'})" for each in away]
        says = f"{len(away)} of {len(nodes)} are away: {_named(said)}"
        step = "they forward as before, and hear of no change: `alcor doctor` on them"
        yield fault("hosts", says, step)
    else:
        yield good("hosts", f"{len(nodes)} are there")
    yield from _switches([each for each in nodes if each["alive"]])
    releases = Counter(each["version"] for each in nodes if each["alive"])
    if releases:
        shares = [f"{release} on {count}" for release, count in sorted(releases.items())]
        yield good("releases", f"agents: {', '.join(shares)}")
