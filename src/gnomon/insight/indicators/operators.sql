-- id: i.operator-share
-- title: Concentration on operators
-- group: resiliency
-- unit: % of zones
-- definition: Zones that the ten operators with the most zones serve, one slice each. An operator is the registrable
--   domain of a name server name. The total counts zones whose servers all belong to one operator.
-- source: ITHI M9; Kashaf 2020; Allman 2018
-- better: lower
WITH per_zone AS (SELECT zone, count(DISTINCT operator) AS operators FROM servers GROUP BY zone)
SELECT '' AS slice, count(*) FILTER (operators = 1) AS numerator, count(*) AS denominator,
       (SELECT count(*) FROM zones) - count(*) AS unknown
FROM per_zone
UNION ALL
SELECT * FROM (
    SELECT operator, count(DISTINCT zone) AS n, (SELECT count(*) FROM per_zone), 0
    FROM servers GROUP BY operator ORDER BY n DESC, operator LIMIT 10)
