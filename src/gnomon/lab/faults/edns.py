"""EDNS that is missing, incomplete or fatal (RFC 6891; the tests of RFC 8906)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gnomon.base import codes
from gnomon.lab.faults.fault import SILENCE, Fault, Reply, named
from gnomon.lab.records import SERVER_UDP_SIZE_OCTETS, Response
from gnomon.lab.request import Request

if TYPE_CHECKING:
    from gnomon.lab.world import World

_OPT_START = b"\0" + codes.OPT.to_bytes(2, "big") + SERVER_UDP_SIZE_OCTETS.to_bytes(2, "big")
# NSID, DAU, DHU, N3U, SUBNET, EXPIRE, COOKIE, KEEPALIVE, PADDING, CHAIN, KEY-TAG, EDE
_KNOWN_OPTIONS = frozenset({3, *range(5, 16)})


@named("no-edns")
class NoEdns(Fault):
    """Answers FORMERR without OPT to queries with EDNS."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.edns is not None:
            response.empty(codes.FORMERR)
            response.edns = False


@named("edns-dropped")
class EdnsDropped(Fault):
    """Answers nothing to queries with EDNS."""

    def hear(self, request: Request) -> Request | Reply:
        return request if request.edns is None else SILENCE


@named("edns-ignored")
class EdnsIgnored(Fault):
    """Answers queries with EDNS as if they had none."""

    def hear(self, request: Request) -> Request | Reply:
        return request._replace(edns=None)


@named("edns-version-ignored")
class EdnsVersionIgnored(Fault):
    """Answers queries of a later EDNS version as if they were version 0."""

    def hear(self, request: Request) -> Request | Reply:
        return request if request.edns is None else request._replace(edns=request.edns._replace(version=0))


@named("edns-version-dropped")
class EdnsVersionDropped(Fault):
    """Answers nothing to queries of a later EDNS version."""

    def hear(self, request: Request) -> Request | Reply:
        return SILENCE if request.edns is not None and request.edns.version else request


@named("option-echoed")
class OptionEchoed(Fault):
    """Sends the EDNS options of the query back."""

    varies = True

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.edns is not None:
            response.edns_options += request.edns.options


@named("option-refused")
class OptionRefused(Fault):
    """Answers FORMERR to an EDNS option that it does not know."""

    varies = True

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if _has_unknown_option(request):
            response.empty(codes.FORMERR)


@named("option-dropped")
class OptionDropped(Fault):
    """Answers nothing to queries with an EDNS option that it does not know."""

    def hear(self, request: Request) -> Request | Reply:
        return SILENCE if _has_unknown_option(request) else request


@named("flag-echoed")
class FlagEchoed(Fault):
    """Sends the reserved EDNS flags of the query back."""

    varies = True

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.edns is not None:
            response.edns_flags |= request.edns.flags & 0x7FFF


@named("do-cleared")
class DoCleared(Fault):
    """Leaves the DO bit out of its responses."""

    def rewrite(self, request: Request, octets: bytes) -> list[bytes]:
        at = octets.rfind(_OPT_START)
        return [octets] if at < 0 else [octets[: at + 7] + bytes([octets[at + 7] & 0x7F]) + octets[at + 8 :]]


@named("flag-dropped")
class FlagDropped(Fault):
    """Answers nothing to queries with a reserved EDNS flag."""

    def hear(self, request: Request) -> Request | Reply:
        return SILENCE if request.edns is not None and request.edns.flags & 0x7FFF else request


def _has_unknown_option(request: Request) -> bool:
    return request.edns is not None and any(code not in _KNOWN_OPTIONS for code, _ in request.edns.options)


@named("no-nsid")
class NoNsid(Fault):
    """Does not know NSID."""

    def hear(self, request: Request) -> Request | Reply:
        edns = request.edns
        if edns is None or not edns.asks(codes.OPTION_NSID):
            return request
        options = tuple((code, data) for code, data in edns.options if code != codes.OPTION_NSID)
        return request._replace(edns=edns._replace(options=options))
