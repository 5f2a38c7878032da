"""`alcor trace`: asked of intent and of the switches, and drawn."""
