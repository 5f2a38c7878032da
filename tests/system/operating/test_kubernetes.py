"""The Helm chart's manifests, carried out: each pod a network namespace, each container a process.

What is rendered is what runs: arguments, environment, files and probes. In Kubernetes' stead the
test gives addresses, names and Secrets, and starts again what has ended.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.fixtures.authority import Authority
from tests.fixtures.chart import container, rendered
from tests.system.conftest import of_this_checkout

from alcor.lab import namespaces
from alcor.lab.commands import ip_batch
from alcor.lab.layout import LabError
from alcor.lab.waiting import wait_until

pods = of_this_checkout("alcor-k8s")
node = f"{pods}-node"
start_s_max = 240.0
first_number = 10  # of the pods, in order of their start

VALUES: dict[str, Any] = {
    "auth": {"mode": "tokens", "tokensSecret": "tokens"},
    "postgresql": {"own": False, "urlSecret": "databases"},
    "nats": {"replicas": 3},
    "delivery": {"tlsSecret": "tls"},
}
TOKENS = """[[tokens]]
token = "a-long-token-of-the-test"
project_id = "p"
user_id = "u"
roles = ["admin"]
"""


def address_of(number: int) -> str:
    """A pod's."""
    return f"10.244.0.{number}"


class Pod:
    """One pod: a namespace with an address, and the process of its container."""

    def __init__(self, name: str, number: int, spec: Any, folder: Path, texts: Any) -> None:
        """`name` is the container's and the replica's, as in gateway-0."""
        self.name = name
        self.address = address_of(number)
        self._spec = spec
        self._folder = folder
        self._texts = texts
        self._namespace = f"{pods}-{number}"
        namespaces.create([self._namespace])
        lines = [f"link add pod{number} type veth peer name eth0 netns {self._namespace}"]
        ip_batch([*lines, f"link set pod{number} master pods up"], node)
        lines = [f"addr add {self.address}/24 dev eth0", "link set eth0 up", "link set lo up"]
        ip_batch(lines, self._namespace)
        self.start()

    def start(self) -> None:
        """Start the container, its output in a file."""
        program = [sys.executable, "-P", "-m", "alcor.cli.main"]
        if self._spec["name"] == "nats":
            program = [str(Path(sys.executable).with_name("nats-server"))]
        told = {e["name"]: self._value(e) for e in self._spec.get("env", [])}
        argv = [*program, *map(self._texts, self._spec["args"])]
        for name, value in told.items():
            argv = [each.replace(f"$({name})", value) for each in argv]
        argv = [self._texts(each) for each in argv]
        ours = {k: v for k, v in os.environ.items() if not k.startswith("ALCOR_")}
        with namespaces.inside(self._namespace), self.log.open("ab") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log, env=ours | told)

    @property
    def log(self) -> Path:
        return self._folder / f"{self.name}.log"

    def asked(self, probe: str) -> bool:
        """Whether the container answers its probe; who has ended is started again."""
        if self.process.poll() is not None:
            self.start()
        get = self._spec[probe]["httpGet"]
        (port,) = [p["containerPort"] for p in self._spec["ports"] if p["name"] == get["port"]]
        try:
            return self.ask("GET", get["path"], port)[0] == 200
        except (OSError, HTTPException):
            return False

    def ask(self, method: str, path: str, port: int, body: object = None) -> tuple[int, Any]:
        """One request, from the node."""
        with namespaces.inside(node):
            connection = HTTPConnection(self.address, port, timeout=30)
            try:
                text = None if body is None else json.dumps(body)
                headers = {"X-Auth-Token": "a-long-token-of-the-test"}
                connection.request(method, path, text, headers)
                answer = connection.getresponse()
                content = answer.read()
            finally:
                connection.close()
        is_json = answer.headers.get_content_type() == "application/json"
        return answer.status, json.loads(content) if is_json and content else content

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End the container; its exit status."""
        self.process.send_signal(how)
        return self.process.wait(60)

    def remove(self) -> None:
        """End the container and the pod."""
        if self.process.poll() is None:
            self.end(signal.SIGKILL)
        namespaces.remove([self._namespace])

    def _value(self, entry: Any) -> str:
        if "value" in entry:
            return str(self._texts(entry["value"]))
        if "fieldRef" in entry["valueFrom"]:
            assert entry["valueFrom"]["fieldRef"] == {"fieldPath": "metadata.name"}
            return f"demo-alcor-{self.name}"
        return self._secret(entry)

    def _secret(self, entry: Any) -> str:
        named: dict[str, str] = entry["valueFrom"]["secretKeyRef"]
        return (self._folder / named["name"] / named["key"]).read_text()


class Cluster:
    """All pods of the chart, with as many replicas as it says."""

    def __init__(self, folder: Path, database: str) -> None:
        documents = rendered(VALUES)
        authority = Authority(folder / "authority").files("delivery")
        secrets = {
            "databases": {"url": database},
            "tokens": {"tokens.toml": TOKENS},
            "tls": {
                "ca.crt": authority.authority.read_text(),
                "tls.crt": authority.certificate.read_text(),
                "tls.key": authority.key.read_text(),
            },
        }
        for name, files in secrets.items():
            (folder / name).mkdir()
            for key, text in files.items():
                (folder / name / key).write_text(text)
        self._places = {
            "/etc/alcor-tokens": str(folder / "tokens"),
            "/etc/alcor-tls": str(folder / "tls"),
            "/etc/alcor/": f"{folder}/",
            "/etc/nats/": f"{folder}/",
        }
        for replica in range(3):
            name = f"demo-alcor-nats-{replica}"
            self._places[f"{name}.demo-alcor-nats"] = address_of(first_number + replica)
        self.pods: dict[str, Pod] = {}
        self._folder = folder
        namespaces.create([node])
        lines = ["link add pods type bridge", "addr add 10.244.0.1/24 dev pods"]
        ip_batch([*lines, "link set pods up"], node)
        settings = documents["ConfigMap/demo-alcor-nats"]["data"]["nats.conf"]
        (folder / "nats.conf").write_text(self._placed({}, settings))
        self._run(documents["StatefulSet/demo-alcor-nats"])
        settings = documents["ConfigMap/demo-alcor"]["data"]["server.toml"]
        (folder / "server.toml").write_text(self._placed({}, settings))
        for role in ("managers", "delivery", "gateway"):
            self._run(documents[f"Deployment/demo-alcor-{role}"])

    def wait_until_ready(self) -> None:
        """Wait until every pod is; `AssertionError` with what they logged otherwise."""
        for pod in self.pods.values():
            try:
                wait_until(pod.name, partial(pod.asked, "readinessProbe"), start_s_max)
            except LabError as error:
                logs = [each.log.read_text()[-2000:] for each in self.pods.values()]
                raise AssertionError("\n".join([str(error), *logs])) from None

    def remove(self) -> None:
        """End all."""
        for pod in self.pods.values():
            pod.remove()
        namespaces.remove([node])

    def _run(self, document: Any) -> None:
        spec = container(document)
        for replica in range(document["spec"]["replicas"]):
            name = f"{spec['name']}-{replica}"
            number = first_number + len(self.pods)
            volume = {"/data": str(self._folder / name)}  # each has its own
            placed = partial(self._placed, volume)
            self.pods[name] = Pod(name, number, spec, self._folder, placed)

    def _placed(self, volume: dict[str, str], text: str) -> str:
        """The text with what Kubernetes would mount or resolve where it is here."""
        for there, here in (volume | self._places).items():
            text = text.replace(there, here)
        return text


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, postgres: Any) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    found = Cluster(folder, postgres.url(f"{uuid4().hex}_{{manager}}"))
    try:
        yield found
    finally:
        found.remove()


def test_the_manifests_run_and_a_rollout_fails_nobody(cluster: Cluster) -> None:
    cluster.wait_until_ready()
    first, second = cluster.pods["gateway-0"], cluster.pods["gateway-1"]

    status, made = first.ask("POST", "/v2.0/networks", 9696, {"network": {"name": "n"}})
    assert status == 201, made
    id_ = made["network"]["id"]
    assert second.ask("GET", f"/v2.0/networks/{id_}", 9696)[1]["network"]["name"] == "n"

    assert first.end() == 0  # SIGTERM: it drains, and the other answers meanwhile
    assert second.ask("GET", f"/v2.0/networks/{id_}", 9696)[0] == 200
    _, kept = cluster.pods["nats-0"].ask("GET", "/jsz?streams=true&config=true", 8222)
    streams = kept["account_details"][0]["stream_detail"]
    assert {each["config"]["num_replicas"] for each in streams} == {3}
    cluster.pods["nats-1"].end(signal.SIGKILL)
    assert cluster.pods["managers-0"].end() == 0
    cluster.wait_until_ready()
    status, made = first.ask("POST", "/v2.0/networks", 9696, {"network": {"name": "m"}})
    assert status == 201, made
    assert second.ask("GET", f"/v2.0/networks/{id_}", 9696)[0] == 200


def test_nobody_without_a_token_is_answered(cluster: Cluster) -> None:
    cluster.wait_until_ready()
    gateway = cluster.pods["gateway-0"]

    with namespaces.inside(node):
        connection = HTTPConnection(gateway.address, 9696, timeout=30)
        connection.request("GET", "/v2.0/networks")
        answer = connection.getresponse()
        connection.close()

    assert answer.status == 401
