"""Which QoS policies that were there already have which tags."""

from alcor.runtime.tables import tag_index

STEPS = (tag_index.step_of("qos_policy"),)
