# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""ServiceAccountList as the API document describes it."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class ServiceAccountList:
    """One page of service accounts.

    Attributes:
        data: The service accounts on this page, without their secrets.
        pagination: Where the next page starts. Null or absent on the last page.
    """

    data: list[ServiceAccount]
    pagination: PaginationResponse | None = None


# Imported below the class because models may refer to each other in a circle.
from ..models.pagination_response import PaginationResponse
from ..models.service_account import ServiceAccount
