"""The topology manager: a network that leads outside, for a project that asks for one."""
