-- id: i.edns-ok
-- title: Server addresses that handle EDNS as specified
-- group: interoperability
-- unit: % of answering addresses
-- definition: Distinct addresses with no deviation in the EDNS checks (support, version, unknown option, unknown flag).
-- source: RFC 6891; RFC 8906; ISC EDNS compliance reports
-- better: higher
WITH a AS (SELECT address, bool_or(udp) AS udp, bool_and(edns_ok) AS edns_ok FROM servers GROUP BY address)
SELECT '' AS slice, count(*) FILTER (edns_ok) AS numerator, count(*) FILTER (udp AND edns_ok IS NOT NULL) AS denominator,
       count(*) FILTER (NOT coalesce(udp, FALSE) OR edns_ok IS NULL) AS unknown
FROM a
