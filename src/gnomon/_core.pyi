"""The native core (Rust, in rust/). Import it through the package that it serves only."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, Literal, ParamSpec, Self, TypeVar, final, overload

from gnomon.base.address import Address
from gnomon.base.codes import Rcode, RRType
from gnomon.checks.outcome import Outcome
from gnomon.evidence.exchange import Exchange
from gnomon.judge.verdict import Kind, Note
from gnomon.survey.steps import Ask

V = TypeVar("V")
P = ParamSpec("P")
T = TypeVar("T")

@final
class Name:
    """An absolute domain name. `wire` keeps the case it came in; equality and hash ignore it.

    Ordering is the canonical DNS name order of RFC 4034 section 6.1. Names of the same octets are mostly the same
    object.
    """

    def __new__(cls, wire: bytes) -> Name:
        """Take uncompressed wire octets, 1 to 255, ending in the root label; not checked (see `from_wire`)."""
    @classmethod
    def from_wire(cls, wire: bytes) -> Name:
        """Check and take uncompressed wire octets.

        Raises:
            InputError: not exactly one name of at most 255 octets with labels of at most 63.
        """
    @classmethod
    def from_text(cls, text: str) -> Name:
        r"""Read presentation form; a missing final dot is added. U-labels become A-labels (RFC 5891).

        Raises:
            InputError: empty label, label over 63 octets, name over 255 octets, or a bad escape.
        """
    @property
    def wire(self) -> bytes: ...
    @property
    def key(self) -> bytes:
        """The wire octets in lower case: the form to use as a dictionary key or to compare bytes."""
    @property
    def labels(self) -> tuple[bytes, ...]:
        """The labels from left to right, without the root label."""
    @property
    def is_root(self) -> bool: ...
    def parent(self) -> Name:
        """The name without its first label; the root's parent is the root."""
    def ancestors(self) -> tuple[Name, ...]:
        """The name itself, then each parent, ending with the root."""
    def is_subdomain_of(self, other: Name) -> bool:
        """True if the name is `other` or below it."""
    def prepend(self, label: bytes) -> Name:
        """`label` put in front.

        Raises:
            InputError: the result would exceed 63 octets a label or 255 octets in all.
        """
    def __lt__(self, other: Name) -> bool: ...
    def __le__(self, other: Name) -> bool: ...
    def __gt__(self, other: Name) -> bool: ...
    def __ge__(self, other: Name) -> bool: ...
    def __hash__(self) -> int: ...
    def __str__(self) -> str:
        r"""Presentation form with final dot, case kept; every octet that is not plain ASCII text as \DDD."""

def name_at(octets: bytes, at: int) -> tuple[Name, int] | None:
    """The uncompressed name at octet `at`, and the offset after it; None if no whole name is there."""

@final
class Question:
    """What is asked (RFC 1035 section 4.1.2)."""

    def __new__(cls, name: Name, qtype: int, qclass: int) -> Question: ...
    @property
    def name(self) -> Name: ...
    @property
    def qtype(self) -> RRType: ...
    @property
    def qclass(self) -> int: ...
    def __hash__(self) -> int: ...

@final
class Record:
    """One record as it came (RFC 1035 section 4.1.3); owner and rdata without compression, case kept."""

    def __new__(cls, owner: Name, rtype: int, rclass: int, ttl_s: int, rdata: bytes) -> Record: ...
    @property
    def owner(self) -> Name: ...
    @property
    def rtype(self) -> RRType: ...
    @property
    def rclass(self) -> int: ...
    @property
    def ttl_s(self) -> int: ...
    @property
    def rdata(self) -> bytes: ...
    def __hash__(self) -> int: ...

@final
class RRset:
    """The records of one owner, type and class, with the signatures that cover them.

    `rdatas` are in canonical form (RFC 4034 section 6.2 with RFC 6840 section 5.1: names in lower case), sorted and
    without duplicates, so two RRsets have equal data exactly if the tuples are equal. `ttl_s` is the smallest TTL.
    `signatures` are the rdata of the RRSIG records of that owner and class which cover the type, in message order.
    """

    def __new__(
        cls,
        owner: Name,
        rtype: int,
        rclass: int,
        ttl_s: int,
        rdatas: tuple[bytes, ...],
        signatures: tuple[bytes, ...] = (),
    ) -> RRset: ...
    @classmethod
    def of(cls, records: Iterable[Record], signatures: Iterable[Record] = ()) -> RRset:
        """The RRset of `records`.

        Raises:
            ValueError: none, or not all of the same owner, type and class.
        """
    @property
    def owner(self) -> Name: ...
    @property
    def rtype(self) -> RRType: ...
    @property
    def rclass(self) -> int: ...
    @property
    def ttl_s(self) -> int: ...
    @property
    def rdatas(self) -> tuple[bytes, ...]: ...
    @property
    def signatures(self) -> tuple[bytes, ...]: ...
    def __hash__(self) -> int: ...

