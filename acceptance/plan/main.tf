# Every networking resource of the provider that Alcor serves, each with all its attributes. `changed` changes what can be
# changed in place.

terraform {
  required_providers {
    openstack = { source = "terraform-provider-openstack/openstack" }
  }
}

variable "external_network" {}
variable "other_project" {}
variable "changed" { default = false }

locals {
  name  = var.changed ? "renamed" : "named"
  words = var.changed ? "Ändert sich" : ""
  tags  = var.changed ? ["kept", "new"] : ["kept", "old one"]
}

data "openstack_networking_network_v2" "outside" {
  network_id = var.external_network
}
