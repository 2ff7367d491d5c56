"""What is computed once for an object."""

from __future__ import annotations

import pytest

from gnomon.base.once import cached_property, once


class Zone:
    def __init__(self) -> None:
        self._memo: dict[object, object] = {}
        self.asked = 0

    @cached_property
    def size(self) -> int:
        """Its size."""
        self.asked += 1
        return 7


@once
def parts(zone: Zone, *which: object) -> list[object]:
    """Parts of a zone."""
    zone.asked += 1
    if "none" in which:
        raise LookupError("none")
    return list(which)


def test_a_function_works_once_for_each_object_and_arguments() -> None:
    one, two = Zone(), Zone()
    assert parts(one) is parts(one)
    assert parts(one, "a", 1) is parts(one, "a", 1)
    assert parts(one, "a", 1) == ["a", 1]
    assert parts(one, "a") is not parts(two, "a")
    assert (one.asked, two.asked) == (3, 1)
    assert (parts.__name__, parts.__doc__) == ("parts", "Parts of a zone.")


def test_what_failed_is_tried_again() -> None:
    zone = Zone()
    for _ in range(2):
        with pytest.raises(LookupError):
            parts(zone, "none")
    assert zone.asked == 2


def test_a_property_is_made_once_for_each_object() -> None:
    one, two = Zone(), Zone()
    assert (one.size, one.size, two.size) == (7, 7, 7)
    assert (one.asked, two.asked) == (1, 1)
    assert isinstance(Zone.__dict__["size"], cached_property)
