"""Merkle tree over the rows of a segment: hashes and shape of RFC 9162 section 2.1, with SHA-256."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256


class MerkleTree:
    """Takes leaf hashes in order and keeps only one hash per level: memory grows with the logarithm of the rows."""

    __slots__ = ("_peaks", "size")

    size: int

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Take the next leaf hashes, SHA-256(0x00 || row): 32 octets each."""
        size, peaks = self.size, self._peaks
        for leaf in leaves:
            node, rest = leaf, size
            # Each trailing 1 bit of the size is a complete subtree that the new leaf completes further.
            while rest & 1:
                node = sha256(b"\x01" + peaks.pop() + node).digest()
                rest >>= 1
            peaks.append(node)
            size += 1
        self.size = size

    def root(self) -> bytes:
        """The tree's hash, 32 octets; of an empty tree the hash of no octets (RFC 9162 section 2.1.1)."""
        if not self._peaks:
            return sha256(b"").digest()
        *rest, root = self._peaks
        for peak in reversed(rest):
            root = sha256(b"\x01" + peak + root).digest()
        return root
