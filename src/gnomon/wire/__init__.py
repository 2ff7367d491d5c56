"""DNS messages as typed, lazy values; rdata, composing, presentation and DNSSEC primitives.

Reading never raises, whatever the octets are: a message that cannot be read to its end keeps what came before
the fault and says where it is. Only the decoders of `gnomon.wire.rdata` raise, and only `MalformedRdata`.
"""

from gnomon.wire.edns import Edns
from gnomon.wire.message import Malformed, Message
from gnomon.wire.rdata import MalformedRdata
from gnomon.wire.records import Question, Record, RRset

__all__ = ["Edns", "Malformed", "MalformedRdata", "Message", "Question", "RRset", "Record"]
