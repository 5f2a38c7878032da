"""`python -m acceptance.horizon`: a real Horizon before the product, walked as users walk it.

Exit status: 0 when every step passed, 1 when one did not, 2 when the walk could not be made. Logs
stay in `.acceptance/horizon`.
"""

import secrets
import shutil
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

from acceptance.environments import WORK, AcceptanceError
from acceptance.horizon import admin_steps, steps
from acceptance.horizon.browser import Browser, WalkError
from acceptance.horizon.compute import compute
from acceptance.horizon.dashboard import dashboard
from acceptance.horizon.steps import Users
from acceptance.hosts import hosts
from acceptance.keystone import Account, Keystone
from acceptance.networking import default_pools, external_network
from acceptance.product import product

WALK: tuple[Callable[[Users], None], ...] = (
    steps.create_network,
    steps.edit_network,
    steps.add_subnets,
    steps.edit_subnet,
    steps.create_port,
    steps.edit_port,
    steps.allow_addresses,
    steps.create_router,
    steps.move_gateway,
    steps.create_group,
    steps.allocate_address,
    steps.forward_ports,
    steps.draw_topology,
    steps.trunk,
    steps.quality,
    admin_steps.look_at_routers,
    admin_steps.look_at_agents,
    admin_steps.limit,
    admin_steps.discover,
    admin_steps.allocate_for,
    admin_steps.create_provider_networks,
    admin_steps.refuse_type,
    admin_steps.use_provider_network,
    admin_steps.share,
    steps.delete_all,
    admin_steps.delete_all,
)


def main() -> int:
    """Every step, in order; those that fail don't end the walk."""
    folder = WORK / "horizon"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = monotonic()
    try:
        failed = _walked(folder)
    except AcceptanceError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    passed, seconds = len(WALK) - failed, monotonic() - began
    _say(f"{passed} passed, {failed} failed in {seconds:.0f} s; logs in {WORK.name}/horizon")
    return 1 if failed else 0


def _walked(folder: Path) -> int:
    with ExitStack() as stack:
        keystone = stack.enter_context(Keystone(folder / "keystone"))
        running = stack.enter_context(product(folder / "product", keystone))
        keystone.publish(running.endpoint)
        servers = stack.enter_context(compute())
        keystone.publish(servers.endpoint, "nova", "compute")
        stack.enter_context(hosts(folder, running, keystone, 1))
        api = keystone.adapter(keystone.admin, running.endpoint)
        external_network(api)
        default_pools(api)
        member = keystone.user("alice", "blue", ("member",))
        keystone.project("red")
        front = dashboard(folder / "dashboard", keystone, secrets.token_hex(32))
        url = stack.enter_context(front).url
        admin = _signed_in(url, keystone.admin)
        users = Users(_signed_in(url, member), admin, servers, host="h1")
        return sum(not _passed(step, users) for step in WALK)


def _signed_in(url: str, account: Account) -> Browser:
    browser = Browser(url)
    page = browser.get(url)
    words = {"username": account.name, "password": account.password}
    browser.submit(page, page.form("username"), **words)
    return browser


def _passed(step: Callable[[Users], None], users: Users) -> bool:
    name = f"{step.__module__.rpartition('.')[2]}.{step.__name__}"
    try:
        step(users)
    except WalkError as error:
        _say(f"failed: {name}: {error}")
        return False
    _say(f"passed: {name}")
    return True


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
