"""A region of many processes on this machine: PostgreSQL, NATS, managers, delivery, two gateways.

    .venv/bin/python tools/served.py     runs until Ctrl-C; `--help` says what can be chosen

The servers are real ones, on sockets and ports of their own; the second manager process waits to
take over. Kill any of the processes and see: who ends is started again. Once the region answers,
the lab's demo is run on it (as root): three hosts, twenty ports in one call, leases, pings.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from socket import create_server

from alcor.client.api import Api

root = Path(__file__).resolve().parent.parent
bin_ = root / ".venv" / "bin"
Argv = list[str | Path]
stop_s_max = 30.0


def main() -> None:
    """Start everything, watch it, stop it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", default="/var/tmp/alcor-served", help="what it keeps")
    parser.add_argument("--listen", default="127.0.0.1:9696", help="where gateways answer")
    parser.add_argument("--agents-listen", default="127.0.0.1:9697", help="where hosts connect")
    parser.add_argument("--nats-servers", type=int, choices=(1, 3), default=1, help="of a cluster")
    options = parser.parse_args()
    api, agents = options.listen, options.agents_listen
    for address in (api, agents):
        check_free(address)
    folder = Path(options.folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    running: dict[str, subprocess.Popen[bytes]] = {}
    client = Api(f"http://{api}")
    nats = ["nats"] if options.nats_servers == 1 else ["nats-1", "nats-2", "nats-3"]
    commands = servers(folder, nats) | roles(folder, api, agents, nats)
    has_shown = os.getuid() != 0
    try:
        while True:
            for name, argv in commands.items():
                held = running.get(name)
                if held is not None and held.poll() is not None:
                    say(f"{name} has ended: {last_told(folder, name)}")
                if held is None or held.poll() is not None:
                    running[name] = start(folder, name, argv)
                    say(f"{name} started (its log: {folder / name}.log)")
            time.sleep(1)
            if not has_shown and client.answers():
                has_shown = True
                argv = [bin_ / "alcor", "lab", "demo", "--name", "served"]
                argv += ["--endpoint", f"http://{api}", "--agents-target", agents]
                subprocess.run(argv, check=False)
                say(f"the region stays up at http://{api} until Ctrl-C")
    except (KeyboardInterrupt, SystemExit):
        say("stopping")
    finally:
        for process in reversed(running.values()):
            stop(process)


def servers(folder: Path, nats: list[str]) -> dict[str, Argv]:
    """PostgreSQL (as its own user, when this is root) and NATS, one server or a cluster."""
    found = list(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        sys.exit("served: PostgreSQL is not installed: run `make setup`")
    programs = max(found, key=lambda program: float(program.parts[-3])).parent
    data = folder / "postgres"
    user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    user = user if os.getuid() == 0 else []
    if not (data / "PG_VERSION").exists():
        data.mkdir(exist_ok=True)
        if user:
            shutil.chown(data, "postgres", "postgres")
        initdb: Argv = [*user, programs / "initdb", "-D", data]
        options = ["-U", "alcor", "-A", "trust", "--no-locale"]
        subprocess.run([*initdb, *options], check=True, stdout=subprocess.DEVNULL, cwd="/")
    postgres: Argv = [*user, programs / "postgres", "-D", data, "-k", data]
    postgres += ["-c", "listen_addresses=", "-c", "max_connections=200"]
    return {"postgresql": postgres} | {name: nats_server(folder, name, nats) for name in nats}


def nats_server(folder: Path, name: str, all_of_them: list[str]) -> Argv:
    """One server, which finds the others if there are any."""
    argv: Argv = [bin_ / "nats-server", "-a", "127.0.0.1", "-p", port(folder, name), "-js"]
    argv += ["-sd", folder / name]
    if len(all_of_them) > 1:
        settings = folder / "nats.conf"
        settings.write_text('ping_interval: "5s"\n')
        route_by_name = {n: f"nats://127.0.0.1:{port(folder, f'{n}-route')}" for n in all_of_them}
        argv += ["-c", settings, "-n", name, "--cluster_name", "alcor"]
        argv += ["--cluster", route_by_name[name], "--routes", ",".join(route_by_name.values())]
    return argv


def check_free(address: str) -> None:
    """End here when somebody else listens."""
    host, _, port = address.rpartition(":")
    try:
        create_server((host, int(port))).close()
    except OSError as problem:
        why = os.strerror(problem.errno or 0)
        sys.exit(f"served: {address}: {why}; choose by --listen and --agents-listen")


def roles(folder: Path, api: str, agents: str, nats: list[str]) -> dict[str, Argv]:
    """Alcor's own processes."""
    settings = folder / "server.toml"
    urls = ",".join(f"nats://127.0.0.1:{port(folder, name)}" for name in nats)
    settings.write_text(
        f'listen = "{api}"\n[agents]\nlisten = "{agents}"\n'
        f'[served]\nnats = "{urls}"\n'
        f'postgres = "postgresql://alcor@/alcor_{{manager}}?host={folder / "postgres"}"\n'
    )
    serve: Argv = [bin_ / "alcor", "serve", "--config", settings]
    return {
        "managers": [*serve, "managers"],
        "managers-waiting": [*serve, "managers"],
        "delivery": [*serve, "delivery"],
        "gateway-1": [*serve, "gateway"],
        "gateway-2": [*serve, "gateway"],
    }


def port(folder: Path, name: str) -> str:
    """A port of its own, the same at every start of the folder."""
    kept = folder / f"{name}.port"
    if not kept.exists():
        with create_server(("127.0.0.1", 0)) as door:
            kept.write_text(str(door.getsockname()[1]))
    return kept.read_text()


def start(folder: Path, name: str, argv: Argv) -> "subprocess.Popen[bytes]":
    """One process, in a session of its own, with a log."""
    with (folder / f"{name}.log").open("ab") as log:
        return subprocess.Popen(argv, stdout=log, stderr=log, cwd="/", start_new_session=True)


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End it; one that does not is killed."""
    process.terminate()
    try:
        process.wait(stop_s_max)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def last_told(folder: Path, name: str) -> str:
    """The last line of a process's log."""
    lines = (folder / f"{name}.log").read_text(errors="replace").splitlines()
    return lines[-1] if lines else "it said nothing"


def say(text: str) -> None:
    """For whoever watches."""
    sys.stderr.write(f"served: {text}\n")


if __name__ == "__main__":
    main()
