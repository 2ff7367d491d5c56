from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gnomon.evidence.sealed import seal, unseal

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(st.text(max_size=3), VALUES | st.lists(st.text(max_size=4), max_size=4), max_size=5)


def _text(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1).encode() + b"\n"


@given(DOCUMENTS)
def test_the_text_is_that_of_the_library(document: dict[str, Any]) -> None:
    digest = sha256(_text(document)).hexdigest()
    assert seal(document) == _text({**document, "sha256": digest})
    assert unseal(seal(document), "here") == document
