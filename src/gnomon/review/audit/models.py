"""The event: one row per act, chained by digest so that no row can be changed or removed unseen."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.conf import settings
from django.db import models

from gnomon.base import Broken

GENESIS = "0" * 64


class Event(models.Model):
    """One act. `number` counts from 1 without gaps; `digest` covers every field and the previous digest.

    `review` is the review's short name, empty for acts on the instance; `subject` the speakable id of what was
    acted on (F-12), `path` its page. `before` and `after` are SHA-256 digests of the object's state, empty where
    there was none. Names of people stay out of the chain: it holds the account's number.
    """

    number = models.PositiveBigIntegerField(unique=True)
    at = models.DateTimeField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=60)
    review = models.CharField(max_length=40, blank=True, db_index=True)
    subject = models.CharField(max_length=80)
    title = models.CharField(max_length=400, blank=True)
    path = models.CharField(max_length=200, blank=True)
    before = models.CharField(max_length=64, blank=True)
    after = models.CharField(max_length=64, blank=True)
    reason = models.TextField(blank=True)
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ("-number",)

    def __str__(self) -> str:
        return f"event {self.number}: {self.action} {self.subject}"

    def computed_digest(self) -> str:
        """SHA-256 over the canonical JSON of all fields but `digest` itself."""
        return canonical_digest(
            {
                "number": self.number, "at": self.at.isoformat(), "actor": self.actor_id, "action": self.action,
                "review": self.review, "subject": self.subject, "title": self.title, "path": self.path,
                "before": self.before, "after": self.after, "reason": self.reason, "previous": self.previous,
            }
        )  # fmt: skip

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise Broken(f"event {self.number} is already in the log; events are never changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise Broken(f"event {self.number} stays in the log; events are never deleted")


class Recorded(models.Model):
    """Base of every object whose changes are events: it has an id to speak of, a page, and a state to digest."""

    class Meta:
        abstract = True

    @property
    def code(self) -> str:
        """The permanent, speakable id, such as F-12."""
        raise NotImplementedError

    def get_absolute_url(self) -> str:
        raise NotImplementedError

    def snapshot(self) -> dict[str, Any]:
        """Every stored field and the keys of every linked object, as JSON values."""
        state: dict[str, Any] = {f.attname: _plain(getattr(self, f.attname)) for f in self._meta.concrete_fields}
        for field in self._meta.many_to_many:
            state[field.name] = sorted(str(pk) for pk in getattr(self, field.name).values_list("pk", flat=True))
        return state

    def state_digest(self) -> str:
        """SHA-256 of the snapshot's canonical JSON."""
        return canonical_digest(self.snapshot())


class Term(models.Model):
    """Base of the vocabularies: words in tables, so that a process can add its own."""

    slug = models.SlugField(primary_key=True, max_length=40)
    name = models.CharField(max_length=60)
    description = models.CharField(max_length=300)
    order = models.PositiveSmallIntegerField()

    class Meta:
        abstract = True
        ordering = ("order",)

    def __str__(self) -> str:
        return self.name


def canonical_digest(value: Any) -> str:
    """SHA-256 of `value` as JSON with sorted keys and no spaces (UTF-8)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, list, dict, type(None))) else str(value)
