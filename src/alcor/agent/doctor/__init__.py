"""A host looked at from beside its agent; nothing is changed.

What is wrong with it (`alcor doctor`); what its switch does with a packet (`alcor trace --live`).
"""
