"""A small typed library for Open vSwitch: flows, OpenFlow 1.4, OVSDB, a simulator.

It knows nothing of Alcor: numbers in, numbers out. Written against Open vSwitch 3.1.
"""
