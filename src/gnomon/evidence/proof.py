"""Proofs over Merkle trees of RFC 9162 section 2.1: that leaves are in a tree, and that a tree only grew.

All functions take and give leaf hashes, SHA-256(0x00 || entry), and node hashes of 32 octets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256

from gnomon._core import MerkleTree

HASH_OCTETS = 32


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def tree_root(leaves: Sequence[bytes]) -> bytes:
    tree = MerkleTree()
    tree.extend(b"".join(leaves))
    return tree.root()


def range_path(leaves: Sequence[bytes], first: int, stop: int) -> list[bytes]:
    """The hashes of the subtrees beside the leaves `first` to `stop` (not included), from left to right.

    For one leaf these are the nodes of its inclusion path, in the order of the tree instead of from leaf to root.
    """
    return list(_beside(leaves, first, stop))


def _beside(leaves: Sequence[bytes], first: int, stop: int) -> Iterator[bytes]:
    if first >= stop or not leaves:
        raise ValueError("a proof needs at least one leaf")
    if first <= 0 and stop >= len(leaves):
        return
    split = _split(len(leaves))
    if first < split:
        yield from _beside(leaves[:split], first, min(stop, split))
    else:
        yield tree_root(leaves[:split])
    if stop > split:
        yield from _beside(leaves[split:], max(first - split, 0), stop - split)
    else:
        yield tree_root(leaves[split:])


def root_of_range(leaves: Sequence[bytes], first: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root of a tree of `size` leaves in which `leaves` begin at `first` and `path` has what is beside them.

    Raises:
        ValueError: the path has too few or too many hashes for this place, or the place is outside the tree.
    """
    if not leaves or first < 0 or first + len(leaves) > size:
        raise ValueError("the leaves do not lie inside the tree")
    rest = iter(path)
    try:
        root = _root_of_range(leaves, first, size, rest)
    except StopIteration:
        raise ValueError("the proof is too short") from None
    if next(rest, None) is not None:
        raise ValueError("the proof is too long")
    return root


def _root_of_range(leaves: Sequence[bytes], first: int, size: int, rest: Iterator[bytes]) -> bytes:
    if first == 0 and len(leaves) == size:
        return tree_root(leaves)
    split = _split(size)
    ours = max(split - first, 0)
    left = _root_of_range(leaves[:ours], first, split, rest) if ours else next(rest)
    others, begin = leaves[ours:], max(first - split, 0)
    right = _root_of_range(others, begin, size - split, rest) if others else next(rest)
    return sha256(b"\x01" + left + right).digest()


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """PATH(index, leaves) of RFC 9162 section 2.1.3.1: from the leaf to the root."""
    if len(leaves) <= 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion_path(leaves[:split], index), tree_root(leaves[split:])]
    return [*inclusion_path(leaves[split:], index - split), tree_root(leaves[:split])]


def root_of_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that follows from an inclusion path (RFC 9162 section 2.1.3.2).

    Raises:
        ValueError: the path has not the length that index and size ask for.
    """
    if not 0 <= index < size:
        raise ValueError(f"entry {index} is not in a tree of {size}")
    node, at, last = leaf, index, size - 1
    for hash_ in path:
        if last == 0:
            raise ValueError("the proof is too long")
        if at & 1 or at == last:
            node = sha256(b"\x01" + hash_ + node).digest()
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = sha256(b"\x01" + node + hash_).digest()
        at, last = at >> 1, last >> 1
    if last:
        raise ValueError("the proof is too short")
    return node


def consistency_path(leaves: Sequence[bytes], old: int) -> list[bytes]:
    """PROOF(old, leaves) of RFC 9162 section 2.1.4.1: that the first `old` leaves have not changed."""
    if not 0 < old <= len(leaves):
        raise ValueError(f"there was no tree of {old} entries before one of {len(leaves)}")
    return _subproof(leaves, old, whole=True)


def _subproof(leaves: Sequence[bytes], old: int, *, whole: bool) -> list[bytes]:
    if old == len(leaves):
        return [] if whole else [tree_root(leaves)]
    split = _split(len(leaves))
    if old <= split:
        return [*_subproof(leaves[:split], old, whole=whole), tree_root(leaves[split:])]
    return [*_subproof(leaves[split:], old - split, whole=False), tree_root(leaves[:split])]


def is_consistent(old_root: bytes, old: int, new_root: bytes, new: int, path: Sequence[bytes]) -> bool:
    """Whether `path` proves that the tree of `new` leaves begins with that of `old` (RFC 9162 section 2.1.4.2)."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not path and old_root == new_root
    nodes = list(path)
    if old & (old - 1) == 0:  # a power of two: its root is itself a node of the new tree
        nodes.insert(0, old_root)
    if not nodes:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            before, after = sha256(b"\x01" + node + before).digest(), sha256(b"\x01" + node + after).digest()
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            after = sha256(b"\x01" + after + node).digest()
        at, last = at >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root


def _split(size: int) -> int:
    """The largest power of two that is smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)
