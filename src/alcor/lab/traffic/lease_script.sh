#!/bin/sh
# What udhcpc runs when its lease changes. Sets the address, the routes and the MTU of the interface in
# this namespace, and writes the lease to the file $ALCOR_LEASE. Never touches resolv.conf: that is the
# computer's own.
case $1 in
deconfig)
  ip -batch - <<END
link set $interface up
address flush dev $interface scope global
END
  ;;
bound | renew)
  {
    [ -z "$mtu" ] || echo "link set $interface mtu $mtu"
    echo "address replace $ip/$mask dev $interface"
    # RFC 3442: who gets classless routes ignores the router option.
    if [ -n "$staticroutes" ]; then
      # shellcheck disable=SC2086
      set -- $staticroutes
      while [ $# -ge 2 ]; do
        if [ "$2" = 0.0.0.0 ]; then echo "route replace $1 dev $interface"; else echo "route replace $1 via $2 dev $interface"; fi
        shift 2
      done
    else
      for one in $router; do
        echo "route replace default via $one dev $interface"
        break
      done
    fi
  } | ip -batch -
  {
    printf 'address=%s\nlength=%s\nserver=%s\nlease_s=%s\n' "$ip" "$mask" "$serverid" "$lease"
    printf 'mtu=%s\nrouters=%s\ndns=%s\nroutes=%s\n' "$mtu" "$router" "$dns" "$staticroutes"
    printf 'domain=%s\nhostname=%s\n' "$domain" "$hostname"
    printf 'next_server=%s\nboot_file=%s\nntp=%s\n' "$siaddr" "$boot_file" "$ntpsrv"
  } >"$ALCOR_LEASE.new"
  mv "$ALCOR_LEASE.new" "$ALCOR_LEASE"
  ;;
esac