def type_of(number: int) -> RRType:
    """The type with that number; below 512 always the same object."""

def type_bitmap(octets: bytes) -> frozenset[int] | None:
    """The types of a type bit map (RFC 4034 section 4.1.2); None unless its windows rise and have 1 to 32 octets."""

@final
class Edns:
    """What one OPT record says. `flags` are all 16 bits (DO is 0x8000), `options` are (code, data) in order.

    `options_complete` is False if the octets end inside an option: those before it are there. The upper 8 bits of the
    rcode are not here but in `Message.rcode`.
    """

    def __new__(
        cls,
        udp_size_octets: int = 1232,
        version: int = 0,
        flags: int = 0,
        options: tuple[tuple[int, bytes], ...] = (),
        options_complete: bool = True,
    ) -> Edns: ...
    @property
    def udp_size_octets(self) -> int: ...
    @property
    def version(self) -> int: ...
    @property
    def flags(self) -> int: ...
    @property
    def options(self) -> tuple[tuple[int, bytes], ...]: ...
    @property
    def options_complete(self) -> bool: ...
    @property
    def do(self) -> bool:
        """The sender wants, or gives, DNSSEC records (RFC 3225)."""
    def option(self, code: int) -> bytes | None:
        """The data of the first option with that code."""
    def __hash__(self) -> int: ...

@final
class Malformed:
    """The first part of a message that cannot be read.

    `offset` counts octets from the start of the message to the label, pointer, fixed part or rdata at fault.
    `section`: 0 header and question, 1 answer, 2 authority, 3 additional. `reason` is one of: short-header,
    short-name, label-type, pointer-forward, pointer-loop, name-too-long, short-question, short-record, short-rdata,
    bad-rdata, internal (the reader failed: a bug).
    """

    def __new__(cls, offset: int, reason: str, section: int) -> Malformed: ...
    @property
    def offset(self) -> int: ...
    @property
    def reason(self) -> str: ...
    @property
    def section(self) -> int: ...
    def __hash__(self) -> int: ...

@final
class Message:
    """A DNS message as far as it can be read (RFC 1035 section 4.1); making one never raises, whatever the octets are.

    Reading stops at the first part that cannot be read: what came before it stays usable, and `malformed` says where
    and why. Immutable; equality and hash are those of the octets. Records and names are made on first use and kept.
    """

    def __new__(cls, wire: bytes) -> Message: ...
    @property
    def wire(self) -> bytes: ...
    @property
    def id(self) -> int: ...
    @property
    def flags(self) -> int:
        """The 16 bits after the ID, as they came (QR, OPCODE, AA, TC, RD, RA, Z, AD, CD, RCODE)."""
    @property
    def opcode(self) -> int: ...
    @property
    def qr(self) -> bool:
        """It is a response."""
    @property
    def aa(self) -> bool:
        """Authoritative answer."""
    @property
    def tc(self) -> bool:
        """Truncated."""
    @property
    def rd(self) -> bool:
        """Recursion desired."""
    @property
    def ra(self) -> bool:
        """Recursion available."""
    @property
    def z(self) -> bool:
        """The last reserved bit, which must be zero (RFC 1035 section 4.1.1, RFC 4035 section 3)."""
    @property
    def ad(self) -> bool:
        """Authentic data (RFC 4035 section 3.2.3)."""
    @property
    def cd(self) -> bool:
        """Checking disabled (RFC 4035 section 3.2.2)."""
    @property
    def rcode(self) -> Rcode:
        """The response code with the upper 8 bits of the first OPT record (RFC 6891 section 6.1.3)."""
    @property
    def counts(self) -> tuple[int, int, int, int]:
        """QDCOUNT, ANCOUNT, NSCOUNT, ARCOUNT as the header claims them; zero without a whole header."""
    @property
    def questions(self) -> tuple[Question, ...]: ...
    @property
    def question(self) -> Question | None:
        """The first question."""
    @property
    def answer(self) -> tuple[Record, ...]:
        """The readable records, without OPT records as in each section.

        Names in the rdata of the types of RFC 3597 section 4 (and RRSIG, NSEC, DNAME, SRV) are uncompressed; other
        rdata are the octets as they came.
        """
    @property
    def authority(self) -> tuple[Record, ...]: ...
    @property
    def additional(self) -> tuple[Record, ...]: ...
    def records(self, section: Literal["answer", "authority", "additional"]) -> tuple[Record, ...]:
        """The records of that section.

        Raises:
            ValueError: no such section.
        """
    def rrset(self, section: Literal["answer", "authority", "additional"], owner: Name, rtype: int) -> RRset | None:
        """The RRset of that owner and type in the section, with the RRSIGs covering it; None without a record.

        Only records in the class of the question count (IN if there is no question).

        Raises:
            ValueError: no such section.
        """
    def rrsets(self, section: Literal["answer", "authority", "additional"], below: Name) -> list[RRset]:
        """The RRsets of class IN in the section whose owner lies at or below a name, in message order, but for RRSIG.

        Raises:
            ValueError: no such section.
        """
    @property
    def edns(self) -> Edns | None:
        """The first OPT record, in whatever section it stood."""
    @property
    def opt_count(self) -> int:
        """The OPT records in all sections; more than one is an error (RFC 6891 section 6.1.1)."""
    @property
    def opt_owners(self) -> tuple[Name, ...]:
        """The owners of the OPT records, which must be the root (RFC 6891 section 6.1.2)."""
    def opt_records(self) -> tuple[tuple[int, int, bytes, bytes], ...]:
        """Class (UDP size in octets), TTL field, rdata and owner of each OPT record, as they came."""
    @property
    def compressed_types(self) -> tuple[int, ...]:
        """The types of the records whose data hold a compressed name, each once.

        Only of those types whose names are read without compression: RFC 3597 section 4, RRSIG, NSEC, DNAME, SRV.
        """
    @property
    def malformed(self) -> Malformed | None:
        """The first part that cannot be read."""
    @property
    def trailing_octets(self) -> int:
        """Octets after the last record that the header counts; 0 if the message is malformed before."""
    def __hash__(self) -> int: ...

