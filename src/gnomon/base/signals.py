"""Names under which an operator or a parent publishes what concerns another zone (RFC 9615, RFC 9859)."""

from __future__ import annotations

from gnomon.base.errors import InputError
from gnomon.base.names import Name


def signal_name(zone: Name, ns_name: Name) -> Name | None:
    """`_dsboot.<zone>._signal.<ns_name>`, where a server's operator vouches for the zone (RFC 9615 section 2).

    None if the name server is inside the zone, which cannot vouch for itself, or the name would be too long.
    """
    if ns_name.is_subdomain_of(zone):
        return None
    return _joined((b"_dsboot", *zone.labels, b"_signal"), ns_name)


def dsync_names(zone: Name, parent: Name) -> tuple[Name, ...]:
    """Where `parent` says whom to notify of changes in `zone`, first to last (RFC 9859 section 4.1).

    `<labels of the zone>._dsync.<parent>`, then `_dsync.<parent>`.
    """
    above = _joined((b"_dsync",), parent)
    own = zone.labels[: len(zone.labels) - len(parent.labels)]
    found = (_joined(own, above), above) if above is not None else ()
    return tuple(name for name in found if name is not None)


def _joined(labels: tuple[bytes, ...], below: Name) -> Name | None:
    wire = b"".join(bytes([len(label)]) + label for label in labels) + below.wire
    try:
        return Name.from_wire(wire)
    except InputError:
        return None
