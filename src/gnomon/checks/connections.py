"""Mail and web: rules that take a connection to the mail or web server itself, or data that no name server has."""

from __future__ import annotations

from gnomon.checks.registry import IOP, REL, SEC
from gnomon.checks.unjudged import unjudged


@unjudged("mail.mx-rpki", properties=(SEC,), needs="routing-data")
def mx_rpki() -> None:
    """The addresses of the mail hosts and of their name servers are covered by valid route origin authorisations.

    Why: without them anyone can announce the addresses, and get the mail.
    Rule: notice if an address is not covered; error if its announcement is invalid.
    Source: RFC 6811 section 2; Internet.nl, RPKI.
    Do: have the holder of the addresses publish route origin authorisations that fit their announcements.
    """


@unjudged("mail.tlsa-matches", properties=(SEC, REL), needs="connection")
def tlsa_matches() -> None:
    """A TLSA record of each mail host matches the certificate that the host shows.

    Why: senders that check it do not deliver to a host whose certificate matches none.
    Rule: error if no TLSA record matches; notice if there is no second one for the next key.
    Source: RFC 7672 section 8; RFC 7671 section 8.1; Internet.nl, DANE.
    Do: publish the record of the new key before it is used, and remove the old one after.
    """


@unjudged("mail.starttls", properties=(SEC,), needs="connection")
def starttls() -> None:
    """Every mail host offers STARTTLS.

    Why: without it mail crosses the network for everybody to read.
    Rule: warning for each host that does not offer it, or only with versions and ciphers that are not safe any more.
    Source: RFC 3207; RFC 9325; Internet.nl, STARTTLS.
    Do: configure TLS 1.2 or newer at the mail host.
    """


@unjudged("app.dane-chain", properties=(SEC,), needs="connection")
def dane_chain() -> None:
    """The web server sends the DNSSEC chain of its TLSA records with the TLS handshake.

    Why: clients can then check them without a validating resolver.
    Rule: reported where TLSA records exist.
    Source: RFC 9102 section 2.
    Do: nothing is needed; few clients ask for it.
    """


@unjudged("app.dangling-address", properties=(SEC,), needs="reference-list")
def dangling_address() -> None:
    """No name points to an address that anybody can rent.

    Why: who rents a cloud address that a name still points to speaks in that name.
    Rule: notice for an address of a cloud provider's pool at which nothing of the zone's answers.
    Source: Borgolte and others, "Cloud Strife" (2018).
    Do: remove the address record before the address is given back.
    """


@unjudged("app.security-txt", properties=(SEC,), needs="connection")
def security_txt() -> None:
    """The web site says whom to tell about security holes.

    Why: who finds a hole must know where to report it.
    Rule: notice if /.well-known/security.txt is missing, expired or wrong.
    Source: RFC 9116; Internet.nl, security.txt.
    Do: publish the file with contact and expiry date.
    """


@unjudged("app.tls-profile", properties=(SEC,), needs="connection")
def tls_profile() -> None:
    """The web server's TLS is up to date.

    Why: old versions and ciphers can be broken.
    Rule: left to a profile of TLS: versions, ciphers, key exchange, trust of the certificate, HSTS.
    Source: RFC 9325; Internet.nl, HTTPS.
    Do: configure TLS 1.2 or newer, and get a certificate that clients trust.
    """


@unjudged("app.eai", properties=(IOP,), needs="connection")
def eai() -> None:
    """The mail hosts accept internationalised addresses.

    Why: mail to and from such addresses bounces elsewhere.
    Rule: reported whether the hosts offer SMTPUTF8; notice where a registry offers internationalised names but takes
        no such contacts.
    Source: RFC 6531 section 3.1.
    Do: switch SMTPUTF8 on.
    """
