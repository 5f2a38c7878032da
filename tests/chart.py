"""The Helm chart, rendered as Helm does: by its own engine, in a library."""

from pathlib import Path
from typing import Any

import helm_python
import yaml

CHART = Path(__file__).parents[1] / "deploy" / "helm" / "alcor"

# What an operator must say.
LEAST: dict[str, Any] = {
    "auth": {"keystone": {"url": "https://keystone.example:5000/v3", "passwordSecret": "service"}},
    "postgresql": {"passwordSecret": "database"},
    "delivery": {"tlsSecret": "delivery"},
}


def rendered(values: dict[str, Any]) -> dict[str, Any]:
    """The documents by kind and name, as in `Deployment/demo-alcor-gateway`."""
    with helm_python.Chart.load(CHART) as chart:
        chart.validate_schema(values)
        texts = chart.render(values, name="demo", namespace="net")
    documents = [
        document
        for name, text in texts.items()
        if not name.endswith(".txt")
        for document in yaml.safe_load_all(text)
        if document
    ]
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in documents}


def container(document: Any) -> Any:
    """The one container of a pod's template."""
    (found,) = document["spec"]["template"]["spec"]["containers"]
    return found