def parsed(wire: bytes) -> Message:
    """The message of these octets, with 0 as its ID; mostly the same object for the same octets.

    The engine has matched the ID, and without it the equal answers of many servers are one message, read once. What
    is told from a message alone is best worked out once for each: it is a cheap key, equal exactly for equal octets.
    """

def asked_in(query: bytes) -> tuple[Name, RRType] | None:
    """The name and type that a message asks for first, the name in lower case; None if that cannot be read."""

@final
class Answer:
    """An accepted response. `qname` is the name asked for, in lower case; it and `qtype` are None only if our own
    query cannot be read.
    """

    def __new__(cls, exchange: Exchange, message: Message) -> Answer: ...
    @property
    def exchange(self) -> Exchange: ...
    @property
    def message(self) -> Message: ...
    @property
    def address(self) -> Address: ...
    @property
    def qname(self) -> Name | None: ...
    @property
    def qtype(self) -> RRType | None: ...

@final
class Index:
    """The exchanges of a zone in the order they were sent, and the accepted ones of their responses.

    Of the attempts at one question at one address that is the last answered one, the one over TCP if the one over UDP
    was truncated, with the cookie if the server wants one (RFC 7873 section 5.3). Questions of the plan are in order
    of their codes, addresses in order of `key`; several answers of one address are in the order of the first attempts.
    """

    def __new__(cls, exchanges: Iterable[Exchange], key: Callable[[Address], object]) -> Index: ...
    @property
    def exchanges(self) -> tuple[Exchange, ...]: ...
    @property
    def by_subject(self) -> dict[str, tuple[Exchange, ...]]: ...
    @property
    def by_ask(self) -> dict[str, dict[Address, tuple[Exchange, ...]]]: ...
    @property
    def answers(self) -> dict[str, tuple[Answer, ...]]: ...
    @property
    def answers_at(self) -> dict[str, dict[Address, tuple[Answer, ...]]]: ...
    @property
    def first_answers(self) -> dict[str, dict[Address, Answer]]: ...

def alike(answers: Sequence[Answer]) -> tuple[list[int], list[int]]:
    """A number for each answer, the same for the same question of the plan and message (all octets but the ID), and
    the place of the first answer with each number.
    """

def answers_in(exchanges: Iterable[Exchange], key: Callable[[Address], object]) -> tuple[Answer, ...]:
    """The accepted responses among any exchanges, in the order they were sent; see `Index`."""

def different_records(messages: Sequence[Message], section: str) -> list[tuple[Record, int]]:
    """The different records in that section of several messages, each with the place of the first that has it.

    Raises:
        ValueError: no such section.
    """

