"""Addresses of what was measured. The root zone is written @ (a dot would vanish from an address)."""

from __future__ import annotations

from django.urls import path, register_converter

from gnomon.base import InputError, Name
from gnomon.review.zones import views


class ZoneConverter:
    """A zone name in lower case without its final dot; it may hold slashes (RFC 2317)."""

    regex = r".+?"

    def to_python(self, value: str) -> str:
        try:
            return "." if value == "@" else str(Name.from_text(value)).lower()
        except InputError as error:
            raise ValueError(str(error)) from None

    def to_url(self, value: str) -> str:
        return "@" if value == "." else value.removesuffix(".")


register_converter(ZoneConverter, "zone")

urlpatterns = [
    path("zones/", views.zones, name="zones"),
    path("zone/", views.look_up, name="look-up"),
    path("verdict/<str:check_id>/<zone:zone>/", views.verdict, name="verdict"),
    path("zone/<zone:zone>/", views.zone, name="zone"),
    path("checks/", views.checks, name="checks"),
    path("check/<str:check_id>/", views.check, name="check"),
    path("run/<slug:run_id>/", views.run, name="run"),
    path("packet/<slug:run_id>/<str:segment>/<int:row>/", views.packet, name="packet"),
]
