"""Every alert is raised by what it is about and not by less, as Prometheus itself evaluates it.

Series are in the notation of `promtool test rules`, with a value each minute: `a+bxn` is a, and
then n values, each b more.
"""

import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).parents[3]
RULES = ROOT / "deploy/observability/alerts.yaml"
PROMTOOL = ROOT / ".tools/bin/promtool"
day = 86_400


class Case(NamedTuple):
    """Series by their values, and the alerts that have fired at any time."""

    series: dict[str, str]
    fire: tuple[str, ...] = ()


def steady(value: float) -> str:
    return f"{value}+0x30"


def once(before: float = 0, after: float = 1) -> str:
    """One event in the middle, 15 minutes ago."""
    return f"{before}+0x15 {after}+0x14"


WELL = {f'alcor_build_info{{role="{r}"}}': steady(1) for r in ("gateway", "managers", "delivery")}
GROWS = "0+1x30"


def buckets(name: str, labels: str, at_most: float, slow: bool) -> dict[str, str]:
    """A histogram of which all is slower, or quicker, than `at_most`."""
    return {
        f'{name}_bucket{{{labels}le="{at_most}"}}': steady(0) if slow else GROWS,
        f'{name}_bucket{{{labels}le="30"}}': GROWS,
        f'{name}_bucket{{{labels}le="+Inf"}}': GROWS,
    }


