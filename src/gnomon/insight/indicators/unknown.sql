-- id: i.unknown
-- title: Verdicts that could not be given
-- group: quality
-- unit: % of verdicts
-- definition: Verdicts with state unknown over all verdicts that apply; slices give the ten checks with the most.
-- source: quality control of the measurement itself
-- better: lower
SELECT '' AS slice, count(*) FILTER (state = 'unknown') AS numerator, count(*) AS denominator, 0 AS unknown
FROM verdicts WHERE state <> 'not-applicable'
UNION ALL
SELECT * FROM (
    SELECT check_id, count(*) AS n, (SELECT count(*) FROM verdicts WHERE state <> 'not-applicable'), 0
    FROM verdicts WHERE state = 'unknown' GROUP BY check_id ORDER BY n DESC, check_id LIMIT 10)
