"""What a zone is asked, in the lab's base world and small variations of it."""

from collections import Counter

import dns.message
import pytest
from driving import drive, drive_lab, name, tree, zone_spec

from gnomon.base import NameServer, Transport, parse_address
from gnomon.base.codes import CNAME
from gnomon.engine import Status
from gnomon.lab import LabEngine
from gnomon.lab.scenario import build_world
from gnomon.lab.spec import Placement, RecordSpec
from gnomon.survey.compliance import PACK
from gnomon.survey.plan import ASSESS_PLAN, Plan
from gnomon.wire import Message

EXAMPLE = "zone example.test."


def placed(fault, at="ns1.example.test.", zone="example.test."):
    return Placement(fault, at, name(zone))


def test_a_healthy_zone_gets_each_question_once_at_each_of_its_six_addresses():
    surveyed = drive_lab(build_world(), "example.test.")
    assert surveyed.asks(EXAMPLE) == {
        **dict.fromkeys(("Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7", "Q7K", "Q7N", "Q8P", "Q8N"), 6),
        "Q8D": 2,
        "Q9": 2 * 2 * 2,  # two names inside the zone, A and AAAA, two addresses
        "Z1M": 2, "Z1T": 2, "Z1C": 2,
        "Z2": 4 + 2 + 1 + 3,  # policies, www, TLSA of the web; addresses and TLSA of the mail host
        "P1": 2, "P2": 2,
    }  # fmt: skip
    assert surveyed.asks("name ns1.other.test.") == {"H1": 1, "H2": 1}
    assert surveyed.asks("cut .") == {"C2": 2}
    assert surveyed.asks("cut test.") == {"C0": 1, "C1": 2, "C2": 2}
    assert surveyed.asks("cut other.test.") == {"C0": 1}
    # No cookies here, and nothing to take apart, but no version is told.
    pack = dict.fromkeys(("S18", *(one.code for one in PACK if one.code not in ("S12", "S13", "S14"))), 1)
    servers = {x.subject for x in surveyed.exchanges if x.subject.startswith("server ")}
    assert len(servers) == 6 and all(surveyed.asks(server) == pack for server in servers)
    assert {x.status for x in surveyed.exchanges if x.ask != "S28"} == {Status.ANSWERED}
    over_tls = [x for x in surveyed.exchanges if x.ask == "S28"]
    assert {(x.port, x.transport, x.status) for x in over_tls} == {(853, Transport.DOT, Status.REFUSED)}


def test_where_somebody_waits_every_server_is_asked_for_names_inside_and_for_mail():
    surveyed = drive_lab(build_world(), "example.test.", plan=ASSESS_PLAN)
    asks = surveyed.asks(EXAMPLE)
    assert (asks["Q9"], asks["Z1M"], asks["Z1T"], asks["Z1C"]) == (2 * 2 * 6, 6, 6, 6)


def test_with_a_ds_alone_the_delegation_is_found_as_usual():
    surveyed = drive_lab(build_world(), "example.test.", undelegated={"example.test.": []})
    assert surveyed.asks(EXAMPLE)["P1"] == 2


def test_names_of_servers_and_numbers_of_exchanges():
    surveyed = drive_lab(build_world(), "example.test.", "other.test.")
    assert len({x.seq for x in surveyed.exchanges}) == len(surveyed.exchanges)
    named = {NameServer(x.server_name, x.address) for x in surveyed.exchanges if x.ask == "Q1"}
    assert NameServer(name("ns1.other.test."), parse_address("28.5.5.53")) in named
    assert {x.vantage for x in surveyed.exchanges} == {"test"}


def test_parent_servers_are_two_of_different_name_and_family():
    parents = [x for x in drive_lab(build_world(), "example.test.").exchanges if x.ask == "P1"]
    assert len({x.server_name for x in parents}) == len({x.address.version for x in parents}) == 2


