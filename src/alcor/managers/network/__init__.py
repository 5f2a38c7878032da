"""The network manager: networks (a tenant's VPC), their VNIs, and their fenced deletion."""
