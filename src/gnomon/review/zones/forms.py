"""Filtering the list of zones."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from gnomon.base import InputError, Level, Name, Property
from gnomon.review.measurements import ZoneFilter

_LEVELS = [(level.word, level.word.replace("-", " ")) for level in sorted(Level, reverse=True)]


class ZoneFilterForm(forms.Form):
    """The list's filter; the address is the query."""

    text = forms.CharField(label=_("Name contains"), required=False, max_length=255)
    level = forms.ChoiceField(label=_("Has a verdict"), required=False, choices=[("", _("any")), *_LEVELS])
    property = forms.ChoiceField(
        label=_("On"), required=False, choices=[("", _("any property")), *((p.value, p.value) for p in Property)]
    )
    check = forms.CharField(required=False, max_length=80, widget=forms.HiddenInput)
    code = forms.CharField(required=False, max_length=80, widget=forms.HiddenInput)
    page = forms.IntegerField(required=False, min_value=1, max_value=1_000_000, widget=forms.HiddenInput)

    def wanted(self) -> ZoneFilter:
        """The filter; fields that make no sense do not filter."""
        self.is_valid()
        given = self.cleaned_data
        return ZoneFilter(
            level=given.get("level", ""),
            property=given.get("property", ""),
            text=_ascii(given.get("text", "").strip().lower()),
            check=given.get("check", ""),
            code=given.get("code", ""),
            page=given.get("page") or 1,
        )


def _ascii(text: str) -> str:
    """Part of a name as it is stored: U-labels become A-labels."""
    if text.isascii():
        return text
    try:
        return str(Name.from_text(text)).removesuffix(".")
    except InputError:
        return text