def test_shared_subjects_are_asked_once_for_all_zones():
    alone = drive_lab(build_world(), "example.test.")
    both = drive_lab(build_world(), "example.test.", "other.test.", "test.", ".")
    for subject in {x.subject for x in alone.exchanges if not x.subject.startswith("zone ")}:
        assert both.asks(subject) == alone.asks(subject)


def test_the_root_has_no_parent_and_its_servers_come_from_the_hints():
    surveyed = drive_lab(build_world(), ".")
    asks = surveyed.asks("zone .")
    assert "P1" not in asks and asks["Q1"] == 4
    # a.root-servers.test. lies in test.: the root's servers only refer to it, so it is looked up there.
    assert surveyed.asks("name a.root-servers.test.")["H1"] == 1


def test_a_top_level_zone_is_asked_for_at_the_root():
    surveyed = drive_lab(build_world(), "test.")
    assert {str(x.server_name) for x in surveyed.exchanges if x.ask == "P1"} <= {
        "a.root-servers.test.",
        "b.root-servers.test.",
    }
    assert "cut test." not in {x.subject for x in surveyed.exchanges if x.ask == "C2"}


def test_a_name_without_delegation_costs_four_messages_at_its_parent():
    assert drive_lab(build_world(), "nothing.test.").asks("zone nothing.test.") == {"P1": 2, "P2": 2}


def test_an_undelegated_zone_is_not_asked_for_at_any_parent():
    world = build_world()
    surveyed = drive_lab(
        world, "example.test.", undelegated={"example.test.": ["ns1.example.test./28.7.7.53", "ns1.other.test."]}
    )
    asks = surveyed.asks(EXAMPLE)
    assert "P1" not in asks and "P2" not in asks
    assert not [x for x in surveyed.exchanges if x.ask in ("C1", "C2")]
    # The given server, the one looked up, and what the zone itself names beyond them.
    assert asks["Q1"] == 6


def test_a_silent_server_is_asked_plainly_three_times_and_once_over_tcp():
    surveyed = drive_lab(build_world(faults=[placed("dead")]), "example.test.")
    for address in ("28.7.7.53", "2a10:5007::53"):
        assert Counter(x.ask for x in surveyed.at(address)) == {"Q1": 3, "Q7": 2}


def test_a_server_without_udp_is_still_asked_over_tcp():
    surveyed = drive_lab(build_world(faults=[placed("no-udp")]), "example.test.")
    assert surveyed.codes_at("28.7.7.53") == {"Q1", "Q7", "Q7N"}
    assert [x.status for x in surveyed.at("28.7.7.53") if x.ask == "Q7"] == [Status.ANSWERED]


@pytest.mark.parametrize("fault", ["no-edns", "edns-dropped"])
def test_a_server_without_edns_is_asked_again_plainly(fault):
    surveyed = drive_lab(build_world(faults=[placed(fault)]), "example.test.")
    assert {"Q3N", "Q4N", "Q5N"} <= surveyed.codes_at("28.7.7.53")
    assert not {"Q3N", "Q4N", "Q5N"} & surveyed.codes_at("28.8.8.53")
    plain = next(x for x in surveyed.at("28.7.7.53") if x.ask == "Q3N")
    assert Message(plain.query).edns is None and Message(plain.response).answer


def test_truncated_answers_are_followed_over_tcp():
    surveyed = drive_lab(build_world(faults=[placed("truncating")]), "example.test.")
    keys = [x for x in surveyed.at("28.7.7.53") if x.ask == "Q4"]
    assert [x.transport for x in keys] == [Transport.UDP, Transport.TCP]


def test_an_unsigned_zone_is_not_asked_for_records_of_signed_ones():
    asks = drive_lab(build_world({"signed": False}), "example.test.").asks(EXAMPLE)
    assert not {"Q8C", "Q8P", "Q8N", "Q8D"} & set(asks)
    assert (asks["Q8"], asks["Q8K"]) == (1, 1)


