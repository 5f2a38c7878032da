resource "openstack_networking_secgroup_v2" "web" {
  name        = "web-${local.name}"
  description = local.words
  tags        = local.tags
}

resource "openstack_networking_secgroup_v2" "stateless" {
  name                 = "stateless"
  stateful             = false
  delete_default_rules = true
  lifecycle {
    ignore_changes = [delete_default_rules] # an import doesn't know it
  }
}

resource "openstack_networking_secgroup_v2" "spare" {
  name = "spare"
}

resource "openstack_networking_address_group_v2" "offices" {
  name        = "offices-${local.name}"
  description = local.words
  addresses   = var.changed ? ["192.0.2.0/24", "2001:db8:9::/48"] : ["192.0.2.0/24", "198.51.100.7/32"]
}

# Each way to say of whom and for what a rule is; rules are replaced, never changed.
locals {
  rules = {
    "ports"    = { protocol = "tcp", port_range_min = 80, port_range_max = 443, remote_ip_prefix = "0.0.0.0/0" }
    "icmp"     = { protocol = "icmp", port_range_min = 8, port_range_max = 0, remote_ip_prefix = "10.0.0.0/8" }
    "all icmp" = { protocol = "icmp" }
    "icmp 6"   = { protocol = "ipv6-icmp", ethertype = "IPv6" }
    "number"   = { protocol = "132", port_range_min = 5000, port_range_max = 5000 }
    "any"      = { ethertype = "IPv6" }
    "vrrp"     = { protocol = "vrrp", direction = "egress" }
    "range"    = { protocol = "udp", port_range_min = 1, port_range_max = 65534 }
  }
}

resource "openstack_networking_secgroup_rule_v2" "rules" {
  for_each          = local.rules
  security_group_id = openstack_networking_secgroup_v2.web.id
  description       = each.key
  direction         = lookup(each.value, "direction", "ingress")
  ethertype         = lookup(each.value, "ethertype", "IPv4")
  protocol          = lookup(each.value, "protocol", null)
  port_range_min    = lookup(each.value, "port_range_min", null)
  port_range_max    = lookup(each.value, "port_range_max", null)
  remote_ip_prefix  = lookup(each.value, "remote_ip_prefix", null)
}

resource "openstack_networking_secgroup_rule_v2" "group" {
  security_group_id = openstack_networking_secgroup_v2.stateless.id
  direction         = "ingress"
  ethertype         = "IPv4"
  protocol          = "tcp"
  remote_group_id   = openstack_networking_secgroup_v2.web.id
}

resource "openstack_networking_secgroup_rule_v2" "addresses" {
  security_group_id       = openstack_networking_secgroup_v2.stateless.id
  direction               = "ingress"
  ethertype               = "IPv4"
  protocol                = "tcp"
  port_range_min          = 22
  port_range_max          = 22
  remote_address_group_id = openstack_networking_address_group_v2.offices.id
}

resource "openstack_networking_qos_policy_v2" "one" {
  name        = "one-${local.name}"
  description = local.words
  shared      = var.changed
  tags        = local.tags
}

resource "openstack_networking_qos_policy_v2" "two" {
  name       = "two"
  is_default = var.changed
}

resource "openstack_networking_qos_bandwidth_limit_rule_v2" "one" {
  for_each       = toset(["egress", "ingress"])
  qos_policy_id  = openstack_networking_qos_policy_v2.one.id
  direction      = each.key
  max_kbps       = (var.changed ? 20000 : 10000) + length(each.key) # another for each direction
  max_burst_kbps = var.changed ? 2000 : 1000
}

resource "openstack_networking_qos_dscp_marking_rule_v2" "one" {
  qos_policy_id = openstack_networking_qos_policy_v2.one.id
  dscp_mark     = var.changed ? 46 : 26
}

# Of a policy that nothing has: the promise of a bound port can't change.
resource "openstack_networking_qos_policy_v2" "promise" {
  name = "promise"
}

resource "openstack_networking_qos_minimum_bandwidth_rule_v2" "promise" {
  qos_policy_id = openstack_networking_qos_policy_v2.promise.id
  direction     = "egress"
  min_kbps      = var.changed ? 300 : 200
}

resource "openstack_networking_quota_v2" "other" {
  project_id          = var.other_project
  floatingip          = var.changed ? 4 : 5
  network             = var.changed ? 40 : 50
  port                = var.changed ? 400 : 500
  rbac_policy         = var.changed ? -1 : 10
  router              = 4
  security_group      = var.changed ? 0 : 10
  security_group_rule = 100
  subnet              = 60
  subnetpool          = -1
}
