"""Where a packet gets to, read from intent alone.

Pure, and a second reading of what tenants want: it knows neither goal state nor flows, so that the
two can be held against each other.
"""
