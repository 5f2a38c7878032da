"""The subnet manager: the CIDRs of networks, their gateways and allocation pools."""
