"""The pipeline of the integration bridge, declared once: stages, registers, cookies. Pure."""
