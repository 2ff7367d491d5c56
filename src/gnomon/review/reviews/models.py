"""A review, how it is cut into areas, who sits where, what is asked, and the weekly word from each area."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from gnomon.review.audit.models import Recorded, Term


class Phase(Term):
    """Where a review stands."""


class EvidenceKind(Term):
    """What an area wants to rest on: measurement, document, interview ..."""


class Review(Recorded):
    """One review. `preset` and `preset_sha256` say which process it was opened with.

    `updates_due` is the weekday (0 is Monday) by whose end every area has published its word of the week.
    `demonstration` marks a review whose people and texts are made up.
    """

    short_name = models.SlugField(max_length=20, unique=True)
    name = models.CharField(max_length=160)
    purpose = models.TextField()
    phase = models.ForeignKey(Phase, on_delete=models.PROTECT)
    opened_on = models.DateField()
    updates_due = models.PositiveSmallIntegerField(default=4)
    preset = models.CharField(max_length=60)
    preset_sha256 = models.CharField(max_length=64)
    demonstration = models.BooleanField(default=False)

    class Meta:
        ordering = ("-opened_on", "short_name")

    def __str__(self) -> str:
        return self.name

    @property
    def code(self) -> str:
        return self.short_name

    def get_absolute_url(self) -> str:
        return reverse("review", args=[self.short_name])


class SubTeam(models.Model):
    """Some members who do an area's work; a sub-team may end while its area stays.

    `present` is there where a query put it: the seats held now, the rapporteur's first.
    """

    present: list[Membership]

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="sub_teams")
    name = models.CharField(max_length=120)

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("review", "name"), name="sub_team_name_once"),)

    def __str__(self) -> str:
        return self.name


class Area(models.Model):
    """One area of a review. `properties` are the words of `gnomon.base.Property` it looks at."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="areas")
    number = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=160)
    mandate = models.TextField()
    properties = models.JSONField(default=list)
    sub_team = models.ForeignKey(SubTeam, on_delete=models.PROTECT, related_name="areas")
    evidence_kinds = models.ManyToManyField(EvidenceKind, related_name="+")

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint(fields=("review", "number"), name="area_number_once"),)

    def __str__(self) -> str:
        return f"{self.number}. {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("area", args=[self.review.short_name, self.number])


class ScopeQuestion(models.Model):
    """What an area must answer; `method` says how: test, examine or interview (NIST SP 800-53A)."""

    class Method(models.TextChoices):
        TEST = "test"
        EXAMINE = "examine"
        INTERVIEW = "interview"

    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="questions")
    number = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=300)
    method = models.CharField(max_length=12, choices=Method.choices)

    class Meta:
        ordering = ("area__number", "number")
        constraints = (models.UniqueConstraint(fields=("area", "number"), name="question_number_once"),)

    def __str__(self) -> str:
        return f"{self.code} {self.text}"

    @property
    def code(self) -> str:
        return f"Q-{self.area.number}.{self.number}"


class Membership(Recorded):
    """A seat: what somebody is to a review, from when until when. Left seats stay on record."""

    class Role(models.TextChoices):
        MEMBER = "member"
        RAPPORTEUR = "rapporteur"
        CHAIR = "chair"

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="seats")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="seats")
    sub_team = models.ForeignKey(SubTeam, null=True, blank=True, on_delete=models.PROTECT, related_name="seats")
    role = models.CharField(max_length=12, choices=Role.choices)
    appointed_by = models.CharField(max_length=160, blank=True)
    since = models.DateField()
    until = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ("-role", "user__name")
        constraints = (
            models.UniqueConstraint(
                fields=("review", "user", "sub_team"), condition=Q(until=None), name="one_seat_at_a_time"
            ),
            models.UniqueConstraint(
                fields=("review", "user"), condition=Q(until=None, sub_team=None), name="one_seat_without_team"
            ),
            models.UniqueConstraint(
                fields=("sub_team",), condition=Q(until=None, role="rapporteur"), name="one_rapporteur_each"
            ),
        )

    @property
    def code(self) -> str:
        return self.user.account

    def get_absolute_url(self) -> str:
        return f"{self.review.get_absolute_url()}#team"


class WeeklyUpdate(Recorded):
    """What an area's sub-team did in one week. `week` is its Monday; `revision` counts how often it was saved."""

    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="updates")
    week = models.DateField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    done = models.TextField()
    next = models.TextField(blank=True)
    blocked = models.TextField(blank=True)
    public = models.TextField(blank=True)
    published_at = models.DateTimeField()
    revision = models.PositiveSmallIntegerField(default=1)

    class Meta:
        ordering = ("-week",)
        constraints = (models.UniqueConstraint(fields=("area", "week"), name="one_update_a_week"),)

    @property
    def code(self) -> str:
        year, week, _ = self.week.isocalendar()
        return f"U-{self.area.number}/{year}-W{week:02d}"

    @property
    def last_day(self) -> date:
        """The Sunday of the week."""
        return date.fromordinal(self.week.toordinal() + 6)

    def get_absolute_url(self) -> str:
        return f"{self.area.get_absolute_url()}#u-{self.week.isoformat()}"
