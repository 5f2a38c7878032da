"""`alcor lab`, and how its demo is drawn."""
