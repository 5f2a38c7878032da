"""OpenStack Keystone, Identity API v3: whose token is this?"""
