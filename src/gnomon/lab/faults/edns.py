"""EDNS that is missing, incomplete or fatal (RFC 6891; the tests of RFC 8906)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from gnomon.base import Transport, codes
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


@named("nsid-unknown")
class NsidUnknown(Fault):
    """Does not know NSID."""

    def hear(self, request: Request) -> Request | Reply:
        edns = request.edns
        if edns is None or not edns.asks(codes.OPTION_NSID):
            return request
        options = tuple((code, data) for code, data in edns.options if code != codes.OPTION_NSID)
        return request._replace(edns=edns._replace(options=options))


@named("opt-gratuitous")
class OptGratuitous(Fault):
    """Answers queries without EDNS with an OPT record."""

    def rewrite(self, request: Request, octets: bytes) -> list[bytes]:
        if request.edns is not None:
            return [octets]
        count = int.from_bytes(octets[10:12], "big") + 1
        return [octets[:10] + count.to_bytes(2, "big") + octets[12:] + _OPT_START + b"\0\0\0\0\0\0"]


@named("plain-refused")
class PlainRefused(Fault):
    """Refuses queries without EDNS."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.edns is None:
            response.empty(codes.REFUSED)


@named("tcp-without-edns")
class TcpWithoutEdns(Fault):
    """Answers queries with EDNS over TCP as if they had none."""

    def hear(self, request: Request) -> Request | Reply:
        return request._replace(edns=None) if request.transport is Transport.TCP else request


@named("truncated-without-opt")
class TruncatedWithoutOpt(Fault):
    """Leaves the OPT record out of truncated responses."""

    def rewrite(self, request: Request, octets: bytes) -> list[bytes]:
        at = octets.rfind(_OPT_START)
        if at < 0 or not octets[2] & 0x02:
            return [octets]
        return [octets[:10] + (int.from_bytes(octets[10:12], "big") - 1).to_bytes(2, "big") + octets[12:at]]


@named("tc-cleared")
class TcCleared(Fault):
    """Leaves the TC bit out of truncated responses."""

    def rewrite(self, request: Request, octets: bytes) -> list[bytes]:
        return [octets[:2] + bytes([octets[2] & ~0x02]) + octets[3:]]


@named("option-sent")
class OptionSent(Fault):
    """Sends EDNS option `value` in every response (11, TCP keepalive, unless given), with data of the lab's own."""

    default_value = codes.OPTION_TCP_KEEPALIVE

    def reshape(self, request: Request, response: Response, world: World) -> None:
        response.edns_options.append((self.quantity, _OPTION_DATA.get(self.quantity, b"lab")))


_OPTION_DATA = {
    codes.OPTION_ECS: b"\0\1\0\x18",  # a scope of 24 bits
    codes.OPTION_EXPIRE: b"\0\1\x51\x80",  # a day
    codes.OPTION_COOKIE: bytes(range(16)),
    codes.OPTION_TCP_KEEPALIVE: b"\0\x64",  # 10 seconds
    codes.OPTION_EDE: b"\0\x12no strangers",  # Prohibited
    codes.OPTION_REPORT_CHANNEL: b"\6errors\5other\4test\0",
}


@named("keepalive")
class Keepalive(Fault):
    """Tells over TCP that it keeps an idle connection for 10 seconds, if asked; not a fault."""

    varies = True

    def reshape(self, request: Request, response: Response, world: World) -> None:
        edns = request.edns
        if request.transport is Transport.TCP and edns is not None and edns.asks(codes.OPTION_TCP_KEEPALIVE):
            response.edns_options.append((codes.OPTION_TCP_KEEPALIVE, b"\0\x64"))


@named("reports-inside")
class ReportsInside(Fault):
    """Asks for reports of errors at a name in the zone itself."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        agent = b"\6errors" + world.zone_for(request.name, codes.SOA).apex
        response.edns_options.append((codes.OPTION_REPORT_CHANNEL, agent))


@named("cookie")
class Cookie(Fault):
    """Speaks DNS cookies (RFC 7873), as most servers do; not a fault."""

    varies = True

    def reshape(self, request: Request, response: Response, world: World) -> None:
        options = request.edns.options if request.edns is not None else ()
        sent = next((data for code, data in options if code == codes.OPTION_COOKIE), None)
        if sent is None:
            return
        if len(sent) != 8 and not 16 <= len(sent) <= 40:
            self.refuse(response)
            return
        self.judge(sent, response)
        response.edns_options.append((codes.OPTION_COOKIE, self.give(sent)))

    def refuse(self, response: Response) -> None:
        """Answer a cookie that cannot be."""
        response.empty(codes.FORMERR)

    def judge(self, sent: bytes, response: Response) -> None:
        """Answer a server cookie."""

    def give(self, sent: bytes) -> bytes:
        """The cookie to send back."""
        return sent[:8] + hashlib.shake_128(b"secret" + sent[:8]).digest(8)


@named("cookie-changed")
class CookieChanged(Cookie):
    """Gives another client cookie back than it got."""

    def give(self, sent: bytes) -> bytes:
        return bytes(8) + super().give(sent)[8:]


@named("cookie-client-only")
class CookieClientOnly(Cookie):
    """Gives the client cookie back without one of its own."""

    def give(self, sent: bytes) -> bytes:
        return sent[:8]


@named("cookie-short")
class CookieShort(Cookie):
    """Sends a cookie of 12 octets."""

    def give(self, sent: bytes) -> bytes:
        return super().give(sent)[:12]


@named("cookie-echoed")
class CookieEchoed(Cookie):
    """Gives any server cookie back as its own, and answers cookies that cannot be."""

    def refuse(self, response: Response) -> None:
        pass

    def give(self, sent: bytes) -> bytes:
        return sent if len(sent) > 8 else super().give(sent)


@named("cookie-refused")
class CookieRefused(Cookie):
    """Answers BADCOOKIE to its own cookie."""

    def judge(self, sent: bytes, response: Response) -> None:
        if len(sent) > 8:
            response.empty(codes.BADCOOKIE)


@named("cookie-enforced")
class CookieEnforced(Cookie):
    """Answers BADCOOKIE until it gets its own cookie back (RFC 7873 section 5.2.3), as a server does under attack."""

    def judge(self, sent: bytes, response: Response) -> None:
        if sent != self.give(sent):
            response.empty(codes.BADCOOKIE)
