"""The compliance pack: what each server address is asked once, whichever of its zones are surveyed.

The tests of RFC 8906 and of what came after it. Combined probes come first and are taken apart only where they fail:
a healthy server gets few messages, and a fault is put down to one feature all the same. What takes consent (UPDATE,
NOTIFY, bursts, cache probing) is not asked.
"""

from __future__ import annotations

from gnomon.base import Name, Transport
from gnomon.base.codes import (
    AAAA,
    ANY,
    AXFR,
    CLASS_CH,
    DNSKEY,
    IXFR,
    NS,
    OPTION_ECS,
    OPTION_EXPIRE,
    OPTION_NSID,
    OPTION_ZONEVERSION,
    SOA,
    TXT,
    A,
)
from gnomon.survey.question import (
    UDP_SIZE_OCTETS,
    UNKNOWN_OPTION,
    Question,
    is_format_error,
    is_proper,
    is_proper_badvers,
    is_proper_with_edns,
    is_refusal,
    tells_a_text,
)
from gnomon.wire import Edns
from gnomon.wire.edns import DO

VERSION_BIND = Name.from_text("version.bind.")
VERSION_SERVER = Name.from_text("version.server.")

_RESERVED_FLAG = 0x0040  # of EDNS; the header's reserved bit has the same number
_AA, _TC, _RA, _Z, _AD, _CD = 0x0400, 0x0200, 0x0080, 0x0040, 0x0020, 0x0010
_WHOLE_INTERNET = b"\0\1\0\0"  # client subnet 0.0.0.0/0: says nothing about anybody (RFC 7871 section 7.1.2)
_OPTIONS = {"S6N": (OPTION_NSID, b""), "S6S": (OPTION_ECS, _WHOLE_INTERNET), "S6X": (OPTION_EXPIRE, b""),
            "S6V": (OPTION_ZONEVERSION, b"")}  # fmt: skip

_PACK = "once for each server address that gave an authoritative answer to Q1"
_IF_NOT = "where {} got no proper answer"
_IF_COOKIE = "where Q2 brought a server cookie"
_PLAIN = Edns(UDP_SIZE_OCTETS)

