"""The pipeline's declaration keeps its own laws."""

import pytest

from alcor.agent.pipeline import page as pipeline_page
from alcor.agent.pipeline import pipeline as p
from alcor.agent.pipeline.stages import Phase, Stage, number


def test_every_stage_has_its_own_table_and_leads_forward() -> None:
    tables = [stage.table for stage in p.STAGES]

    assert tables == sorted(set(tables))
    for stage in p.STAGES:
        assert all(p.STAGE_BY_NAME[name].table > stage.table for name in stage.next)


def test_every_table_is_known_by_the_name_of_its_stage() -> None:
    for stage in p.STAGES:
        assert getattr(p, stage.name) == stage.table


def test_a_register_is_set_before_it_is_read() -> None:
    known: set[str] = set()
    for stage in p.STAGES:
        assert known.issuperset(stage.reads), stage.name
        known.update(stage.writes)
    assert known == set(p.registers)


def test_a_way_back_is_refused() -> None:
    looping = Phase(0, (Stage("A", "", next=("B",)), Stage("B", "", next=("A",))))

    with pytest.raises(ValueError, match="go back"):
        number((looping,))


def test_every_stage_says_what_a_miss_means() -> None:
    assert all(stage.miss_means for stage in p.STAGES)


def test_the_page_names_every_stage_and_register() -> None:
    page = pipeline_page.markdown()

    assert all(f"| {stage.table} | {stage.name} |" in page for stage in p.STAGES)
    assert all(f"`{name}`" in page for name in p.registers)
