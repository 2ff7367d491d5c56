import json
from collections import Counter

import dns.message
import pytest
from driving import drive_lab

from gnomon.base import Name, Transport
from gnomon.base.codes import AXFR, CLASS_CH, OPTION_COOKIE, OPTION_NSID, TSIG
from gnomon.lab import build_world
from gnomon.survey import compliance as c
from gnomon.survey import plan as q
from gnomon.survey.explain import Extent, times
from gnomon.survey.plan import ASSESS_PLAN, BY_CODE, QUESTIONS, Plan, explain_plan
from gnomon.wire import Message, Question

ZONE = Name.from_text("example.test.")


def composed(question, cookie=b"12345678"):
    return Message(question.compose(ZONE, cookie))


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: f"{question.code}-{question.qtype}")
def test_a_question_is_composed_as_it_is_described(question):
    message = composed(question)
    assert message.questions == (Question(ZONE, question.qtype, question.qclass),) * question.questions
    assert (message.opcode, message.rd, message.qr) == (question.opcode, question.rd, False)
    assert message.flags & question.flags == question.flags
    assert (message.edns is None) == (question.edns is None)
    assert message.malformed is None and message.trailing_octets == 0


def test_odd_messages_are_odd_in_one_way():
    assert composed(c.S1).edns.version == 1
    assert composed(c.S2).edns.options == ((65001, b"gnom"),)
    assert composed(c.S3).edns.flags == 0x0040
    assert composed(c.S7).opcode == 15
    assert composed(c.S10).rd
    assert composed(c.S17).question.qclass == CLASS_CH
    assert (c.S20.qtype, c.S20.transport) == (AXFR, Transport.TCP)
    assert (composed(c.S15).counts, composed(c.S16).counts) == ((0, 0, 0, 0), (2, 0, 0, 0))
    assert composed(q.Q2).edns.option(OPTION_COOKIE) == b"12345678"
    assert composed(q.Q2).edns.option(OPTION_NSID) == b""
    assert all(composed(one).edns.do for one in (q.Q2, q.Q3, q.Q4, q.Q5, q.Q6, q.Q7, q.P1, q.P2, q.C1, q.C2))


def test_cookies_are_the_clients_the_servers_wrong_or_short():
    known = b"clientckservercookie"
    sent = {one.code: composed(one, known).edns.option(OPTION_COOKIE) for one in (c.S6, c.S12, c.S13, c.S14)}
    assert (sent["S6"], sent["S12"], sent["S14"]) == (known, known, known[:4])
    assert sent["S13"][:8] == known[:8] and len(sent["S13"]) == len(known) and sent["S13"] != known


def test_a_query_with_an_unknown_tsig_key_is_well_formed_but_for_its_mac():
    signed = composed(c.S22)
    (record,) = signed.additional
    assert (record.rtype, record.rclass, record.ttl_s) == (TSIG, 255, 0)
    with pytest.raises(dns.message.UnknownTSIGKey):
        dns.message.from_wire(signed.wire)


def test_what_combined_questions_are_taken_apart_into_is_in_the_plan_and_asked_only_then():
    for question in QUESTIONS:
        assert bool(question.parts) == (question.proper is not None)
        assert all(BY_CODE[code].only_after for code in question.parts)


def test_codes_belong_to_one_subject_and_the_first_letter():
    subjects = {question.code: question.subject for question in QUESTIONS}
    assert len(subjects) == len(Plan().codes)
    letters = {
        "P": "zone",
        "Q": "zone",
        "Z": "zone",
        "H": "name",
        "A": "name",
        "C": "cut",
        "R": "server",
        "S": "server",
    }
    assert all(letters[code[0]] == subject for code, subject in subjects.items())


def test_a_code_is_one_question_or_its_variants_by_type():
    for code in Plan().codes:
        assert len({question.when for question in QUESTIONS if question.code == code}) == 1, code


def test_the_digest_changes_with_a_bound_and_the_description_is_json():
    assert Plan().digest == Plan().digest != Plan(tries=2).digest
    assert json.loads(json.dumps(Plan().describe()))["bounds"]["probe_domain"] == "recursion-test.invalid."
    assert all(row["when"] and row["asks"] for row in explain_plan())


def test_the_costs_that_are_explained_are_those_of_a_healthy_zone():
    asked = Counter(x.ask for x in drive_lab(build_world(), "example.test.", plan=ASSESS_PLAN).exchanges)
    told = Counter()
    for question in QUESTIONS:
        told[question.code] += times(question, ASSESS_PLAN, ZONE, Extent())
    # Names elsewhere and the way to them depend on what the records say, S18 on what S17 brings.
    left_out = {"C0", "H1", "H2", "H5", "H6", "H7", "H8", "S18", "Z1A", "Z1H", "Z2"}
    assert {code: count for code, count in (told - asked).items() if code not in left_out} == {}
    assert {code: count for code, count in (asked - told).items() if code not in left_out} == {}
    assert abs(told.total() - asked.total()) <= 8


def test_a_zone_of_another_kind_costs_something_else():
    def cost(zone, **extent):
        return {one.code for one in QUESTIONS if times(one, ASSESS_PLAN, Name.from_text(zone), Extent(**extent))}

    assert {"Z6", "P1", "C1"} & cost(".") == {"Z6"}
    assert {"Z1A", "Z2", "Z1C"} & cost("example.") == {"Z1A", "Z1C"}
    assert not {"Z1A", "Z2", "Z1C"} & cost("2.0.192.in-addr.arpa.")
    assert {"S12", "S13", "S14"} <= cost("example.", with_cookies=1)
