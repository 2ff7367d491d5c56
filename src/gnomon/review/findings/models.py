"""What a review found, what it recommends, and how anybody can tell whether that was done."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse

from gnomon.review.audit.models import Recorded, Term
from gnomon.review.register.models import EvidenceItem
from gnomon.review.reviews.models import Area, Review, ScopeQuestion
from gnomon.review.zones.models import Run


class FindingState(Term):
    """How far a finding has come."""


class RecommendationState(Term):
    """How far a recommendation has come."""


class Finding(Recorded):
    """One statement that rests on evidence. `properties` are words of `gnomon.base.Property`."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="findings")
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="findings")
    number = models.PositiveIntegerField()
    statement = models.CharField(max_length=400)
    explanation = models.TextField(blank=True)
    properties = models.JSONField(default=list)
    state = models.ForeignKey(FindingState, on_delete=models.PROTECT, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    evidence = models.ManyToManyField(EvidenceItem, related_name="findings")
    questions = models.ManyToManyField(ScopeQuestion, related_name="findings", blank=True)

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint(fields=("review", "number"), name="finding_number_once"),)

    def __str__(self) -> str:
        return f"{self.code} {self.statement}"

    @property
    def code(self) -> str:
        return f"F-{self.number}"

    def get_absolute_url(self) -> str:
        return reverse("finding", args=[self.review.short_name, self.number])


class Recommendation(Recorded):
    """One act asked of one owner. The fields are the letters of SMART; the M is the `Measure`."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="recommendations")
    number = models.PositiveIntegerField()
    text = models.CharField(max_length=400)
    specific = models.TextField()
    owner = models.CharField(max_length=160)
    relevant = models.TextField()
    due_on = models.DateField()
    state = models.ForeignKey(RecommendationState, on_delete=models.PROTECT, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    findings = models.ManyToManyField(Finding, related_name="recommendations")

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint(fields=("review", "number"), name="recommendation_number_once"),)

    def __str__(self) -> str:
        return f"{self.code} {self.text}"

    @property
    def code(self) -> str:
        return f"R-{self.number}"

    def get_absolute_url(self) -> str:
        return reverse("recommendation", args=[self.review.short_name, self.number])


class Measure(models.Model):
    """What tells whether a recommendation is met: an indicator, a population, a threshold, a direction, a date."""

    class Direction(models.TextChoices):
        AT_LEAST = "at-least"
        AT_MOST = "at-most"

    recommendation = models.OneToOneField(Recommendation, on_delete=models.PROTECT, related_name="measure")
    indicator = models.CharField(max_length=80)
    title = models.CharField(max_length=200)
    population = models.CharField(max_length=200)
    direction = models.CharField(max_length=10, choices=Direction.choices)
    threshold = models.FloatField()
    unit = models.CharField(max_length=20, blank=True)
    due_on = models.DateField()

    def __str__(self) -> str:
        return f"{self.indicator} {self.get_direction_display()} {self.threshold:g} {self.unit}"

    def is_met_by(self, value: float) -> bool:
        """Whether `value` (in the measure's unit) reaches the threshold."""
        return value >= self.threshold if self.direction == self.Direction.AT_LEAST else value <= self.threshold


class Reading(Recorded):
    """A measure evaluated once. `met` is None where the evidence was not enough to say."""

    measure = models.ForeignKey(Measure, on_delete=models.PROTECT, related_name="readings")
    at = models.DateTimeField()
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="+")
    value = models.FloatField(null=True)
    numerator = models.FloatField(null=True)
    denominator = models.FloatField(null=True)
    unknown = models.PositiveIntegerField(default=0)
    met = models.BooleanField(null=True)

    class Meta:
        ordering = ("-at", "-pk")

    @property
    def code(self) -> str:
        return self.measure.recommendation.code

    def get_absolute_url(self) -> str:
        return f"{self.measure.recommendation.get_absolute_url()}#readings"