def rrsets_in(messages: Sequence[Message], section: str, owner: Name, rtype: int) -> list[RRset | None]:
    """`Message.rrset` of each of several messages.

    Raises:
        ValueError: no such section.
    """

def compose_query(
    qname: bytes,
    qtype: int,
    qclass: int,
    flags: int,
    edns: tuple[int, int, int, Sequence[tuple[int, bytes]]] | None,
) -> bytes:
    """One query message with ID 0.

    Args:
        qname: uncompressed wire octets.
        flags: the 16 bits after the ID, raw.
        edns: None, or (version, UDP size in octets, 16 flag bits with DO = 0x8000, options).

    Raises:
        ValueError: the name is not a valid uncompressed name, or an option is over 65,535 octets.
    """

def key_tag(dnskey_rdata: bytes) -> int:
    """The key tag of a DNSKEY (RFC 4034 appendix B); 0 for rdata under 4 octets."""

def ds_digest(owner: bytes, dnskey_rdata: bytes, digest_type: int) -> bytes | None:
    """The digest of a DS for that key (RFC 4034 section 5.1.4): types 1, 2 and 4; None for any other."""

def canonical_rdatas(rtype: int, rdatas: Sequence[bytes]) -> list[bytes]:
    """The uncompressed rdatas in canonical form, sorted, without duplicates (RFC 4034 section 6, RFC 6840 5.1)."""

def verify_rrsig(
    owner: bytes, rtype: int, rclass: int, rdatas: Sequence[bytes], rrsig_rdata: bytes, dnskey_rdata: bytes
) -> str:
    """Check one signature over one RRset with one key (RFC 4035 section 5.3.2 and 5.3.3); time is not looked at.

    Also invalid: another type covered, key tag or algorithm than the key's, more labels than the owner has, or an
    owner outside the signer's name (section 5.3.1). Key flags and protocol are not looked at, nor whether the
    signer is the zone.

    Returns:
        "valid", "invalid", or "not-checkable:" with a reason (algorithm, key-size, malformed-key,
        malformed-rrsig, malformed-name, internal).
    """

def nsec3_hash(name: bytes, algorithm: int, iterations: int, salt: bytes) -> bytes | None:
    """The NSEC3 hash (RFC 5155 section 5), 20 octets; None for an algorithm other than 1 or over 50 iterations."""

@final
class Recording:
    """The exchanges of one subject, kept outside the interpreter until they are stored."""

    def __new__(cls, subject: str) -> Recording: ...
    @property
    def subject(self) -> str: ...
    @property
    def last_sent_at_ns(self) -> int | None:
        """When the exchange added last was sent; None without any."""
    def __len__(self) -> int: ...
    def add(
        self,
        seq: int,
        ask: str,
        server_name: str | None,
        address: str,
        port: int,
        transport: int,
        attempt: int,
        sent_at_ns: int,
        rtt_us: int | None,
        local_port: int,
        status: int,
        os_error: int,
        query: bytes,
        response: bytes | None,
        vantage: str,
        /,
    ) -> None:
        """Add one exchange; the values are those of docs/formats/segment.md.

        Raises:
            OverflowError, TypeError: a value outside the range of its column.
        """

    def take(
        self,
        attempts: Attempts,
        row: int,
        seq: int,
        ask: str,
        server_name: str | None,
        address: str,
        port: int,
        vantage: str,
        /,
    ) -> None:
        """Add one attempt of a batch.

        Raises:
            IndexError: the batch has not so many.
        """

Octets = bytes | memoryview
Column = tuple[int, Octets | None, Octets] | tuple[int, Octets | None, Octets, Octets | list[str]]
"""An Arrow column: its offset in rows, its validity bits, then its values; or the offsets and data of octets; or the
indices (int32) into a list of words."""

@final
class Rows:
    """Rows of a segment, column by column. Frozen."""

    @staticmethod
    def of(recordings: Sequence[Recording]) -> Rows:
        """The exchanges of some recordings in the order of a segment.

        Raises:
            ValueError: more than 2 GB of octets.
            UnicodeEncodeError: a text with half a surrogate pair.
        """
    @staticmethod
    def read(count: int, columns: Mapping[str, Column]) -> Rows:
        """`count` rows of Arrow columns, in their order.

        Raises:
            ValueError: the columns do not fit together, as in a damaged file.
        """
    def columns(self, first: int, count: int) -> dict[str, Column]:
        """The rows from `first` on, at most `count`, as Arrow columns with no more words than they use."""
    def __len__(self) -> int: ...
    @property
    def sent_at_ns(self) -> tuple[int | None, int | None]:
        """The times of the first and the last query; None without rows."""
    def leaves(self) -> bytes:
        """SHA-256(0x00 || canonical row) of each row, 32 octets each."""
    def subjects(self) -> list[tuple[str, int]]:
        """The subjects as they come, each with the number of its rows that follow one another."""
    def out_of_order(self, above: Rows | None = None) -> list[int]:
        """The rows that sort before the row above them; `above` are the rows before the first one."""

