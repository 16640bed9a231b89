"""Operations as data: one builder per operation of the API, and ``Operation`` for any other request."""

from __future__ import annotations

from generated_client import api as _generated
from generated_client.api import *
from generated_client.types import API_VERSION, Operation

__all__ = ["API_VERSION", "Operation"]
__all__ += _generated.__all__
