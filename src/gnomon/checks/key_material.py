"""What is inside a DNSKEY: RSA exponent and modulus, points on curves."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from math import gcd, isqrt, prod

from gnomon.checks.each import Flaw, judge_each_key
from gnomon.checks.outcome import Outcome
from gnomon.checks.registry import IOP, SEC, check
from gnomon.checks.replies import UNHEARD_EDNS, UNSIGNED
from gnomon.checks.signed import Key
from gnomon.checks.view import ZoneView
from gnomon.wire.rdata import Dnskey

_SMALL_FACTORS_BELOW = 1 << 16
_FERMAT_ROUNDS = 64
# The primes for which a modulus of the ROCA library lies in the group that 65537 generates (CVE-2017-15361).
_ROCA_PRIMES = (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)

_MOST_EXPONENT_BITS = 35

_NO_RSA = {"no-rsa": "{zone} has no RSA key.", **UNSIGNED, **UNHEARD_EDNS}


def _is_rsa(key: Key) -> bool:
    return key.dnskey.rsa_parts is not None


@check(
    "key.rsa-exponent",
    version=2,
    properties=(SEC, IOP),
    asked=("Q4",),
    codes={
        "good": "The RSA {keys:key|keys} of {zone} {keys:has a usual exponent|have usual exponents}: {keys}.",
        "useless": "The exponent of the key {key} of {zone} is even or 1: it protects nothing.",
        "three": "The exponent of the key {key} of {zone} is 3; faults in padding checks then allow forgery.",
        "large": "The exponent of the key {key} of {zone} has {bits} bits: BIND refuses it, and with it the zone.",
        **_NO_RSA,
    },
)
def rsa_exponent(view: ZoneView) -> Iterator[Outcome]:
    """RSA keys have an odd public exponent that is neither tiny nor huge.

    Why: with a tiny one, faulty implementations accept forged signatures; a huge one makes verification slow, and
        validators refuse it: BIND then rejects all answers of the zone, even if the key signs nothing.
    Rule: error for an even exponent, 1, or more than 35 bits; warning for 3.
    Source: RFC 3110 section 2; FIPS 186-5 section 5.4; the limit of BIND (RSA_MAX_PUBEXP_BITS).
    Do: roll to a key with the exponent 65537, or to algorithm 13.
    """

    def flaws(key: Key) -> Iterator[Flaw]:
        exponent = int.from_bytes((key.dnskey.rsa_parts or (b"", b""))[0], "big")
        if exponent % 2 == 0 or exponent == 1:
            yield "useless", {}
        elif exponent == 3:
            yield "three", {}
        elif exponent >> _MOST_EXPONENT_BITS:
            yield "large", {"bits": exponent.bit_length()}

    yield from judge_each_key(view, flaws, "good", only=_is_rsa, none="no-rsa")


@check(
    "key.rsa-weak-modulus",
    properties=(SEC,),
    asked=("Q4",),
    codes={
        "none-known": "No RSA key of {zone} has a weakness that shows in itself: {keys}.",
        "small-factor": "The modulus of the key {key} of {zone} has a small factor: anybody can sign in its name.",
        "close-factors": "The factors of the key {key} of {zone} lie close together: anybody can sign in its name.",
        "roca": "The modulus of the key {key} of {zone} was made by a faulty library (ROCA) and can be factored.",
        **_NO_RSA,
    },
)
def rsa_weak_modulus(view: ZoneView) -> Iterator[Outcome]:
    """No RSA modulus can be factored by a known short cut.

    Why: who knows the factors signs whatever they like, and no validator notices.
    Rule: critical for a factor below 65536, two factors so close that Fermat's method finds them at once, or the
        fingerprint of the ROCA library. Primes shared with keys of other zones cannot be seen in one zone.
    Source: CVE-2017-15361 (ROCA); CVE-2022-26320; Heninger 2012 ("Mining your Ps and Qs").
    Do: replace the key at once, and what made it before that.
    """

    def flaws(key: Key) -> Iterator[Flaw]:
        weakness = _weakness((key.dnskey.rsa_parts or (b"", b""))[1])
        if weakness:
            yield weakness, {}

    yield from judge_each_key(view, flaws, "none-known", only=_is_rsa, none="no-rsa")


@lru_cache(maxsize=4096)
def _weakness(modulus: bytes) -> str:
    n = int.from_bytes(modulus, "big")
    if gcd(n, _primorial()) > 1:
        return "small-factor"
    if _has_close_factors(n):
        return "close-factors"
    return "roca" if all(n % prime in _powers(prime) for prime in _ROCA_PRIMES) else ""


@cache
def _primorial() -> int:
    """The product of all primes below 65536."""
    is_prime = bytearray([1]) * _SMALL_FACTORS_BELOW
    for n in range(2, isqrt(_SMALL_FACTORS_BELOW) + 1):
        if is_prime[n]:
            is_prime[n * n :: n] = bytes(len(range(n * n, _SMALL_FACTORS_BELOW, n)))
    return prod(n for n in range(2, _SMALL_FACTORS_BELOW) if is_prime[n])


def _has_close_factors(n: int) -> bool:
    middle = isqrt(n - 1) + 1 if n > 1 else 1
    for a in range(middle, middle + _FERMAT_ROUNDS):
        square = a * a - n
        if isqrt(square) ** 2 == square:
            return True
    return False


@cache
def _powers(prime: int) -> frozenset[int]:
    """The powers of 65537 modulo a prime."""
    return frozenset(pow(65537, exponent, prime) for exponent in range(prime - 1))


@check(
    "key.curve-point",
    properties=(SEC, IOP),
    asked=("Q4",),
    codes={
        "on-curve": "The elliptic curve {keys:key|keys} of {zone} "
        "{keys:is a point of its curve|are points of their curves}: {keys}.",
        "off-curve": "The key {key} of {zone} is no point of its algorithm's curve: it verifies nothing.",
        "small-order": "The key {key} of {zone} is a point of small order: it accepts forged signatures.",
        "no-curve": "{zone} has no key of an elliptic curve algorithm that is known here.",
        **UNSIGNED,
        **UNHEARD_EDNS,
    },
)
def curve_point(view: ZoneView) -> Iterator[Outcome]:
    """Elliptic curve keys are points of their curve, and of large order.

    Why: with any other octets no signature verifies, or too many do; and BIND, where it comes upon such a key, rejects
        the answers of the zone, even if the key signs nothing.
    Rule: error for algorithm 13 or 14 if the coordinates do not satisfy the curve's equation, for 15 or 16 if the
        octets do not decode to a point, or decode to one of small order. A key of a wrong length is
        key.well-formed's.
    Source: RFC 6605 section 4; RFC 8080 section 3; RFC 8032 sections 5.1.3 and 5.2.3; FIPS 186-5.
    Do: generate the key anew with a maintained signer.
    """

    def flaws(key: Key) -> Iterator[Flaw]:
        flaw = _point_flaw(key.dnskey)
        if flaw:
            yield flaw, {}

    def has_curve(key: Key) -> bool:
        return len(key.dnskey.key) == {13: 64, 14: 96, 15: 32, 16: 57}.get(key.dnskey.algorithm)

    yield from judge_each_key(view, flaws, "on-curve", only=has_curve, none="no-curve")


# Prime and constant b of y^2 = x^3 - 3x + b (FIPS 186-5, curves P-256 and P-384).
_WEIERSTRASS = {
    13: (
        2**256 - 2**224 + 2**192 + 2**96 - 1,
        0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    ),
    14: (
        2**384 - 2**128 - 2**96 + 2**32 - 1,
        0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
    ),
}
_P25519 = 2**255 - 19
_P448 = 2**448 - 2**224 - 1


@lru_cache(maxsize=4096)
def _point_flaw(key: Dnskey) -> str:
    if key.algorithm in _WEIERSTRASS:
        p, b = _WEIERSTRASS[key.algorithm]
        half = len(key.key) // 2
        x, y = int.from_bytes(key.key[:half], "big"), int.from_bytes(key.key[half:], "big")
        return "" if x < p and y < p and (y * y - (x * x * x - 3 * x + b)) % p == 0 else "off-curve"
    if key.algorithm == 15:
        return _edwards_flaw(key.key, _P25519, -1, -121665 * pow(121666, -1, _P25519) % _P25519, 3)
    return _edwards_flaw(key.key, _P448, 1, -39081, 2)


def _edwards_flaw(octets: bytes, p: int, a: int, d: int, cofactor_bits: int) -> str:
    """What is wrong with an encoded point of a*x^2 + y^2 = 1 + d*x^2*y^2 (RFC 8032): y, and the lowest bit of x."""
    number = int.from_bytes(octets, "little")
    top = 8 * len(octets) - 1
    sign, y = number >> top, number & ~(1 << top)
    if y >= p:
        return "off-curve"
    square = (y * y - 1) * pow(d * y * y - a, -1, p) % p
    if square and pow(square, (p - 1) // 2, p) != 1:
        return "off-curve"
    if square == 0 and sign:
        return "off-curve"
    # Doubling a point of small order leads to the neutral one (0, 1), whatever the sign of x: y alone is followed.
    for _ in range(cofactor_bits):
        yy = y * y % p
        xx = (yy - 1) * pow(d * yy - a, -1, p) % p
        y = (yy - a * xx) * pow(1 - d * xx * yy, -1, p) % p
    return "small-order" if y == 1 else ""