def test_records_for_the_parent_are_asked_for_where_the_list_of_types_has_them():
    surveyed = drive_lab(build_world({"cds": "match"}), "example.test.")
    asks = surveyed.asks(EXAMPLE)
    assert (asks["Q8"], asks["Q8K"], asks.get("Q8C")) == (6, 6, None)
    assert asks["P5"] == 2  # example._dsync.test., then _dsync.test.
    assert "name _dsboot.example.test._signal.ns1.other.test." not in {x.subject for x in surveyed.exchanges}


def test_operators_are_asked_for_signals_where_a_zone_asks_for_its_first_ds():
    surveyed = drive_lab(build_world({"cds": "match", "ds": "none"}), "example.test.")
    assert surveyed.asks("name _dsboot.example.test._signal.ns1.other.test.") == {"H7": 2}
    assert surveyed.asks("cut other.test.") == {"C0": 1, "C1": 2, "C2": 2}


def test_servers_that_only_the_zone_itself_names_are_asked_too():
    world = build_world(
        {"ns": ["ns1.example.test."], "child_ns": ["ns1.example.test.", "ns2.example.test.", "ns1.other.test."]}
    )
    surveyed = drive_lab(world, "example.test.")
    assert surveyed.asks(EXAMPLE)["Q1"] == 6
    assert surveyed.asks(EXAMPLE)["Q8N"] == 6


def test_glue_and_authoritative_addresses_are_both_asked():
    world = build_world({"glue": {"ns1.other.test.": ["28.200.0.1"]}})
    surveyed = drive_lab(world, "example.test.")
    assert {"Q1", "Q4"} <= surveyed.codes_at("28.200.0.1")
    assert {"Q1", "Q4"} <= surveyed.codes_at("28.5.5.53")


def test_a_lame_server_gets_no_compliance_pack_for_that_zone():
    surveyed = drive_lab(build_world(faults=[placed("lame-refused")]), "example.test.")
    assert "Q4" in surveyed.codes_at("28.7.7.53")
    assert not surveyed.asks("server 28.7.7.53")


def test_more_than_eight_names_inside_the_zone_are_looked_up_at_two_servers():
    ns = [f"ns{n}.example.test." for n in range(9)]
    surveyed = drive_lab(build_world({"ns": ns}), "example.test.")
    assert surveyed.asks(EXAMPLE)["Q9"] == 9 * 2 * 2


def test_the_random_label_has_its_pattern_and_is_the_same_at_all_servers():
    surveyed = drive_lab(build_world(), "example.test.")
    (label,) = {Message(x.query).question.name.labels[0] for x in surveyed.exchanges if x.ask == "Q5"}
    assert label.startswith(b"gnomon-") and len(label) == 23
    other = drive_lab(build_world(), "example.test.", run_id="02TEST")
    assert label not in {Message(x.query).question.name.labels[0] for x in other.exchanges if x.ask == "Q5"}


def test_the_same_run_id_asks_the_same():
    first, second = (drive_lab(build_world(), "example.test.", "test.") for _ in range(2))
    assert first.questions() == second.questions()


def test_a_zone_of_the_longest_name_is_surveyed_without_the_random_name():
    label = "a" * 63
    longest = f"{label}.{label}.{label}.{'b' * 56}.test."
    assert len(name(longest).wire) == 255
    world = tree([zone_spec(longest, ["ns.host.test."]), zone_spec("host.test.", ["ns.host.test."])],
                 {"ns.host.test.": ["28.1.0.1"]})  # fmt: skip
    asks = drive_lab(world, longest).asks(f"zone {longest}")
    assert asks["Q6"] == 1 and "Q5" not in asks


