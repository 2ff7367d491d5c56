"""The simulated identifier system: zones on name servers at addresses, and what comes back when one is asked."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TypeVar

from gnomon.base import ROOT, Address, InputError, Name, Transport, codes, parse_address
from gnomon.lab.denial import parent
from gnomon.lab.faults import FAULTS, Closed, Fault, Reply, make_fault
from gnomon.lab.keys import dnskey_rdata, ds_rdata
from gnomon.lab.records import HEADER, SERVER_UDP_SIZE_OCTETS, Rendered, Response, RRset, bad_key, render, with_option
from gnomon.lab.request import Request, read_request
from gnomon.lab.spec import DEFAULT_CLOCK_S, DsSpec, NetworkSpec, Placement, ZoneSpec
from gnomon.lab.zone import Zone

_BASE_RTT_US = 1_000
_MAX_CACHED = 20_000
_TRANSFER_OCTETS = 16_000

T = TypeVar("T")
Faults = tuple[Fault, ...]
_CacheKey = tuple[bytes, int, int, int, int, bool, tuple[int, int] | None, Transport]


class Face:
    """One zone with the faults of one server: what a question for that zone meets. Shared by equal servers."""

    def __init__(self, zone: Zone | None, faults: Faults) -> None:
        self.zone = zone
        self.faults = faults
        self.cacheable = not any(fault.varies for fault in faults)
        self.hears = [f for f in faults if type(f).hear is not Fault.hear]
        self.reshapes = [f for f in faults if type(f).reshape is not Fault.reshape]
        self.rewrites = [f for f in faults if type(f).rewrite is not Fault.rewrite]
        opens = {"axfr-open": codes.AXFR, "ixfr-open": codes.IXFR}
        self.transfers = frozenset(opens[fault.name] for fault in faults if fault.name in opens)
        self.cache: dict[object, Rendered] = {}


class _Server:
    """One address: the faces of the zones it serves, and of everything else."""

    def __init__(self, faces: dict[bytes, Face], outside: Face, nsid: bytes) -> None:
        self.faces, self.outside, self.nsid = faces, outside, nsid

    def face(self, name: bytes, qtype: int) -> Face:
        """The face of the deepest zone for the name; for DS, of the parent's side if it is here."""
        faces = self.faces
        if qtype == codes.DS and name in faces and name[0]:
            above = self._deepest(parent(name))
            if above is not None:
                return above
        return self._deepest(name) or self.outside

    def _deepest(self, name: bytes) -> Face | None:
        faces = self.faces
        while True:
            face = faces.get(name)
            if face is not None:
                return face
            if not name[0]:
                return None
            name = name[name[0] + 1 :]


