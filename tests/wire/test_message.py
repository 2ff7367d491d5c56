from __future__ import annotations

import copy
import pickle
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import as_tuples, edns, messages, names, u16

from gnomon.base import Name
from gnomon.base.codes import CLASS_CH, NS, RRSIG, SOA
from gnomon.wire import Edns, Malformed, Message, Question, Record, RRset, compose
from gnomon.wire.message import asked_in, different_records, parsed
from gnomon.wire.presentation import dig

ZONE = Name.from_text("Example.test.")


def read_everything(octets: bytes) -> Message:
    """Touch every part of a message; none may raise."""
    message = Message(octets)
    for section in ("answer", "authority", "additional"):
        for record in message.records(section):
            rrset = message.rrset(section, record.owner, record.rtype)
            assert rrset is None or rrset.rdatas
    assert message.edns is None or message.opt_count
    _ = (message.rcode, message.question, message.counts, message.trailing_octets, repr(message), hash(message))
    text = dig(message)
    assert all(line.replace("\t", " ").isprintable() for line in text.split("\n"))
    return message


@given(names, u16, u16, st.booleans(), st.integers(0, 15), st.none() | edns)
def test_composed_queries_read_back(
    name: Name, qtype: int, qclass: int, rd: bool, opcode: int, opt: Edns | None
) -> None:
    message = Message(compose.query(name, qtype, qclass=qclass, rd=rd, opcode=opcode, edns=opt))
    assert message.malformed is None and message.trailing_octets == 0
    assert message.question == Question(name, qtype, qclass)
    assert message.question.name.wire == name.wire
    assert (message.id, message.rd, message.opcode, message.qr) == (0, rd, opcode, False)
    assert message.edns == opt


@given(u16)
def test_raw_flags_are_kept(flags: int) -> None:
    message = Message(compose.query(ZONE, 6, flags=flags, rd=True, opcode=3))
    assert message.flags == flags
    bits = (message.qr, message.aa, message.tc, message.rd, message.ra, message.z, message.ad, message.cd)
    masks = (0x8000, 0x400, 0x200, 0x100, 0x80, 0x40, 0x20, 0x10)
    assert bits == tuple(bool(flags & mask) for mask in masks)
    assert (message.opcode, message.rcode) == (flags >> 11 & 15, flags & 15)


@given(messages())
def test_records_read_back(made: tuple[bytes, list[list[tuple[Name, int, int, int, bytes]]]]) -> None:
    octets, sections = made
    message = read_everything(octets)
    assert message.malformed is None
    assert [as_tuples(message.answer), as_tuples(message.authority), as_tuples(message.additional)] == sections


@given(st.binary(max_size=400))
def test_any_octets_are_read(octets: bytes) -> None:
    read_everything(octets)
    read_everything(b"\x12\x34\x84\x00\x00\x01\x00\x02\x00\x02\x00\x02" + octets)


@given(messages(), st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=5), st.integers(0, 5000))
def test_changed_messages_are_read(made: tuple[bytes, object], changes: list[tuple[int, int]], cut: int) -> None:
    octets = bytearray(made[0])
    for at, value in changes:
        octets[at % len(octets)] = value
    read_everything(bytes(octets))
    read_everything(bytes(octets[:cut]))


def test_short_header() -> None:
    message = read_everything(b"\x12\x34\x80")
    assert message.malformed == Malformed(0, "short-header", 0)
    assert (message.counts, message.answer, message.question, message.rcode) == ((0, 0, 0, 0), (), None, 0)


def test_what_came_before_a_fault_is_kept() -> None:
    head = struct.pack("!6H", 1, 0x8400, 1, 2, 1, 0) + ZONE.wire + b"\0\x02\0\x01"
    good = b"\xc0\x0c\0\x02\0\x01\0\0\x0e\x10\0\x06\x03ns1\xc0\x0c"
    loop = b"\xc0\x0c\0\x02\0\x01\0\0\x0e\x10\0\x02"
    at = len(head + good + loop)
    message = Message(head + good + loop + bytes([0xC0, at]) + good)
    assert message.malformed == Malformed(at, "pointer-loop", 1)
    assert [str(record.owner) for record in message.answer] == ["Example.test."]
    assert message.answer[0].rdata == b"\x03ns1\x07Example\x04test\0"
    assert message.authority == ()
    rrset = message.rrset("answer", Name.from_text("EXAMPLE.TEST."), NS)
    assert rrset is not None and rrset.rdatas == (b"\x03ns1\x07example\x04test\0",)


