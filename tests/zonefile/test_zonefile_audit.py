from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import small_zones
from small_zones import AT, signed

from gnomon.base import Level, Name
from gnomon.checks.sentence import fill
from gnomon.zonefile import AuditReport, audit, load_zone
from gnomon.zonefile.audit import Count, levels
from gnomon.zonefile.codes import CHECKS

Lines = Sequence[str]
DENIALS = ("nsec", "nsec3", "opt-out")
CLEAN = {"nsec3/iterations", "nsec3/salt", "ds/sound"}


def judged(tmp_path: Path, lines: Lines, at: int = AT, origin: str | None = None) -> AuditReport:
    path = tmp_path / "zone"
    path.write_text("\n".join(lines) + "\n")
    return audit(load_zone(path, Name.from_text(origin) if origin else None), at, 2)


def bad(report: AuditReport, least: Level = Level.NOTICE) -> set[str]:
    found = {f"{v.check_id}/{v.code}".removeprefix("zonefile.") for v in report.verdicts
             if Level.from_word(v.level) >= least}  # fmt: skip
    return found - CLEAN


def fields(line: str) -> list[str]:
    return line.split(" ")


def is_(line: str, owner: str, rtype: str) -> bool:
    return fields(line)[0].lower() == owner and fields(line)[3] == rtype


def signature(line: str, owner: str, rtype: str) -> bool:
    return is_(line, owner, "RRSIG") and fields(line)[4] == rtype


def without(lines: Lines, *which: Callable[[str], bool]) -> list[str]:
    left = [line for line in lines if not any(test(line) for test in which)]
    assert len(left) < len(lines)
    return left


def changed(lines: Lines, which: Callable[[str], bool], how: Callable[[str], str]) -> list[str]:
    assert any(which(line) for line in lines)
    return [how(line) if which(line) else line for line in lines]


def flipped(line: str) -> str:
    return line[:-20] + ("B" if line[-20] == "A" else "A") + line[-19:]


def of(lines: Lines, owner: str, rtype: str) -> str:
    return next(line for line in lines if signature(line, owner, rtype))


def link(lines: Lines, types: set[str]) -> str:
    """The owner of the NSEC or NSEC3 record with exactly these types."""
    for line in lines:
        _, _, _, rtype, *rest = fields(line)
        if rtype == "NSEC" and set(rest[1:]) == types | {"RRSIG", "NSEC"}:
            return fields(line)[0]
        if rtype == "NSEC3" and set(rest[5:]) == (types | {"RRSIG"} if types else types):
            return fields(line)[0]
    raise LookupError(types)


def test_every_code_has_a_level_and_the_other_way_round() -> None:
    assert set(levels()) == {f"zonefile.{check}/{code}" for check, (_, codes) in CHECKS.items() for code in codes}


@pytest.mark.parametrize("denial", DENIALS)
def test_a_sound_zone(tmp_path: Path, denial: str) -> None:
    report = judged(tmp_path, signed(denial))
    assert bad(report) == set()
    codes = {f"{v.check_id}/{v.code}" for v in report.verdicts if v.level == "pass"}
    assert {"zonefile.signatures/valid", "zonefile.apex/complete", "zonefile.delegations/sound"} <= codes
    assert f"zonefile.{'nsec' if denial == 'nsec' else 'nsec3'}/complete" in codes
    assert (report.zone, report.summary["delegations"], report.summary["signed_delegations"]) == ("ex.", 4, 1)
    assert report.summary["algorithms"] == ["ECDSAP256SHA256"]
    assert (report.summary["last_inception"], report.summary["first_expiration"]) == (AT - 86400, AT + 86400)


def test_order_case_and_layout_do_not_matter(tmp_path: Path) -> None:
    # Next names of NSEC are signed in the case they have (RFC 6840 section 5.1).
    lines = [line if " NSEC " in line else line.replace("mail.ex.", "MAIL.Ex.") for line in reversed(signed("nsec"))]
    shaped = ["$ORIGIN ex.", *(line.replace(" IN ", "\t( ; comment )\n IN\t", 1) + " )" for line in lines)]
    assert bad(judged(tmp_path, shaped)) == set()


