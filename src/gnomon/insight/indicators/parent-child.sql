-- id: i.pc-consistent
-- title: Parent and child agree on the name servers
-- group: stability
-- unit: % of zones
-- definition: Zones whose NS RRset at the parent equals the one at the apex; slices give the other relations.
-- source: Sommese 2020; Pappas 2009 (21 % inconsistent); RFC 1034 section 4.2.2
-- better: higher
SELECT '' AS slice, count(*) FILTER (ns_relation = 'equal') AS numerator, count(ns_relation) AS denominator,
       count(*) FILTER (ns_relation IS NULL) AS unknown
FROM zones
UNION ALL
SELECT ns_relation, count(*), (SELECT count(ns_relation) FROM zones), 0
FROM zones WHERE ns_relation IS NOT NULL GROUP BY ns_relation