def canonical(value: object) -> str:
    """JSON in one fixed form: ASCII without spaces, members in the order of their names.

    Raises:
        TypeError, ValueError, RecursionError: the value has no JSON.
    """

@final
class Judged:
    """A verdict in the forms for storing; `row` and `args_json` are those of `gnomon.judge.Verdict`. Frozen."""

    def __new__(
        cls,
        zone: str,
        kind: Kind,
        outcome: tuple[str, Mapping[str, object], tuple[str, ...], str, str],
        explanation: tuple[Note, ...],
    ) -> Judged:
        """`outcome` has the fields of `Outcome`.

        Raises:
            TypeError, ValueError, RecursionError: its args have no JSON.
        """
    @property
    def zone(self) -> str: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def outcome(self) -> Outcome: ...
    @property
    def explanation(self) -> tuple[Note, ...]: ...
    @property
    def row(self) -> str: ...
    @property
    def args_json(self) -> str: ...

def references(evidence: tuple[object, ...]) -> tuple[Any, ...]:
    """The references of all exchanges in `evidence`, each once, in the order in which they come.

    Every item is an exchange or several, as `Shown` (`gnomon.checks.outcome`) or any other iterable.
    """

def judged(
    zone: str, kinds: Mapping[Any, tuple[V, Kind]], outcomes: Iterable[Outcome], lowest: int
) -> tuple[list[Judged], list[tuple[Outcome, V]]]:
    """The outcomes of one check with a level under `lowest` as verdicts, the others with their levels.

    `kinds` gives the level and the kind of an outcome by its code and state. Raises what it raises, and what
    `outcomes` raises.
    """

def in_order(verdicts: Sequence[Judged]) -> list[Judged]:
    """The verdicts by their rows."""

Words = tuple[bytes, bytes]
"""Different texts in the order in which they first appear: where each begins and the last one ends (int32), their
octets."""
Texts = tuple[bytes, Words]
"""A column of texts: an index (int32) in each row, and the different texts."""
Lists = tuple[bytes, Texts]
"""A column of lists of texts: where each row's begin and the last one's end (int32), and all texts."""

@final
class VerdictColumns:
    """Verdicts, a zone at a time, as columns."""

    def __new__(cls) -> VerdictColumns: ...
    def add(self, zone: str, verdicts: Sequence[Judged]) -> str:
        """Take in the verdicts of a zone; the SHA-256 (hex) over their rows, joined by line feeds.

        Raises:
            UnicodeEncodeError: a text with half a surrogate pair.
        """
    @property
    def kinds(self) -> list[tuple[Kind, int]]:
        """The kinds of all verdicts, each with how many there are, in any order."""
    def columns(self, profile: str) -> tuple[list[Texts], bytes, tuple[Lists, Lists]]:
        """The texts, then check_version (int32), then properties and evidence.

        The texts are check_id, property, code, state, level, zone, subject, args, explanation, profile.

        Raises:
            OverflowError: more than 2^31 references or octets of text.
        """

@final
class TextColumn:
    """The same column of several tables: texts, or lists of them."""

    def __new__(cls, tables: Sequence[tuple[Octets | None, Octets, tuple[Octets, Octets]]]) -> TextColumn:
        """Of each table where each row's texts begin and the last one's end, None for texts; the rest as in `Texts`."""
    def take(self, pieces: Sequence[tuple[int, int, int]]) -> Lists:
        """Rows in the order of `pieces`: which table, its first row, how many. Of texts the first item says nothing.

        Raises:
            ValueError: the tables have no such rows, or a row no such word.
            OverflowError: more than 2^31 references or octets of text.
        """

def leaf_checks(leaves: bytes) -> bytes:
    """The first 4 octets of each leaf hash as a big-endian number: the values of an Arrow column of uint32."""

@final
class MerkleTree:
    """Takes leaf hashes in order and keeps one hash per level (RFC 9162 section 2.1, SHA-256)."""

    def __new__(cls) -> MerkleTree: ...
    def extend(self, leaves: bytes) -> None:
        """Take the next leaf hashes, 32 octets each.

        Raises:
            ValueError: not a multiple of 32 octets.
        """
    @property
    def size(self) -> int: ...
    def root(self) -> bytes:
        """The tree's hash, 32 octets; of an empty tree the hash of no octets (RFC 9162 section 2.1.1)."""

