"""The resolver that machines are told: the network's own names, and others' by asking further.

Each host answers its own machines, under one address that is the same everywhere.
"""

from collections.abc import Callable

from alcor.agent.metrics import Metrics
from alcor.agent.model import HostModel
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

Say = Callable[[bytes], None]


class Resolver:
    """Answers DNS questions of machines."""

    def __init__(self, model: HostModel, forwarder: Forwarder, metrics: Metrics) -> None:
        self._zones, self._forwarder, self._metrics = Zones(model), forwarder, metrics

    def ask(self, data: bytes, network: Network, say: Say, *, size_max: int | None = None) -> None:
        """Answer a question of a machine of this network by calling `say`, at once or later.

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
        answer = answers.answer(question, self._zones.zone(network), size_max)
        if answer is not None:
            self._count("answered")
            say(answer)
        elif self._forwarder.knows_resolvers:
            self._ask_further(question, say, size_max)
        else:
            self._count("refused")
            say(build_answer(question, Code.REFUSED))

    def _ask_further(self, question: Question, say: Say, size_max: int | None) -> None:
        def reply(answer: bytes | None) -> None:
            if answer is None:
                self._count("failed")
                say(build_answer(question, Code.SERVER_FAILURE))
            else:
                self._count("forwarded")
                say(fitted(question, answer, size_max))

        self._forwarder.ask(question, reply, whole=size_max is not None)

    def _count(self, result: str) -> None:
        self._metrics.punts.labels("dns", result).inc()
