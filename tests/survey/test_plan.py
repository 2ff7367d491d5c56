import json

import pytest

from gnomon.base import Name, Transport
from gnomon.base.codes import AXFR, CLASS_CH, OPTION_COOKIE, OPTION_NSID
from gnomon.survey import QUESTIONS, Plan, explain_plan
from gnomon.survey import plan as q
from gnomon.wire import Message

ZONE = Name.from_text("example.test.")


def composed(question, cookie=b"12345678"):
    return Message(question.compose(ZONE, cookie))


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: f"{question.code}-{question.qtype}")
def test_a_question_is_composed_as_it_is_described(question):
    message = composed(question)
    assert message.question == (ZONE, question.qtype, question.qclass)
    assert (message.opcode, message.rd, message.qr) == (question.opcode, question.rd, False)
    assert (message.edns is None) == (question.edns is None)
    assert message.malformed is None and message.trailing_octets == 0


def test_odd_messages_are_odd_in_one_way():
    assert composed(q.S1).edns.version == 1
    assert composed(q.S2).edns.options == ((65001, b"gnom"),)
    assert composed(q.S3).edns.flags == 0x0040
    assert composed(q.S7).opcode == 15
    assert composed(q.S10).rd
    assert composed(q.S17).question.qclass == CLASS_CH
    assert (q.S20.qtype, q.S20.transport) == (AXFR, Transport.TCP)
    assert composed(q.Q2).edns.option(OPTION_COOKIE) == b"12345678"
    assert composed(q.Q2).edns.option(OPTION_NSID) == b""
    assert all(composed(one).edns.do for one in (q.Q2, q.Q3, q.Q4, q.Q5, q.Q6, q.Q7, q.P1, q.P2, q.C1, q.C2))


def test_codes_belong_to_one_subject_and_the_first_letter():
    subjects = {question.code: question.subject for question in QUESTIONS}
    assert len(subjects) == len(Plan().codes)
    letters = {"P": "zone", "Q": "zone", "Z": "zone", "H": "name", "A": "name", "C": "cut", "S": "server"}
    assert all(letters[code[0]] == subject for code, subject in subjects.items())


def test_the_digest_changes_with_a_bound_and_the_description_is_json():
    assert Plan().digest == Plan().digest != Plan(tries=2).digest
    assert json.loads(json.dumps(Plan().describe()))["bounds"]["probe_domain"] == "recursion-test.invalid."
    assert all(row["when"] and row["asks"] for row in explain_plan())
