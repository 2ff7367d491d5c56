"""Delegation: the domains that the NS names lie in, for who holds these can answer for the zone."""

from __future__ import annotations

from gnomon.checks.registry import REL, SEC, STA
from gnomon.checks.unjudged import unjudged


@unjudged("del.ns-name-unregistered", properties=(SEC,), needs="registration-data")
def ns_name_unregistered() -> None:
    """The domain of every NS name is registered.

    Why: whoever registers the free domain of an NS name answers for the zone from then on.
    Rule: critical if the registrable domain of an NS name can be registered by anybody; error if it is about to be
        deleted. That a name does not exist in the DNS is del.ns-resolvable's.
    Source: Akiwate 2020 ("Unresolved Issues"); Liu 2016 (dangling records); Kalafut 2010.
    Do: take the name out of the NS records at once, on both sides; never register such a domain to prove it.
    """


@unjudged("del.ns-name-expiring", properties=(SEC, REL), needs="registration-data")
def ns_name_expiring() -> None:
    """The registration of no NS name's domain runs out soon.

    Why: when it lapses the server's name is lost, and with it the zone to whoever registers the domain next.
    Rule: warning if the registration ends within 30 days, error within 7 days, without a sign that it is renewed.
    Source: none; a proposal of this project.
    Do: renew the domain, for several years and automatically.
    """


@unjudged("del.ns-name-sacrificial", properties=(SEC,), needs="reference-list")
def ns_name_sacrificial() -> None:
    """No NS name is one that a registrar made up to get rid of a host object.

    Why: some registrars rename the hosts of a deleted domain into other domains, some of which nobody has registered.
    Rule: critical if an NS name fits a known pattern of such renaming and its domain can be registered; error if it
        fits and cannot.
    Source: Akiwate 2021 ("Risky BIZness").
    Do: replace the name by one of a server that serves the zone.
    """


@unjudged("del.provider-claimable", properties=(SEC,), needs="reference-list")
def provider_claimable() -> None:
    """The zone is not delegated to a provider at which anybody could set it up.

    Why: where a provider's servers refuse the zone, and any customer may create it there, a stranger can take it over.
    Rule: error (critical for critical zones) if all addresses of a provider refuse the zone and the provider lets any
        customer create it. That they refuse is del.lame's.
    Source: Infoblox and Eclypsium 2024 ("Sitting Ducks").
    Do: set the zone up at the provider, or take the provider's names out of the delegation.
    """


@unjudged("del.orphan-glue", properties=(SEC, STA), needs="parent-zone-file")
def orphan_glue() -> None:
    """The parent has no address records of hosts in domains that are not delegated.

    Why: such records outlive their domain, keep other delegations alive unseen, and are used by malicious zones.
    Rule: notice for each address record below a name without delegation; warning if another delegation uses it; error
        if the host's domain can be registered.
    Source: SSAC SAC048; Kalafut 2010; Sommese 2021.
    Do: have the registry remove the host.
    """