def record(rtype: int, ttl_s: int, rdata: bytes, rclass: int = 1) -> bytes:
    return b"\xc0\x0c" + struct.pack("!HHIH", rtype, rclass, ttl_s, len(rdata)) + rdata


def test_rrsets_are_canonical_and_carry_their_signatures() -> None:
    signature = struct.pack("!HBBIIIH", 2, 13, 2, 300, 2, 1, 7) + b"\0sig"
    other = struct.pack("!HBBIIIH", 6, 13, 2, 300, 2, 1, 7) + b"\0sig"
    records = [
        record(NS, 300, b"\x01b\0"), record(NS, 200, b"\x01A\0"), record(NS, 400, b"\x01a\0"),
        record(RRSIG, 300, signature), record(RRSIG, 300, other), record(RRSIG, 300, bytes(19)),
        record(NS, 100, b"\x01c\0", CLASS_CH),
    ]  # fmt: skip
    head = struct.pack("!6H", 1, 0x8400, 1, len(records), 0, 0) + ZONE.wire + b"\0\x02\0\x01"
    message = Message(head + b"".join(records))
    rrset = message.rrset("answer", ZONE, NS)
    assert rrset is not None
    assert (rrset.rdatas, rrset.signatures) == ((b"\x01a\0", b"\x01b\0"), (signature,))
    assert (rrset.owner, rrset.rtype, rrset.rclass, rrset.ttl_s) == (ZONE, NS, 1, 200)
    assert message.rrset("answer", ZONE, NS) is rrset
    assert message.rrset("answer", ZONE, SOA) is None
    assert message.rrset("authority", ZONE, NS) is None
    signatures = message.rrset("answer", ZONE, RRSIG)
    assert signatures is not None and len(signatures.rdatas) == 3 and signatures.signatures == ()


def test_opt_is_found_anywhere_and_extends_the_rcode() -> None:
    opt = b"\x01x\0" + struct.pack("!HHIH", 41, 1232, 0x01008000, 6) + b"\0\x03\0\x05ab"
    second = b"\0" + struct.pack("!HHIH", 41, 512, 0, 0)
    message = Message(struct.pack("!6H", 1, 0x8000, 0, 1, 0, 1) + opt + second)
    assert message.rcode == 16 and str(message.rcode) == "BADVERS"
    assert message.opt_count == 2 and message.answer == message.additional == ()
    assert message.edns == Edns(1232, 0, 0x8000, (), options_complete=False)
    assert message.edns.do and message.edns.option(3) is None
    assert str(message.opt_owners[0]) == "x."
    assert "2 OPT records" in dig(message) and "not owned by the root" in dig(message)


def test_equal_octets_are_equal_messages() -> None:
    octets = compose.query(ZONE, 6)
    assert Message(octets) == Message(octets) and hash(Message(octets)) == hash(Message(octets))
    assert Message(octets) != Message(octets + b"\0") and Message(octets + b"\0").trailing_octets == 1


def test_options_that_no_message_can_hold() -> None:
    with pytest.raises(ValueError, match="65535"):
        compose.query(ZONE, 6, edns=Edns(options=((1, bytes(65536)),)))


