"""OpenStack Nova: tell it when the ports of its machines are wired, or changed, or gone."""
