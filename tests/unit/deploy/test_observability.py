"""Alerts and the dashboard ask for metrics that exist, in words that Prometheus understands."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

ROOT = Path(__file__).parents[3]
ALERTS = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/observability/alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((ROOT / "deploy/observability/dashboard.json").read_text())
METRICS = (ROOT / "docs/reference/metrics.md").read_text()  # made from the code; a test says so
RUNBOOKS = (ROOT / "docs/runbooks.md").read_text()


def queries() -> Iterator[Any]:
    for rule in ALERTS:
        yield pytest.param(rule["expr"], id=rule["alert"])
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", []):
            text = target["expr"].replace("$__rate_interval", "5m")
            yield pytest.param(text, id=panel["title"])


@pytest.mark.parametrize("query", list(queries()))
def test_a_query_can_be_asked_and_names_what_there_is(query: str) -> None:
    promql_parser.parse(query)

    asked = set(re.findall(r"\balcor_[a-z_]+", query))
    assert asked
    for name in asked:
        plain = re.sub(r"_(bucket|count|sum)$", "", name)
        assert f"| `{plain}` |" in METRICS, name


def labels_of(metric: str) -> set[str]:
    """The labels of a metric, and those that Prometheus gives to all."""
    plain = re.sub(r"_(bucket|count|sum)$", "", metric)
    (row,) = [line for line in METRICS.splitlines() if line.startswith(f"| `{plain}` |")][:1]
    buckets = {"le"} if metric.endswith("_bucket") else set()
    return {*row.split("|")[3].replace(",", " ").split(), "instance", "job"} | buckets


@pytest.mark.parametrize("query", list(queries()))
def test_a_query_asks_for_labels_that_its_metrics_have(query: str) -> None:
    for metric, matchers in re.findall(r"\b(alcor_[a-z_]+)\{([^}]*)\}", query):
        assert set(re.findall(r"(\w+)\s*[!=]~?\s*\"", matchers)) <= labels_of(metric), metric
    metrics = re.findall(r"\balcor_[a-z_]+", query)
    grouped = {name for by in re.findall(r"by \(([^)]*)\)", query) for name in by.split(", ")}
    assert grouped <= {label for metric in metrics for label in labels_of(metric)}


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: str(rule["alert"]))
def test_an_alert_names_labels_that_its_series_have(rule: Any) -> None:
    named = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
    metrics = re.findall(r"\balcor_[a-z_]+", rule["expr"])
    grouped = re.findall(r"(?:sum|count|max) by \(([^)]*)\)", rule["expr"])
    left = set(grouped[0].split(", ")) if grouped else labels_of(metrics[0])
    assert named <= left


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_what_is_the_matter_and_leads_to_a_runbook(rule: Any) -> None:
    assert rule["annotations"]["summary"]
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["runbook_url"] == f"docs/runbooks.md#{rule['alert'].lower()}"
    assert f"\n## {rule['alert']}\n" in RUNBOOKS


def test_there_is_no_runbook_without_its_alert() -> None:
    assert re.findall(r"^## (\w+)$", RUNBOOKS, re.M) == [rule["alert"] for rule in ALERTS]


def test_panels_do_not_cover_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_metric_is_on_a_panel() -> None:
    """But for an agent's position: alone it says nothing, and `alcor_unapplied_seconds` says it."""
    shown = " ".join(target["expr"] for p in DASHBOARD["panels"] for target in p.get("targets", []))
    there = set(re.findall(r"^\| `(alcor_\w+)` \|", METRICS, re.M))

    assert {name for name in there if name not in shown} == {"alcor_agent_revision"}


def test_panels_are_what_grafana_reads() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        if panel["type"] == "row":
            continue
        assert panel["type"] in ("timeseries", "stat")
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        references = [target["refId"] for target in panel["targets"]]
        assert len(references) == len(set(references))
        for target in panel["targets"]:  # a legend names labels that the query leaves
            left = re.findall(r"by \(([^)]*)\)", target["expr"])
            named = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            assert not left or named <= {name for by in left for name in by.split(", ")}