def test_types_with_compressed_names_are_told() -> None:
    head, question = bytes.fromhex("000084000001000200000000"), b"\1a\0\0\2\0\1"
    ns = b"\xc0\x0c\0\2\0\1\0\0\1\x2c\0\5\2ns\xc0\x0c"
    dname = b"\xc0\x0c\0\x27\0\1\0\0\1\x2c\0\3\1b\0"
    assert Message(head + question + ns + ns).compressed_types == (2,)
    assert Message(head + question + ns + dname).compressed_types == (2,)
    assert Message(head + question + dname + dname).compressed_types == ()
    assert Message(head + question + ns + dname[:-3] + b"\xc0\x0c").compressed_types == (2,)
    assert Message(head + question + ns + dname[:-4] + b"\2\xc0\x0c").compressed_types == (2, 39)


@given(messages(), st.none() | edns)
def test_values_are_equal_and_hashed_by_their_parts(made: tuple[bytes, object], opt: Edns | None) -> None:
    message, other = Message(made[0]), Message(b"\0\0" + made[0][2:])
    assert (message == other) is (message.id == 0)
    for section in ("answer", "authority", "additional"):
        for record, same in zip(message.records(section), other.records(section), strict=True):
            assert record == same and hash(record) == hash(same) and record is not same
            upper = Name(bytes(record.owner.wire).upper())
            assert record == Record(upper, record.rtype, record.rclass, record.ttl_s, record.rdata)
            assert record != Record(upper, record.rtype, record.rclass, record.ttl_s ^ 1, record.rdata)
            rrset, again = (m.rrset(section, record.owner, record.rtype) for m in (message, other))
            assert rrset == again and hash(rrset) == hash(again)
            _copies(record)
            _copies(rrset)
    for value in (message, message.question, Message(made[0][:-1]).malformed, opt):
        _copies(value)


def _copies(value: object) -> None:
    for made in (pickle.loads(pickle.dumps(value)), copy.deepcopy(value)):
        assert made == value and hash(made) == hash(value) and repr(made) == repr(value)


def test_an_rrset_is_of_one_owner_type_and_class() -> None:
    record = Record(ZONE, NS, 1, 60, b"\x01B\0")
    assert RRset.of([record, record]) == RRset(ZONE, NS, 1, 60, (b"\x01b\0",))
    mixed: list[list[Record]] = [
        [],
        [record, Record(ZONE, SOA, 1, 60, b"")],
        [record, Record(ZONE.parent(), NS, 1, 60, b"")],
    ]
    for wrong in mixed:
        with pytest.raises(ValueError, match="one owner, type and class"):
            RRset.of(wrong)


def test_different_records_are_those_that_are_not_equal() -> None:
    head, question = bytes.fromhex("000084000001000200000000"), b"\1a\0\0\2\0\1"
    one, other = (b"\1A\0\0\2\0\1\0\0\1\x2c\0\3\1" + letter + b"\0" for letter in (b"x", b"y"))
    later = b"\xc0\x0c\0\2\0\1\0\0\1\x2d\0\3\1x\0"
    messages = [Message(head + question + one + one.lower()), Message(head + question + later + other)]
    found = different_records(messages, "answer")
    assert [(record, place) for record, place in found] == [
        (messages[0].answer[0], 0),
        (messages[1].answer[0], 1),
        (messages[1].answer[1], 1),
    ]
    assert {record for record, _ in found} == {r for m in messages for r in m.answer}
    assert different_records(messages, "authority") == [] == different_records([], "answer")
    with pytest.raises(ValueError, match="sections"):
        different_records(messages, "question")


@given(names, u16, st.binary(max_size=20), st.integers(0, 3))
def test_what_a_message_asks_is_its_first_question_in_lower_case(
    name: Name, qtype: int, more: bytes, questions: int
) -> None:
    for octets in (compose.query(name, qtype), bytes(5) + bytes([questions]) + bytes(6) + more):
        question = Message(octets).question
        assert asked_in(octets) == (None if question is None else (Name(question.name.key), question.qtype))
    found = asked_in(compose.query(name, qtype))
    assert found is not None and found[0].wire == name.key and found[1] == qtype


@given(st.binary(max_size=40))
def test_equal_octets_after_the_id_are_one_message(octets: bytes) -> None:
    one, other = parsed(b"\1\2" + octets), parsed(b"\3\4" + octets)
    assert one is other and one == Message(b"\0\0" + octets)
