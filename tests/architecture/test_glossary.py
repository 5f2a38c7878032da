"""People are told what every field of the API means."""

import pytest

from alcor.assembly.resources import declared
from alcor.resource.declaration import Resource
from alcor.resource.glossary import MEANINGS, meaning


@pytest.mark.parametrize("kind", declared(), ids=lambda kind: kind.name)
def test_every_field_of_a_kind_has_a_sentence(kind: Resource) -> None:
    fields = [*kind.fields, *(field for action in kind.actions for field in action.arguments)]

    silent = [field.name for field in fields if not meaning(kind.name, field.name)]

    assert not silent, f"say in alcor/resource/glossary.py what these fields mean: {silent}"


def test_no_sentence_is_about_a_field_that_is_gone() -> None:
    known = {field.name for kind in declared() for field in kind.fields}

    assert not MEANINGS.keys() - known
