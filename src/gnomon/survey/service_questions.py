"""The part of the plan about mail and the web: records of the apex, of names below it, and of names they lead to."""

from __future__ import annotations

from gnomon.base.codes import AAAA, CAA, HTTPS, MX, TLSA, TXT, A
from gnomon.survey.question import UDP_SIZE_OCTETS, Question
from gnomon.wire import Edns
from gnomon.wire.edns import DO

_PLAIN_DO = Edns(UDP_SIZE_OCTETS, flags=DO)
_SOME = (
    "at as many addresses that gave an authoritative answer to Q1, or any if none did, as record_servers says; at one"
    " if its NSEC says that there is none"
)
_BELOW = (
    "at one address that gave an authoritative answer to Q1, another for each name, and at one more if that gives no"
    " usable answer, unless the zone is the root, a top-level domain or under arpa"
)
_APEX = _BELOW + ", or its NSEC says that there is none"
_ADDRESS = (
    "at one address that gave an authoritative answer to Q1, and at one more if that gives no usable answer, unless"
    " the zone is the root or under arpa, or its NSEC says that there is none"
)
_ELSEWHERE = "once for the name: as H1"

Z1M = Question("Z1M", "zone", "MX of the zone, DO", MX, _SOME, ("mail",), edns=_PLAIN_DO, per=("record server",))
Z1T = Question("Z1T", "zone", "TXT of the zone, DO", TXT, _SOME, ("mail",), edns=_PLAIN_DO, per=("record server",))
Z1C = Question(
    "Z1C", "zone", "CAA of the zone, DO", CAA, _SOME + "; not of the root or a zone under arpa", ("services",),
    edns=_PLAIN_DO, per=("record server",),
)  # fmt: skip
Z1A = Question("Z1A", "zone", "A of the zone, DO", A, _ADDRESS, ("mail", "services"), edns=_PLAIN_DO, per=())
Z1A_AAAA = Question("Z1A", "zone", "AAAA of the zone, DO", AAAA, _ADDRESS, ("mail", "services"), edns=_PLAIN_DO, per=())
Z1H = Question("Z1H", "zone", "HTTPS of the zone, DO", HTTPS, _APEX, ("services",), edns=_PLAIN_DO, per=())
Z2_A = Question(
    "Z2", "zone", "A of www and of the zone's own names that MX, SPF and HTTPS records name, DO", A, _BELOW,
    ("mail", "services"), edns=_PLAIN_DO, per=("host inside",),
)  # fmt: skip
Z2_AAAA = Question(
    "Z2", "zone", "AAAA of the same, DO", AAAA, _BELOW, ("mail", "services"), edns=_PLAIN_DO, per=("host inside",)
)
Z2_TXT = Question(
    "Z2", "zone", "TXT of _dmarc, _mta-sts, _smtp._tls, _domainkey, and of the zone's own names in its SPF record, DO",
    TXT, _BELOW, ("mail",), edns=_PLAIN_DO, per=("text inside",),
)  # fmt: skip
Z2_TLSA = Question(
    "Z2", "zone", "TLSA of _443._tcp, and of _25._tcp of MX targets inside the zone, DO", TLSA, _BELOW,
    ("mail", "services"), edns=_PLAIN_DO, per=("host inside",),
)  # fmt: skip
H4 = Question(
    "H4", "name", "TLSA of _25._tcp of an MX target outside the zone, DO", TLSA, _ELSEWHERE, ("mail",), edns=_PLAIN_DO,
    per=("host elsewhere",),
)  # fmt: skip
H5 = Question(
    "H5", "name", "TXT of a name that an SPF record names, of _dmarc above a zone, or of one who gets its reports", TXT,
    _ELSEWHERE, ("mail",), edns=Edns(UDP_SIZE_OCTETS), per=("text elsewhere",),
)  # fmt: skip
H6 = Question(
    "H6", "name", "CAA of a name above a zone without CAA records", CAA, _ELSEWHERE, ("services",),
    edns=Edns(UDP_SIZE_OCTETS), per=("above",),
)  # fmt: skip

H8 = Question(
    "H8", "name", "MX of the domain of the contact in the SOA record, unless that is the zone", MX,
    "with the plan's contact: as H1; then the addresses of the mail hosts, or of the domain without any", ("syntax",),
    edns=Edns(UDP_SIZE_OCTETS), per=(),
)  # fmt: skip

SERVICES = (Z1M, Z1T, Z1C, Z1A, Z1A_AAAA, Z1H, Z2_A, Z2_AAAA, Z2_TXT, Z2_TLSA, H4, H5, H6, H8)