@pytest.mark.parametrize("alias", ["alias.host.test.", "alias.example.test."])
def test_an_alias_is_followed_and_its_target_asked(alias):
    def cname(zone):
        return [RecordSpec(name(alias), CNAME, 60, (name("real.host.test.").wire,))] if zone in alias else []

    world = tree(
        [
            zone_spec("example.test.", ["ns.host.test.", alias], records=cname("example.")),
            zone_spec("host.test.", ["ns.host.test."], records=cname("host.")),
        ],
        {"ns.host.test.": ["28.1.0.1"], "real.host.test.": ["28.1.0.2"]},
    )
    surveyed = drive_lab(world, "example.test.")
    assert surveyed.asks(f"name {alias}")["H1"] == 2
    assert "Q1" in surveyed.codes_at("28.1.0.2")


def test_ns_names_in_a_zone_below_are_looked_up_there():
    world = tree(
        [
            zone_spec("example.test.", ["ns.low.example.test."], glue={"ns.low.example.test.": ["28.1.0.1"]}),
            zone_spec("low.example.test.", ["ns2.low.example.test."]),
        ],
        {"ns.low.example.test.": ["28.1.0.1"], "ns2.low.example.test.": ["28.1.0.2"]},
    )
    surveyed = drive_lab(world, "example.test.")
    assert surveyed.asks("name ns.low.example.test.")["H1"] >= 1


def test_zones_between_are_found_and_belong_to_the_chain_of_trust():
    world = tree(
        [
            zone_spec("co.test.", ["ns.test."]),
            zone_spec("deep.empty.co.test.", ["ns.host.test."]),
            zone_spec("host.test.", ["ns.host.test."]),
        ],
        {"ns.host.test.": ["28.1.0.1"]},
    )
    surveyed = drive_lab(world, "deep.empty.co.test.")
    assert surveyed.asks("zone deep.empty.co.test.")["Q1"] == 1
    assert surveyed.asks("cut co.test.") == {"C0": 1, "C1": 1, "C2": 1}
    assert surveyed.asks("cut empty.co.test.") == {"C0": 1}


def test_bounds_on_names_and_addresses_hold_and_the_first_in_canonical_order_are_kept():
    ns = [f"ns{n:02}.host.test." for n in range(40)]
    hosts = {host: [f"28.1.0.{n}", f"28.1.1.{n}"] for n, host in enumerate(ns)}
    world = tree([zone_spec("example.test.", ns), zone_spec("host.test.", ns)], hosts)
    surveyed = drive_lab(world, "example.test.")
    asked = {str(x.server_name) for x in surveyed.exchanges if x.ask == "Q1"}
    assert asked == {f"ns{n:02}.host.test." for n in range(20)}
    assert surveyed.asks("zone example.test.")["Q1"] == 40
    assert not surveyed.asks("name ns26.host.test.")


def test_the_budget_of_a_zone_ends_its_questions_but_not_the_survey():
    surveyed = drive_lab(build_world(), "example.test.", plan=Plan(zone_queries=30))
    own = [x for x in surveyed.exchanges if x.subject == EXAMPLE]
    (left_out,) = [x for x in own if x.status is Status.NOT_SENT_BOUND]
    assert len(own) <= 31 and left_out.sent_at_ns in {x.sent_at_ns for x in own if x is not left_out}
    assert surveyed.scheduler.cut_short == 1


class MinimalEngine(LabEngine):
    """A lab whose servers leave out of answers what was not asked for, as many are set up to."""

    def take(self, max_rows=4096, timeout_ms=1000):
        return [self._cut(attempt) for attempt in super().take(max_rows, timeout_ms)]

    @staticmethod
    def _cut(attempt):
        if attempt.response is None:
            return attempt
        message = dns.message.from_wire(attempt.response, keyring=False)
        if not message.answer:
            return attempt
        message.additional = []
        return attempt._replace(response=message.to_wire())