@final
class Attempt:
    """One message sent (or not) and what came back: an exchange as the socket saw it. Frozen."""

    @property
    def tag(self) -> int:
        """The number the caller gave to `Engine.submit`."""
    @property
    def attempt(self) -> int:
        """1 for the first attempt of its query, then 2, 3 ..."""
    @property
    def transport(self) -> int:
        """0 UDP, 1 TCP, 2 DoT."""
    @property
    def sent_at_ns(self) -> int:
        """Unix time in nanoseconds when it was sent, or when it was decided not to send."""
    @property
    def rtt_us(self) -> int | None: ...
    @property
    def local_port(self) -> int: ...
    @property
    def status(self) -> int:
        """A value of `gnomon.engine.Status`."""
    @property
    def os_error(self) -> int:
        """errno of the operating system, 0 if none; for a mismatched attempt a value of `gnomon.engine.Mismatch`."""
    @property
    def query(self) -> bytes:
        """The query as it was sent: ID filled in, case of the name as mixed."""
    @property
    def response(self) -> bytes | None: ...
    @property
    def response_address(self) -> str | None:
        """`address#port` that a mismatched datagram came from, when it was not the one asked; else None."""
    @property
    def last(self) -> bool:
        """True on the last attempt that this query will have: exactly one attempt of each query has it."""

@final
class Budget:
    """Messages and response octets that may still be spent; what is under way is set aside at its worst cost.

    Nothing is spent from `until_s` of the scheduler's clock on.
    """

    queries: int
    octets: int
    set_aside: int
    until_s: float
    def __new__(cls, queries: int, octets: int, until_s: float) -> Budget: ...

@final
class Reply:
    """What came of one `Ask`.

    `response` has the octets of the last accepted response. `statuses` says how each attempt ended, in order, one octet
    each; it is empty if the question was not sent because a bound was reached.
    """

    def __new__(cls, ask: Ask) -> Reply: ...
    @property
    def ask(self) -> Ask: ...
    @property
    def response(self) -> bytes | None: ...
    @property
    def statuses(self) -> bytes: ...
    @property
    def message(self) -> Message | None:
        """The last accepted response, parsed on first use."""
    @property
    def was_kept_back(self) -> bool:
        """Policy or this machine kept all of it from being sent: trying another way is pointless."""
    @property
    def was_truncated(self) -> bool:
        """An answer came, and was asked for once more over TCP."""
    @property
    def header_rcode(self) -> int | None:
        """The 4 bits in the header of the response; None without one."""
    @property
    def is_authoritative(self) -> bool:
        """NOERROR with AA set."""
    def add(self, status: int, response: bytes | None) -> None:
        """One more attempt has ended."""

class Asker:
    """Whoever asks questions wave by wave, and where what comes of them is recorded.

    `open` is how many of the wave are under way, `replies` are those of the wave in its order.
    """

    def __new__(cls, recording: Recording, *more: object) -> Self:
        """Take a recording; `more` is for classes made from this one."""
    @property
    def recording(self) -> Recording: ...
    @property
    def open(self) -> int: ...
    @property
    def replies(self) -> list[Reply]: ...
    def begin(self, asks: Sequence[Ask], budgets: Sequence[Budget]) -> None:
        """Begin a wave; all budgets pay for what is sent."""
    def skip(self) -> Reply:
        """Pass over the next question: it will not be sent.

        Raises:
            IndexError: none is left.
        """

A = TypeVar("A", bound=Asker)

@final
class UnderWay(Generic[A]):
    """The questions under way.

    `next_seq` is the number of the next exchange, `answered` counts those that brought an answer.
    """

    def __new__(cls, queries: Queries, silent: dict[Address, int], vantage: str, first_seq: int) -> UnderWay[A]:
        """Put what is to be sent into `queries`, and keep in `silent` how many questions in a row over UDP an address
        did not answer, if any."""
    def __len__(self) -> int: ...
    @property
    def next_seq(self) -> int: ...
    @property
    def answered(self) -> int: ...
    def take_seq(self) -> int:
        """The number for an exchange that is recorded elsewhere."""
    def send(self, asker: A, now_s: float) -> bool:
        """Send questions of a wave in their order as far as its budgets allow; True if they keep some back.

        Questions whose replies have something already are taken as answered.

        Raises:
            ValueError: an address or a query that cannot be sent.
        """
    def deliver(self, attempts: Attempts) -> list[A]:
        """Record attempts; gives the askers of whose questions none is under way any more."""

