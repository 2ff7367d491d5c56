"""Names, addresses, code points, vocabulary and errors; needs nothing but the standard library and idna."""

from gnomon.base.address import Address, NameServer, Transport, address_of, parse_address, reverse_name
from gnomon.base.codes import Rcode, RRType
from gnomon.base.errors import Broken, GnomonError, InputError, Refused, RetryLater
from gnomon.base.ident import new_ulid
from gnomon.base.names import ROOT, Name
from gnomon.base.text import printable, printable_bytes
from gnomon.base.vocabulary import Level, Property

__all__ = [
    "ROOT", "Address", "Broken", "GnomonError", "InputError", "Level", "Name", "NameServer", "Property",
    "RRType", "Rcode", "Refused", "RetryLater", "Transport", "address_of", "new_ulid", "parse_address", "printable",
    "printable_bytes", "reverse_name",
]  # fmt: skip
