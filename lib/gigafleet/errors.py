"""Errors that name the thing, the value given and what is allowed; the checks that raise them."""

import difflib
from collections.abc import Iterable

import numpy as np


class UnknownNameError(KeyError, ValueError):
    """A name that is not in a table. The message names it, the nearest one and those that are known."""

    def __str__(self) -> str:
        return str(self.args[0])


def unknown(what: str, name: object, known: Iterable[str]) -> UnknownNameError:
    """Return the error for a name that is not known.

    >>> print(unknown("accelerator", "MI456X", ["H100", "MI455X"]))
    unknown accelerator 'MI456X'; did you mean 'MI455X'? known: H100, MI455X
    """
    known = list(known)
    lower = {k.lower(): k for k in known}
    near = difflib.get_close_matches(str(name).lower(), lower, n=1, cutoff=0.5)
    hint = f"did you mean {lower[near[0]]!r}? " if near else ""
    return UnknownNameError(f"unknown {what} {name!r}; {hint}known: {', '.join(known)}")


def require(
    name: str,
    value: object,
    *,
    above: float | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
    absent: bool = False,
) -> None:
    """Raise if any element of a number or an array is outside its bounds.

    Parameters
    ----------
    name
        What the number is called, with its unit.
    value
        Number, array, Series or DataArray of any shape.
    above
        Exclusive lower bound.
    minimum, maximum
        Inclusive bounds.
    absent
        Whether NaN may stand for an absent figure in an array. A single NaN is an error either way.

    Raises
    ------
    ValueError
        Naming the first element outside the bounds.

    >>> require("it_kw", [1.4, -2.0], above=0)
    Traceback (most recent call last):
        ...
    ValueError: it_kw must be above 0, not -2.0
    """
    try:
        numbers = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number, not {value!r}") from None
    bounds = []
    wrong = np.zeros(numbers.shape, dtype=bool) if absent and numbers.ndim else np.isnan(numbers)
    if above is not None:
        wrong |= numbers <= above
        bounds.append(f"above {above:g}")
    if minimum is not None:
        wrong |= numbers < minimum
        bounds.append(f"at least {minimum:g}")
    if maximum is not None:
        wrong |= numbers > maximum
        bounds.append(f"at most {maximum:g}")
    if wrong.any():
        raise ValueError(f"{name} must be {' and '.join(bounds) or 'a number'}, not {numbers[wrong].flat[0]}")


def require_whole(name: str, value: object, *, minimum: float, maximum: float | None = None) -> None:
    """Raise unless a number is whole and within its bounds.

    >>> require_whole("seed", 1.5, minimum=0)
    Traceback (most recent call last):
        ...
    ValueError: seed must be a whole number, not 1.5
    """
    require(name, value, minimum=minimum, maximum=maximum)
    if np.ndim(value) or not float(value).is_integer():
        raise ValueError(f"{name} must be a whole number, not {value!r}")
