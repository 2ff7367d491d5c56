from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gnomon.base import InputError, Name
from gnomon.sources import Anchor, default_anchors, parse_anchor, read_anchors
from gnomon.wire import rdata

Write = Callable[..., Path]

XML = """\
<?xml version="1.0" encoding="UTF-8"?>
<TrustAnchor id="E9724F53" source="http://data.iana.org/root-anchors/root-anchors.xml">
<Zone>.</Zone>
<KeyDigest id="Kjqmt7v" validFrom="2010-07-15T00:00:00+00:00" validUntil="2019-01-11T00:00:00+00:00">
<KeyTag>19036</KeyTag><Algorithm>8</Algorithm><DigestType>2</DigestType>
<Digest>49AAC11D7B6F6446702E54A1607371607A1A41855200FD2CE1CDDE32F24E8FB5</Digest>
<PublicKey>AwEA</PublicKey><Flags>257</Flags>
</KeyDigest>
<KeyDigest id="Klajeyz" validFrom="2017-02-02T00:00:00+00:00">
<KeyTag>20326</KeyTag><Algorithm>8</Algorithm><DigestType>2</DigestType>
<Digest>E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D</Digest>
</KeyDigest>
</TrustAnchor>
"""
NOVEMBER_2026 = 1_793_491_200


def test_packaged_anchors() -> None:
    anchors = default_anchors()
    assert [(anchor.owner, anchor.ds.key_tag) for anchor in anchors.anchors] == [
        (Name.from_text("."), 20326),
        (Name.from_text("."), 38696),
    ]
    assert anchors.at(NOVEMBER_2026) == anchors.anchors
    assert anchors.provenance.date == "2024-07-18"


@pytest.mark.real
def test_all_published_forms_say_the_same(real: Callable[[str], Path]) -> None:
    packaged = default_anchors().anchors
    assert read_anchors(real("trust-anchor/root.ds")).anchors == packaged
    assert read_anchors(real("trust-anchor/root.key")).anchors == packaged
    published = read_anchors(real("trust-anchor/root-anchors.xml"))
    assert len(published.anchors) == 3
    assert [anchor.ds for anchor in published.at(NOVEMBER_2026)] == [anchor.ds for anchor in packaged]


def test_xml_anchors_hold_in_their_time_only(write: Write) -> None:
    anchors = read_anchors(write(XML))
    assert [anchor.ds.key_tag for anchor in anchors.at(NOVEMBER_2026)] == [20326]
    assert [anchor.ds.key_tag for anchor in anchors.at(1_500_000_000)] == [19036, 20326]
    assert anchors.at(0) == ()


def test_keys_that_are_no_entry_points_are_left_out(write: Write) -> None:
    with pytest.raises(InputError, match="no trust anchor"):
        read_anchors(write(". IN DNSKEY 256 3 13 AwEAAaz/tAm8yTn4Mfeh5eyI96WSVexT\n"))


BOMB = '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (XML.replace("<TrustAnchor id", BOMB + "<TrustAnchor id"), "line 2: a document type is not allowed"),
        (XML.replace(">8<", ">&xxe;<"), "not well-formed XML: undefined entity"),
        (XML.replace("</KeyDigest>", "", 1), "not well-formed XML"),
        (XML.replace("<KeyTag>19036</KeyTag>", ""), "line 8: a KeyDigest lacks KeyTag"),
        (XML.replace("19036", "70000"), "line 8: '70000 8 2 49AA"),
        (XML.replace("49AA", "XYAA"), "line 8: '19036 8 2 XYAA"),
        (XML.replace("2019-01-11T00:00:00+00:00", "soon"), "'soon' is no time"),
        (XML.replace("2019-01-11T00:00:00+00:00", "2019-01-11"), "'2019-01-11' is no time with a time zone"),
        (XML.replace("<Zone>.<", "<Zone>a..b<"), "empty label"),
        ("<a/>", "no trust anchor in it"),
        ("", "no trust anchor in it"),
        (". IN DS 1 2\n", "line 1: "),
        (". IN A 192.0.2.1\n", "no trust anchor in it"),
    ],
)
def test_what_is_no_anchor_file_is_refused(write: Write, content: str, message: str) -> None:
    with pytest.raises(InputError) as raised:
        read_anchors(write(content))
    assert message in str(raised.value)


def test_a_name_that_points_elsewhere_is_not_followed(write: Write, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("0" * 64)
    external = f'<!DOCTYPE a SYSTEM "file://{secret}">'
    with pytest.raises(InputError, match="document type"):
        read_anchors(write(XML.replace("<TrustAnchor id", external + "<TrustAnchor id")))


@given(st.integers(0, 65535), st.integers(0, 255), st.integers(0, 255), st.binary(min_size=1, max_size=64))
def test_the_text_form_is_read_back(tag: int, algorithm: int, digest_type: int, digest: bytes) -> None:
    anchor = Anchor(Name.from_text("Example."), rdata.Ds(tag, algorithm, digest_type, digest))
    assert parse_anchor(str(anchor)) == anchor


@given(st.text() | st.lists(st.sampled_from([".", "IN", "DS", "1", "8", "2", "AB", "x"])).map(" ".join))
@example(". 3600 IN DS 1 8 2")
@example("a..b DS 1 8 2 AB")
def test_other_text_is_refused(text: str) -> None:
    try:
        parse_anchor(text)
    except InputError:
        return
    assert " DS " in f" {text.upper()} "


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.text()
    | st.lists(st.sampled_from(XML.replace("\n", " ").split(" "))).map(" ".join)
    | st.integers(0, len(XML)).map(lambda at: XML[:at])
    | st.binary()
)
@example("<?xml version='1.0' encoding='utf-16'?><a/>")
@example("<\ud800/>")
def test_whatever_is_in_a_file_only_an_input_error_comes(write: Write, content: str | bytes) -> None:
    path = write(content)
    try:
        read_anchors(path)
    except InputError as error:
        assert str(error).startswith(str(path))
