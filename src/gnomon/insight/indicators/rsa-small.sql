-- id: i.rsa-small
-- title: Zones with an RSA key under 2048 bits
-- group: security
-- unit: % of zones with RSA keys
-- definition: Zones whose apex DNSKEY RRset holds an RSA key with a modulus under 2048 bits.
-- source: NIST SP 800-57; RFC 8624 successors
-- better: lower
SELECT '' AS slice, count(DISTINCT zone) FILTER (rsa_bits < 2048) AS numerator, count(DISTINCT zone) AS denominator,
       0 AS unknown
FROM keys WHERE kind = 'dnskey' AND rsa_bits IS NOT NULL
