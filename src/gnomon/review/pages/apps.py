"""The shared pages as a Django app."""

from django.apps import AppConfig


class PagesConfig(AppConfig):
    """Has templates and static files, no tables."""

    name = "gnomon.review.pages"
