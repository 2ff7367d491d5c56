from gnomon.base import ROOT, Name
from gnomon.base.signals import dsync_names, signal_name


def name(text: str) -> Name:
    return Name.from_text(text)


def test_an_operator_signals_under_the_name_of_its_server() -> None:
    found = signal_name(name("example.co.uk."), name("ns1.example.net."))
    assert str(found) == "_dsboot.example.co.uk._signal.ns1.example.net."


def test_a_server_inside_the_zone_cannot_vouch_for_it() -> None:
    assert signal_name(name("example.test."), name("ns1.example.test.")) is None


def test_a_signalling_name_that_would_be_too_long_does_not_exist() -> None:
    long = name(".".join(["a" * 60] * 4))
    assert signal_name(long, name("ns1.example.net.")) is None


def test_the_parent_says_whom_to_notify_below_its_own_apex() -> None:
    found = dsync_names(name("city.ise.mie.jp."), name("jp."))
    assert list(map(str, found)) == ["city.ise.mie._dsync.jp.", "_dsync.jp."]
    assert list(map(str, dsync_names(name("test."), ROOT))) == ["test._dsync.", "_dsync."]
