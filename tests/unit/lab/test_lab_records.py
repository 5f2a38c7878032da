"""What a lab remembers, and what a lease says."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from alcor.cli.main import app
from alcor.lab.layout import LabError, Layout
from alcor.lab.record import (
    LabRecord,
    Machine,
    forget_machine,
    load_lab,
    load_machine,
    load_machines,
    save_lab,
    save_machine,
)
from alcor.lab.traffic.dhcp import lease_of, lease_path, parse_lease

LEASE = """address=10.0.0.5
length=24
server=10.0.0.1
lease_s=86400
mtu=1450
routers=10.0.0.1
dns=1.1.1.1 9.9.9.9
routes=0.0.0.0/0 10.0.0.1
domain=openstacklocal
hostname=
"""


def machine(name: str) -> Machine:
    return Machine(
        name=name, port_id=name, mac="fa:16:3e:00:00:01", host=1, addresses=["10.0.0.5", "fd00::5"]
    )


def test_a_lab_is_remembered(tmp_path: Path) -> None:
    lab = Layout("x", tmp_path)
    record = LabRecord(hosts=3, endpoint="http://127.0.0.1:1", agents_target="127.0.0.1:2")

    save_lab(lab, record)

    assert load_lab(lab) == record


def test_a_lab_that_was_never_made_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="alcor lab up"):
        load_lab(Layout("x", tmp_path))


def test_the_other_labs_are_named_beside_one_and_in_place_of_one(tmp_path: Path) -> None:
    def status(name: str) -> Result:
        words = ["lab", "status", "--name", name]
        return CliRunner().invoke(app, words, env={"ALCOR_LAB_DIR": str(tmp_path)})

    for name in ("mine", "theirs"):
        record = LabRecord(hosts=0, endpoint="http://127.0.0.1:1", agents_target="127.0.0.1:2")
        (tmp_path / name).mkdir()
        save_lab(Layout(name, tmp_path / name), record)

    assert re.search("other labs here: .*theirs", status("mine").stdout)
    assert re.search("no lab 'x'.* here are: .*mine.*theirs", str(status("x").exception))


def test_machines_come_in_the_order_that_people_count(tmp_path: Path) -> None:
    lab = Layout("x", tmp_path)

    for name in ("vm10", "vm2", "web", "vm1"):
        save_machine(lab, machine(name))

    assert [m.name for m in load_machines(lab)] == ["vm1", "vm2", "vm10", "web"]


def test_a_machine_that_is_gone_leaves_no_lease(tmp_path: Path) -> None:
    lab = Layout("x", tmp_path)
    save_machine(lab, machine("vm1"))
    lease_path(lab, machine("vm1")).write_text(LEASE)

    forget_machine(lab, "vm1")

    assert list(lab.machines_folder.iterdir()) == []
    with pytest.raises(LabError):
        load_machine(lab, "vm1")


def test_a_machine_has_an_address_of_each_family() -> None:
    assert machine("vm1").address(4) == "10.0.0.5"
    assert machine("vm1").address(6) == "fd00::5"
    assert Machine(name="a", port_id="a", mac="", host=1).address(6) == ""


def test_a_lease_is_what_the_script_wrote(tmp_path: Path) -> None:
    lease = parse_lease(LEASE)

    assert (lease.address, lease.length, lease.lease_s) == ("10.0.0.5", 24, 86400)
    assert lease.dns == "1.1.1.1 9.9.9.9"
    assert lease_of(Layout("x", tmp_path), machine("vm1")) is None
