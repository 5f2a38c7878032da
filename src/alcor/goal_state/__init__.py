"""All that the control plane and the hosts share: slices, their entries, their codec, reports."""
