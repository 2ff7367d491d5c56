-- id: i.edns-ok
-- title: Server addresses that handle EDNS as specified
-- group: interoperability
-- unit: % of answering addresses
-- definition: Distinct answering addresses without a bad outcome of any `edns.` check.
-- source: RFC 6891; RFC 8906; ISC EDNS compliance reports
-- better: higher
WITH answering AS (SELECT address, bool_or(udp) AS udp FROM servers GROUP BY address),
     judged AS (SELECT split_part(subject, '/', -1) AS address,
                       bool_or(level IN ('notice', 'warning', 'error', 'critical')) AS bad,
                       bool_and(state = 'unknown') AS unjudged
                FROM verdicts WHERE starts_with(check_id, 'edns.') GROUP BY 1),
     a AS (SELECT udp, coalesce(bad, FALSE) AS bad, coalesce(unjudged, FALSE) AS unjudged
           FROM answering LEFT JOIN judged USING (address))
SELECT '' AS slice, count(*) FILTER (udp AND NOT bad AND NOT unjudged) AS numerator,
       count(*) FILTER (udp AND NOT unjudged) AS denominator, count(*) FILTER (NOT udp OR unjudged) AS unknown
FROM a