@pytest.mark.parametrize("denial", DENIALS)
@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda z: changed(z, lambda x: signature(x, "ns1.ex.", "A"), flipped), {"signatures/invalid"}),
        (lambda z: changed(z, lambda x: is_(x, "ns1.ex.", "A"), lambda x: x + "1"), {"signatures/invalid"}),
        (lambda z: without(z, lambda x: signature(x, "ex.", "MX")), {"signatures/unsigned"}),
        (lambda z: without(z, lambda x: signature(x, "ex.", "DNSKEY")), {"signatures/unsigned"}),
        (lambda z: without(z, lambda x: is_(x, "ns1.sec.ex.", "A")), {"delegations/glue-missing"}),
        (lambda z: [*z, "mail.ex. 3600 IN A 192.0.2.2"], {"records/duplicate"}),
        (lambda z: [*z, flipped(of(z, "mail.ex.", "A"))], {"signatures/superfluous"}),
        (lambda z: [*z, of(z, "ns1.ex.", "AAAA").replace("ns1.", "mail.", 1)], {"signatures/no-rrset"}),
        (lambda z: [*z, of(z, "mail.ex.", "A").replace("mail.", "ns1.ins.", 1)], {"signatures/not-authoritative"}),
        (lambda z: [*z, "www.far.ex. 3600 IN TXT x"], {"records/occluded"}),
        (lambda z: [*z, "under.moved.ex. 3600 IN TXT x"], {"records/occluded"}),
        (lambda z: [*z, "ns9.far.ex. 3600 IN A 192.0.2.9"], {"delegations/glue-orphan"}),
        (lambda z: [*z, "other.test. 3600 IN A 192.0.2.9"], {"records/out-of-zone"}),
        (lambda z: changed(z, lambda x: is_(x, "mail.ex.", "A"), lambda x: x.replace("3600", "60")),
         {"signatures/ttl-differs"}),
        (lambda z: changed(z, lambda x: is_(x, "mail.ex.", "A") or signature(x, "mail.ex.", "A"),
                           lambda x: x.replace("3600", "60", 1)), {"signatures/original-ttl"}),
        (lambda z: [*z, "ns1.ins.ex. 60 IN A 192.0.2.5"], {"records/ttl-differs"}),
        (lambda z: [*z, "ins.ex. 3600 IN NS ns2.far.ex."], {"delegations/sibling-glue-missing"}),
        (lambda z: [*z, "ins.ex. 3600 IN NS alias.ex."], {"delegations/ns-alias"}),
        (lambda z: [*z, "ins.ex. 3600 IN NS nothing.ex."], {"delegations/ns-no-address"}),
        (lambda z: [*z, "ex. 3600 IN ZONEMD 1 1 1 " + "00" * 48], {"zonemd/serial"}),
        (lambda z: [*z, "ex. 3600 IN ZONEMD 2026010101 1 2 " + "00" * 64], {"zonemd/mismatch"}),
        (lambda z: [*z, "ex. 3600 IN ZONEMD 2026010101 1 1 00"], {"zonemd/malformed"}),
    ],
)  # fmt: skip
def test_what_is_spoiled_is_found(
    tmp_path: Path, denial: str, spoil: Callable[[Lines], Lines], expected: set[str]
) -> None:
    # Whatever else follows from it (bitmaps, missing signatures) may be there too, but nothing for harmless changes.
    found = bad(judged(tmp_path, spoil(signed(denial))))
    follows = {"signatures/unsigned", "nsec/types", "nsec3/types"} if "zonemd" in next(iter(expected)) else set()
    assert found - follows == expected


@pytest.mark.parametrize("denial", DENIALS)
def test_breaks_in_the_chain(tmp_path: Path, denial: str) -> None:
    chain = "nsec" if denial == "nsec" else "nsec3"
    z = signed(denial)
    gone = link(z, {"CNAME"})
    of_gone = (lambda x: is_(x, gone, chain.upper()), lambda x: signature(x, gone, chain.upper()))
    assert f"{chain}/missing" in bad(judged(tmp_path, without(z, *of_gone)))
    assert bad(judged(tmp_path, without(z, of_gone[1]))) == {"signatures/unsigned"}
    assert {f"{chain}/types", "signatures/unsigned"} <= bad(judged(tmp_path, [*z, "mail.ex. 3600 IN TXT x"]))
    assert {f"{chain}/missing", "signatures/unsigned"} <= bad(judged(tmp_path, [*z, "new.ex. 3600 IN TXT x"]))
    delegated = bad(judged(tmp_path, [*z, "new.ex. 3600 IN NS ns.other.test."]))
    assert (f"{chain}/missing" in delegated) == (denial != "opt-out")
    no_ds = without(z, lambda x: is_(x, "sec.ex.", "DS"), lambda x: signature(x, "sec.ex.", "DS"))
    assert bad(judged(tmp_path, no_ds)) == {f"{chain}/types"}
    if denial != "nsec":
        of_empty = link(z, set())
        assert "nsec3/missing" in bad(judged(tmp_path, without(z, lambda x: is_(x, of_empty, "NSEC3"))))
        stale = [line.replace(fields(line)[0], "0" * 32 + ".ex.", 1) for line in z if is_(line, gone, "NSEC3")]
        assert {"nsec3/extra", "nsec3/next"} <= bad(judged(tmp_path, [*z, *stale]))


