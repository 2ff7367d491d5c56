"""Messages as text for people, in the manner of dig; nothing from the network reaches the page unescaped."""

from __future__ import annotations

from collections.abc import Iterator

import dns.rdata
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from gnomon.base import printable, printable_bytes
from gnomon.wire.edns import Edns
from gnomon.wire.message import SECTIONS, Message
from gnomon.wire.records import Record

# IANA "Domain Name System (DNS) Parameters": OpCodes, CLASSes, EDNS0 Option Codes, Extended DNS Error Codes.
OPCODE_NAMES = {0: "QUERY", 1: "IQUERY", 2: "STATUS", 4: "NOTIFY", 5: "UPDATE", 6: "DSO"}
CLASS_NAMES = {1: "IN", 3: "CH", 4: "HS", 254: "NONE", 255: "ANY"}
OPTION_NAMES = {
    1: "LLQ", 2: "UL", 3: "NSID", 5: "DAU", 6: "DHU", 7: "N3U", 8: "CLIENT-SUBNET", 9: "EXPIRE", 10: "COOKIE",
    11: "TCP-KEEPALIVE", 12: "PADDING", 13: "CHAIN", 14: "KEY-TAG", 15: "EDE", 16: "CLIENT-TAG", 17: "SERVER-TAG",
    18: "REPORT-CHANNEL", 19: "ZONEVERSION", 20292: "UMBRELLA-IDENT", 26946: "DEVICEID",
}  # fmt: skip
EXTENDED_ERRORS = {
    0: "Other Error", 1: "Unsupported DNSKEY Algorithm", 2: "Unsupported DS Digest Type", 3: "Stale Answer",
    4: "Forged Answer", 5: "DNSSEC Indeterminate", 6: "DNSSEC Bogus", 7: "Signature Expired",
    8: "Signature Not Yet Valid", 9: "DNSKEY Missing", 10: "RRSIGs Missing", 11: "No Zone Key Bit Set",
    12: "NSEC Missing", 13: "Cached Error", 14: "Not Ready", 15: "Blocked", 16: "Censored", 17: "Filtered",
    18: "Prohibited", 19: "Stale NXDomain Answer", 20: "Not Authoritative", 21: "Not Supported",
    22: "No Reachable Authority", 23: "Network Error", 24: "Invalid Data", 25: "Signature Expired before Valid",
    26: "Too Early", 27: "Unsupported NSEC3 Iterations Value", 28: "Unable to conform to policy", 29: "Synthesized",
    30: "Invalid Query Type",
}  # fmt: skip
FLAG_NAMES = {
    0x8000: "qr", 0x0400: "aa", 0x0200: "tc", 0x0100: "rd", 0x0080: "ra", 0x0040: "z", 0x0020: "ad", 0x0010: "cd",
}  # fmt: skip
FAULT_SENTENCES = {
    "short-header": "the message is shorter than a header",
    "short-name": "the octets end inside a name",
    "label-type": "a label begins with the reserved bits 01 or 10",
    "pointer-forward": "a compression pointer points forward",
    "pointer-loop": "a compression pointer does not lead strictly backwards",
    "name-too-long": "a name exceeds 255 octets",
    "short-question": "the octets end before or inside a question",
    "short-record": "the octets end before or inside a record",
    "short-rdata": "the rdata length goes beyond the message",
    "bad-rdata": "the fields of the rdata do not fill it exactly",
    "internal": "the reader failed",
}
_FAULT_PLACES = ("question", *SECTIONS)


def dig(message: Message) -> str:
    """The whole message as text: header, EDNS, sections, and what could not be read; ends without newline."""
    return "\n".join(_lines(message))


def hexdump(octets: bytes) -> str:
    """Sixteen octets a line: offset in hexadecimal, the octets, and their plain ASCII characters."""
    lines = []
    for at in range(0, len(octets), 16):
        row = octets[at : at + 16]
        text = "".join(chr(c) if 32 <= c <= 126 else "." for c in row)
        lines.append(f"{at:04x}  {row[:8].hex(' '):<23}  {row[8:].hex(' '):<23}  |{text}|")
    return "\n".join(lines)


