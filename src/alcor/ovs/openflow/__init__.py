"""The OpenFlow 1.4 codec: values to bytes and back, by `struct`. Pure; sockets are elsewhere.

Version 1.4 has both native bundles and Nicira's reg_load (1.3 lacks the one, 1.5 the other).
"""
