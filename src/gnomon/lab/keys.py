"""The lab's keys: a small pool per algorithm, the same octets everywhere, and DNSKEY and DS rdata from them.

Keys and signatures of an algorithm that the lab does not know are octets without meaning.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from importlib import resources

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gnomon.base import InputError
from gnomon.lab.spec import RSA_ALGORITHMS, DsSpec, KeySpec

Sign = Callable[[bytes], bytes]

_RSA_HASHES: dict[int, type[hashes.SHA1] | type[hashes.SHA256] | type[hashes.SHA512]] = {
    5: hashes.SHA1, 7: hashes.SHA1, 8: hashes.SHA256, 10: hashes.SHA512,
}  # fmt: skip
_DIGESTS = {1: hashlib.sha1, 2: hashlib.sha256, 4: hashlib.sha384}
_ORDERS = {
    13: 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    14: 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
}


@cache
def dnskey_rdata(key: KeySpec) -> bytes:
    """The DNSKEY rdata of a key (RFC 4034 section 2.1)."""
    public = _material(key.algorithm, key.bits if key.algorithm in RSA_ALGORITHMS else 0, key.index)[0]
    return key.flags.to_bytes(2, "big") + bytes([key.protocol, key.algorithm]) + public


@cache
def key_tag(rdata: bytes) -> int:
    """The key tag of DNSKEY rdata (RFC 4034 appendix B)."""
    total = sum(rdata[1::2]) + (sum(rdata[0::2]) << 8)
    return (total + (total >> 16)) & 0xFFFF


def signer(key: KeySpec) -> Sign:
    """The function that signs octets with that key, in the form an RRSIG holds."""
    return _material(key.algorithm, key.bits if key.algorithm in RSA_ALGORITHMS else 0, key.index)[1]


def ds_rdata(owner: bytes, ds: DsSpec) -> bytes:
    """The DS rdata for a key of `owner` (RFC 4034 section 5.1.4); an unknown digest type gets 32 fixed octets."""
    rdata = dnskey_rdata(ds.key)
    digest_of = _DIGESTS.get(ds.digest_type, hashlib.sha256)
    digest = digest_of(owner + rdata).digest()
    if ds.corrupt:
        digest = bytes([digest[0] ^ 0xFF]) + digest[1:]
    return key_tag(rdata).to_bytes(2, "big") + bytes([ds.key.algorithm, ds.digest_type]) + digest


def p256_private(index: int) -> bytes:
    """The private key of the ECDSA P-256 key of that index, for servers that sign themselves: 32 octets."""
    seed = hashlib.shake_256(f"gnomon lab key 13 {index}".encode()).digest(32)
    return (int.from_bytes(seed, "big") % (_ORDERS[13] - 1) + 1).to_bytes(32, "big")


@cache
def _material(algorithm: int, bits: int, index: int) -> tuple[bytes, Sign]:
    """The public key field of the DNSKEY and the signing function."""
    if algorithm in RSA_ALGORITHMS:
        return _rsa(algorithm, bits, index)
    seed = hashlib.shake_256(f"gnomon lab key {algorithm} {index}".encode())
    if algorithm == 13:
        return _ecdsa(ec.SECP256R1(), hashes.SHA256(), 32, int.from_bytes(p256_private(index), "big"))
    if algorithm == 14:
        return _ecdsa(
            ec.SECP384R1(), hashes.SHA384(), 48, int.from_bytes(seed.digest(48), "big") % (_ORDERS[14] - 1) + 1
        )
    if algorithm == 15:
        private15 = ed25519.Ed25519PrivateKey.from_private_bytes(seed.digest(32))
        return private15.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw), private15.sign
    if algorithm == 16:
        private16 = ed448.Ed448PrivateKey.from_private_bytes(seed.digest(57))
        return private16.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw), private16.sign
    return _opaque(seed.digest(64))


def _opaque(public: bytes) -> tuple[bytes, Sign]:
    """A key of an algorithm that nobody here knows: octets that look like one, and signatures that do."""

    def sign(data: bytes) -> bytes:
        return hashlib.shake_256(public + data).digest(64)

    return public, sign


def _rsa(algorithm: int, bits: int, index: int) -> tuple[bytes, Sign]:
    pool = _rsa_primes().get(bits)
    if not pool:
        sizes = ", ".join(map(str, sorted(_rsa_primes())))
        raise InputError(f"the lab has no RSA key of {bits} bits; use one of {sizes}")
    if bits < 768 and algorithm == 10:
        raise InputError(f"RSA/SHA-512 (algorithm 10) needs more than {bits} bits (RFC 5702 section 2.2)")
    private = _rsa_private(bits, index % len(pool))
    modulus = private.public_key().public_numbers().n
    digest = _RSA_HASHES[algorithm]()

    def sign(data: bytes) -> bytes:
        return private.sign(data, padding.PKCS1v15(), digest)

    # RFC 3110 section 2: length of the exponent, exponent 65537, modulus.
    return b"\x03\x01\x00\x01" + modulus.to_bytes((modulus.bit_length() + 7) // 8, "big"), sign


@cache
def _rsa_private(bits: int, index: int) -> rsa.RSAPrivateKey:
    p, q = _rsa_primes()[bits][index]
    d = pow(65537, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p,
        q,
        d,
        rsa.rsa_crt_dmp1(d, p),
        rsa.rsa_crt_dmq1(d, q),
        rsa.rsa_crt_iqmp(p, q),
        rsa.RSAPublicNumbers(65537, p * q),
    )
    # Validation would refuse the 512-bit keys that exist to be found weak.
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


@cache
def _rsa_primes() -> dict[int, list[tuple[int, int]]]:
    pools: dict[int, list[tuple[int, int]]] = {}
    text = resources.files("gnomon.lab").joinpath("data/rsa-primes.txt").read_text("ascii")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            bits, p, q = line.split()
            pools.setdefault(int(bits), []).append((int(p, 16), int(q, 16)))
    return pools


def _ecdsa(curve: ec.EllipticCurve, digest: hashes.HashAlgorithm, octets: int, scalar: int) -> tuple[bytes, Sign]:
    private = ec.derive_private_key(scalar, curve)
    numbers = private.public_key().public_numbers()
    scheme = ec.ECDSA(digest, deterministic_signing=True)  # RFC 6979: same world, same octets

    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(private.sign(data, scheme))
        return r.to_bytes(octets, "big") + s.to_bytes(octets, "big")

    return numbers.x.to_bytes(octets, "big") + numbers.y.to_bytes(octets, "big"), sign
