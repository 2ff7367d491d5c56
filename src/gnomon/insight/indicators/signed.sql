-- id: i.signed
-- title: Signed zones
-- group: security
-- unit: % of zones
-- definition: Zones whose servers return a DNSKEY RRset, and of these the ones with a DS at the parent.
-- source: ITHI M7.1 and M7.2; RFC 9364
-- better: higher
SELECT '' AS slice, count(*) FILTER (signed) AS numerator, count(signed) AS denominator,
       count(*) FILTER (signed IS NULL) AS unknown
FROM zones
UNION ALL
SELECT 'signed and DS at the parent', count(*) FILTER (signed AND ds_count > 0), count(signed),
       count(*) FILTER (signed IS NULL)
FROM zones
UNION ALL
SELECT 'signed without DS (island)', count(*) FILTER (signed AND ds_count = 0), count(signed),
       count(*) FILTER (signed IS NULL)
FROM zones
