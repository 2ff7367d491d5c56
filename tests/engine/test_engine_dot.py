"""DNS over TLS against Unbound, and against servers that get TLS wrong."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from engine_servers import HOST, PATIENCE_MS, SILENCE_MS, ask, drain, engine, message, words

from gnomon.base import Transport
from gnomon.engine import Attempt, Query, Status

DOT = Transport.DOT
NAMES = 200


def certificate(work: Path) -> bytes:
    """Write key.pem and cert.pem of a server that nobody can trust: self-signed and expired. Its DER octets."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ns.example.test")])
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(begin).not_valid_after(begin + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (work / "key.pem").write_bytes(private)
    (work / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return made.public_bytes(serialization.Encoding.DER)


@pytest.fixture(scope="module")
def unbound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, bytes]]:
    """Port and certificate of an Unbound that speaks TLS only."""
    if shutil.which("unbound") is None:
        pytest.skip("unbound is not installed")
    work = tmp_path_factory.mktemp("unbound")
    shown = certificate(work)
    with socket.create_server((HOST, 0)) as free:
        port: int = free.getsockname()[1]
    data = "".join(f' local-data: "n{n}.example.test. A 198.51.100.{n}"\n' for n in range(NAMES))
    (work / "unbound.conf").write_text(
        f"server:\n interface: {HOST}@{port}\n tls-port: {port}\n tls-service-key: {work}/key.pem\n"
        f' tls-service-pem: {work}/cert.pem\n username: ""\n chroot: ""\n directory: {work}\n pidfile: {work}/pid\n'
        f" use-syslog: no\n do-daemonize: no\n access-control: 127.0.0.0/8 allow\n module-config: iterator\n"
        f" root-hints: /dev/null\n local-zone: example.test. static\n{data}remote-control:\n control-enable: no\n"
    )
    server = subprocess.Popen(["unbound", "-c", str(work / "unbound.conf")], stderr=subprocess.DEVNULL)
    try:
        if ask(_query(port, 0, attempts=50))[-1].status is not Status.ANSWERED:
            pytest.skip("unbound does not start here")
        yield port, shown
    finally:
        server.terminate()
        server.wait()


def _query(port: int, tag: int, attempts: int = 2, timeout_ms: int = PATIENCE_MS) -> Query:
    return Query(
        tag, ip_address(HOST), message(f"n{tag}.example.test.", 1), DOT, port, attempts=attempts, timeout_ms=timeout_ms
    )


def _session(attempt: Attempt) -> tuple[int, int, bytes, list[bytes]]:
    """Version, cipher suite, ALPN protocol and certificates, as docs/formats/segment.md has it."""
    octets = attempt.response or b""
    end = 5 + octets[4]
    alpn, certificates = octets[5:end], []
    while end < len(octets):
        size = int.from_bytes(octets[end : end + 3], "big")
        certificates.append(octets[end + 3 : end + 3 + size])
        end += 3 + size
    return int.from_bytes(octets[:2], "big"), int.from_bytes(octets[2:4], "big"), alpn, certificates


def test_what_the_server_shows_is_recorded_and_not_trusted(unbound: tuple[int, bytes]) -> None:
    port, shown = unbound
    secured, answer = ask(_query(port, 7))
    assert words([secured, answer]) == ["1 dot secured", "1 dot answered"]
    assert (secured.last, answer.last, secured.query) == (False, True, answer.query)
    assert answer.response is not None and answer.response.endswith(bytes([198, 51, 100, 7]))
    version, suite, alpn, certificates = _session(secured)
    assert version == 0x0304 and suite in (0x1301, 0x1302, 0x1303)
    assert alpn in (b"", b"dot")
    assert certificates == [shown]


def test_many_queries_over_few_sessions(unbound: tuple[int, bytes]) -> None:
    port, _ = unbound
    attempts = ask(*(_query(port, tag) for tag in range(NAMES)))
    answered = {a.tag: a for a in attempts if a.status is Status.ANSWERED}
    assert answered.keys() == set(range(NAMES))
    assert all((a.response or b"").endswith(bytes([198, 51, 100, tag])) for tag, a in answered.items())
    assert 1 <= sum(a.status is Status.SECURED for a in attempts) <= 4


def test_a_server_without_tls_fails() -> None:
    with socket.create_server((HOST, 0)) as plain, engine() as running:
        running.submit([_query(plain.getsockname()[1], 1)])
        for _ in range(2):
            connection, _ = plain.accept()
            with connection:
                connection.sendall(b"\0\x0cno TLS here!")
                # The engine says why it leaves, or just leaves.
                while connection.recv(4096):
                    pass
        attempts = drain(running)
    assert [attempt.status for attempt in attempts] == [Status.TLS_FAILED] * 2


def test_a_server_that_stays_silent_under_tls_times_out() -> None:
    with socket.create_server((HOST, 0)) as silent, engine() as running:
        query = _query(silent.getsockname()[1], 1, attempts=1, timeout_ms=SILENCE_MS)
        assert words(drain(running, [query])) == ["1 dot timeout"]


def test_a_closed_port_refuses() -> None:
    with socket.create_server((HOST, 0)) as closed:
        port = closed.getsockname()[1]
    assert words(ask(_query(port, 1, attempts=1))) == ["1 dot refused"]
