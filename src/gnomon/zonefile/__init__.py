"""Whole zone files judged and compared: the registry's view, where the survey has the resolver's."""

from gnomon.zonefile.audit import AuditReport, FileVerdict, audit
from gnomon.zonefile.diff import Change, ZoneChanges, changes
from gnomon.zonefile.read import LoadedZone, load_zone

__all__ = ["AuditReport", "Change", "FileVerdict", "LoadedZone", "ZoneChanges", "audit", "changes", "load_zone"]
