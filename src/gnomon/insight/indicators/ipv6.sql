-- id: i.v6-ns
-- title: Zones served over IPv6 by two or more name servers
-- group: interoperability
-- unit: % of zones
-- definition: Zones with at least two name server names that have an answering IPv6 address.
-- source: RFC 3901; Internet.nl
-- better: higher
WITH v6 AS (SELECT zone, count(DISTINCT ns_name) FILTER (family = 6 AND state = 'ok') AS names FROM servers GROUP BY zone)
SELECT '' AS slice, count(*) FILTER (names >= 2) AS numerator, count(*) AS denominator,
       (SELECT count(*) FROM zones) - count(*) AS unknown
FROM v6
UNION ALL
SELECT CASE WHEN names = 0 THEN 'none' WHEN names = 1 THEN 'one' ELSE 'two or more' END AS n, count(*),
       (SELECT count(*) FROM v6), 0
FROM v6 GROUP BY n
