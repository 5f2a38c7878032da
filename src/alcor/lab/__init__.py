"""Hosts and machines in network namespaces of one computer, on real Open vSwitch.

The lab builds what an operator's data centre gives to Alcor: an underlay, hosts with a switch, and
machines. What Alcor does by itself (integration bridge, tunnels, flows) is left to the agent. The
machine's own network is never touched. This is the one room that runs other programs.
"""