def test_time(tmp_path: Path) -> None:
    z = signed("nsec")
    assert bad(judged(tmp_path, z, AT + 86401)) == {"signatures/expired"}
    assert bad(judged(tmp_path, z, AT - 86401)) == {"signatures/not-yet-valid"}
    assert bad(judged(tmp_path, z, AT + 86400)) == set()


def test_keys(tmp_path: Path) -> None:
    z = signed("nsec")
    other = next(line for line in signed("nsec3") if is_(line, "ex.", "DNSKEY"))
    only_other = [*without(z, lambda x: is_(x, "ex.", "DNSKEY")), other]
    assert bad(judged(tmp_path, only_other)) >= {"signatures/no-key"}
    assert bad(judged(tmp_path, without(z, lambda x: is_(x, "ex.", "DNSKEY")))) == {"keys/missing"}
    revoked = changed(z, lambda x: is_(x, "ex.", "DNSKEY"), lambda x: x.replace(" 257 ", " 385 "))
    assert "signatures/no-key" in bad(judged(tmp_path, revoked))
    two = [*z, "ex. 3600 IN DNSKEY 256 3 15 " + "A" * 43 + "="]
    assert "signatures/algorithm-missing" in bad(judged(tmp_path, two))


def test_unsigned_zones(tmp_path: Path) -> None:
    lines = ["$TTL 3600", *small_zones.UNSIGNED.splitlines()]
    report = judged(tmp_path, lines, origin="ex.")
    assert bad(report) == set()
    assert "zonefile.keys/unsigned" in {f"{v.check_id}/{v.code}" for v in report.verdicts}
    without_soa = judged(tmp_path, lines[2:], origin="ex.")
    assert {"apex/soa-missing", "syntax/syntax"} <= bad(without_soa)
    extra = ["mail CNAME x", "alias CNAME y", "mail SOA a b 1 1 1 1 1", "@ SOA ns1 host 2 2 2 2 2", "wild DS 1 13 2 00"]
    assert bad(judged(tmp_path, [*lines, *extra], origin="ex.")) == {
        "records/cname-and-other", "records/cname-multiple", "apex/soa-elsewhere", "apex/soa-multiple",
        "ds/without-ns", "ds/digest-length",
    }  # fmt: skip
    nothing = judged(tmp_path, ["; nothing"])
    assert bad(nothing) == {"apex/soa-missing"}


def test_digests_and_algorithms_of_ds(tmp_path: Path) -> None:
    more = ("sec DS 1 5 1 " + "00" * 20, "ins DS 2 200 99 00", "@ DS 1 13 2 00")
    lines = ["$TTL 60", *small_zones.UNSIGNED.splitlines(), *more]
    assert bad(judged(tmp_path, lines, origin="ex.")) == {
        "ds/algorithm-deprecated", "ds/digest-deprecated", "ds/algorithm-unknown", "ds/digest-unknown", "ds/at-apex",
        "ds/digest-length",
    }  # fmt: skip


def test_hostile_amounts_stay_within_their_budgets(tmp_path: Path) -> None:
    z = signed("nsec")
    one = of(z, "mail.ex.", "A")
    many = [one[:-4] + f"{number:03d}=" for number in range(100, 160)]
    report = judged(tmp_path, [*without(z, lambda x: x == one), *many])
    assert "budget" in {v.code for v in report.verdicts if v.check_id == "zonefile.signatures"}
    iterations = [line.replace("NSEC3 1 0 3 ", "NSEC3 1 0 65535 ") for line in signed("nsec3")]
    iterations = [line.replace("NSEC3PARAM 1 0 3 ", "NSEC3PARAM 1 0 65535 ") for line in iterations]
    report = judged(tmp_path, iterations)
    assert "not-checkable" in {v.code for v in report.verdicts if v.check_id == "zonefile.nsec3"}


def test_examples_name_lines(tmp_path: Path) -> None:
    lines = [*signed("nsec"), "bad.ex. 3600 IN A 1.2.3"]
    report = judged(tmp_path, lines)
    verdict = next(v for v in report.verdicts if v.check_id == "zonefile.syntax")
    assert verdict.evidence == (f"line {len(lines)}",) and "no IPv4 address" in verdict.sentence
    assert report.worst is Level.ERROR


@pytest.mark.parametrize("count", [1, 2_000])
def test_every_sentence_has_words_for_one_and_for_several(count: int) -> None:
    for check, (_, sentences) in CHECKS.items():
        for code, template in sentences.items():
            sentence = fill(template, "example.", {"count": Count(count)})
            assert "(s)" not in sentence and "{" not in sentence and "|" not in sentence, f"{check}/{code}"
            assert "count" not in template or ("1 " if count == 1 else "2,000 ") in sentence, f"{check}/{code}"
