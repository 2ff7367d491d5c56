"""Dated inputs with provenance: each loader returns values that say where they came from.

Whatever is in a file, a loader raises nothing but `InputError`, which names file and line.
"""

from gnomon.base.provenance import Provenance
from gnomon.sources.addressmap import AddressMap, read_address_map
from gnomon.sources.algorithms import ALGORITHMS, DIGESTS, AlgorithmStatus, DigestStatus
from gnomon.sources.anchors import Anchor, TrustAnchors, default_anchors, parse_anchor, read_anchors
from gnomon.sources.hints import RootHints, default_hints, read_hints
from gnomon.sources.operators import operator_key
from gnomon.sources.optout import OptOutList, read_opt_out
from gnomon.sources.routing import Route, RoutingTable, read_routes
from gnomon.sources.zonefile import ParentZone, read_parent_zone
from gnomon.sources.zones import ZoneList, read_zone_list

__all__ = [
    "ALGORITHMS", "DIGESTS", "AddressMap", "AlgorithmStatus", "Anchor", "DigestStatus", "OptOutList", "ParentZone",
    "Provenance", "RootHints", "Route", "RoutingTable", "TrustAnchors", "ZoneList", "default_anchors",
    "default_hints", "operator_key", "parse_anchor", "read_address_map", "read_anchors", "read_hints", "read_opt_out",
    "read_parent_zone", "read_routes", "read_zone_list",
]  # fmt: skip
