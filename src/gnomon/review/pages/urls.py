"""Addresses of the shared pages."""

from django.urls import path

from gnomon.review.pages import views

urlpatterns = [
    path("", views.front, name="front"),
    path("healthz", views.health, name="health"),
]
