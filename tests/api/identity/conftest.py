"""A real Keystone, and a control plane in this process that asks it at every request."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import pytest
from acceptance.keystone import Account, Keystone

from alcor.gateway.app import GatewaySettings
from alcor.integrations.keystone.settings import KeystoneSettings


class People(NamedTuple):
    """Accounts: two projects, with everybody who may ask something of the first."""

    admin: Account
    member: Account
    reader: Account
    stranger: Account  # a member of another project
    nova: Account  # admin and service, as compute services are
    service: Account  # service only
    nobody: Account  # of the project, with a role that no rule names


@pytest.fixture(scope="session")
def keystone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keystone]:
    with Keystone(tmp_path_factory.mktemp("keystone")) as one:
        yield one


@pytest.fixture(scope="session")
def people(keystone: Keystone) -> People:
    return People(
        admin=keystone.admin,
        member=keystone.user("mary", "blue", ["member", "reader"]),
        reader=keystone.user("rita", "blue", ["reader"]),
        stranger=keystone.user("steve", "red", ["member", "reader"]),
        nova=keystone.user("nova", "service", ["admin", "service"]),
        service=keystone.user("octavia", "service", ["service"]),
        nobody=keystone.user("nemo", "blue", ["bystander"]),
    )


@pytest.fixture(scope="session")
def asking(
    keystone: Keystone,
    control_plane: Callable[..., AbstractContextManager[Any]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Any]:
    """A control plane that trusts no token longer than one request, and asks again at once."""
    folder = tmp_path_factory.mktemp("asking")
    password = folder / "password"
    password.write_text(keystone.service.password)
    settings = KeystoneSettings(
        auth_url=keystone.url, password_file=str(password), fresh_s=0.0, retry_s=0.0
    )
    with control_plane(folder, GatewaySettings(), auth="keystone", keystone=settings) as api:
        yield api


@pytest.fixture(scope="session")
def api_as(asking: Any, keystone: Keystone) -> Callable[[Account], Any]:
    """The API as one of the people."""
    token_by_name: dict[str, str] = {}

    def one(account: Account) -> Any:
        if account.name not in token_by_name:
            token_by_name[account.name] = keystone.token(account)
        return asking.bearing(token_by_name[account.name])

    return one
