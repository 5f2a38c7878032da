"""Nova's fake compute driver, with interfaces: they are plugged in as its libvirt driver does it.

Runs inside nova-compute, in Nova's environment. Machines have nothing but interfaces, each a
namespace of the lab. os-vif makes an interface's port on the switch first; its device comes when
the machine does, by `plug.py` in the environment that has the lab, and goes with it before the
port: so it is with every os-vif. That newer ones make a tap themselves when the port says
`ovs_create_tap` counts in live migrations only. What is waited for, and when, is as in Nova's
libvirt driver.
"""

import os
import subprocess
from typing import Any

import nova.conf
import os_vif
from nova import exception
from nova.network import os_vif_util
from nova.network.model import VIF_DETAILS_OVS_CREATE_TAP
from nova.virt import fake, node
from vif_plug_ovs import privsep

CONF = nova.conf.CONF


class NetworkedDriver(fake.FakeDriver):  # type: ignore[misc]
    """A host whose machines are interfaces."""

    def init_host(self, host: str) -> None:
        super().init_host(host)
        privsep.vif_plug.set_client_mode(False)  # it is root already
        os_vif.initialize()

    def get_available_resource(self, nodename: str) -> dict[str, Any]:
        found: dict[str, Any] = super().get_available_resource(nodename)
        return found | {"uuid": node.get_local_node_uuid()}  # the fake forgets its own

    def get_nodenames_by_uuid(self, refresh: bool = False) -> dict[str, str]:
        return {node.get_local_node_uuid(): name for name in self.get_available_nodes()}

    def plug_vifs(self, instance: Any, network_info: Any) -> None:
        for vif in network_info or ():
            os_vif.plug(*_told(instance, vif))

    def unplug_vifs(self, instance: Any, network_info: Any) -> None:
        for vif in network_info or ():
            _device("off", CONF.host, vif)
            os_vif.unplug(*_told(instance, vif))

    def spawn(
        self,
        context: Any,
        instance: Any,
        image_meta: Any,
        injected_files: Any,
        admin_password: Any,
        allocations: Any,
        network_info: Any = None,
        **how: Any,
    ) -> None:
        self._plug_and_wait(instance, network_info)
        super().spawn(
            context, instance, image_meta, injected_files, admin_password, allocations,
            network_info=network_info, **how,
        )  # fmt: skip

    def destroy(
        self, context: Any, instance: Any, network_info: Any, *how: Any, **more: Any
    ) -> None:
        super().destroy(context, instance, network_info, *how, **more)
        self.unplug_vifs(instance, network_info)

    def cleanup(
        self, context: Any, instance: Any, network_info: Any, *how: Any, **more: Any
    ) -> None:
        super().cleanup(context, instance, network_info, *how, **more)
        self.unplug_vifs(instance, network_info)

    def attach_interface(self, context: Any, instance: Any, image_meta: Any, vif: Any) -> None:
        super().attach_interface(context, instance, image_meta, vif)
        self.plug_vifs(instance, [vif])
        _device("on", CONF.host, vif)

    def detach_interface(self, context: Any, instance: Any, vif: Any) -> None:
        self._interfaces.setdefault(vif["id"], vif)  # it came with a move, which the fake forgets
        super().detach_interface(context, instance, vif)
        self.unplug_vifs(instance, [vif])

    def migrate_disk_and_power_off(
        self, context: Any, instance: Any, dest: Any, flavor: Any, network_info: Any, *how: Any,
        **more: Any,
    ) -> None:  # fmt: skip
        self.unplug_vifs(instance, network_info)

    def finish_migration(
        self, context: Any, migration: Any, instance: Any, disk_info: Any, network_info: Any,
        *how: Any, **more: Any,
    ) -> None:  # fmt: skip
        self._plug_and_wait(instance, network_info)
        super().finish_migration(
            context, migration, instance, disk_info, network_info, *how, **more
        )

    def finish_revert_migration(
        self, context: Any, instance: Any, network_info: Any, *how: Any, **more: Any
    ) -> None:
        self._plug_and_wait(instance, network_info)
        super().finish_revert_migration(context, instance, network_info, *how, **more)

    def pre_live_migration(
        self, context: Any, instance: Any, block_device_info: Any, network_info: Any,
        disk_info: Any, migrate_data: Any,
    ) -> Any:  # fmt: skip
        there = [vif.get_dest_vif() for vif in migrate_data.vifs]
        self.plug_vifs(instance, there)
        for vif in there:
            if vif["details"].get(VIF_DETAILS_OVS_CREATE_TAP):
                _device("on", CONF.host, vif)
        return migrate_data

    def live_migration(
        self, context: Any, instance: Any, dest: str, *how: Any, **more: Any
    ) -> None:
        for vif in instance.get_network_info():
            _device("on", dest, vif)
        super().live_migration(context, instance, dest, *how, **more)

    def post_live_migration_at_source(self, context: Any, instance: Any, network_info: Any) -> None:
        self.unplug_vifs(instance, network_info)

    def rollback_live_migration_at_destination(
        self, context: Any, instance: Any, network_info: Any, *how: Any, **more: Any
    ) -> None:
        self.unplug_vifs(instance, network_info)

    def _plug_and_wait(self, instance: Any, network_info: Any) -> None:
        silent = [vif for vif in network_info or () if vif.get("active", True) is False]
        events = [("network-vif-plugged", vif["id"]) for vif in silent]
        try:
            with self.virtapi.wait_for_instance_event(
                instance, events, timeout=CONF.vif_plugging_timeout, error_callback=_refused
            ):
                self.plug_vifs(instance, network_info)
                for vif in network_info or ():
                    _device("on", CONF.host, vif)
        except exception.InstanceEventTimeout:
            self.unplug_vifs(instance, network_info)
            raise exception.VirtualInterfaceCreateException() from None


def _refused(event_name: str, instance: Any) -> None:
    raise exception.VirtualInterfaceCreateException()


def _told(instance: Any, vif: Any) -> tuple[Any, Any]:
    told = os_vif_util.nova_to_osvif_vif(vif)
    told.port_profile.create_port = True  # as of a driver that leaves the switch to os-vif
    told.port_profile.create_tap = False  # a cable has its place: a tap wants a guest that reads it
    return told, os_vif_util.nova_to_osvif_instance(instance)


def _device(verb: str, host: str, vif: Any) -> None:
    argv = [os.environ["ALCOR_PYTHON"], "-m", "acceptance.nova.plug", verb]
    argv += [os.environ["ALCOR_LAB"], host, vif["id"], vif["address"]]
    done = subprocess.run(
        argv, cwd=os.environ["ALCOR_ROOT"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise exception.VirtualInterfacePlugException(done.stderr[-1_000:])
