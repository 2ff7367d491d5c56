-- id: i.ds-alg
-- title: Algorithms of the keys that parents vouch for
-- group: security
-- unit: % of zones with DS
-- definition: Zones with at least one DS of the algorithm, over zones with any DS. The total counts zones that
--   use only algorithms recommended for signing (8, 13, 14, 15, 16).
-- source: ITHI M7.4; RFC 9904
-- better: higher
WITH ds AS (SELECT DISTINCT zone, algorithm, algorithm_name FROM keys WHERE kind = 'ds'),
     n AS (SELECT count(DISTINCT zone) AS zones FROM ds)
SELECT '' AS slice,
       (SELECT count(*) FROM (SELECT zone FROM ds GROUP BY zone HAVING bool_and(algorithm IN (8, 13, 14, 15, 16)))) AS numerator,
       n.zones AS denominator, 0 AS unknown
FROM n
UNION ALL
SELECT any_value(algorithm_name) || ' (' || algorithm || ')', count(*), any_value(n.zones), 0
FROM ds, n GROUP BY algorithm
