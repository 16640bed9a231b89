# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""Contains endpoint functions for accessing the API"""