@final
class Attempts:
    """A batch of attempts. None of them is an object of the interpreter unless somebody looks at it. Frozen."""

    def __new__(cls, attempts: Iterable[tuple[object, ...]]) -> Attempts:
        """A batch of attempts with the fields of `gnomon.engine.Attempt` in their order."""
    def __len__(self) -> int: ...
    @property
    def statuses(self) -> bytes:
        """The status of each, one octet each."""
    def heads(self) -> list[tuple[int, int, int, bool, bytes | None]]:
        """(tag, attempt, status, last, response) of each."""

@final
class Queries:
    """Queries that are to be sent. None of them is an object of the interpreter."""

    def __new__(cls) -> Queries: ...
    def append(
        self,
        tag: int,
        address: str,
        wire: bytes,
        transport: int = 0,
        port: int = 53,
        attempts: int = 2,
        timeout_ms: int = 2000,
        mix_case: bool = False,
        tcp_after_truncation: bool = True,
        server_name: bytes | None = None,
    ) -> None:
        """Add one; the arguments are the fields of `gnomon.engine.Query`, the server name in wire form.

        Raises:
            ValueError: an address that cannot be read, query octets that are not 12 to 65,535, no attempt or no time.
        """
    def __len__(self) -> int: ...
    def take(self) -> list[tuple[int, str, bytes, int, int, int, int, bool, bool, bytes | None]]:
        """Take out all of them: the arguments of `append` for each, in their order."""

@final
class Engine:
    """Sends queries within limits and hands back attempts; never raises for anything the network does."""

    def __new__(
        cls,
        *,
        limits: object,
        allow: Sequence[tuple[str, int]],
        opt_out_prefixes: Sequence[tuple[str, int]],
        opt_out_servers: Sequence[bytes],
        opt_out_zones: Sequence[bytes],
        address_map: Sequence[tuple[str, str, int]] | None,
        local: Sequence[str],
        shards: int,
        turn_ms: int,
    ) -> Engine:
        """Start the I/O threads.

        Args:
            limits: an object with the attributes of `gnomon.engine.Limits`.
            allow: special-purpose prefixes (address, length) that may be asked.
            opt_out_prefixes: prefixes that are not asked.
            opt_out_servers: names in wire form; an address met under one of them is not asked any more.
            opt_out_zones: names in wire form; no question about one of them or a name below is sent.
            address_map: address, loopback address and port it stands for; then no other address is asked.
            local: addresses to send from, one IPv4 and one IPv6 at most.
            shards: I/O threads.
            turn_ms: how long queries and datagrams may rest until a thread looks at them; 0: not at all.

        Raises:
            OSError: no socket can be opened.
            ValueError: a limit is not positive, or an address or prefix cannot be read.
        """
    def submit(self, queries: Queries) -> int:
        """Take out and queue the first queries, at most `credit`; returns at once with how many.

        The core writes random IDs, and sees to letter case and truncation as each query wants it.

        Raises:
            ValueError: the engine is closed.
        """
    def take(self, max_rows: int, timeout_ms: int) -> list[Attempt]:
        """Attempts that are ready, at most `max_rows`; waits up to `timeout_ms` for the first one.

        The wait releases the interpreter lock. Signal handlers run within 0.1 s; what they raise
        (KeyboardInterrupt) is raised from here. Empty once the engine is closed.
        """
    def take_batch(self, max_rows: int, timeout_ms: int) -> Attempts:
        """The same as one object."""
    @property
    def pending(self) -> int:
        """Submitted queries whose last attempt has not been taken yet."""
    @property
    def credit(self) -> int:
        """How many queries may be submitted now."""
    @property
    def mismatches(self) -> list[int]:
        """Messages that were no answers, by `gnomon.engine.Mismatch`, the first kind first."""
    def close(self) -> None:
        """Stop the threads and close all sockets; pending queries are dropped. May be called twice."""

