"""What callers may do: rules, the operator's over the defaults."""
