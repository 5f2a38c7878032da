"""The trunk manager: networks that machines tell apart by VLAN tags, on one interface."""
