-- id: i.as-diversity
-- title: Zones served from two or more networks
-- group: resiliency
-- unit: % of zones
-- definition: Zones by the number of origin ASes of their name server addresses; the total counts two or more.
-- source: RFC 2182 section 3.1; KINDNS CZ6; IANA name server requirements
-- better: higher
SELECT '' AS slice, count(*) FILTER (origin_ases >= 2) AS numerator, count(origin_ases) AS denominator,
       count(*) FILTER (origin_ases IS NULL) AS unknown
FROM zones
UNION ALL
SELECT CASE WHEN origin_ases > 5 THEN '6 or more ASes' WHEN origin_ases = 1 THEN '1 AS' ELSE origin_ases || ' ASes' END AS n,
       count(*), (SELECT count(origin_ases) FROM zones), 0
FROM zones WHERE origin_ases IS NOT NULL GROUP BY n
