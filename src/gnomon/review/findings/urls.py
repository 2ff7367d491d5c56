"""Addresses of findings and recommendations."""

from django.urls import path

from gnomon.review.findings import views

urlpatterns = [
    path("f/", views.findings, name="findings"),
    path("f/new", views.new_finding, name="new-finding"),
    path("f/<int:number>/", views.finding, name="finding"),
    path("rec/", views.recommendations, name="recommendations"),
    path("rec/<int:number>/", views.recommendation, name="recommendation"),
]