@final
class ZoneReader:
    """Reads master files piece by piece (RFC 1035 section 5, RFC 3597) into one zone; opens no file.

    What cannot be read is left out and noted, and the reading goes on. At most 65,536 records are made by `$GENERATE`.
    """

    def __new__(cls, origin: bytes | None, follows_includes: bool) -> ZoneReader:
        """`origin` (in wire form) is the apex and what relative names are relative to before the first $ORIGIN.

        With `follows_includes`, reading pauses at each `$INCLUDE`; else it is a fault.
        """
    def feed(self, octets: bytes) -> bool:
        """Take the next octets; False once no more are wanted (a hundred faults, an entry over 1 MiB, 16 GiB).

        What stands after an `$INCLUDE` is kept until that is dealt with; then feed on, be it nothing.

        Raises:
            ValueError: the reader is finished (so too for everything below).
        """
    @property
    def include(self) -> bytes | None:
        """The file (as it is written) that an `$INCLUDE` asks for, if reading has paused at one."""
    def enter_include(self) -> None:
        """Begin that file: what is fed next is its, up to `end_file`."""
    def refuse_include(self, reason: str) -> None:
        """Go on without that file; a fault."""
    @property
    def line(self) -> int:
        """The line read next, from 1; lines are counted as if included files stood where they are included."""
    def end_file(self) -> None:
        """The file has ended; if it was an included one, the one above it goes on.

        If its last line is an `$INCLUDE`, it has not ended yet: deal with that, and call again.
        """
    def finish(self) -> Zone:
        """The sorted zone, after the end of the file. Without an origin, the first SOA record's owner is the apex."""

@final
class Zone:
    """A whole zone in canonical order. Frozen."""

    @property
    def apex(self) -> bytes | None:
        """In wire form and lower case; None if no SOA was read and no origin given, or it has no record."""
    @property
    def records(self) -> int: ...
    @property
    def faults(self) -> list[tuple[int, str, str]]:
        """(line from 1, kind, reason) of what could not be read, at most 100.

        Kinds: syntax, unbalanced, ttl, unsupported-presentation, include-refused, generate-refused, class, limit.
        """
    def audit(self, at: int, threads: int) -> ZoneAudit:
        """Judge all of the zone at a time in Unix seconds; releases the interpreter lock."""

@final
class ZoneAudit:
    """What an audit found. Frozen."""

    @property
    def findings(self) -> list[tuple[str, int, list[tuple[int, str, str]]]]:
        """(code, count, first places (line, owner, detail)); the code is check and condition, `nsec/missing`."""
    @property
    def records(self) -> int: ...
    @property
    def names(self) -> int:
        """Owner names at or below the apex, those of NSEC3 records not counted."""
    @property
    def delegations(self) -> int: ...
    @property
    def signed_delegations(self) -> int:
        """Those with DS records."""
    @property
    def serial(self) -> int | None: ...
    @property
    def algorithms(self) -> list[int]:
        """Algorithms of the zone's keys that are not revoked."""
    @property
    def ds_kinds(self) -> list[tuple[int, int, int, int, str]]:
        """(algorithm, digest type, count, line and owner of the first) of the DS records."""
    @property
    def rrsets_valid(self) -> int:
        """RRsets with a valid signature of each algorithm of the zone."""
    @property
    def signatures_valid(self) -> list[tuple[int, int]]:
        """(algorithm, count) of the valid signatures."""
    @property
    def first_expiration(self) -> int | None:
        """Unix seconds; of the valid signatures."""
    @property
    def last_inception(self) -> int | None:
        """Unix seconds; of the valid signatures."""

@final
class ZoneDiff:
    """Compares two zones record by record."""

    def __new__(cls, old: Zone, new: Zone) -> ZoneDiff: ...
    def take(self, max: int) -> list[tuple[bool, int, str, int, str, str]]:
        """The next differences in canonical order, empty at the end.

        Each is (True if only the new zone has it, line, owner, TTL in s, type, rdata), in presentation form.
        """

def mismatch(query: bytes, response: bytes, exact_case: bool, on_path: bool) -> int:
    """What keeps `response` from being the answer of `query` (`gnomon.engine.Mismatch`), 0 if nothing does.

    With `exact_case` the name must keep its letter case. `on_path` (a connection): neither case nor client cookie
    matter.
    """

def special_purpose(address: str) -> str | None:
    """Why the address is no public unicast one, in IANA's words; None if it is one.

    Raises:
        ValueError: not an IP address.
    """

@final
class Once(Generic[P, T]):
    """See `gnomon.base.once.once`."""

    def __new__(cls, make: Callable[P, T]) -> Once[P, T]: ...
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T: ...

@final
class cached_property(Generic[T]):
    """As `functools.cached_property`, which takes a lock for it and steps of the interpreter."""

    def __new__(cls, make: Callable[[Any], T]) -> cached_property[T]: ...
    @overload
    def __get__(self, of: None, owner: type | None = None) -> cached_property[T]: ...
    @overload
    def __get__(self, of: object, owner: type | None = None) -> T: ...
