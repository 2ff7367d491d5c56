"""Bad input ends with one sentence that says what is wrong, and exit status 2; nothing is made or changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.conftest import Gnomon, is_refusal

NAMES = {
    "a..b": "two dots in a row",
    "": "written as a single dot",
    "x" * 64 + ".org": "at most 63",
    ".".join(["x" * 60] * 5): "at most 255",
    "bad\x1b[31m.org": "\\x1b",
    "bad\\999.org": "bad escape",
    "\udcff.org": "internationalised",
    "ü..de": "internationalised",
    "https://www.example.org/": "such as www.example.org",
    "hostmaster@example.org": "behind its @: example.org",
    "192.0.2.1": "1.2.0.192.in-addr.arpa.",
    "2001:db8::1": "ip6.arpa.",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_none(gnomon: Gnomon, lab: Path, name: str) -> None:
    assert is_refusal(gnomon("assess", name, "--lab", lab), NAMES[name])


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--ds", "1,2,3", "--ns", "a.b"], "TAG,ALGORITHM,TYPE,DIGEST"),
        (["--ds", "1,13,2,zz", "--ns", "a.b"], "hexadecimal digest"),
        (["--ns", "a..b"], "--ns"),
        (["--ns", ""], "--ns"),
        (["--ns", "ns1.net/300.1.1.1"], "300.1.1.1"),
        (["--ns", "ns1.net/"], "--ns"),
        (["--ns", "a.b", "second.zone"], "one ZONE"),
        (["--profile", "nope"], "there is no profile 'nope'"),
        (["--only", "nope"], "'nope'"),
        (["--vantage", ""], "one word"),
        (["--vantage", "two words"], "one word"),
        (["--vantage", "a\nb"], "one word"),
        (["--allow-net", "192.0.2.0/24"], "leave out"),
        (["--hints", "HERE"], "leave out"),
        (["--trust-anchor", "HERE"], "leave out"),
        (["--asn", "HERE"], "line 1"),
        (["--format", "xml"], "'zonemaster'"),
        (["--fail-level", "worst"], "'never'"),
        (["--evidence", "FULL"], "is not empty"),
        (["--evidence", "HERE"], "is a file"),
    ],
)
def test_an_option_that_cannot_be(gnomon: Gnomon, lab: Path, tmp_path: Path, options: list[str], word: str) -> None:
    here, full = tmp_path / "file", tmp_path / "full"
    here.write_text("one\n", "utf-8")
    full.mkdir()
    (full / "mine").touch()
    at = {"HERE": here, "FULL": full}
    assert is_refusal(gnomon("assess", "net.", "--lab", lab, *(at.get(o, o) for o in options)), word)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["file", "full", "mine"]


@pytest.mark.parametrize(
    ("option", "content", "word"),
    [
        ("--hints", b"", "names no root server"),
        ("--hints", b"\xff\xfe", "line 1: not UTF-8"),
        ("--hints", b'{"json": 1}\n', "line 1"),
        ("--hints", b". 3600 IN NS a.root.\na.root. 3600 IN A 300.0.0.1\n", "line 2"),
        ("--trust-anchor", b"", "no trust anchor"),
        ("--trust-anchor", b"<a><b></a>", "line 1"),
        ("--trust-anchor", b". IN DS 20326 8 2 XYZ\n", "line 1"),
        ("--profile", b"\xff\xfe", "cannot be read"),
        ("--profile", b"x = [", "not valid TOML"),
        ("--profile", b"foo = 1", "'foo'"),
        ("--profile", b'[levels]\n"x/y" = "error"', "'x/y'"),
        ("--profile", b'extends = "default"\n[levels]\n"del.lame/refused" = 3', "no level"),
        ("--profile", b'[levels]\n"del.lame/refused" = "error"', 'extends = "default"'),
        ("--asn", b"1.0.0.0,0.0.0.1,1,x\n", "line 1"),
    ],
)
def test_a_file_that_is_another(gnomon: Gnomon, tmp_path: Path, option: str, content: bytes, word: str) -> None:
    file = tmp_path / "file.toml"
    file.write_bytes(content)
    assert is_refusal(gnomon("assess", "net.", option, file), str(file), word)


@pytest.mark.parametrize("prefix", ["1.2.3.4/99", "10.0.0.1/8", "x", ""])
def test_a_prefix_that_is_none(gnomon: Gnomon, prefix: str) -> None:
    assert is_refusal(gnomon("assess", "net.", "--allow-net", prefix), "--allow-net", "192.0.2.0/24")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "say which zones"),
        (["--tlds", "net."], "say which zones"),
        (["--zones", "FILE"], "no zone name"),
        (["--zone-file", "FILE"], "no SOA record"),
        (["--resume"], "has no run.json"),
        (["--resume", "net."], "leave them out"),
        (["--resume", "--hints", "FILE"], "leave them out"),
    ],
)
def test_a_survey_of_nothing(gnomon: Gnomon, tmp_path: Path, arguments: list[str], word: str) -> None:
    file = tmp_path / "file"
    file.touch()
    asked = [file if a == "FILE" else a for a in arguments]
    assert is_refusal(gnomon("survey", "--evidence", tmp_path / "run", *asked), word)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("file", "content", "word"),
    [
        ("world.jsonl", None, "gnomon lab build"),
        ("world.jsonl", b"{}\n", "line 1"),
        ("world.jsonl", b"\x00\xff", "line 1"),
        ("addresses.csv", None, "has no addresses.csv"),
        ("addresses.csv", b"real,loopback\n1.1.1.1,8.8.8.8\n", "not a loopback address"),
        ("addresses.csv", b"real,loopback\n1.1.1.1,127.0.0.1\n1.1.1.1,127.0.0.1\n", "second time"),
        ("hints.zone", b"", "names no root server"),
        ("trust-anchor.ds", b"what\n", "line 1"),
    ],
)
def test_a_lab_that_is_broken(
    gnomon: Gnomon, lab: Path, tmp_path: Path, file: str, content: bytes | None, word: str
) -> None:
    broken = tmp_path / "lab"
    broken.mkdir()
    for each in lab.iterdir():
        (broken / each.name).write_bytes(each.read_bytes())
    (broken / file).unlink()
    if content is not None:
        (broken / file).write_bytes(content)
    assert is_refusal(gnomon("survey", "net.", "--lab", broken, "--evidence", tmp_path / "run"), word)


def test_a_lab_of_a_root_zone_has_all_its_tlds(gnomon: Gnomon, tmp_path: Path) -> None:
    zone = tmp_path / "root.zone"
    zone.touch()
    assert is_refusal(gnomon("lab", "build", tmp_path / "lab", "--root-zone", zone, "--tlds", 3), "--zones")
    assert is_refusal(gnomon("lab", "build", tmp_path / "lab", "--root-zone", zone), "no SOA record")
    assert not (tmp_path / "lab").exists()


@pytest.mark.parametrize("command", ["judge", "verify", "replay", "indicators", "report"])
def test_a_folder_that_is_no_run(gnomon: Gnomon, tmp_path: Path, command: str) -> None:
    assert is_refusal(gnomon(command, tmp_path), str(tmp_path))
    assert is_refusal(gnomon(command, tmp_path / "nothing"), "does not exist")
    assert list(tmp_path.iterdir()) == []


def test_questions_about_a_run_that_it_cannot_answer(gnomon: Gnomon, judged: Path) -> None:
    assert is_refusal(gnomon("indicators", judged, "--only", "nope"), "'nope'", "i.signed")
    assert is_refusal(gnomon("indicators", judged, "--profile", "nope"), "gnomon judge")
    assert is_refusal(gnomon("replay", judged, "--profile", "../nope"), "no verdicts")
    assert is_refusal(gnomon("drill", judged, "operator", "nope."), "'nope.'")
    assert is_refusal(gnomon("drill", judged, "planet"), "'planet'", "'operator'")
    assert is_refusal(gnomon("evidence", "show", judged, "nope"), "0123456789abcdef:42")
    assert is_refusal(gnomon("evidence", "show", judged, "0123456789abcdef:1"), "no such segment")
    assert is_refusal(gnomon("report", judged, "--out", judged / "no" / "page.html"), "page.html", "No such file")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["chekcs"], "'chekcs'"),
        (["assess"], "gnomon assess --help"),
        (["judge", ".", "--jobs", "0"], "--jobs"),
        (["lab", "serve", ".", "--port", "70000"], "--port"),
        (["lab", "build", "x", "--tlds", "0"], "--tlds"),
        (["lab", "build", "x", "--faults", "2"], "--faults"),
        (["demo", "\x1b[2J", "--tlds", "none"], "--tlds"),
    ],
)
def test_a_command_line_that_is_wrong(gnomon: Gnomon, arguments: list[str], word: str) -> None:
    assert is_refusal(gnomon(*arguments), word)


def test_a_demo_never_removes_what_is_not_its_own(gnomon: Gnomon, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    assert is_refusal(gnomon("demo", tmp_path), "name another folder")
    assert (tmp_path / "thesis.tex").exists()