class World:
    """Zones, hosts, faults and a clock; `respond` is a pure function of these and of the octets of a query.

    Every real address has a loopback address of its own (`loopback`), IPv6 ones an IPv4 loopback address too.
    """

    def __init__(
        self,
        zones: Iterable[ZoneSpec],
        hosts: Mapping[Name, tuple[Address, ...]],
        *,
        faults: Iterable[Placement] = (),
        networks: Iterable[NetworkSpec] = (),
        population: Iterable[Name] | None = None,
        loopback: Mapping[Address, ipaddress.IPv4Address] | None = None,
        clock_s: int = DEFAULT_CLOCK_S,
    ) -> None:
        """
        Args:
            zones: all zones, the root among them.
            hosts: the addresses of every name server and of any other host.
            faults: where which fault sits.
            networks: the routing table that goes with the addresses.
            population: the zones that a survey of this world is about; None for all but the root.
            loopback: the loopback address of each real one; None to give them out in order.
            clock_s: Unix time from which the validity of signatures is counted.

        Raises:
            InputError: no root zone, a key that cannot be had, a fault that does not exist or sits nowhere, or a
                server without a loopback address.
        """
        self.zones = {zone.name: zone for zone in zones}
        self.hosts = dict(hosts)
        self.faults = tuple(faults)
        self.networks = tuple(networks)
        self.clock_s = clock_s
        if ROOT not in self.zones:
            raise InputError("a lab world needs a root zone (a zone named '.')")
        for zone in self.zones.values():
            for key in zone.signing.keys if zone.signing else ():
                dnskey_rdata(key)
        for placement in self.faults:
            if placement.zone is not None and placement.zone not in self.zones:
                raise InputError(
                    f"the lab fault {placement.fault!r} names the zone {placement.zone}, which is not there"
                )
            fault = make_fault(placement.fault, placement.value)
            if fault.scope == "delegation":
                if placement.zone is None or placement.at != "parent":
                    raise InputError(f"the lab fault {placement.fault!r} must be at the parent of a zone")
                self.zones[placement.zone] = fault.delegate(self.zones[placement.zone])
        self.population = (
            tuple(name for name in self.zones if name != ROOT) if population is None else tuple(population)
        )
        self._by_key = {zone.name.key: zone for zone in self.zones.values()}
        self._children: dict[bytes, list[ZoneSpec]] = {}
        for zone in self.zones.values():
            if not zone.name.is_root:
                self._children.setdefault(self._enclosing(parent(zone.name.key)), []).append(zone)
        self._hosts_of: dict[bytes, dict[Name, tuple[Address, ...]]] = {}
        for host, addresses in self.hosts.items():
            self._hosts_of.setdefault(self._enclosing(host.key), {})[host] = addresses
        self._made: dict[tuple[bytes, Faults], Zone] = {}
        self._faces: dict[tuple[bytes | None, Faults], Face] = {}
        self._servers: dict[Address, _Server] = {}
        self._server_faults, self._zone_faults = self._place()
        self.loopback = self._loopback() if loopback is None else dict(loopback)
        for address in self.zones_at:
            if address not in self.loopback:
                raise InputError(f"the name server address {address} has no loopback address")

    # What there is

    def _enclosing(self, name: bytes) -> bytes:
        """The apex of the deepest zone that holds the name."""
        while name not in self._by_key:
            name = parent(name)
        return name

    @cached_property
    def zones_at(self) -> dict[Address, list[ZoneSpec]]:
        """The zones that are served at each name server address."""
        out: dict[Address, list[ZoneSpec]] = {}
        for zone in self.zones.values():
            for address in self.servers_of(zone):
                out.setdefault(address, []).append(zone)
        return out

    def servers_of(self, zone: ZoneSpec) -> tuple[Address, ...]:
        """The addresses at which a zone is served: of the names in delegation and apex, of hidden ones, and of glue."""
        out: dict[Address, None] = {}
        for name in dict.fromkeys(zone.ns + zone.apex_ns + zone.hidden):
            out.update(dict.fromkeys(self.addresses_of(name)))
            out.update(dict.fromkeys(zone.glue.get(name, ())))
        return tuple(out)

    def addresses_of(self, host: Name) -> tuple[Address, ...]:
        """The addresses of a host; an alias is followed."""
        for _ in range(8):
            if host in self.hosts:
                return self.hosts[host]
            holder = self._by_key[self._enclosing(host.key)]
            alias = next((r for r in holder.records if r.owner == host and r.rtype == codes.CNAME), None)
            if alias is None:
                return ()
            host = Name(alias.rdatas[0])
        return ()

    def _loopback(self) -> dict[Address, ipaddress.IPv4Address]:
        """For every name server address one in 127/8 of its own, never 127.0.x.x, 0 or 255 at the end."""
        ordered = sorted(self.zones_at, key=lambda address: (address.version, int(address)))
        base = int(ipaddress.IPv4Address("127.1.0.0"))
        return {
            address: ipaddress.IPv4Address(base + (index // 254 << 8) + index % 254 + 1)
            for index, address in enumerate(ordered)
        }

    def hints(self) -> dict[Name, tuple[Address, ...]]:
        """The root's name servers and their addresses."""
        return {name: self.addresses_of(name) for name in self.zones[ROOT].ns}

    def trust_anchors(self) -> tuple[str, ...]:
        """DS records of the root's KSKs in presentation form; empty if the root is unsigned."""
        signing = self.zones[ROOT].signing
        out = []
        for key in signing.keys if signing else ():
            if key.signs_keys:
                rdata = ds_rdata(b"\0", DsSpec(key))
                tag = int.from_bytes(rdata[:2], "big")
                out.append(f". IN DS {tag} {rdata[2]} {rdata[3]} {rdata[4:].hex().upper()}")
        return tuple(out)

    def set_clock(self, clock_s: int) -> None:
        """Move the clock; everything is signed anew at its next use."""
        self.clock_s = clock_s
        self._made.clear()
        self._faces.clear()
        self._servers.clear()

    # Where the faults are

    def _place(self) -> tuple[dict[Address, Faults], dict[tuple[Address, bytes], Faults]]:
        of_server: dict[Address, Faults] = {}
        of_zone: dict[tuple[Address, bytes], Faults] = {}
        instances: dict[tuple[str, int | None], Fault] = {}
        for placement in self.faults:
            if FAULTS[placement.fault].scope == "delegation":
                continue
            key = (placement.fault, placement.value)
            fault = instances.setdefault(key, make_fault(*key))
            zone = self._zone_of(placement)
            for address in self._addresses_at(placement, zone):
                if fault.scope == "server":
                    _attach(of_server, address, fault)
                else:
                    for spec in self.zones_at.get(address, ()) if zone is None else [zone]:
                        _attach(of_zone, (address, spec.name.key), fault)
        return of_server, of_zone

    def _zone_of(self, placement: Placement) -> ZoneSpec | None:
        if placement.zone is None:
            return None
        if placement.at == "parent":
            return self._by_key[self._enclosing(parent(placement.zone.key))]
        return self.zones[placement.zone]

    def _addresses_at(self, placement: Placement, zone: ZoneSpec | None) -> tuple[Address, ...]:
        if placement.at in ("all", "parent"):
            if zone is None:
                raise InputError(f"the lab fault {placement.fault!r} at {placement.at!r} must name a zone")
            return self.servers_of(zone)
        try:
            return (parse_address(placement.at),)
        except InputError:
            name = Name.from_text(placement.at)
        addresses = self.addresses_of(name)
        glue = [a for spec in self.zones.values() if name in spec.glue for a in spec.glue[name]]
        addresses = tuple(dict.fromkeys([*addresses, *glue]))
        if not addresses:
            raise InputError(f"the lab fault {placement.fault!r} is at {placement.at}, which has no address")
        return addresses

    # Zones and servers, made at first use

    def zone_for(self, name: bytes, qtype: int) -> Zone:
        """The zone, without any fault, that is authoritative for a question."""
        if qtype == codes.DS and name[0]:
            name = parent(name)
        return self.zone(self._enclosing(name))

    def zone(self, apex: bytes, faults: Faults = ()) -> Zone:
        """The contents of a zone (apex octets in lower case), altered by these faults."""
        altering = tuple(f for f in faults if type(f).alter is not Fault.alter)
        key = (apex, altering)
        if key not in self._made:
            spec = self._by_key[apex]
            zone = Zone(spec, self._children.get(apex, ()), self._hosts_of.get(apex, {}), self.hosts, self.clock_s)
            for fault in altering:
                fault.alter(zone)
            self._made[key] = zone
        return self._made[key]

    def _face(self, apex: bytes | None, faults: Faults) -> Face:
        key = (apex, faults)
        if key not in self._faces:
            self._faces[key] = Face(None if apex is None else self.zone(apex, faults), faults)
        return self._faces[key]

    def _server(self, address: Address) -> _Server | None:
        server = self._servers.get(address)
        if server is None and address in self.zones_at:
            own = self._server_faults.get(address, ())
            faces = {
                spec.name.key: self._face(spec.name.key, own + self._zone_faults.get((address, spec.name.key), ()))
                for spec in self.zones_at[address]
            }
            nsid = f"lab-{address}".encode()
            server = self._servers[address] = _Server(faces, self._face(None, own), nsid)
        return server

    # Answers

    def answers_from_elsewhere(self, address: Address) -> bool:
        """Whether what the server sends over UDP comes from another address."""
        return any(fault.name == "other-source" for fault in self._server_faults.get(address, ()))

    def rtt_us(self, address: Address) -> int:
        """How long an answer from that address takes, in microseconds of the world's own time."""
        slow = sum(fault.quantity for fault in self._server_faults.get(address, ()) if fault.name == "slow")
        return _BASE_RTT_US + _spread(address) % 40_000 + slow * 1000

    def respond(self, address: Address, transport: Transport, query: bytes) -> Reply:
        """What the server at a real address sends back for the octets of a query.

        Returns:
            The messages in order (several only for a zone transfer), an empty list for silence, or how the stream ends.
        """
        server = self._server(address)
        request = read_request(query, transport)
        if server is None or request is None:
            return []
        if transport is Transport.DOT and not any(fault.takes_tls for fault in server.outside.faults):
            return Closed.REFUSED
        face = server.face(request.name, request.qtype) if request.qclass == codes.CLASS_IN else server.outside
        asked = request.name
        for fault in face.hears:
            heard = fault.hear(request)
            if not isinstance(heard, Request):
                return heard
            request = heard
        if request.name != asked:
            face = server.face(request.name, request.qtype)
        if request.qtype in face.transfers and transport is Transport.TCP and not request.error:
            messages = [self._assemble(server, part, request) for part in _transfer(face, request)]
        else:
            messages = [self._assemble(server, self._rendered(face, request), request)]
        for fault in face.rewrites:
            messages = [octets for message in messages for octets in fault.rewrite(request, message)]
        return messages

    def _rendered(self, face: Face, request: Request) -> Rendered:
        """The response without ID, case and OPT: from the face's cache, or made."""
        edns = request.edns
        key: _CacheKey = (
            request.name, request.qtype, request.qclass, request.opcode, request.error, bool(request.tsig),
            None if edns is None else (edns.version, edns.flags & 0x8000), request.transport,
        )  # fmt: skip
        found = face.cache.get(key) if face.cacheable else None
        if found is not None:
            return found
        response = self._answer(face, request)
        for fault in face.reshapes:
            fault.reshape(request, response, self)
        cache_key: object = key
        if response.encloser is not None:
            # Names that do not exist are without number; their answers are few.
            rrsets = (*response.authority, *response.answer, *response.additional)
            flags = (response.rcode, response.aa, response.tc, response.ra)
            cache_key = (rrsets, len(request.name), response.encloser, flags, *key[3:])
            found = face.cache.get(cache_key) if face.cacheable else None
            if found is not None:
                return found
        made = render(
            response,
            request.name,
            len(request.asked),
            opcode=request.flags >> 11 & 15,
            edns=request.edns is not None,
            do=request.do,
        )
        if face.cacheable:
            if len(face.cache) >= _MAX_CACHED:
                face.cache.clear()
            face.cache[cache_key] = made
        return made

    def _answer(self, face: Face, request: Request) -> Response:
        response = Response()
        if request.error:
            response.rcode = request.error
        elif request.opcode != 0:
            response.rcode = codes.NOTIMP
        elif request.tsig:
            response.rcode = codes.NOTAUTH  # nobody has a key here (RFC 8945 section 5.2.1)
        elif request.edns is not None and request.edns.version > 0:
            response.rcode = codes.BADVERS
        elif face.zone is None or request.qtype in (codes.AXFR, codes.IXFR) or request.qclass != codes.CLASS_IN:
            response.rcode = codes.REFUSED
        else:
            return face.zone.answer(request.name, request.qtype, do=request.do)
        return response

    def _assemble(self, server: _Server, rendered: Rendered, request: Request) -> bytes:
        opt = rendered.opt
        if opt and request.edns is not None and request.edns.asks(codes.OPTION_NSID):
            opt = with_option(opt, codes.OPTION_NSID, server.nsid)
        limit = 65_535
        if request.transport is Transport.UDP:
            limit = 512 if request.edns is None else min(max(512, request.edns.size_octets), SERVER_UDP_SIZE_OCTETS)
        asked = request.asked
        flags = rendered.flags | request.flags & 0x0110  # RD and CD are copied (RFC 1035 4.1.1, RFC 4035 3.1.6)
        counts, body = rendered.counts, rendered.body
        room = limit - 12 - len(asked) - len(opt)
        if len(body) > room and not rendered.oversize:
            if rendered.needs_additional or rendered.additional_at > room:
                flags, counts, body = flags | 0x0200, (0, 0, 0), b""
            else:
                counts, body = (counts[0], counts[1], 0), body[: rendered.additional_at]
        tail = bad_key(request.tsig) if request.tsig and flags & 15 == codes.NOTAUTH else b""
        header = HEADER.pack(flags, 1 if asked else 0, counts[0], counts[1], counts[2] + bool(opt) + bool(tail))
        return b"".join((request.octets[:2], header, asked, body, opt, tail))


def _transfer(face: Face, request: Request) -> list[Rendered]:
    """A zone transfer (RFC 5936): the SOA, everything else, the SOA again, in messages of moderate size."""
    assert face.zone is not None
    rrsets = face.zone.all_rrsets()
    batches: list[list[RRset]] = [[]]
    size = 0
    for rrset in [*rrsets, rrsets[0]]:
        batches[-1].append(rrset)
        size += sum(len(rdata) + 40 for rdata in rrset.rdatas)
        if size > _TRANSFER_OCTETS:
            batches.append([])
            size = 0
    return [render(Response(aa=True, answer=batch), request.name, len(request.asked)) for batch in batches if batch]


def _attach(faults: dict[T, Faults], where: T, fault: Fault) -> None:
    there = faults.get(where, ())
    if fault not in there:
        faults[where] = (*there, fault)


def _spread(address: Address) -> int:
    """A number that is the same in every process (unlike hash())."""
    return int.from_bytes(address.packed[-4:], "big") * 2_654_435_761 >> 7 & 0xFFFFFF
