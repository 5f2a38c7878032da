resource "openstack_networking_network_v2" "blue" {
  name                  = "blue-${local.name}"
  description           = local.words
  admin_state_up        = true
  shared                = var.changed
  port_security_enabled = true
  mtu                   = var.changed ? 1300 : 1400
  dns_domain            = var.changed ? "other.example." : "blue.example."
  qos_policy_id         = var.changed ? openstack_networking_qos_policy_v2.one.id : openstack_networking_qos_policy_v2.two.id
  tags                  = local.tags
}

resource "openstack_networking_network_v2" "wire" {
  name           = "wire"
  admin_state_up = !var.changed
  segments {
    network_type     = "vlan"
    physical_network = "public"
    segmentation_id  = 1234
  }
}

resource "openstack_networking_network_v2" "bare" {}

resource "openstack_networking_network_v2" "elsewhere" {
  name                    = "elsewhere"
  external                = true
  availability_zone_hints = ["nova"]
}

resource "openstack_networking_addressscope_v2" "four" {
  name       = "four-${local.name}"
  ip_version = 4
  shared     = var.changed # once true it stays so
}

resource "openstack_networking_subnetpool_v2" "four" {
  name              = "four-${local.name}"
  description       = local.words
  prefixes          = var.changed ? ["10.32.0.0/15"] : ["10.32.0.0/16"]
  default_prefixlen = var.changed ? 25 : 24
  min_prefixlen     = var.changed ? 23 : 22
  max_prefixlen     = var.changed ? 29 : 28
  default_quota     = var.changed ? 5000 : 4000
  address_scope_id  = openstack_networking_addressscope_v2.four.id
  tags              = local.tags
}

resource "openstack_networking_subnet_v2" "blue" {
  name                 = "blue-${local.name}"
  description          = local.words
  network_id           = openstack_networking_network_v2.blue.id
  cidr                 = "192.168.7.0/24"
  gateway_ip           = "192.168.7.1" # a router's, so it stays
  enable_dhcp          = !var.changed
  dns_nameservers      = var.changed ? ["9.9.9.9"] : ["9.9.9.9", "1.1.1.1"]
  dns_publish_fixed_ip = var.changed
  service_types        = var.changed ? ["compute:nova"] : []
  tags                 = local.tags
  allocation_pool {
    start = "192.168.7.10"
    end   = var.changed ? "192.168.7.190" : "192.168.7.99"
  }
  allocation_pool {
    start = "192.168.7.200"
    end   = "192.168.7.210"
  }
}

resource "openstack_networking_subnet_v2" "six" {
  name              = "six"
  network_id        = openstack_networking_network_v2.blue.id
  ip_version        = 6
  cidr              = "2001:db8:7::/64"
  ipv6_address_mode = "dhcpv6-stateless"
  ipv6_ra_mode      = "dhcpv6-stateless"
  dns_nameservers   = ["2001:db8::53"]
}

resource "openstack_networking_subnet_v2" "pooled" {
  name          = "pooled"
  network_id    = openstack_networking_network_v2.bare.id
  subnetpool_id = openstack_networking_subnetpool_v2.four.id
  prefix_length = 26
  no_gateway    = true
  lifecycle {
    ignore_changes = [prefix_length] # an import doesn't know it
  }
}

resource "openstack_networking_subnet_v2" "left" {
  name       = "left"
  network_id = openstack_networking_network_v2.wire.id
  cidr       = "172.20.0.0/24"
  gateway_ip = var.changed ? "172.20.0.254" : "172.20.0.1"
  allocation_pool {
    start = "172.20.0.10"
    end   = "172.20.0.99"
  }
}

resource "openstack_networking_subnet_route_v2" "left" {
  subnet_id        = openstack_networking_subnet_v2.left.id
  destination_cidr = "10.99.0.0/16"
  next_hop         = "172.20.0.9"
}

resource "openstack_networking_subnet_v2" "elsewhere" {
  name        = "elsewhere"
  network_id  = openstack_networking_network_v2.elsewhere.id
  cidr        = "198.51.100.0/24"
  enable_dhcp = false
}

resource "openstack_networking_rbac_policy_v2" "wire" {
  action        = "access_as_shared"
  object_type   = "network"
  object_id     = openstack_networking_network_v2.wire.id
  target_tenant = var.changed ? "*" : var.other_project
}