S0 = Question(
    "S0", "server", "SOA of a zone it serves, plain", SOA, "after a question of the pack got no answer; without one to"
    " this either, the rest is not asked", ("edns", "header"), only_after=True,
)  # fmt: skip
S1 = Question(
    "S1", "server", "SOA of a zone it serves, EDNS version 1", SOA, _IF_NOT.format("S4"), ("edns",),
    edns=Edns(UDP_SIZE_OCTETS, 1), follow_truncation=False, only_after=True,
)  # fmt: skip
S2 = Question(
    "S2", "server", "SOA of a zone it serves, unknown EDNS option", SOA, _IF_NOT.format("S6"), ("edns",),
    edns=Edns(UDP_SIZE_OCTETS, options=(UNKNOWN_OPTION,)), follow_truncation=False, only_after=True,
)  # fmt: skip
S3 = Question(
    "S3", "server", "SOA of a zone it serves, unknown EDNS flag", SOA, _IF_NOT.format("S6"), ("edns",),
    edns=Edns(UDP_SIZE_OCTETS, flags=_RESERVED_FLAG), follow_truncation=False, only_after=True,
)  # fmt: skip
S4 = Question(
    "S4", "server", "SOA of a zone it serves, EDNS version 1, unknown option and flag, DO", SOA, _PACK, ("edns",),
    edns=Edns(UDP_SIZE_OCTETS, 1, DO | _RESERVED_FLAG, (UNKNOWN_OPTION,)), follow_truncation=False,
    parts=("S1",), proper=is_proper_badvers,
)  # fmt: skip
S5 = Question(
    "S5", "server", "DNSKEY of a zone it serves, DO, 512 octets at most", DNSKEY, _PACK, ("edns",),
    edns=Edns(512, flags=DO), follow_truncation=False,
)  # fmt: skip
S6 = Question(
    "S6", "server", "SOA of a zone it serves, NSID, client subnet 0.0.0.0/0, EXPIRE, ZONEVERSION, cookie,"
    " unknown option and flag", SOA, _PACK, ("edns", "answers", "consistency"),
    edns=Edns(UDP_SIZE_OCTETS, flags=_RESERVED_FLAG, options=(*_OPTIONS.values(), UNKNOWN_OPTION)), cookie="server",
    follow_truncation=False, parts=("S2", "S3", *_OPTIONS, "S6C"), proper=is_proper_with_edns,
)  # fmt: skip
S7 = Question("S7", "server", "a message with opcode 15", SOA, _PACK, ("header",), opcode=15, follow_truncation=False)
S8 = Question(
    "S8", "server", "SOA of a zone it serves, plain, AA, TC, RD, RA, Z, AD and CD set", SOA, _PACK, ("header",),
    rd=True, flags=_AA | _TC | _RA | _Z | _AD | _CD, follow_truncation=False, proper=is_proper,
    parts=("S8A", "S8T", "S8R", "S8Z", "S8D", "S8C", "S9"),
)  # fmt: skip
S9 = Question(
    "S9", "server", "SOA of a zone it serves, plain, recursion desired", SOA, _IF_NOT.format("S8"), ("header",),
    rd=True, follow_truncation=False, only_after=True,
)  # fmt: skip
S10 = Question(
    "S10", "server", "A of a fresh name it has nothing to do with, recursion desired", A, _PACK, ("exposure",),
    rd=True, follow_truncation=False, parts=("S11",), proper=is_refusal,
)  # fmt: skip
S11 = Question(
    "S11", "server", "NS of the root", NS, "where S10 was not refused", ("exposure", "answers"),
    follow_truncation=False, only_after=True,
)  # fmt: skip
S12 = Question(
    "S12", "server", "SOA of a zone it serves, with the server's cookie", SOA, _IF_COOKIE, ("edns",), edns=_PLAIN,
    cookie="server", follow_truncation=False, per=("cookie address",),
)  # fmt: skip
S13 = Question(
    "S13", "server", "SOA of a zone it serves, with a wrong server cookie", SOA, _IF_COOKIE, ("edns",), edns=_PLAIN,
    cookie="wrong", follow_truncation=False, per=("cookie address",),
)  # fmt: skip
S14 = Question(
    "S14", "server", "SOA of a zone it serves, with a cookie of 4 octets", SOA, _IF_COOKIE, ("edns",), edns=_PLAIN,
    cookie="short", follow_truncation=False, per=("cookie address",),
)  # fmt: skip
S15 = Question(
    "S15", "server", "a message without a question", SOA, "where S16 did not get FORMERR", ("header",), questions=0,
    follow_truncation=False, only_after=True,
)  # fmt: skip
S16 = Question(
    "S16", "server", "SOA of a zone it serves, two questions", SOA, _PACK, ("header",), questions=2,
    follow_truncation=False, parts=("S15",), proper=is_format_error,
)  # fmt: skip
S17 = Question(
    "S17", "server", "TXT version.bind in class CH", TXT, _PACK, ("exposure", "header"), qclass=CLASS_CH,
    follow_truncation=False, parts=("S18",), proper=tells_a_text,
)  # fmt: skip
S18 = Question(
    "S18", "server", "TXT version.server in class CH", TXT, "where S17 brought no text", ("exposure", "header"),
    qclass=CLASS_CH, follow_truncation=False, only_after=True,
)  # fmt: skip
S19 = Question(
    "S19", "server", "ANY of a zone it serves, DO", ANY, _PACK, ("header", "exposure"),
    edns=Edns(UDP_SIZE_OCTETS, flags=DO), follow_truncation=False,
)  # fmt: skip
S20 = Question(
    "S20", "server", "a transfer of a zone it serves; only the first message is read", AXFR, _PACK, ("exposure",),
    Transport.TCP, attempts=1,
)  # fmt: skip
S21 = Question(
    "S21", "server", "an incremental transfer of a zone it serves; only the first message is read", IXFR, _PACK,
    ("exposure",), Transport.TCP, attempts=1, extra="soa",
)  # fmt: skip
S22 = Question(
    "S22", "server", "SOA of a zone it serves, signed with a TSIG key that nobody has", SOA, _PACK, ("header",),
    extra="tsig", follow_truncation=False,
)  # fmt: skip
S28 = Question(
    "S28", "server", "SOA of a zone it serves, over TLS (port 853)", SOA, _PACK, ("transport",), Transport.DOT, _PLAIN,
    attempts=1, timeout_ms=1000,
)  # fmt: skip
S25 = Question("S25", "server", "AAAA of a zone it serves, plain", AAAA, _PACK, ("header",), follow_truncation=False)


def _flag(code: str, name: str, bit: int) -> Question:
    return Question(
        code, "server", f"SOA of a zone it serves, plain, {name} set", SOA, _IF_NOT.format("S8"), ("header",),
        flags=bit, follow_truncation=False, only_after=True,
    )  # fmt: skip


def _option(code: str, name: str) -> Question:
    return Question(
        code, "server", f"SOA of a zone it serves, {name}", SOA, _IF_NOT.format("S6"), ("edns",),
        edns=Edns(UDP_SIZE_OCTETS, options=(_OPTIONS[code],) if code in _OPTIONS else ()),
        cookie="" if code in _OPTIONS else "server", follow_truncation=False, only_after=True,
    )  # fmt: skip


FLAGS = (
    _flag("S8A", "AA", _AA), _flag("S8T", "TC", _TC), _flag("S8R", "RA", _RA), _flag("S8Z", "Z", _Z),
    _flag("S8D", "AD", _AD), _flag("S8C", "CD", _CD),
)  # fmt: skip
OPTIONS = (
    _option("S6N", "NSID"), _option("S6S", "client subnet 0.0.0.0/0"), _option("S6X", "EXPIRE"),
    _option("S6V", "ZONEVERSION"), _option("S6C", "cookie"),
)  # fmt: skip

# In this order: what every resolver sends before what only tests send.
PACK = (S25, S6, S5, S10, S17, S19, S12, S13, S14, S8, S4, S7, S16, S22, S20, S21, S28)
COMPLIANCE = (S0, S1, S2, S3, S4, S5, S6, *OPTIONS, S7, S8, *FLAGS, S9, S10, S11, S12, S13, S14, S15, S16, S17, S18,
              S19, S20, S21, S22, S25, S28)  # fmt: skip
