-- id: i.ns-count
-- title: Name servers per zone
-- group: resiliency
-- unit: % of zones
-- definition: Zones by the number of name server names in the delegation; the total counts zones with at least two.
-- source: RFC 1034 section 4.1; RFC 2182 section 5
-- better: higher
SELECT '' AS slice, count(*) FILTER (ns_count >= 2) AS numerator, count(*) FILTER (ns_count > 0) AS denominator,
       count(*) FILTER (ns_count = 0) AS unknown
FROM zones
UNION ALL
SELECT CASE WHEN ns_count > 8 THEN '9 or more' ELSE ns_count::VARCHAR END AS n, count(*),
       (SELECT count(*) FROM zones WHERE ns_count > 0), 0
FROM zones WHERE ns_count > 0 GROUP BY n
