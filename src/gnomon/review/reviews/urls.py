"""Addresses of a review."""

from django.urls import path

from gnomon.review.reviews import views

urlpatterns = [
    path("", views.overview, name="review"),
    path("area/<int:number>/", views.area, name="area"),
    path("area/<int:number>/update", views.update, name="update"),
    path("events/", views.event_log, name="events"),
]
