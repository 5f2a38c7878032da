"""The product as runs of others' tests start it: either shape does what it is told."""

from pathlib import Path
from typing import Any

import pytest
from acceptance.product import SHAPES, product


@pytest.mark.parametrize("shape", SHAPES)
def test_settings_of_a_run_reach_the_product(keystone: Any, tmp_path: Path, shape: str) -> None:
    more = {"ALCOR_NETWORK__TUNNEL_TYPE": "geneve"}

    with product(tmp_path, keystone, shape, more) as running:
        api = keystone.adapter(keystone.admin, running.endpoint)
        made = api.post("/v2.0/networks", json={"network": {"name": "blue"}}).json()

    assert made["network"]["provider:network_type"] == "geneve"
