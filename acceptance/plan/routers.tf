resource "openstack_networking_router_v2" "one" {
  name                    = "one-${local.name}"
  description             = local.words
  admin_state_up          = true
  distributed             = true
  external_network_id     = var.external_network
  enable_snat             = !var.changed
  availability_zone_hints = ["nova"]
  tags                    = local.tags
  external_fixed_ip {
    subnet_id  = data.openstack_networking_subnet_ids_v2.outside.ids[0]
    ip_address = var.changed ? "198.18.7.8" : "198.18.7.7"
  }
}

resource "openstack_networking_router_v2" "two" {
  name           = "two"
  admin_state_up = !var.changed

  # A gateway that comes later. Its policy is not read on import, and as that is set again the gateway's enable_snat becomes
  # what it is by default, as with Neutron; so the other router has no policy.
  external_network_id    = var.changed ? openstack_networking_subnet_v2.elsewhere.network_id : null
  external_qos_policy_id = var.changed ? openstack_networking_qos_policy_v2.one.id : null
}

resource "openstack_networking_router_interface_v2" "by_subnet" {
  router_id = openstack_networking_router_v2.one.id
  subnet_id = openstack_networking_subnet_v2.blue.id
}

resource "openstack_networking_router_interface_v2" "six" {
  router_id = openstack_networking_router_v2.one.id
  subnet_id = openstack_networking_subnet_v2.six.id
}

resource "openstack_networking_router_interface_v2" "by_port" {
  router_id = openstack_networking_router_v2.two.id
  port_id   = openstack_networking_port_v2.leg.id
}

resource "openstack_networking_port_v2" "leg" {
  name       = "leg"
  network_id = openstack_networking_network_v2.wire.id
  fixed_ip {
    subnet_id  = openstack_networking_subnet_v2.left.id
    ip_address = "172.20.0.77"
  }
}

resource "openstack_networking_router_routes_v2" "one" {
  router_id = openstack_networking_router_interface_v2.by_subnet.router_id
  routes {
    destination_cidr = "10.70.0.0/16"
    next_hop         = var.changed ? "192.168.7.72" : "192.168.7.71"
  }
  dynamic "routes" {
    for_each = var.changed ? ["10.71.0.0/16"] : []
    content {
      destination_cidr = routes.value
      next_hop         = "192.168.7.71"
    }
  }
}

resource "openstack_networking_router_route_v2" "two" {
  router_id        = openstack_networking_router_interface_v2.by_port.router_id
  destination_cidr = "10.80.0.0/16"
  next_hop         = "172.20.0.80"
}

resource "openstack_networking_floatingip_v2" "free" {
  pool        = data.openstack_networking_network_v2.outside.name
  description = local.words
  tags        = local.tags
  port_id     = var.changed ? openstack_networking_port_v2.plain[5].id : null
  depends_on  = [openstack_networking_router_interface_v2.by_subnet]
}

resource "openstack_networking_floatingip_v2" "named" {
  pool       = data.openstack_networking_network_v2.outside.name
  dns_name   = "named"
  dns_domain = "float.example."
}

resource "openstack_networking_floatingip_v2" "apart" {
  pool      = data.openstack_networking_network_v2.outside.name
  subnet_id = data.openstack_networking_subnet_ids_v2.outside.ids[0]
}

resource "openstack_networking_floatingip_associate_v2" "apart" {
  floating_ip = openstack_networking_floatingip_v2.apart.address
  port_id     = openstack_networking_port_v2.full.id
  fixed_ip    = var.changed ? "192.168.7.52" : "192.168.7.50"
  depends_on  = [openstack_networking_router_interface_v2.by_subnet]
}

resource "openstack_networking_floatingip_v2" "forwarding" {
  pool = data.openstack_networking_network_v2.outside.name
}

resource "openstack_networking_portforwarding_v2" "ssh" {
  floatingip_id       = openstack_networking_floatingip_v2.forwarding.id
  protocol            = var.changed ? "udp" : "tcp"
  external_port       = var.changed ? 2223 : 2222
  internal_port       = var.changed ? 23 : 22
  internal_port_id    = openstack_networking_port_v2.plain[0].id
  internal_ip_address = openstack_networking_port_v2.plain[0].all_fixed_ips[0]
  description         = local.words
  depends_on          = [openstack_networking_router_interface_v2.by_subnet]
}
