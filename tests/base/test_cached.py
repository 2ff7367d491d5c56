"""Attributes that are worked out once."""

from gnomon.base.cached import cached_property


class _Counted:
    made = 0

    @cached_property
    def value(self) -> int:
        """How often it was made."""
        self.made += 1
        return self.made


def test_it_is_made_when_asked_for_and_once_for_each_object() -> None:
    one, other = _Counted(), _Counted()
    assert one.made == 0
    assert (one.value, one.value, other.value) == (1, 1, 1)
    assert (one.made, other.made) == (1, 1)


def test_the_class_shows_the_property_and_its_text() -> None:
    assert isinstance(_Counted.value, cached_property)
    assert _Counted.value.__doc__ == "How often it was made."
