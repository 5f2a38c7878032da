"""OpenStack Designate: names of ports and floating IPs are published as record sets of zones."""
