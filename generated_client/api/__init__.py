# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""Contains methods for accessing the API"""