def rdata_text(rtype: int, rdata: bytes) -> str:
    r"""The presentation form of an rdata on one line; `\# length hex` (RFC 3597 section 5) if it has none.

    A form is only used if it reads back to the very same octets.
    """
    try:
        parsed = dns.rdata.from_wire(RdataClass.IN, RdataType.make(int(rtype)), rdata, 0, len(rdata))
        text = printable(parsed.to_text().strip())
        if text and parsed.to_wire() == rdata:
            return text
    except Exception:
        pass  # Whatever the library makes of hostile octets, they can still be shown as they are.
    return f"\\# {len(rdata)} {rdata.hex()}" if rdata else "\\# 0"


def class_text(rclass: int) -> str:
    """The mnemonic of a class, or CLASSnnn (RFC 3597 section 5)."""
    return CLASS_NAMES.get(rclass) or f"CLASS{rclass}"


def record_text(record: Record) -> str:
    """One record as a line of a master file, separated by tabs."""
    fields = (record.owner, record.ttl_s, class_text(record.rclass), record.rtype)
    return "\t".join([*map(str, fields), rdata_text(record.rtype, record.rdata)])


def option_text(code: int, data: bytes) -> str:
    """One EDNS option: its name, then its data in hexadecimal and, where it is text, as text."""
    name = OPTION_NAMES.get(code) or f"OPT={code}"
    if code == 15 and len(data) >= 2:
        # RFC 8914 section 2: INFO-CODE, then EXTRA-TEXT in UTF-8.
        number = int.from_bytes(data[:2], "big")
        meaning = EXTENDED_ERRORS.get(number)
        extra = printable(data[2:].decode("utf-8", "backslashreplace"))
        return f"{name}: {number}" + (f" ({meaning})" if meaning else "") + (f': "{extra}"' if extra else "")
    if not data:
        return name
    text = f' ("{printable_bytes(data)}")' if code == 3 else ""
    return f"{name}: {data.hex(' ') if code == 3 else data.hex()}{text}"


def _lines(message: Message) -> Iterator[str]:
    fault = message.malformed
    if fault is None or fault.reason != "short-header":
        yield from _header_lines(message)
        if message.edns:
            yield ""
            yield from _edns_lines(message, message.edns)
        if message.questions:
            zone_section = message.opcode == 5
            yield ""
            yield f";; {'ZONE' if zone_section else 'QUESTION'} SECTION:"
            for question in message.questions:
                yield f";{question.name}\t\t{class_text(question.qclass)}\t{question.qtype}"
        for section in SECTIONS:
            records = message.records(section)
            if records:
                yield ""
                yield f";; {section.upper()} SECTION:"
                yield from map(record_text, records)
        yield ""
    if fault:
        sentence = FAULT_SENTENCES.get(fault.reason, fault.reason)
        place = _FAULT_PLACES[fault.section]
        yield f";; MALFORMED at octet {fault.offset} ({place} section): {fault.reason}, {sentence}"
    if message.trailing_octets:
        yield f";; TRAILING: {message.trailing_octets} octets after the last record"
    yield f";; SIZE: {len(message.wire)} octets"


def _header_lines(message: Message) -> Iterator[str]:
    opcode = OPCODE_NAMES.get(message.opcode) or f"OPCODE{message.opcode}"
    yield f";; ->>HEADER<<- opcode: {opcode}, status: {message.rcode}, id: {message.id}"
    flags = "".join(" " + name for bit, name in FLAG_NAMES.items() if message.flags & bit)
    names = ("QUERY", "ANSWER", "AUTHORITY", "ADDITIONAL")
    counts = ", ".join(f"{name}: {count}" for name, count in zip(names, message.counts, strict=True))
    yield f";; flags:{flags}; {counts}"


def _edns_lines(message: Message, edns: Edns) -> Iterator[str]:
    yield ";; OPT PSEUDOSECTION:"
    flags = " do" if edns.do else ""
    if edns.flags & 0x7FFF:
        flags += f" MBZ: 0x{edns.flags & 0x7FFF:04x}"
    yield f"; EDNS: version: {edns.version}, flags:{flags}; udp: {edns.udp_size_octets}"
    for code, data in edns.options:
        yield f"; {option_text(code, data)}"
    if not edns.options_complete:
        yield ";; MALFORMED: the octets end inside an EDNS option"
    if message.opt_count > 1:
        yield f";; WARNING: {message.opt_count} OPT records, the first is shown"
    if any(not owner.is_root for owner in message.opt_owners):
        yield ";; WARNING: an OPT record is not owned by the root"
