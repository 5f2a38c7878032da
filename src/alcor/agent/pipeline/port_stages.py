"""The stages that a port's packets pass on their way out, and alike in: a part of `pipeline.py`."""

from alcor.agent.pipeline.registers import SUBJECT, VERDICT, VNI
from alcor.agent.pipeline.stages import Stage


def firewall(way: str, port: str, onward: str) -> tuple[Stage, ...]:
    """The stages of ACLs and security groups on the way out of a port, or in."""
    rules = ("SG_RULES_OUT", "SG_RULES_IN")
    return (
        Stage(
            f"ACL_{way}",
            "whether it may cross the edge of its subnet",
            reads=(VNI,),
            miss=f"FW_{way}",
            miss_means="of a subnet without an ACL",
            next=(f"FW_{way}",),
        ),
        Stage(
            f"FW_{way}",
            "whether the port is filtered, and whether its connections are tracked",
            reads=(port,),
            miss_means="neither IP nor ARP of a filtered port",
            next=(f"FW_{way}_STATE", f"FW_{way}_STATELESS", onward),
        ),
        Stage(
            f"FW_{way}_STATE",
            "who opened the connection: that side's rules are asked, as for its first packet",
            reads=(port,),
            writes=(SUBJECT, VERDICT),
            miss_means="of no connection, and can't open one",
            next=(f"FW_{way}_LOG",),
            calls=rules,
        ),
        Stage(
            f"FW_{way}_STATELESS",
            "asks the rules about every packet by itself",
            reads=(port,),
            writes=(SUBJECT, VERDICT),
            miss_means="never reached by another packet",
            next=(f"FW_{way}_LOG",),
            calls=(f"SG_RULES_{way}", f"SG_HEADERS_{way}"),
        ),
        Stage(
            f"FW_{way}_LOG",
            "of a port that is logged: a copy of what opens a connection, or is dropped",
            reads=(port, VERDICT),
            miss=f"FW_{way}_VERDICT",
            miss_means="of a port without a log, or nothing to be told",
            next=(f"FW_{way}_VERDICT",),
        ),
        Stage(
            f"FW_{way}_VERDICT",
            "remembers a new connection that a rule lets pass",
            reads=(port, VERDICT),
            miss_means="no rule lets it pass",
            next=(onward,),
        ),
    )


def limits(way: str, port: str, purpose: str, onward: str) -> tuple[Stage, ...]:
    """The stages of a port's QoS policy, on the way out or in."""
    return (
        Stage(
            f"QOS_{way}",
            f"by the port's policy: {purpose} a second",
            reads=(port,),
            miss=f"PPS_{way}",
            miss_means="of a port without such a limit",
            next=(f"PPS_{way}",),
        ),
        Stage(
            f"PPS_{way}",
            "by the port's policy: how many packets a second",
            reads=(port,),
            miss=onward,
            miss_means="of a port without such a limit",
            next=(onward,),
        ),
    )


def rules(name: str, asked_for: str) -> Stage:
    return Stage(
        name, asked_for, reads=(SUBJECT,), writes=(VERDICT,), miss_means="no rule lets it pass"
    )
