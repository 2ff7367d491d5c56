"""Who may do what: one table, one function, and everything not written here is forbidden."""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from gnomon.review.people.models import User
    from gnomon.review.reviews.models import Area, Membership, Review

    Actor = User | AnonymousUser


class Role(StrEnum):
    """What somebody is to a review; `OPERATOR` keeps the instance and decides nothing in a review."""

    ANONYMOUS = "anonymous"
    MEMBER = "member"
    RAPPORTEUR = "rapporteur"
    CHAIR = "chair"
    OPERATOR = "operator"


class Reach(Enum):
    """How far a grant goes."""

    ANYWHERE = "anywhere in the review"
    OWN_AREA = "in the areas of the own sub-team"


_TEAM = {Role.MEMBER: Reach.ANYWHERE, Role.RAPPORTEUR: Reach.ANYWHERE, Role.CHAIR: Reach.ANYWHERE}
_OWN = {Role.MEMBER: Reach.OWN_AREA, Role.RAPPORTEUR: Reach.OWN_AREA, Role.CHAIR: Reach.ANYWHERE}
_EVERYBODY = {Role.ANONYMOUS: Reach.ANYWHERE}

# (verb, kind) -> role -> how far. The rows of one kind stand together.
GRANTS: dict[tuple[str, str], dict[Role, Reach]] = {
    ("see", "review"): _EVERYBODY,
    ("open", "review"): {Role.OPERATOR: Reach.ANYWHERE},
    ("appoint", "member"): {Role.CHAIR: Reach.ANYWHERE, Role.OPERATOR: Reach.ANYWHERE},
    ("see", "update"): _EVERYBODY,
    ("publish", "update"): _OWN,
    ("see", "evidence"): _EVERYBODY,
    ("register", "evidence"): _TEAM,
    ("see", "finding"): _EVERYBODY,
    ("draft", "finding"): _TEAM,
    ("decide", "finding"): {Role.RAPPORTEUR: Reach.OWN_AREA, Role.CHAIR: Reach.ANYWHERE},
    ("see", "recommendation"): _EVERYBODY,
    ("draft", "recommendation"): _TEAM,
    ("evaluate", "measure"): _TEAM,
    ("see", "measurement"): _EVERYBODY,
    ("attach", "run"): {Role.OPERATOR: Reach.ANYWHERE},
    ("see", "event"): _EVERYBODY,
    ("see", "health"): _EVERYBODY,
    ("sign", "account"): _EVERYBODY,
    ("add", "account"): {Role.OPERATOR: Reach.ANYWHERE},
}


class Rights:
    """What one actor may do in one review; the seats are read once, when first needed."""

    def __init__(self, actor: Actor, review: Review | None = None) -> None:
        self.actor = actor
        self.review = review
        self._seats: tuple[Membership, ...] | None = None

    @property
    def seats(self) -> tuple[Membership, ...]:
        """The actor's present seats in the review."""
        if self._seats is None:
            from gnomon.review.reviews.queries import seats_of

            if self.actor.is_authenticated and self.review is not None:
                self._seats = tuple(seats_of(self.actor.pk, self.review))
            else:
                self._seats = ()
        return self._seats

    def may(self, verb: str, kind: str, area: Area | None = None) -> bool:
        """True if a row of `GRANTS` allows it; `area` is where it would happen.

        A grant that reaches the own area only, asked without an area, says whether there is any such area.
        """
        grants = GRANTS.get((verb, kind))
        if grants is None:
            return False
        if Role.ANONYMOUS in grants:
            return True
        if not self.actor.is_authenticated:
            return False
        if Role.OPERATOR in grants and self.actor.is_operator:
            return True
        return any(
            reach is Reach.ANYWHERE or area is None or seat.sub_team_id == area.sub_team_id
            for seat in self.seats
            if (reach := grants.get(Role(seat.role))) is not None
        )


def may(actor: Actor, verb: str, kind: str, review: Review | None = None, area: Area | None = None) -> bool:
    """Whether `actor` may do `verb` to a `kind` of that review (and area); no row in the table: no."""
    return Rights(actor, review).may(verb, kind, area)


def who_may(verb: str, kind: str) -> str:
    """The roles that may, in words, for the page that says no."""
    grants = GRANTS.get((verb, kind), {})
    words = [f"the {role.value}" if role is Role.CHAIR else f"a {role.value}" for role in grants]
    where = " of its sub-team" if Reach.OWN_AREA in grants.values() else ""
    return f"{', '.join(words[:-1])} or {words[-1]}{where}" if len(words) > 1 else "".join(words) or "nobody"
