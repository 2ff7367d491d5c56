"""Code points of the IANA DNS registries as open integers: every number is representable, named or not.

Names and numbers: IANA "Domain Name System (DNS) Parameters" and "DNSSEC Algorithm Numbers".
"""

from __future__ import annotations


class RRType(int):
    """A record type; prints its mnemonic, or TYPEnnn (RFC 3597 section 5)."""

    def __str__(self) -> str:
        return _TYPE_NAMES.get(self) or f"TYPE{int(self)}"

    __repr__ = __str__

    @classmethod
    def from_text(cls, text: str) -> RRType:
        """The type of a mnemonic or TYPEnnn.

        Raises:
            KeyError: unknown mnemonic.
        """
        upper = text.upper()
        if upper.startswith("TYPE") and upper[4:].isdigit():
            return cls(int(upper[4:]))
        return cls(_TYPE_NUMBERS[upper])


class Rcode(int):
    """A response code, extended ones included; prints its mnemonic, or RCODEnnn."""

    def __str__(self) -> str:
        return _RCODE_NAMES.get(self) or f"RCODE{int(self)}"

    __repr__ = __str__


_TYPE_NAMES = {
    1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 13: "HINFO", 15: "MX", 16: "TXT", 17: "RP", 24: "SIG",
    25: "KEY", 28: "AAAA", 29: "LOC", 33: "SRV", 35: "NAPTR", 39: "DNAME", 41: "OPT", 43: "DS", 44: "SSHFP",
    46: "RRSIG", 47: "NSEC", 48: "DNSKEY", 50: "NSEC3", 51: "NSEC3PARAM", 52: "TLSA", 53: "SMIMEA", 59: "CDS",
    60: "CDNSKEY", 61: "OPENPGPKEY", 62: "CSYNC", 63: "ZONEMD", 64: "SVCB", 65: "HTTPS", 66: "DSYNC", 99: "SPF",
    128: "NXNAME", 249: "TKEY", 250: "TSIG", 251: "IXFR", 252: "AXFR", 255: "ANY", 256: "URI", 257: "CAA",
}  # fmt: skip
_TYPE_NUMBERS = {name: number for number, name in _TYPE_NAMES.items()}
_RCODE_NAMES = {
    0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 6: "YXDOMAIN",
    7: "YXRRSET", 8: "NXRRSET", 9: "NOTAUTH", 10: "NOTZONE", 16: "BADVERS", 17: "BADKEY", 18: "BADTIME",
    22: "BADTRUNC", 23: "BADCOOKIE",
}  # fmt: skip

A = RRType(1)
NS = RRType(2)
CNAME = RRType(5)
SOA = RRType(6)
PTR = RRType(12)
MX = RRType(15)
TXT = RRType(16)
AAAA = RRType(28)
SRV = RRType(33)
DNAME = RRType(39)
OPT = RRType(41)
DS = RRType(43)
RRSIG = RRType(46)
NSEC = RRType(47)
DNSKEY = RRType(48)
NSEC3 = RRType(50)
NSEC3PARAM = RRType(51)
TLSA = RRType(52)
CDS = RRType(59)
CDNSKEY = RRType(60)
CSYNC = RRType(62)
ZONEMD = RRType(63)
SVCB = RRType(64)
HTTPS = RRType(65)
DSYNC = RRType(66)
TSIG = RRType(250)
IXFR = RRType(251)
AXFR = RRType(252)
ANY = RRType(255)
CAA = RRType(257)

CLASS_IN = 1
CLASS_CH = 3

NOERROR = Rcode(0)
FORMERR = Rcode(1)
SERVFAIL = Rcode(2)
NXDOMAIN = Rcode(3)
NOTIMP = Rcode(4)
REFUSED = Rcode(5)
NOTAUTH = Rcode(9)
BADVERS = Rcode(16)
BADCOOKIE = Rcode(23)

OPTION_NSID = 3
OPTION_ECS = 8
OPTION_EXPIRE = 9
OPTION_COOKIE = 10
OPTION_TCP_KEEPALIVE = 11
OPTION_EDE = 15
OPTION_REPORT_CHANNEL = 18
OPTION_ZONEVERSION = 19

ALGORITHM_NAMES = {
    1: "RSAMD5", 3: "DSA", 5: "RSASHA1", 6: "DSA-NSEC3-SHA1", 7: "RSASHA1-NSEC3-SHA1", 8: "RSASHA256",
    10: "RSASHA512", 12: "ECC-GOST", 13: "ECDSAP256SHA256", 14: "ECDSAP384SHA384", 15: "ED25519", 16: "ED448",
    17: "SM2SM3", 23: "ECC-GOST12", 252: "INDIRECT", 253: "PRIVATEDNS", 254: "PRIVATEOID",
}  # fmt: skip
DIGEST_NAMES = {1: "SHA-1", 2: "SHA-256", 3: "GOST R 34.11-94", 4: "SHA-384", 5: "GOST R 34.11-2012", 6: "SM3"}
