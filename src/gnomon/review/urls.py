"""All addresses of the workspace."""

from django.urls import include, path

urlpatterns = [
    path("", include("gnomon.review.pages.urls")),
    path("", include("gnomon.review.people.urls")),
    path("", include("gnomon.review.zones.urls")),
    path("", include("gnomon.review.audit.urls")),
    path("r/<slug:short_name>/", include("gnomon.review.reviews.urls")),
    path("r/<slug:short_name>/", include("gnomon.review.register.urls")),
    path("r/<slug:short_name>/", include("gnomon.review.findings.urls")),
]

handler403 = "gnomon.review.pages.views.forbidden"
handler404 = "gnomon.review.pages.views.not_found"
handler500 = "gnomon.review.pages.views.broken"
