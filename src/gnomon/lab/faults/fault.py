"""What a fault is, and the registry of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, ClassVar, Final

from gnomon.base import InputError, codes
from gnomon.lab.records import Response
from gnomon.lab.request import Request
from gnomon.lab.spec import ZoneSpec

if TYPE_CHECKING:
    from gnomon.lab.world import World
    from gnomon.lab.zone import Zone


class Closed(Enum):
    """The markers for a stream that comes to nothing: reset, no listener, or no TLS behind the listener."""

    RESET = "reset"
    REFUSED = "refused"
    NO_TLS = "no-tls"


RESET: Final = Closed.RESET
Reply = list[bytes] | Closed
SILENCE: Final[list[bytes]] = []


class Fault:
    """A way to be wrong. The first line of a fault's docstring is its sentence in lists."""

    name: ClassVar[str]
    scope: ClassVar[str] = "server"
    # The reshaped response depends on more of the query than question, flags, EDNS version, DO and NSID.
    varies: ClassVar[bool] = False
    # Servers take connections for TLS only with such a fault.
    takes_tls: ClassVar[bool] = False
    # Without a `value`, the fault's own quantity; None: it has none.
    default_value: ClassVar[int | None] = None

    def __init__(self, value: int | None = None) -> None:
        self.value = self.default_value if value is None else value

    @property
    def quantity(self) -> int:
        return self.value or 0

    def delegate(self, zone: ZoneSpec) -> ZoneSpec:
        """The zone as its parent delegates it; for faults of a `delegation`. Twice is the same as once."""
        return zone

    def alter(self, zone: Zone) -> None:
        """Change the zone as this server holds it."""

    def hear(self, request: Request) -> Request | Reply:
        """Answer at once, or say as what the request is understood."""
        return request

    def reshape(self, request: Request, response: Response, world: World) -> None:
        """Change the response."""

    def rewrite(self, request: Request, octets: bytes) -> list[bytes]:
        """The datagrams that leave in place of this one."""
        return [octets]

    @property
    def sentence(self) -> str:
        return (inspect.getdoc(self) or "").partition("\n")[0]


class ZoneFault(Fault):
    """A fault of one zone on a server."""

    scope = "zone"


class DelegationFault(Fault):
    """A fault of the delegation of a zone, at all servers of its parent."""

    scope = "delegation"


FAULTS: dict[str, type[Fault]] = {}


def make_fault(name: str, value: int | None = None) -> Fault:
    """The fault of that name.

    Raises:
        InputError: no such fault, or it has no quantity.
    """
    kind = FAULTS.get(name)
    if kind is None:
        raise InputError(f"there is no lab fault {name!r}; known are: {', '.join(sorted(FAULTS))}")
    if value is not None and kind.default_value is None:
        raise InputError(f"the lab fault {name!r} takes no value")
    return kind(value)


def is_answer(response: Response) -> bool:
    """True if the response comes out of a zone: not an error of the message, and not a refusal."""
    return response.rcode in (codes.NOERROR, codes.NXDOMAIN)


def named(name: str) -> Callable[[type[Fault]], type[Fault]]:
    """Enter a fault under its name in lists and files."""

    def register(kind: type[Fault]) -> type[Fault]:
        if name in FAULTS:
            raise ValueError(f"two lab faults are called {name}")
        kind.name = name
        FAULTS[name] = kind
        return kind

    return register


def refer_to_root(response: Response, world: World) -> None:
    """Make the response a referral to the root, as of a server that knows no better."""
    response.empty(codes.NOERROR)
    root = world.zone_for(b"\0", codes.NS)
    ns = root.nodes[root.apex][codes.NS]
    response.authority = [ns]
    response.additional = root.addresses(ns.rdatas, do=False)
