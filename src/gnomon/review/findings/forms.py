"""Writing a finding."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from gnomon.base import Property
from gnomon.review.register.models import EvidenceItem
from gnomon.review.reviews.models import Area, Review, ScopeQuestion


class FindingForm(forms.Form):
    """A finding of one review. With `check` and `code` the verdicts of the run become an evidence item of it."""

    statement = forms.CharField(
        label=_("Statement"), max_length=400, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One sentence, with the numbers in it, that the evidence shows to be true."),
    )  # fmt: skip
    area = forms.ModelChoiceField(label=_("Area"), queryset=Area.objects.none(), empty_label=None)
    explanation = forms.CharField(
        label=_("Explanation"), max_length=8000, required=False, widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("What it means and for whom; what speaks against it."),
    )  # fmt: skip
    properties = forms.MultipleChoiceField(
        label=_("Properties it touches"), choices=[(p.value, p.value) for p in Property],
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    evidence = forms.ModelMultipleChoiceField(
        label=_("Evidence"), queryset=EvidenceItem.objects.none(), required=False,
        widget=forms.CheckboxSelectMultiple, help_text=_("At least one item of the register."),
    )  # fmt: skip
    questions = forms.ModelMultipleChoiceField(
        label=_("Scope questions it answers"), queryset=ScopeQuestion.objects.none(), required=False,
        widget=forms.CheckboxSelectMultiple, help_text=_("Questions of the chosen area only."),
    )  # fmt: skip
    check = forms.CharField(required=False, max_length=80, widget=forms.HiddenInput)
    code = forms.CharField(required=False, max_length=80, widget=forms.HiddenInput)

    def __init__(self, review: Review, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._choose("area", Area.objects.filter(review=review))
        self._choose("evidence", EvidenceItem.objects.filter(review=review))
        self._choose("questions", ScopeQuestion.objects.filter(area__review=review).select_related("area"))

    def _choose(self, field: str, queryset: Any) -> None:
        self.fields[field].queryset = queryset  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Evidence is due, from the register or from the verdicts; questions go with the area."""
        given = super().clean() or {}
        if not given.get("evidence") and not given.get("check"):
            self.add_error("evidence", _("A finding rests on at least one item of evidence."))
        area = given.get("area")
        if area is not None and any(q.area_id != area.pk for q in given.get("questions", ())):
            self.add_error("questions", _("One of the questions belongs to another area than the finding."))
        return given
