"""What can be done with groups, rules, templates and address groups: one method per use case."""
