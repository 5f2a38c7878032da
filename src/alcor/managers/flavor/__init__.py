"""The flavor manager: flavors of services, their profiles, and who provides the services."""
