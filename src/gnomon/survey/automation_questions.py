"""The questions about the automation between child and parent: CDS, CDNSKEY, CSYNC, DSYNC, and signals for them."""

from __future__ import annotations

from gnomon.base.codes import CDNSKEY, CDS, CSYNC, DSYNC
from gnomon.survey.question import UDP_SIZE_OCTETS, Question
from gnomon.wire import Edns
from gnomon.wire.edns import DO

_DO = Edns(UDP_SIZE_OCTETS, flags=DO)
_LISTED = "at every address that answered Q1, if any of them has a DNSKEY and its answer to Q6 does not lack the type"
_OR_UNSIGNED = _LISTED + "; at one address of an unsigned zone"
_VOUCHED = (
    "once for each NS name outside a signed zone that has CDS or CDNSKEY records but no DS: at the servers of the zone"
    " of _dsboot.<zone>._signal.<NS name>, one after the other, at most 3, until one answers"
)

Q8 = Question(
    "Q8", "zone", "CDS of the zone, DO", CDS, _OR_UNSIGNED, ("automation", "dnssec"), edns=_DO, only_after=True
)
Q8K = Question(
    "Q8K", "zone", "CDNSKEY of the zone, DO", CDNSKEY, _OR_UNSIGNED, ("automation",), edns=_DO, only_after=True
)
Q8C = Question("Q8C", "zone", "CSYNC of the zone, DO", CSYNC, _LISTED, ("automation",), edns=_DO, only_after=True)
P5 = Question(
    "P5", "zone", "DSYNC of <zone>._dsync.<parent>, then of _dsync.<parent>, DO", DSYNC,
    "if the zone has CDS, CDNSKEY or CSYNC records: at addresses of the parent zone, at most 3, until one answers",
    ("automation",), edns=_DO, per=("parent server",), only_after=True,
)  # fmt: skip
H7_CDS = Question(
    "H7", "name", "CDS at the signalling name, DO", CDS, _VOUCHED, ("automation",), edns=_DO, per=("outside",),
    only_after=True,
)  # fmt: skip
H7_CDNSKEY = Question(
    "H7", "name", "CDNSKEY at the signalling name, DO", CDNSKEY, _VOUCHED, ("automation",), edns=_DO, per=("outside",),
    only_after=True,
)  # fmt: skip

AT_APEX = (Q8, Q8K, Q8C)
AUTOMATION = (*AT_APEX, P5, H7_CDS, H7_CDNSKEY)