def test_a_parent_that_serves_the_zone_too_is_asked_for_the_addresses_it_left_out():
    world = tree([zone_spec("child.test.", ["ns.child.test."])], {"ns.child.test.": ["28.0.1.1"]})
    surveyed = drive(MinimalEngine(world), ["child.test."], world.hints())
    asks = surveyed.asks("zone child.test.")
    assert (asks["P3"], asks["Q1"]) == (2, 1)
    assert {x.address for x in surveyed.exchanges if x.ask == "Q1"} == {parse_address("28.0.1.1")}
    assert "P3" not in drive_lab(build_world(), "example.test.").asks(EXAMPLE)


def services(records, **changes):
    world = build_world({"records": records, "services": [], **changes})
    return drive_lab(world, "example.test.", plan=Plan(hosts=3, texts=4))


def test_mail_hosts_elsewhere_are_looked_up_with_their_chain():
    surveyed = services([], mx=["10 ns1.other.test.", "20 ns2.other.test.", "5 mail.example.test."])
    assert surveyed.asks("name ns2.other.test.") == {"H1": 1, "H2": 1}
    assert surveyed.asks("name _25._tcp.ns2.other.test.") == {"H4": 1}
    assert surveyed.asks("cut other.test.") == {"C0": 1, "C1": 2, "C2": 2}


def test_without_policies_those_above_are_looked_up():
    surveyed = services([])
    assert surveyed.asks("name _dmarc.test.") == {"H5": 1}
    assert surveyed.asks("name test.") == {"H6": 1}


def test_bounds_hold_for_names_in_records():
    mx = [f"{number} host{number}.other.test." for number in range(20)]
    surveyed = services([], mx=mx, spf=["v=spf1 " + " ".join(f"include:s{n}.other.test" for n in range(20))])
    asked = {code: {x.subject for x in surveyed.exchanges if x.ask == code} for code in ("H1", "H4", "H5")}
    assert len([s for s in asked["H1"] if s.startswith("name host")]) == len(asked["H4"]) == 3
    assert len([s for s in asked["H5"] if s.startswith("name s")]) == 3  # and one for DMARC


def test_policies_are_followed_from_one_to_the_next():
    surveyed = services(
        [
            'one.example.test. 60 IN TXT "v=spf1 include:two.example.test -all"',
            "two.example.test. 60 IN CNAME three.other.test.",
            '_dmarc.example.test. 60 IN TXT "v=DMARC1; p=reject; rua=mailto:a@other.test,mailto:b@example.test"',
        ],
        spf=["v=spf1 include:one.example.test -all"],
    )
    assert surveyed.asks("name three.other.test.") == {"H5": 1}
    assert surveyed.asks("name example.test._report._dmarc.other.test.") == {"H5": 1}
    assert not surveyed.asks("name _dmarc.test.")


def test_a_loop_of_policies_ends():
    surveyed = services(
        ['one.example.test. 60 IN TXT "v=spf1 include:two.example.test -all"',
         'two.example.test. 60 IN TXT "v=spf1 include:one.example.test -all"'],
        spf=["v=spf1 include:one.example.test -all"],
    )  # fmt: skip
    texts = [x for x in surveyed.exchanges if (x.ask == "Z2" and b"\x03one" in x.query) or b"\x03two" in x.query]
    assert len(texts) == 2


def test_what_the_apex_has_not_is_not_asked_where_its_nsec_says_so():
    asks = services(["example.test. 60 IN A 28.9.9.9"]).asks(EXAMPLE)
    assert asks["Z1A"] == 1 and "Z1H" not in asks
    asks = services(["example.test. 60 IN A 28.9.9.9"], signed=False).asks(EXAMPLE)
    assert asks["Z1A"] == 2 and asks["Z1H"] == 1


def test_top_level_zones_and_arpa_are_asked_less():
    world = build_world()
    assert not {"Z1A", "Z1H", "Z2"} & set(drive_lab(world, "test.").asks("zone test."))
    assert not {"Z1C", "Z1A", "Z2"} & set(drive_lab(world, "arpa.").asks("zone arpa."))
    assert not {"Z1C", "Z1A", "Z2"} & set(drive_lab(world, ".").asks("zone ."))
