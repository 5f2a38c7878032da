"""The links of a page to the page after and the page before, exactly as Neutron makes them.

Source: neutron.api.api_common.get_pagination_links. A full page has `next` (it may turn out
empty); a page has `previous` unless it was reached backwards and is short.
"""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode


class Link(NamedTuple):
    """Where a neighbouring page is."""

    rel: str  # "next" or "previous"
    href: str


def links(
    url: str,
    parameters: Sequence[tuple[str, str]],
    ids: Sequence[str],
    limit: int,
    *,
    reverse: bool,
) -> list[Link]:
    """Of the page that holds the resources `ids`, asked for at `url` with `parameters`."""
    kept = [(name, value) for name, value in parameters if name not in ("marker", "page_reverse")]
    short = len(ids) < limit
    found: list[Link] = []
    if reverse or not short:
        after = [("marker", ids[-1])] if ids else []
        found.append(Link("next", f"{url}?{urlencode(kept + after)}"))
    if not reverse or not short:
        before = [("marker", ids[0])] if ids else []
        backwards = [("page_reverse", "True")]
        found.append(Link("previous", f"{url}?{urlencode(kept + before + backwards)}"))
    return found
