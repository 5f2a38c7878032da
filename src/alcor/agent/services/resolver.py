"""The resolver that machines are told: the network's own names, and others' by asking further.

Each host answers its own machines, under one address that is the same everywhere. Of a network
that is held lazily it looks for what is asked first.
"""

from collections.abc import Callable, Iterable

from alcor.agent.metrics import Metrics
from alcor.agent.model.model import HostModel
from alcor.agent.packets.dns import (
    Code,
    Question,
    build_answer,
    build_refusal,
    fitted,
    parse_question,
)
from alcor.agent.packets.ipv4 import Malformed
from alcor.agent.services import answers
from alcor.agent.services.forwarder import Forwarder
from alcor.agent.services.zones import Zones
from alcor.goal_state.entries import Network
from alcor.goal_state.slices import found_slice

Say = Callable[[bytes], None]
LookFor = Callable[[Iterable[str], int, Callable[[bool], None]], None]  # for a port: `Seeker`'s


class Resolver:
    """Answers DNS questions of machines."""

    def __init__(
        self, model: HostModel, forwarder: Forwarder, look_for: LookFor, metrics: Metrics
    ) -> None:
        self._zones = Zones(model)
        self._forwarder, self._look_for, self._metrics = forwarder, look_for, metrics

    def ask(
        self,
        data: bytes,
        network: Network,
        number: int,
        say: Say,
        *,
        size_max: int | None = None,
    ) -> None:
        """Answer a question of a machine of this network, whose port has this number, by calling
        `say`, at once or later.

        `size_max` (bytes) is for who asks by TCP; by UDP the question itself says it.
        """
        try:
            question = parse_question(data)
        except Malformed:
            refusal = build_refusal(data, Code.FORMAT_ERROR)
            self._count("malformed")
            if refusal is not None:
                say(refusal)
            return
        wanted = answers.wanted(question, self._zones.zone(network)) if network.lazy else ()
        names = [found_slice(network.id, each) for each in wanted]

        def answer(is_known: bool) -> None:
            self._answer(question, network, number, say, size_max, is_known=is_known)

        if names:
            self._look_for(names, number, answer)
        else:
            answer(True)

    def _answer(
        self,
        question: Question,
        network: Network,
        number: int,
        say: Say,
        size_max: int | None,
        *,
        is_known: bool,
    ) -> None:
        answer = answers.answer(question, self._zones.zone(network), size_max)
        if answer is not None and not is_known:
            self._count("failed")
            say(build_answer(question, Code.SERVER_FAILURE))
        elif answer is not None:
            self._count("answered")
            say(answer)
        elif self._forwarder.knows_resolvers:
            self._ask_further(question, number, say, size_max)
        else:
            self._count("refused")
            say(build_answer(question, Code.REFUSED))

    def _ask_further(self, question: Question, number: int, say: Say, size_max: int | None) -> None:
        def reply(answer: bytes | None) -> None:
            if answer is None:
                self._count("failed")
                say(build_answer(question, Code.SERVER_FAILURE))
            else:
                self._count("forwarded")
                say(fitted(question, answer, size_max))

        self._forwarder.ask(question, number, reply, whole=size_max is not None)

    def _count(self, result: str) -> None:
        self._metrics.punts.labels("dns", result).inc()
