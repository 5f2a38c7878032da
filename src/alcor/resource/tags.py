"""Tags: short texts by which clients find resources again. Pure.

Every kind that has a field `tags` takes them and the four filters by them, whatever its manager.
Source: Neutron API reference v2, "Tags"; neutron.extensions.tagging.
"""

from collections.abc import Sequence

from alcor.contracts.resources import TAG_FILTERS, Filter
from alcor.resource.fields import FieldType, list_of, shown, string
from alcor.values.errors import BadRequest, InvalidInput, NotFound

TAGS = "tags"
tags_max = 50  # of one resource
tag_chars_max = 255


class TagNotFound(NotFound):
    """The resource has no such tag."""

    def __init__(self, tag: str) -> None:
        super().__init__(f"Tag {tag[:tag_chars_max]} could not be found.")


class TooManyTags(BadRequest):
    """More than a resource may have."""

    def __init__(self) -> None:
        super().__init__(
            f"The number of tags exceed the per-resource limit of {tags_max}.", type="BadRequest"
        )


def _parse_tag(value: object) -> object:
    text = string(tag_chars_max).parse(value)
    if not text or "," in str(text):  # a comma separates them in filters
        raise ValueError(f"{shown(value)} is not a valid tag")
    return text


TAG = FieldType(
    "tag",
    _parse_tag,
    schema={"type": "string", "minLength": 1, "maxLength": tag_chars_max, "pattern": "^[^,]*$"},
)
TAG_LIST = list_of(TAG, tags_max, too_many=TooManyTags)


def checked_tag(text: str) -> str:
    """One tag of a path; `InvalidInput` otherwise."""
    return checked_tags([text])[0]


def checked_tags(value: object) -> list[str]:
    """All tags that a resource shall have, in order and none twice; `InvalidInput` otherwise."""
    try:
        return [str(tag) for tag in _list_of_tags(value)]
    except ValueError as error:
        raise InvalidInput(f"Invalid input for operation: {error}.") from None


def filters_of(name: str, texts: Sequence[str]) -> list[Filter]:
    """The condition that a filter by tags means: its values are separated by commas."""
    assert name in TAG_FILTERS
    tags = [tag for text in texts for tag in text.split(",")]
    return [Filter(name, tuple(dict.fromkeys(tags)))]


def _list_of_tags(value: object) -> list[object]:
    parsed = TAG_LIST.parse(value)
    assert isinstance(parsed, list)
    return parsed
