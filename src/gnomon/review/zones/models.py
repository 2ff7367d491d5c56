"""The measurement runs that this instance shows."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse

from gnomon.review.audit.models import Recorded


class Run(Recorded):
    """One survey on disk: its evidence directory and the verdicts of one profile in it.

    The packets stay in the directory; the row only says where it is and what it held when it was attached.
    `verdict_sha256` is the digest of the verdicts; `zones` the number of zones asked for; `simulated` says that a lab
    was measured, not the Internet.
    """

    run_id = models.CharField(max_length=40, unique=True)
    directory = models.CharField(max_length=400)
    profile = models.CharField(max_length=40)
    verdict_sha256 = models.CharField(max_length=64)
    started_at = models.DateTimeField()
    tool = models.CharField(max_length=80)
    vantage = models.CharField(max_length=120)
    source = models.CharField(max_length=300)
    zones = models.PositiveIntegerField()
    simulated = models.BooleanField()
    attached_at = models.DateTimeField(auto_now_add=True)
    attached_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("-started_at",)

    def __str__(self) -> str:
        return f"run {self.run_id}"

    @property
    def code(self) -> str:
        return self.run_id

    def get_absolute_url(self) -> str:
        return reverse("run", args=[self.run_id])
