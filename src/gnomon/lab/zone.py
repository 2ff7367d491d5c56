"""One zone as a server holds it: records, delegations, glue, signatures and proofs made at first use."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping

from gnomon.base import Address, Name, codes
from gnomon.lab.denial import Nsec3Chain, NsecChain, labels, parent
from gnomon.lab.keys import dnskey_rdata, ds_rdata, key_tag, signer
from gnomon.lab.records import Response, RRset
from gnomon.lab.spec import KeySpec, SigningSpec, SoaSpec, ZoneSpec

Hosts = Mapping[Name, tuple[Address, ...]]

_KEY_TYPES = frozenset({codes.DNSKEY, codes.CDS, codes.CDNSKEY})


def soa_rdata(soa: SoaSpec) -> bytes:
    """The SOA rdata of those values."""
    numbers = (soa.serial, soa.refresh_s, soa.retry_s, soa.expire_s, soa.minimum_s)
    return soa.mname.key + soa.rname.key + b"".join(n.to_bytes(4, "big") for n in numbers)


class Zone:
    """The contents of one zone on one server (faults may make it differ from server to server).

    `nodes` maps an owner (octets in lower case) to its RRsets by type, without RRSIG and denial records; `cuts` are
    the owners of delegations among them; `glue` the addresses below the cuts. Change them before the first answer.
    """

    def __init__(
        self, spec: ZoneSpec, children: Iterable[ZoneSpec], hosts: Hosts, all_hosts: Hosts, clock_s: int
    ) -> None:
        """
        Args:
            spec: the zone.
            children: the zones delegated from it.
            hosts: the hosts whose address records this zone holds.
            all_hosts: all hosts there are, for glue.
            clock_s: Unix time from which the validity of signatures is counted.
        """
        self.spec = spec
        self.apex = spec.name.key
        self.signing: SigningSpec | None = spec.signing
        self.clock_s = clock_s
        self.corrupt_signatures = False
        self.nodes: dict[bytes, dict[int, RRset]] = {}
        self.cuts: set[bytes] = set()
        self.glue: dict[bytes, list[RRset]] = {}
        self._chain: NsecChain | Nsec3Chain | None = None
        self._ents: set[bytes] | None = None
        self._negative_soa: RRset | None = None
        self._add(self.apex, codes.SOA, spec.ttl_s, [soa_rdata(spec.soa)])
        self._add(self.apex, codes.NS, spec.ns_ttl_s, [host.key for host in spec.apex_ns])
        if spec.signing is not None:
            self._add(self.apex, codes.DNSKEY, spec.ttl_s, [dnskey_rdata(key) for key in spec.signing.keys])
        for host, addresses in hosts.items():
            for rrset in _address_rrsets(host.key, addresses, spec.ns_ttl_s):
                self._add(rrset.owner, rrset.rtype, rrset.ttl_s, rrset.rdatas)
        for record in spec.records:
            self._add(record.owner.key, record.rtype, record.ttl_s, record.rdatas)
        for child in children:
            self._delegate(child, all_hosts)
        self._add_glue(spec.apex_ns, all_hosts, {}, spec.ns_ttl_s)

    def _add(self, owner: bytes, rtype: int, ttl_s: int, rdatas: Iterable[bytes]) -> None:
        rdatas = tuple(dict.fromkeys(rdatas))
        if rdatas:
            self.nodes.setdefault(owner, {})[rtype] = RRset(owner, rtype, ttl_s, rdatas)

    def _delegate(self, child: ZoneSpec, all_hosts: Hosts) -> None:
        owner = child.name.key
        self.cuts.add(owner)
        self._add(owner, codes.NS, child.ns_ttl_s, [host.key for host in child.ns])
        self._add(owner, codes.DS, self.spec.ttl_s, [ds_rdata(owner, ds) for ds in child.ds])
        self._add_glue(child.ns, all_hosts, child.glue, child.ns_ttl_s)

    def _add_glue(self, names: Iterable[Name], all_hosts: Hosts, instead: Hosts, ttl_s: int) -> None:
        """Addresses of hosts inside the zone but not in its authoritative part."""
        for host in names:
            given = instead.get(host)
            if given is None and host.key in self.glue:
                continue
            if host.is_subdomain_of(self.spec.name) and (host.key not in self.nodes or host.key in self.cuts):
                addresses = all_hosts.get(host, ()) if given is None else given
                self.glue[host.key] = _address_rrsets(host.key, addresses, ttl_s)

    def answer(self, name: bytes, qtype: int, *, do: bool, aliases: int = 16) -> Response:
        """The authoritative response to a question inside the zone (RFC 1034 section 4.3.2, RFC 4035 section 3.1).

        At most `aliases` CNAME records are followed.
        """
        response = Response(aa=True)
        do = do and self.chain is not None
        cut = self._cut_above(name, qtype)
        if cut is not None:
            self._refer(response, cut, do)
            return response
        node = self.nodes.get(name)
        if node is None:
            self._deny_name(response, name, qtype, do, aliases)
        elif codes.CNAME in node and qtype not in (codes.CNAME, codes.ANY, codes.NSEC, codes.RRSIG):
            self._follow_alias(response, node[codes.CNAME], qtype, do, aliases)
        else:
            found = self._found(name, node, qtype)
            if found is None:
                self._deny_type(response, name, do)
            else:
                response.answer = self.with_signature(found, do)
                if qtype == codes.NS:
                    # Without their signatures, so that they fit; resolvers ask for what they mean to validate.
                    response.additional = self.addresses(found.rdatas, do=False)
        return response

    def _found(self, name: bytes, node: Mapping[int, RRset], qtype: int) -> RRset | None:
        if qtype == codes.ANY:  # RFC 8482 section 4.1: one RRset of the node is an answer
            return next(iter(node.values()))
        if qtype == codes.RRSIG and self.signing is not None:
            return self.signature(next(iter(node.values())))
        if qtype == codes.NSEC and isinstance(self.chain, NsecChain):
            return self.chain.nodata(name)[0]
        return node.get(qtype)

    def _cut_above(self, name: bytes, qtype: int) -> bytes | None:
        """The delegation at or above `name`, highest first; not the one at `name` itself when DS is asked."""
        if not self.cuts:
            return None
        if qtype == codes.DS and len(name) > len(self.apex):
            name = parent(name)
        found = None
        while len(name) > len(self.apex):
            if name in self.cuts:
                found = name
            name = parent(name)
        return found

    def _refer(self, response: Response, cut: bytes, do: bool) -> None:
        node = self.nodes[cut]
        delegation = node[codes.NS]
        response.aa = False
        response.authority = [delegation]
        if do and codes.DS in node:
            response.authority += self.with_signature(node[codes.DS], do)
        elif do and self.chain is not None:
            response.authority += self._proofs(self.chain.nodata(cut))
        response.additional = self.addresses(delegation.rdatas, do=False)
        response.needs_additional = any(_below(host, cut) for host in delegation.rdatas)

    def _deny_type(self, response: Response, name: bytes, do: bool) -> None:
        response.authority = self._soa_of_negative(do)
        if do and self.chain is not None:
            response.authority += self._proofs(self.chain.nodata(name))

    def _deny_name(self, response: Response, name: bytes, qtype: int, do: bool, aliases: int) -> None:
        if name in self.ents:
            self._deny_type(response, name, do)
            return
        response.rcode = codes.NXDOMAIN
        encloser = parent(name)
        while encloser not in self.nodes and encloser not in self.ents:
            encloser = parent(encloser)
        above = self.nodes.get(encloser, {}).get(codes.DNAME)
        if above is not None:
            self._substitute(response, above, name, qtype, do, aliases)
            return
        wildcard = self.nodes.get(b"\x01*" + encloser)
        if wildcard is not None:
            self._expand(response, wildcard, name, encloser, qtype, do, aliases)
            return
        response.encloser = encloser
        response.authority = self._soa_of_negative(do)
        if do and self.chain is not None:
            response.authority += self._proofs(self.chain.nxdomain(name, encloser))

    def _expand(
        self,
        response: Response,
        wildcard: Mapping[int, RRset],
        name: bytes,
        encloser: bytes,
        qtype: int,
        do: bool,
        aliases: int,
    ) -> None:
        """An answer from a wildcard with proof that the name itself does not exist (RFC 4035 section 3.1.3.3)."""
        response.rcode = codes.NOERROR
        found = wildcard.get(qtype) or wildcard.get(codes.CNAME)
        if found is not None:
            response.answer = [
                RRset(name, one.rtype, one.ttl_s, one.rdatas, one.original_ttl_s)
                for one in self.with_signature(found, do)
            ]
            if found.rtype == codes.CNAME and qtype != codes.CNAME:
                self._lead_on(response, found.rdatas[0], qtype, do, aliases)
        else:
            response.authority = self._soa_of_negative(do)
        if do and self.chain is not None:
            proofs = self.chain.expansion(name, encloser) if found else self.chain.nxdomain(name, encloser)
            there = {(rrset.owner, rrset.rtype) for rrset in response.authority}
            response.authority += self._proofs([p for p in proofs if (p.owner, p.rtype) not in there])

    def _substitute(self, response: Response, above: RRset, name: bytes, qtype: int, do: bool, aliases: int) -> None:
        """The DNAME and the CNAME made of it, which has no signature (RFC 6672 sections 3.1 and 5.3.1)."""
        target = name[: len(name) - len(above.owner)] + above.rdatas[0]
        response.rcode = codes.NOERROR
        response.answer = [*self.with_signature(above, do), RRset(name, codes.CNAME, above.ttl_s, (target,))]
        if qtype != codes.CNAME:
            self._lead_on(response, target, qtype, do, aliases)

    def _follow_alias(self, response: Response, alias: RRset, qtype: int, do: bool, left: int) -> None:
        """The alias, and as much of an answer for its target as the zone has (RFC 1034 section 4.3.2, step 3a)."""
        response.answer = self.with_signature(alias, do)
        self._lead_on(response, alias.rdatas[0], qtype, do, left)

    def _lead_on(self, response: Response, target: bytes, qtype: int, do: bool, left: int) -> None:
        if any(rrset.owner == target for rrset in response.answer):
            return
        if left > 1 and _below(target, self.apex) and self._cut_above(target, qtype) is None:
            rest = self.answer(target, qtype, do=do, aliases=left - 1)
            response.rcode = rest.rcode
            response.answer += rest.answer
            response.authority = rest.authority

    def addresses(self, hosts: Iterable[bytes], do: bool) -> list[RRset]:
        """Address records of these hosts, as far as the zone has them: its own, or glue."""
        out: list[RRset] = []
        for host in hosts:
            node = self.nodes.get(host)
            for rtype in (codes.A, codes.AAAA):
                if node is not None and rtype in node:
                    out += self.with_signature(node[rtype], do)
            out += self.glue.get(host, ())
        return out

    @property
    def ents(self) -> set[bytes]:
        """Empty non-terminals: names that exist only because something below them does."""
        if self._ents is None:
            self._ents = set()
            for name in self.nodes:
                above = parent(name)
                while len(above) > len(self.apex) and above not in self.nodes and above not in self._ents:
                    self._ents.add(above)
                    above = parent(above)
        return self._ents

    @property
    def chain(self) -> NsecChain | Nsec3Chain | None:
        """The chain of denial records; None in an unsigned zone."""
        if self._chain is None and self.signing is not None:
            ttl_s = self.negative_ttl_s
            if self.signing.denial == "nsec3":
                # The apex bitmap must name NSEC3PARAM, so the record goes in before the chain is made.
                chain = Nsec3Chain(self.apex, self.nodes, self.cuts, self.ents, ttl_s, self.signing)
                self._add(self.apex, codes.NSEC3PARAM, 0, [chain.param])
                self._chain = chain
            else:
                self._chain = NsecChain(self.apex, self.nodes, ttl_s)
        return self._chain

    @property
    def negative_ttl_s(self) -> int:
        """The TTL of negative answers (RFC 2308 section 5) and so of denial records (RFC 9077)."""
        soa = self.nodes[self.apex][codes.SOA]
        return min(soa.ttl_s, int.from_bytes(soa.rdatas[0][-4:], "big"))

    def _soa_of_negative(self, do: bool) -> list[RRset]:
        if self._negative_soa is None:
            soa = self.nodes[self.apex][codes.SOA]
            self._negative_soa = RRset(soa.owner, codes.SOA, self.negative_ttl_s, soa.rdatas, soa.ttl_s)
        return self.with_signature(self._negative_soa, do)

    def _proofs(self, records: list[RRset]) -> list[RRset]:
        return [rrset for record in records for rrset in self.with_signature(record, do=True)]

    def with_signature(self, rrset: RRset, do: bool) -> list[RRset]:
        """The RRset, followed by its RRSIGs if they are wanted and the zone is signed."""
        if not do or self.signing is None or rrset.rtype == codes.RRSIG:
            return [rrset]
        return [rrset, self.signature(rrset)]

    def signature(self, rrset: RRset) -> RRset:
        """The RRSIG records over an authoritative RRset (RFC 4034 section 3); made once."""
        if rrset.signature is None:
            signing = self.signing
            assert signing is not None
            keys = signing.keys
            of_keys = rrset.rtype in _KEY_TYPES and any(key.signs_keys for key in keys)
            chosen = [key for key in keys if (key.signs_keys if of_keys else key.signs_data)]
            rdatas = tuple(self._sign(rrset, key, signing) for key in chosen)
            rrset.signature = RRset(rrset.owner, codes.RRSIG, rrset.ttl_s, rdatas)
        return rrset.signature

    def _sign(self, rrset: RRset, key: KeySpec, signing: SigningSpec) -> bytes:
        owner = rrset.owner
        owner_labels = labels(owner)
        head = (
            rrset.rtype.to_bytes(2, "big")
            + bytes([key.algorithm, len(owner_labels) - (owner_labels[:1] == [b"*"])])
            + rrset.original_ttl_s.to_bytes(4, "big")
            + (self.clock_s + signing.expiration_s).to_bytes(4, "big")
            + (self.clock_s + signing.inception_s).to_bytes(4, "big")
            + key_tag(dnskey_rdata(key)).to_bytes(2, "big")
            + self.apex
        )
        fixed = owner + rrset.rtype.to_bytes(2, "big") + b"\0\1" + rrset.original_ttl_s.to_bytes(4, "big")
        data = head + b"".join(fixed + len(r).to_bytes(2, "big") + r for r in sorted(rrset.rdatas))
        signature = signer(key)(data)
        if self.corrupt_signatures:
            signature = signature[:-1] + bytes([signature[-1] ^ 0x01])
        return head + signature

    def all_rrsets(self) -> list[RRset]:
        """Everything that a zone transfer carries, in no particular order but the SOA first; signatures included."""
        chain = self.chain
        out: list[RRset] = []
        for owner in sorted(self.nodes, key=lambda name: name != self.apex):
            for rtype, rrset in self.nodes[owner].items():
                out += self.with_signature(rrset, owner not in self.cuts or rtype == codes.DS)
        out += self._proofs(chain.all() if chain else [])
        for rrsets in self.glue.values():
            out += rrsets
        return out


def _address_rrsets(owner: bytes, addresses: Iterable[Address], ttl_s: int) -> list[RRset]:
    v4 = tuple(a.packed for a in addresses if isinstance(a, ipaddress.IPv4Address))
    v6 = tuple(a.packed for a in addresses if isinstance(a, ipaddress.IPv6Address))
    return [RRset(owner, t, ttl_s, rdatas) for t, rdatas in ((codes.A, v4), (codes.AAAA, v6)) if rdatas]


def _below(name: bytes, ancestor: bytes) -> bool:
    return Name(name).is_subdomain_of(Name(ancestor))
