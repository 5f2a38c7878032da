#!/bin/sh
# What dhclient -6 runs when its lease changes. Sets the address of the interface in this namespace and
# writes what it was told to the file $ALCOR_LEASE. Never touches resolv.conf: that is the computer's own.
case $reason in
PREINIT6) ip link set "$interface" up ;;
BOUND6 | RENEW6 | REBIND6)
  if [ -n "$new_ip6_address" ]; then
    ip -6 address replace "$new_ip6_address/128" dev "$interface" nodad
  fi
  {
    printf 'address=%s\nlease_s=%s\n' "$new_ip6_address" "$new_max_life"
    printf 'dns=%s\ndomain=%s\nboot=%s\n' "$new_dhcp6_name_servers" "$new_dhcp6_domain_search" "$new_dhcp6_bootfile_url"
    printf 'name=%s\n' "$new_fqdn_fqdn"
  } >"$ALCOR_LEASE.new"
  mv "$ALCOR_LEASE.new" "$ALCOR_LEASE"
  ;;
esac
exit 0
