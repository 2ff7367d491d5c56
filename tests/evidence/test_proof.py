"""Merkle proofs against published vectors, and against each other for every place and size."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.evidence.proof import (
    consistency_path,
    inclusion_path,
    is_consistent,
    leaf_hash,
    range_path,
    root_of_inclusion,
    root_of_range,
    tree_root,
)

# The test tree of the Certificate Transparency reference implementations.
ENTRIES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
LEAVES = [leaf_hash(bytes.fromhex(entry)) for entry in ENTRIES]


def leaves_of(size: int) -> list[bytes]:
    return [leaf_hash(number.to_bytes(4, "big")) for number in range(size)]


def test_roots_of_the_published_tree() -> None:
    assert [tree_root(LEAVES[:size]).hex() for size in range(1, 9)] == list(ROOTS)
    assert tree_root([]) == sha256(b"").digest()


@pytest.mark.parametrize("size", range(1, 20))
def test_every_leaf_and_every_growth_of_small_trees(size: int) -> None:
    leaves = leaves_of(size)
    root = tree_root(leaves)
    for index, leaf in enumerate(leaves):
        path = inclusion_path(leaves, index)
        assert root_of_inclusion(leaf, index, size, path) == root
        assert sorted(path) == sorted(range_path(leaves, index, index + 1))
        for wrong in ([*path, root], path[:-1] if path else [root]):
            with pytest.raises(ValueError):
                root_of_inclusion(leaf, index, size, wrong)
        if index ^ 1 < size:
            assert root_of_inclusion(leaf, index ^ 1, size, path) != root
    for old in range(1, size + 1):
        path, before = consistency_path(leaves, old), tree_root(leaves[:old])
        assert is_consistent(before, old, root, size, path)
        assert not is_consistent(leaf_hash(b"other"), old, root, size, path)
        assert not is_consistent(before, old, root, size, [*path, root])
        assert old == size or not is_consistent(before, old, root, size, path[:-1])


@given(st.data())
def test_ranges(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 70))
    first = data.draw(st.integers(0, size - 1))
    stop = data.draw(st.integers(first + 1, size))
    leaves = leaves_of(size)
    path = range_path(leaves, first, stop)
    assert len(path) <= 2 * size.bit_length()
    assert root_of_range(leaves[first:stop], first, size, path) == tree_root(leaves)
    changed = [*leaves[first : stop - 1], leaf_hash(b"changed")]
    assert root_of_range(changed, first, size, path) != tree_root(leaves)
    with pytest.raises(ValueError):
        root_of_range(leaves[first:stop], first, size, [*path, changed[-1]])
    if path:
        with pytest.raises(ValueError):
            root_of_range(leaves[first:stop], first, size, path[:-1])


@given(
    st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=9),
    st.integers(-1, 80),
    st.integers(-1, 80),
    st.lists(st.binary(min_size=32, max_size=32), max_size=9),
)
def test_hostile_proofs_prove_nothing(leaves: list[bytes], first: int, size: int, path: list[bytes]) -> None:
    root = tree_root(leaves_of(max(size, 1)))
    try:
        assert root_of_range(leaves, first, size, path) != root
        assert root_of_inclusion(leaves[0], first, size, path) != root
    except ValueError:
        pass
    assert not is_consistent(leaves[0], first, root, size, path)


def test_places_outside_a_tree() -> None:
    leaves = leaves_of(3)
    for first, size in ((-1, 3), (1, 3), (0, 2)):
        with pytest.raises(ValueError, match="inside"):
            root_of_range(leaves, first, size, [])
    with pytest.raises(ValueError, match="not in a tree"):
        root_of_inclusion(leaves[0], 3, 3, [])
    for old in (0, 4):
        with pytest.raises(ValueError, match="no tree"):
            consistency_path(leaves, old)
    with pytest.raises(ValueError, match="at least one"):
        range_path(leaves, 2, 2)
