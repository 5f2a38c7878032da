"""Write the reference pages that are generated from code; `make docs` runs this.

A test compares what this makes with what is committed.
"""

import importlib
import importlib.util
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import prometheus_client
from prometheus_client.registry import CollectorRegistry

import alcor
import alcor.managers
from alcor.agent.config import AgentConfig
from alcor.agent.metrics import Metrics
from alcor.agent.pipeline import page as pipeline_page
from alcor.assembly.config import Config
from alcor.goal_state import entries, slices
from alcor.resource.declaration import UNSET, Field, Resource
from alcor.resource.glossary import meaning
from alcor.runtime.config import settings_of

FOLDER = Path(__file__).parent.parent / "docs" / "reference"


def pages() -> dict[str, str]:
    """Every generated page: its file's name and its text."""
    return {
        "pipeline.md": pipeline_page.markdown(),
        "slices.md": _slices(),
        "metrics.md": _metrics(),
        "configuration.md": _configuration(),
        "api.md": _api(),
        "features.md": _features(),
    }


def _features() -> str:
    """What the system tests have recorded; `tests` is no package that can be installed."""
    path = FOLDER.parent.parent / "tests" / "fixtures" / "proofs.py"
    spec = importlib.util.spec_from_file_location("proofs", path)
    assert spec is not None
    assert spec.loader is not None
    proofs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(proofs)
    return str(proofs.page())


def _slices() -> str:
    lines = ["# Goal-state slices", "", "Generated from `src/alcor/goal_state/`.", ""]
    lines += [inspect.cleandoc(slices.__doc__ or ""), "", "## Entries", ""]
    for type_ in entries.GoalEntry.__args__:
        lines += [f"### {type_.__name__}", "", inspect.getdoc(type_) or "", ""]
        lines += [f"* `{name}`: {_type_name(t)}" for name, t in type_.__annotations__.items()]
        lines.append("")
    return "\n".join(lines)


def _type_name(type_: object) -> str:
    return (
        type_.__name__
        if isinstance(type_, type)
        else str(type_)
        .replace("alcor.values.addresses.", "")
        .replace("alcor.goal_state.entries.", "")
    )


def _metrics() -> str:
    # A metric is registered when its module is imported: all are, whatever came before.
    for module in pkgutil.walk_packages(alcor.__path__, "alcor."):
        importlib.import_module(module.name)
    lines = [
        "# Metrics",
        "",
        "Generated from the registries of the control plane and the agent.",
        "",
    ]
    for title, registry in (
        ("Control plane (`/metrics` of the API)", prometheus_client.REGISTRY),
        ("Agent (`metrics_listen`)", Metrics().registry),
    ):
        lines += [
            f"## {title}",
            "",
            "| metric | kind | labels | what it says |",
            "|---|---|---|---|",
        ]
        lines += sorted(_metric_rows(registry))
        lines.append("")
    return "\n".join(lines)


def _metric_rows(registry: CollectorRegistry) -> Iterator[str]:
    for collector in set(registry._collector_to_names):
        labels = ", ".join(getattr(collector, "_labelnames", ()))
        for metric in collector.describe() if hasattr(collector, "describe") else ():
            if metric.name.startswith("alcor_"):
                name = f"{metric.name}_total" if metric.type == "counter" else metric.name
                yield f"| `{name}` | {metric.type} | {labels} | {metric.documentation} |"


def _configuration() -> str:
    lines = ["# Configuration", "", "Generated from the settings' types.", ""]
    for title, type_ in (("`alcor up`", Config), ("`alcor agent`", AgentConfig)):
        lines += [f"## {title}", "", "| setting | environment | type | default | what it is |"]
        lines.append("|---|---|---|---|---|")
        for setting in settings_of(type_):
            default = "" if setting.default is msgspec.NODEFAULT else f"`{setting.default!r}`"
            lines.append(
                f"| `{setting.name}` | `{setting.environment}` | {setting.type} | {default} | "
                f"{setting.description} |"
            )
        lines.append("")
    return "\n".join(lines)


def resources() -> list[Resource]:
    """Every resource that a manager declares, by path."""
    found: dict[str, Resource] = {}
    for manager in pkgutil.iter_modules(alcor.managers.__path__):
        name = f"alcor.managers.{manager.name}.api"
        if importlib.util.find_spec(name) is not None:
            for value in vars(importlib.import_module(name)).values():
                if isinstance(value, Resource):
                    found[value.path] = value
    return [found[path] for path in sorted(found)]


def _api() -> str:
    lines = ["# Resources of the API", "", "Generated from the managers' declarations.", ""]
    for resource in resources():
        lines += [
            f"## `{resource.path}`",
            "",
            "| field | what it is | type | POST | PUT | default | filter | sort |",
        ]
        lines.append("|---|---|---|---|---|---|---|---|")
        lines += [_field_row(resource, field) for field in resource.fields]
        lines.append("")
    return "\n".join(lines)


def _field_row(resource: Resource, field: Field) -> str:
    post = "required" if field.required else "yes" if field.post else "-"
    default = "" if field.default is UNSET or not field.post else f"`{field.default!r}`"
    name = f"`{field.name}`" + (f" (`{field.alias}`)" if field.alias else "")
    cells = (
        name,
        meaning(resource.name, field.name),
        field.type.name.replace("|", "or"),
        post,
        "yes" if field.put else "the same" if field.kept else "-",
        default,
        "yes" if field.is_filter else "-",
        "yes" if field.is_sort_key else "-",
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text.rstrip() + "\n")
