"""Evidence items: what a finding may rest on."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse

from gnomon.review.audit.models import Recorded
from gnomon.review.reviews.models import EvidenceKind, Review
from gnomon.review.zones.models import Run


class EvidenceItem(Recorded):
    """One item of the register; never changed after it was registered.

    `content` by `form`:
        indicator   the indicator's snapshot: id, title, value, unit, numerator, denominator, unknown, slices, method
        verdicts    the selection: check, code, level, and how many verdicts and zones it held
        document    url, media_type, size_octets
    `sha256` covers the snapshot, the selected verdicts, or the document's octets. `refs` are evidence references
    (`<segment root hex>:<row>`) of the exchanges behind it: all of them, or the first where there are very many.
    Observed (when it was true) and received (when it came here) are kept apart.
    """

    class Form(models.TextChoices):
        INDICATOR = "indicator"
        VERDICTS = "verdicts"
        DOCUMENT = "document"

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="evidence")
    number = models.PositiveIntegerField()
    form = models.CharField(max_length=12, choices=Form.choices)
    kind = models.ForeignKey(EvidenceKind, on_delete=models.PROTECT, related_name="+")
    title = models.CharField(max_length=200)
    shows = models.TextField()
    run = models.ForeignKey(Run, null=True, blank=True, on_delete=models.PROTECT, related_name="evidence")
    content = models.JSONField(default=dict)
    refs = models.JSONField(default=list)
    observed_from = models.DateTimeField()
    observed_to = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True)
    sha256 = models.CharField(max_length=64)
    source = models.CharField(max_length=300)
    collector = models.CharField(max_length=120, blank=True)
    rerun = models.TextField(blank=True)
    registered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint(fields=("review", "number"), name="evidence_number_once"),)

    def __str__(self) -> str:
        return f"{self.code} {self.title}"

    @property
    def code(self) -> str:
        return f"E-{self.number}"

    def get_absolute_url(self) -> str:
        return reverse("evidence-item", args=[self.review.short_name, self.number])
