resource "openstack_networking_port_v2" "full" {
  name                  = "full-${local.name}"
  description           = local.words
  network_id            = openstack_networking_network_v2.blue.id
  admin_state_up        = !var.changed
  mac_address           = "fa:16:3e:77:00:01"
  device_owner          = "compute:nova"
  device_id             = "a-machine"
  security_group_ids    = [var.changed ? openstack_networking_secgroup_v2.web.id : openstack_networking_secgroup_v2.stateless.id]
  port_security_enabled = true
  dns_name              = var.changed ? "other" : "full"
  qos_policy_id         = var.changed ? openstack_networking_qos_policy_v2.two.id : openstack_networking_qos_policy_v2.one.id
  tags                  = local.tags

  fixed_ip {
    subnet_id  = openstack_networking_subnet_v2.blue.id
    ip_address = "192.168.7.50"
  }
  dynamic "fixed_ip" {
    for_each = var.changed ? ["192.168.7.52"] : []
    content {
      subnet_id  = openstack_networking_subnet_v2.blue.id
      ip_address = fixed_ip.value
    }
  }
  fixed_ip {
    subnet_id = openstack_networking_subnet_v2.six.id
  }
  allowed_address_pairs {
    ip_address = var.changed ? "10.5.0.0/16" : "10.5.5.5"
  }
  allowed_address_pairs {
    ip_address  = "10.6.6.6"
    mac_address = "fa:16:3e:77:00:99"
  }
  extra_dhcp_option {
    name  = "bootfile-name"
    value = var.changed ? "other.0" : "pxelinux.0"
  }
  extra_dhcp_option {
    name       = "dns-server"
    value      = "2001:db8::1"
    ip_version = 6
  }
  binding {
    host_id   = var.changed ? "h2" : "h1"
    vnic_type = "normal"
    profile   = jsonencode(var.changed ? { slot = 2 } : { slot = 1, kind = "a" })
  }
}

resource "openstack_networking_port_v2" "open" {
  name                  = "open"
  network_id            = openstack_networking_network_v2.blue.id
  no_security_groups    = true
  port_security_enabled = false
  no_fixed_ip           = true
}

resource "openstack_networking_port_v2" "plain" {
  count      = 6
  name       = "plain-${count.index}"
  network_id = openstack_networking_network_v2.blue.id
  fixed_ip {
    subnet_id = openstack_networking_subnet_v2.blue.id
  }
}

resource "openstack_networking_port_secgroup_associate_v2" "added" {
  port_id            = openstack_networking_port_v2.plain[0].id
  security_group_ids = [var.changed ? openstack_networking_secgroup_v2.spare.id : openstack_networking_secgroup_v2.web.id]
}

resource "openstack_networking_trunk_v2" "trunk" {
  name           = "trunk-${local.name}"
  description    = local.words
  admin_state_up = var.changed
  port_id        = openstack_networking_port_v2.plain[1].id
  tags           = local.tags
  sub_port {
    port_id           = openstack_networking_port_v2.plain[2].id
    segmentation_type = "vlan"
    segmentation_id   = 10
  }
  dynamic "sub_port" {
    for_each = var.changed ? [20] : []
    content {
      port_id           = openstack_networking_port_v2.plain[3].id
      segmentation_type = "vlan"
      segmentation_id   = sub_port.value
    }
  }
}

resource "openstack_taas_tap_mirror_v2" "gre" {
  name        = "gre-${local.name}"
  description = local.words
  port_id     = openstack_networking_port_v2.plain[4].id
  mirror_type = "gre"
  remote_ip   = "192.0.2.9"
  directions {
    in  = 101
    out = 102
  }
}
