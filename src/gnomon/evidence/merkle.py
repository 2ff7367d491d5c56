"""Merkle tree over the rows of a segment: hashes and shape of RFC 9162 section 2.1, with SHA-256."""

from __future__ import annotations

from hashlib import sha256


class MerkleTree:
    """Takes leaf hashes in order and keeps only one hash per level: memory grows with the logarithm of the rows."""

    __slots__ = ("_peaks", "size")

    size: int

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Take the next leaf hash, SHA-256(0x00 || row): 32 octets."""
        # Each trailing 1 bit of the old size is a complete subtree that the new leaf completes further.
        size, peaks = self.size, self._peaks
        while size & 1:
            leaf = sha256(b"\x01" + peaks.pop() + leaf).digest()
            size >>= 1
        peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The tree's hash, 32 octets; of an empty tree the hash of no octets (RFC 9162 section 2.1.1)."""
        if not self._peaks:
            return sha256(b"").digest()
        *rest, root = self._peaks
        for peak in reversed(rest):
            root = sha256(b"\x01" + peak + root).digest()
        return root
