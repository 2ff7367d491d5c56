"""Addresses of the register."""

from django.urls import path

from gnomon.review.register import views

urlpatterns = [
    path("e/", views.items, name="evidence"),
    path("e/<int:number>/", views.item, name="evidence-item"),
]
