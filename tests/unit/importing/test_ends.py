"""The ends of an import: what is asked again, and when a new token is fetched."""

from collections.abc import Sequence
from typing import Any

import pytest

from alcor.client.connection import Answer, Connection, Refused, Unreachable
from alcor.importing.ends import NotOffered, Source, Target, chunks
from alcor.managers.network.api import NETWORK

GONE = Unreachable("nobody answers")


def refused(status: int) -> Refused:
    return Refused(status, "Kind", "message", "req-1")


class Told(Connection):
    """Answers what it is told to, in turn, and keeps what it was asked."""

    def __init__(self, answers: Sequence[Any]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str, list[tuple[str, str]]]] = []

    def request(self, method: str, path: str, **how: Any) -> Answer:
        self.asked.append((method, path, list(how["query"])))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Answer(answer, "")

    def close(self) -> None:
        """There is nothing to close."""


class Scene:
    """A source or target whose connections, one a sign-in, answer these."""

    def __init__(self, *by_connection: Sequence[Any], kind: type[Source] = Source) -> None:
        self.connections = [Told(answers) for answers in by_connection]
        self.signed_in = 0
        self.pauses: list[float] = []
        self.end = kind(self._sign_in, self.pauses.append)

    def _sign_in(self) -> Connection:
        self.signed_in += 1
        return self.connections[self.signed_in - 1]


def page(*ids: str, more: bool = False) -> dict[str, Any]:
    links = {"networks_links": [{"rel": "next", "href": "http://elsewhere"}]} if more else {}
    return {"networks": [{"id": id_} for id_ in ids], **links}


def test_pages_go_on_from_the_last_item_while_a_link_says_so() -> None:
    scene = Scene([page("a", "b", more=True), page("c")])

    found = list(scene.end.pages(NETWORK, [("name", "x")]))

    assert [[each["id"] for each in some] for some in found] == [["a", "b"], ["c"]]
    second = scene.connections[0].asked[1][2]
    assert ("marker", "b") in second
    assert ("name", "x") in second


def test_a_limit_of_the_ends_own_cuts_no_answer_short() -> None:
    scene = Scene([page("a", more=True), page("b", more=True), page()])

    assert sorted(scene.end.by_ids(NETWORK, ["a", "b"])) == ["a", "b"]


def test_an_end_that_is_busy_is_asked_again_after_ever_longer_pauses() -> None:
    scene = Scene([refused(503), refused(429), refused(502), page("a")])

    assert scene.end.all(NETWORK) == [{"id": "a"}]
    assert scene.pauses == [1.0, 2.0, 4.0]


def test_an_end_that_was_there_is_waited_for_and_one_that_never_was_is_not() -> None:
    back = Scene([page("a"), GONE, GONE, page("b")])
    never = Scene([GONE])

    back.end.all(NETWORK)
    assert back.end.all(NETWORK) == [{"id": "b"}]
    assert back.pauses == [1.0, 2.0]
    with pytest.raises(Unreachable):
        never.end.all(NETWORK)
    assert never.pauses == []


def test_an_end_that_stays_away_ends_the_import() -> None:
    scene = Scene([page("a"), *[GONE] * 5])

    scene.end.all(NETWORK)
    with pytest.raises(Unreachable):
        scene.end.all(NETWORK)
    assert scene.pauses == [1.0, 2.0, 4.0, 8.0]


def test_a_token_that_has_ended_is_renewed_once() -> None:
    scene = Scene([page("a"), refused(401)], [page("b"), refused(401)], [refused(401)])

    assert scene.end.all(NETWORK) == [{"id": "a"}]
    assert scene.end.all(NETWORK) == [{"id": "b"}]
    assert scene.signed_in == 2
    with pytest.raises(Refused, match="message"):
        scene.end.all(NETWORK)
    assert scene.signed_in == 3


def test_a_collection_that_is_not_there_is_not_offered() -> None:
    with pytest.raises(NotOffered):
        Scene([refused(404)]).end.all(NETWORK)


def test_what_is_gone_already_is_deleted() -> None:
    scene = Scene([refused(404), refused(409)], kind=Target)
    assert isinstance(scene.end, Target)

    scene.end.delete(NETWORK, "a")
    with pytest.raises(Refused):
        scene.end.delete(NETWORK, "a")


def test_chunks_hold_everything_in_order() -> None:
    assert [list(each) for each in chunks([1, 2, 3, 4, 5], 2)] == [[1, 2], [3, 4], [5]]
