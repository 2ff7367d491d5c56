-- id: i.tcp
-- title: Server addresses that answer over TCP
-- group: reliability
-- unit: % of answering addresses
-- definition: Distinct addresses that answered a SOA question over TCP, over those that answered anything.
-- source: RFC 7766 section 5; RFC 9210 section 3
-- better: higher
WITH a AS (SELECT address, bool_or(tcp) AS tcp, bool_or(udp) AS udp FROM servers GROUP BY address)
SELECT '' AS slice, count(*) FILTER (tcp) AS numerator, count(*) FILTER (udp OR tcp) AS denominator,
       count(*) FILTER (NOT coalesce(udp, FALSE) AND NOT coalesce(tcp, FALSE)) AS unknown
FROM a
