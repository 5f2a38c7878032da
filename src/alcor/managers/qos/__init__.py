"""The QoS manager: policies of how much ports may send and receive, and how packets are marked."""
