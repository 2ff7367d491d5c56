"""Addresses of the log."""

from django.urls import path

from gnomon.review.audit import views

urlpatterns = [path("events/", views.all_events, name="all-events")]
