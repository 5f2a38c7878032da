"""How fast the API answers: on one machine, on a region of processes, beside floors and Neutron."""
