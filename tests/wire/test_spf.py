"""The grammar of SPF records, hostile ones among them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.wire.spf import is_null, policies, wrong_term

GOOD = (
    "v=spf1", "v=spf1 -all", "v=spf1  mx   ~all ", "v=spf1 a mx ptr ?all", "v=spf1 a/24 mx//64 a/0//0 -all",
    "v=spf1 a:mail.example.com/24//64 mx:example.com. -all", "v=spf1 ip4:192.0.2.1 ip4:192.0.2.0/24 -all",
    "v=spf1 ip6:2001:db8::1 ip6:2001:db8::/32 -all", "v=spf1 include:_spf.example.com redirect=example.com",
    "v=spf1 exists:%{ir}.%{v}._spf.%{d2} -all", "v=spf1 exp=explain._spf.%{d} -all", "v=spf1 moo=%{s}-%%-%_ -all",
    "v=spf1 a:%{d1r/}/24 -all", "v=spf1 all include:a.b-c",
)  # fmt: skip
BAD = (
    "v=spf1 amx-all", "v=spf1 mx-all", "v=spf1 include", "v=spf1 include:", "v=spf1 include:localhost",
    "v=spf1 ip4:192.0.2.256", "v=spf1 ip4:192.0.2.0/33", "v=spf1 ip4:192.0.2.0/08", "v=spf1 ip6:192.0.2.1",
    "v=spf1 ip6:2001:db8::/129", "v=spf1 ip6:fe80::1%eth0", "v=spf1 all:example.com", "v=spf1 all/24", "v=spf1 a/33",
    "v=spf1 a:example.com/", "v=spf1 exists:%{x}.example.com", "v=spf1 exists:%a.example.com", "v=spf1 a:example.1",
    "v=spf1 a:example.-a", "v=spf1 redirect=a.b redirect=a.b", "v=spf1 --all", "v=spf1 +", "v=spf1 include:a.b\xe9",
    "v=spf1 ip4", "v=spf1 \t-all",
)  # fmt: skip


@pytest.mark.parametrize("text", GOOD)
def test_good(text: str) -> None:
    assert wrong_term(text) is None


@pytest.mark.parametrize("text", BAD)
def test_bad(text: str) -> None:
    assert wrong_term(text) is not None


@given(st.text(alphabet="v=spf1 a:mx/24%{}d.-ip46includ~?+\xe9", max_size=200))
def test_hostile(text: str) -> None:
    wrong_term("v=spf1 " + text)


@given(st.sampled_from(["%", "%{d}", ".", "a.", "/", "}", "{", "a=", "include:", "1"]))
def test_long(part: str) -> None:
    wrong_term("v=spf1 a:" + part * 20_000)


def test_which_are_policies() -> None:
    texts = [(b"V=spf", b"1 -ALL"), (b"v=spf10 -all",), (b"v=spf1",), (b"x v=spf1",)]
    assert policies(texts) == ("v=spf1", "v=spf1 -all")


def test_null() -> None:
    assert is_null("v=spf1 -all")
    assert not is_null("v=spf1 mx -all")
    assert not is_null("v=spf1")
