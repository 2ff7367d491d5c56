-- id: i.lame
-- title: Lame and silent server addresses
-- group: reliability
-- unit: % of (zone, address) pairs
-- definition: Pairs of zone and delegated address that do not give an authoritative answer for the zone.
-- source: Pappas 2009 (15 % of zones); Akiwate 2020; RFC 1912 section 2.8
-- better: lower
SELECT '' AS slice, count(*) FILTER (state <> 'ok') AS numerator, count(*) AS denominator, 0 AS unknown FROM servers
UNION ALL
SELECT state, count(*), (SELECT count(*) FROM servers), 0 FROM servers WHERE state <> 'ok' GROUP BY state
