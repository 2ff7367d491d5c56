"""The engine that really sends: the native core with its limits and guards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network
from types import TracebackType
from typing import Self

from gnomon import _core
from gnomon._core import Attempts, Queries
from gnomon.base import Address, InputError, Transport, parse_address
from gnomon.engine.types import Attempt, Limits, Mismatch, OptOut, Query, Status, address_text

_STATUSES = tuple(Status)
_TRANSPORTS = tuple(Transport)


class NetworkEngine:
    """Queries over UDP, TCP and TLS within `Limits`; use it as a context manager or close it.

    What must not be sent is not, and the core sees to it: a query for a special-purpose address outside `allow_net`
    yields one attempt NOT_SENT_SPECIAL, one for somebody in `opt_out` NOT_SENT_OPTOUT. With an `address_map` (lab)
    each query for port 53 goes to the loopback address and port that its address maps to, one for another port to
    that port of the loopback address, and any address without an entry yields NOT_SENT_SPECIAL.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        allow_net: Sequence[IPv4Network | IPv6Network] = (),
        opt_out: OptOut | None = None,
        address_map: Mapping[Address, tuple[str, int]] | None = None,
        local: Sequence[Address] = (),
        shards: int = 1,
        turn_ms: int = 0,
    ) -> None:
        """Open the engine.

        Args:
            local: addresses to send from, at most one of each IP version; else the system chooses.
            shards: I/O threads; a network is served by one of them, so that its limits hold.
            turn_ms: how long datagrams, and queries that a limit kept back, may rest until somebody looks at them.
                Whoever asks many servers slowly saves most of the CPU so; who waits for answers wants 0. Round-trip
                times stay as exact.

        Raises:
            InputError: a limit is not positive, the map leads out of loopback, or a local address is not ours.
            OSError: no socket can be opened.
        """
        for real, (text, _) in (address_map or {}).items():
            if not parse_address(text).is_loopback:
                raise InputError(f"the address map sends {real} to {text}, which is not a loopback address")
        if len({address.version for address in local}) < len(local) or shards < 1:
            raise InputError("send from at most one IPv4 and one IPv6 address, with at least one shard")
        out = opt_out or OptOut()
        try:
            self._core = _core.Engine(
                limits=limits,
                allow=_prefixes(allow_net),
                opt_out_prefixes=_prefixes(out.prefixes),
                opt_out_servers=[name.wire for name in out.servers],
                opt_out_zones=[zone.wire for zone in out.zones],
                address_map=None
                if address_map is None
                else [(address_text(real), target, port) for real, (target, port) in address_map.items()],
                local=[address_text(address) for address in local],
                shards=shards,
                turn_ms=turn_ms,
            )
        except (ValueError, TypeError) as error:
            raise InputError(f"the limits {limits} cannot be used: {error}") from None
        except OSError as error:
            if not local:
                raise
            told = " and ".join(map(str, local))
            raise InputError(f"cannot send from {told}: {error.strerror}; name an address of this host") from None

    def submit(self, queries: Sequence[Query]) -> int:
        """Queue queries, in order; returns at once with how many of them: at most 65,536 are pending at a time.

        Raises:
            ValueError: a query shorter than a header or over 65,535 octets, no attempt or no time; or the engine
                is closed.
        """
        batch = Queries()
        for query in queries[: self._core.credit]:
            batch.append(
                query.tag, address_text(query.address), query.wire, query.transport, query.port, query.attempts,
                query.timeout_ms, query.mix_case, query.tcp_after_truncation,
                None if query.server_name is None else query.server_name.wire,
            )  # fmt: skip
        return self._core.submit(batch)

    def submit_batch(self, queries: Queries) -> int:
        """The same from one object: what is queued is taken out of it."""
        return self._core.submit(queries)

    def take(self, max_rows: int = 4096, timeout_ms: int = 1000) -> list[Attempt]:
        """Attempts that are ready; waits up to `timeout_ms` for the first one; may return an empty list."""
        return [
            Attempt(
                row.tag,
                row.attempt,
                _TRANSPORTS[row.transport],
                row.sent_at_ns,
                row.rtt_us,
                row.local_port,
                _STATUSES[row.status],
                row.os_error,
                row.query,
                row.response,
                row.last,
            )
            for row in self._core.take(max_rows, timeout_ms)
        ]

    def take_batch(self, max_rows: int = 4096, timeout_ms: int = 1000) -> Attempts:
        """The same as one object."""
        return self._core.take_batch(max_rows, timeout_ms)

    @property
    def pending(self) -> int:
        """Submitted queries whose last attempt has not been taken yet."""
        return self._core.pending

    @property
    def mismatches(self) -> dict[Mismatch, int]:
        """How many messages came that were no answers, by kind; those not shown as attempts included."""
        return dict(zip(Mismatch, self._core.mismatches, strict=True))

    def close(self) -> None:
        """Stop the I/O threads and close all sockets; pending queries are dropped. May be called twice."""
        self._core.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _prefixes(networks: Sequence[IPv4Network | IPv6Network]) -> list[tuple[str, int]]:
    return [(str(network.network_address), network.prefixlen) for network in networks]
