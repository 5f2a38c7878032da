# Every data source finds by other attributes what was made.

data "openstack_networking_subnet_ids_v2" "outside" {
  network_id = var.external_network
  ip_version = 4
}

data "openstack_networking_network_v2" "blue" {
  name       = openstack_networking_network_v2.blue.name
  tags       = ["kept"]
  mtu        = openstack_networking_network_v2.blue.mtu
  depends_on = [openstack_networking_subnet_v2.blue]
  lifecycle {
    postcondition {
      condition     = self.id == openstack_networking_network_v2.blue.id && self.dns_domain == openstack_networking_network_v2.blue.dns_domain
      error_message = "another network"
    }
  }
}

data "openstack_networking_subnet_v2" "blue" {
  cidr       = openstack_networking_subnet_v2.blue.cidr
  gateway_ip = openstack_networking_subnet_v2.blue.gateway_ip
  tags       = local.tags
  lifecycle {
    postcondition {
      condition     = self.id == openstack_networking_subnet_v2.blue.id && self.enable_dhcp == openstack_networking_subnet_v2.blue.enable_dhcp
      error_message = "another subnet"
    }
  }
}

data "openstack_networking_port_v2" "full" {
  fixed_ip    = openstack_networking_port_v2.full.all_fixed_ips[0]
  mac_address = openstack_networking_port_v2.full.mac_address
  lifecycle {
    postcondition {
      condition     = self.id == openstack_networking_port_v2.full.id
      error_message = "another port"
    }
  }
}

data "openstack_networking_port_ids_v2" "machines" {
  network_id     = openstack_networking_network_v2.blue.id
  device_owner   = "compute:nova"
  sort_key       = "name"
  sort_direction = "desc"
  depends_on     = [openstack_networking_port_v2.full, openstack_networking_port_v2.plain]
  lifecycle {
    postcondition {
      condition     = one(self.ids) == openstack_networking_port_v2.full.id
      error_message = "other ports"
    }
  }
}

data "openstack_networking_router_v2" "one" {
  name       = openstack_networking_router_v2.one.name
  depends_on = [openstack_networking_router_routes_v2.one]
  lifecycle {
    postcondition {
      condition     = self.id == openstack_networking_router_v2.one.id && self.enable_snat == openstack_networking_router_v2.one.enable_snat
      error_message = "another router"
    }
  }
}

data "openstack_networking_floatingip_v2" "apart" {
  address    = openstack_networking_floatingip_v2.apart.address
  depends_on = [openstack_networking_floatingip_associate_v2.apart]
  lifecycle {
    postcondition {
      condition     = self.id == openstack_networking_floatingip_v2.apart.id
      error_message = "another floating IP"
    }
  }
}

data "openstack_networking_secgroup_v2" "web" {
  name = openstack_networking_secgroup_v2.web.name
}

data "openstack_networking_addressscope_v2" "four" {
  name = openstack_networking_addressscope_v2.four.name
}

data "openstack_networking_subnetpool_v2" "four" {
  name              = openstack_networking_subnetpool_v2.four.name
  default_prefixlen = openstack_networking_subnetpool_v2.four.default_prefixlen
}

data "openstack_networking_trunk_v2" "trunk" {
  name    = openstack_networking_trunk_v2.trunk.name
  port_id = openstack_networking_trunk_v2.trunk.port_id
}

data "openstack_networking_qos_policy_v2" "one" {
  name = openstack_networking_qos_policy_v2.one.name
}

data "openstack_networking_qos_bandwidth_limit_rule_v2" "one" {
  qos_policy_id = openstack_networking_qos_bandwidth_limit_rule_v2.one["egress"].qos_policy_id
  max_kbps      = openstack_networking_qos_bandwidth_limit_rule_v2.one["ingress"].max_kbps
  lifecycle {
    postcondition {
      condition     = self.direction == "ingress"
      error_message = "another rule"
    }
  }
}

data "openstack_networking_qos_dscp_marking_rule_v2" "one" {
  qos_policy_id = openstack_networking_qos_dscp_marking_rule_v2.one.qos_policy_id
  dscp_mark     = openstack_networking_qos_dscp_marking_rule_v2.one.dscp_mark
}

data "openstack_networking_qos_minimum_bandwidth_rule_v2" "promise" {
  qos_policy_id = openstack_networking_qos_minimum_bandwidth_rule_v2.promise.qos_policy_id
  min_kbps      = openstack_networking_qos_minimum_bandwidth_rule_v2.promise.min_kbps
}

data "openstack_networking_quota_v2" "other" {
  project_id = openstack_networking_quota_v2.other.project_id
  lifecycle {
    postcondition {
      condition     = self.port == openstack_networking_quota_v2.other.port
      error_message = "another quota"
    }
  }
}

data "openstack_networking_segment_v2" "wire" {
  network_id = openstack_networking_network_v2.wire.id
  lifecycle {
    postcondition {
      condition     = self.segmentation_id == 1234
      error_message = "another segment"
    }
  }
}
