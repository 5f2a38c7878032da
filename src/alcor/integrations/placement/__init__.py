"""OpenStack Placement: tell it what hosts have to guarantee, so that Nova can allocate it."""
