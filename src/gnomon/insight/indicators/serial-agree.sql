-- id: i.serial-agree
-- title: All servers show one SOA serial
-- group: stability
-- unit: % of zones
-- definition: Zones with at least two answering addresses whose SOA serials are all equal.
-- source: RFC 1034 section 4.3.5; RSSAC047 section 5.4
-- better: higher
SELECT '' AS slice, count(*) FILTER (serials = 1) AS numerator, count(*) AS denominator,
       (SELECT count(*) FROM zones) - count(*) AS unknown
FROM zones WHERE answering_addresses >= 2
