"""Return errors instead of raising them, so that no traceback holds a secret.

A traceback keeps every frame that an exception has passed through, and the local variables of a frame may hold a secret
or a body. A function with such variables returns its error, and a frame without them raises it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from pinecone_admin.errors import PineconeError

_P = ParamSpec("_P")
_T = TypeVar("_T")


def return_error(function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T | PineconeError:
    """Call a function and return its result, or the PineconeError that it raises, without the traceback."""
    try:
        return function(*args, **kwargs)
    except PineconeError as error:
        return error.with_traceback(None)


def raise_if_error(result: _T | PineconeError) -> _T:
    """Return a result that is not an error; raise an error.

    Call it outside of except clauses: the exception being handled would be kept as the context of the error.
    """
    if isinstance(result, PineconeError):
        raise result
    return result