API = 'route="/v2.0/ports",method="GET",code='
CASES = {
    "nothing at all": Case({}, ("AlcorAway",) * 3),
    "alcor up": Case({'alcor_build_info{role="up"}': steady(1)}),
    "no delivery": Case(
        {each: values for each, values in WELL.items() if "delivery" not in each}, ("AlcorAway",)
    ),
    "all is well": Case(
        WELL
        | {"alcor_api_faults_total": steady(3), "alcor_outbox_pending": steady(0)}
        | {f'alcor_api_request_seconds_count{{{API}"200"}}': GROWS, "alcor_sessions": steady(9)}
        | buckets("alcor_api_request_seconds", "", 2, False)
        | buckets("alcor_propagation_seconds", "", 10, False)
        | buckets("alcor_agent_apply_seconds", "", 2, False)
        | {"alcor_agent_drift_entries": steady(0), "alcor_agent_goal_state_unsaved": steady(0)}
        | {'alcor_certificate_end_timestamp_seconds{role="agent"}': steady(99 * day)}
        | {"alcor_nova_ports_waiting": "0 5 0 7 0 0+0x25"}
    ),
    "faults": Case(WELL | {"alcor_api_faults_total": "0+0x27 1 1 1"}, ("AlcorApiFaults",)),
    "503 once": Case(WELL | {f'alcor_api_request_seconds_count{{{API}"503"}}': once(0, 50)}),
    "writes are refused": Case(
        WELL | {'alcor_database_writes_refused{database="port"}': steady(1)},
        ("AlcorWritesRefused",),
    ),
    "writes are taken": Case(WELL | {'alcor_database_writes_refused{database="port"}': steady(0)}),
    "503 for long": Case(
        WELL | {f'alcor_api_request_seconds_count{{{API}"503"}}': GROWS}, ("AlcorApiUnavailable",)
    ),
    "not ready for long, which who balances load asks": Case(
        WELL | {'alcor_api_request_seconds_count{route="/readyz",method="GET",code="503"}': GROWS}
    ),
    "slow requests": Case(
        WELL | buckets("alcor_api_request_seconds", 'route="/v2.0/ports",', 2, True),
        ("AlcorApiSlow",),
    ),
    "slow waits": Case(
        WELL | buckets("alcor_api_request_seconds", 'route="/alcor/v1/convergence",', 2, True)
    ),
    "a limit once": Case(WELL | {'alcor_limit_reached_total{limit="hosts"}': once()}),
    "a limit again and again": Case(
        WELL | {'alcor_limit_reached_total{limit="hosts"}': GROWS}, ("AlcorLimitReached",)
    ),
    "a quota": Case(WELL | {'alcor_limit_reached_total{limit="quota.port"}': GROWS}),
    "an outbox that is stuck": Case(
        WELL | {'alcor_outbox_pending{manager="port"}': steady(4)}, ("AlcorOutboxStuck",)
    ),
    "an outbox that empties": Case(
        WELL | {'alcor_outbox_pending{manager="port"}': "90-3x29"}
    ),
    "a server of NATS's cluster that is started again": Case(
        WELL | {'alcor_log_servers_missing{log="intent"}': "0+0x10 1+0x5 0+0x13"}
    ),
    "a server of NATS's cluster that is lost": Case(
        WELL | {'alcor_log_servers_missing{log="intent"}': once()}, ("AlcorLogServersMissing",)
    ),
    "audit lines": Case(
        WELL | {"alcor_audit_lines_lost_total": "0+0x25 2+0x4"}, ("AlcorAuditLinesLost",)
    ),
    "records": Case(
        WELL | {"alcor_unplannable_records_total": "0+0x25 1+0x4"}, ("AlcorUnplannableRecords",)
    ),
    "slow propagation": Case(
        WELL | buckets("alcor_propagation_seconds", "", 10, True), ("AlcorPropagationSlow",)
    ),
    "changes that arrive one after the other": Case(
        WELL | {"alcor_unapplied_seconds": "0 50 0 70 0 90 0+0x24"}
    ),
    "a change that does not arrive": Case(
        WELL | {"alcor_unapplied_seconds": "0+0x10 0+60x19"}, ("AlcorChangesUnapplied",)
    ),
    "hosts lost": Case(
        WELL | {'alcor_sessions{instance="a"}': steady(50)}
        | {'alcor_sessions{instance="b"}': "50+0x15 30+0x14"},
        ("AlcorHostsLost",),
    ),
    "deliveries lost, and so all hosts": Case(
        {each: values for each, values in WELL.items() if "delivery" not in each}
        | {'alcor_sessions{instance="a"}': "50+0x15 stale _x13"},
        ("AlcorAway", "AlcorHostsLost"),
    ),
    "hosts that go to another delivery": Case(
        WELL | {'alcor_sessions{instance="a"}': "50+0x15 0+0x14"}
        | {'alcor_sessions{instance="b"}': "50+0x15 99+0x14"}
    ),
    "a certificate for ten days": Case(
        WELL | {'alcor_certificate_end_timestamp_seconds{role="agent"}': steady(10 * day)},
        ("AlcorCertificateEnds",),
    ),
    "a certificate for a day": Case(
        WELL | {'alcor_certificate_end_timestamp_seconds{role="delivery"}': steady(day)},
        ("AlcorCertificateEnds", "AlcorCertificateEndsNow"),
    ),
    "credentials that never end": Case(
        WELL | {'alcor_credentials_end_timestamp_seconds{setting="nats_credentials"}': "Inf+0x30"}
    ),
    "credentials for ten days": Case(
        WELL
        | {'alcor_credentials_end_timestamp_seconds{setting="nats_credentials"}': steady(10 * day)},
        ("AlcorCredentialsEnd",),
    ),
    "credentials that can't be used": Case(
        WELL | {'alcor_credentials_end_timestamp_seconds{setting="nats_credentials"}': steady(0)},
        ("AlcorCredentialsEnd", "AlcorCredentialsEndNow"),
    ),
    "a tunnel conflict": Case(
        WELL | {"alcor_node_tunnel_conflicts_total": "0+0x20 1+0x9"}, ("AlcorTunnelConflict",)
    ),
    "Keystone does not answer": Case(
        WELL | {'alcor_keystone_checks_total{outcome="no_answer"}': GROWS}, ("AlcorKeystoneAway",)
    ),
    "Keystone refuses": Case(
        WELL | {'alcor_keystone_checks_total{outcome="refused"}': GROWS}
    ),
    "Nova": Case(WELL | {"alcor_nova_ports_waiting": steady(2)}, ("AlcorNovaBehind",)),
    "Designate": Case(
        WELL | {"alcor_designate_record_sets_waiting": steady(2)}, ("AlcorDesignateBehind",)
    ),
    "Placement": Case(
        WELL | {"alcor_placement_hosts_waiting": steady(2)}, ("AlcorPlacementBehind",)
    ),
    "a stranger writes flows": Case(
        WELL | {"alcor_agent_drift_entries": steady(1)}, ("AlcorAgentDrift",)
    ),
    "a stranger wrote flows": Case(WELL | {"alcor_agent_drift_entries": "0+0x25 1 1 0 0 0"}),
    "goal faults": Case(
        WELL | {"alcor_agent_goal_faults_total": "0+0x25 1+0x4"}, ("AlcorAgentGoalFaults",)
    ),
    "a switch that hangs": Case(
        WELL | {"alcor_agent_switch_away": steady(1)}, ("AlcorAgentSwitchAway",)
    ),
    "a switch that was started again": Case(WELL | {"alcor_agent_switch_away": "0+0x28 1 0"}),
    "a router outside that has died": Case(
        WELL | {"alcor_agent_gateways_down": steady(1)}, ("AlcorGatewayDown",)
    ),
    "a router outside that was started again": Case(
        WELL | {"alcor_agent_gateways_down": "0+0x28 1 0"}
    ),
    "a host's disk": Case(
        WELL | {"alcor_agent_goal_state_unsaved": steady(1)}, ("AlcorAgentUnsaved",)
    ),
    "a slow switch": Case(
        WELL | buckets("alcor_agent_apply_seconds", 'instance="h1",', 2, True),
        ("AlcorAgentApplySlow",),
    ),
    "punts": Case(
        WELL | {'alcor_agent_punts_total{kind="any",result="dropped"}': "0+600x30"},
        ("AlcorAgentPuntsDropped",),
    ),
}  # fmt: skip


def test_every_alert_has_a_case_in_which_it_fires() -> None:
    rules = yaml.safe_load(RULES.read_text())
    names = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}

    assert {alert for case in CASES.values() for alert in case.fire} == names


def group(name: str, case: Case) -> dict[str, Any]:
    """A case as promtool reads it."""
    fire = [
        {"labels": f'{{alertname="{alert}"}}', "value": case.fire.count(alert)}
        for alert in sorted(set(case.fire))
    ]
    asked = 'count by (alertname) (count_over_time(ALERTS{alertstate="firing"}[29m]))'
    series = [{"series": each, "values": values} for each, values in case.series.items()]
    return {
        "name": name,  # which it tells of a case that fails
        "interval": "1m",
        "input_series": series,
        "promql_expr_test": [{"expr": asked, "eval_time": "29m", "exp_samples": fire}],
    }


def test_alerts_fire_when_they_should(tmp_path: Path) -> None:
    groups = [group(name, case) for name, case in CASES.items()]
    told = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": groups}
    file = tmp_path / "test.yaml"
    file.write_text(yaml.safe_dump(told))
    assert PROMTOOL.exists(), "promtool is missing: run tools/setup"

    done = subprocess.run(
        [PROMTOOL, "test", "rules", file], capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 0, done.stdout + done.stderr
