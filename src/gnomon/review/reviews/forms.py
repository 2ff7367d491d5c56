"""Writing the word of the week."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from gnomon.review.reviews.actions import UpdateText


def _area(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


class UpdateForm(forms.Form):
    """Four fields, and the revision the writer started from."""

    done = forms.CharField(
        label=_("Done this week"), max_length=8000, widget=_area(6),
        help_text=_("What the sub-team looked at, decided or finished. If nothing: why."),
    )  # fmt: skip
    next = forms.CharField(label=_("Next week"), max_length=8000, required=False, widget=_area(3))
    blocked = forms.CharField(
        label=_("Blocked, or needed from others"), max_length=8000, required=False, widget=_area(3),
        help_text=_("Who has to do what, and by when."),
    )  # fmt: skip
    public = forms.CharField(
        label=_("A sentence for the public"), max_length=2000, required=False, widget=_area(2),
        help_text=_("For somebody who does not follow the review. Everything on this page is public."),
    )  # fmt: skip
    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0, required=False)

    def text(self) -> UpdateText:
        """What was written."""
        given = self.cleaned_data
        return UpdateText(given["done"], given["next"], given["blocked"], given["public"])
