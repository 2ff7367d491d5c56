-- id: i.secure
-- title: Zones that validate
-- group: security
-- unit: % of zones
-- definition: Zones whose chain of trust from the root anchors is secure; slices give the other states.
-- source: RFC 4035 section 4.3; ITHI M7
-- better: higher
SELECT '' AS slice, count(*) FILTER (dnssec = 'secure') AS numerator,
       count(*) FILTER (dnssec <> 'indeterminate') AS denominator,
       count(*) FILTER (dnssec = 'indeterminate') AS unknown
FROM zones
UNION ALL
SELECT state, (SELECT count(*) FROM zones WHERE dnssec = state), (SELECT count(*) FROM zones), 0
FROM (VALUES ('secure'), ('insecure'), ('bogus'), ('indeterminate')) AS states(state)
