"""Results that are kept until the data are read anew."""

import functools
from collections.abc import Callable

from gigafleet import catalog


def while_data_last(function: Callable) -> Callable:
    """Keep what a function of names gives, until :func:`gigafleet.catalog.reload` has the tables read anew. What it
    gives is shared: copy it before you change it."""
    found, read = {}, []

    @functools.wraps(function)
    def wrapped(*names: object) -> object:
        if not all(isinstance(name, str) for name in names):
            return function(*names)  # which says what is wrong with them
        tables = [catalog.resource("facts"), catalog.deals()]
        if len(read) != len(tables) or any(old is not new for old, new in zip(read, tables, strict=True)):
            found.clear()
            read[:] = tables
        result = found.get(names, found)  # asked once, as another thread may clear what is kept
        if result is found:
            result = found[names] = function(*names)
        return result

    return wrapped
