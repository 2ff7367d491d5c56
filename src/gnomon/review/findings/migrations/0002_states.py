"""The states of findings and recommendations to begin with."""

from django.db import migrations

FINDING = (
    ("draft", "Draft", "Written down by a member; the team has not looked at it yet."),
    ("proposed", "Proposed", "Put before the team."),
    ("approved", "Approved", "Agreed by the team, by somebody else than its author."),
    ("published", "Published", "Part of a report."),
    ("superseded", "Superseded", "Replaced by a later finding."),
    ("withdrawn", "Withdrawn", "No longer held, with a public reason."),
)
RECOMMENDATION = (
    ("draft", "Draft", "Written down by a member; the team has not looked at it yet."),
    ("proposed", "Proposed", "Put before the team."),
    ("approved", "Approved", "Agreed by the team."),
    ("delivered", "Delivered", "Handed over to its owner."),
    ("follow-up", "Follow-up", "Being carried out; its measure is read again and again."),
    ("superseded", "Superseded", "Replaced by a later recommendation."),
    ("withdrawn", "Withdrawn", "No longer held, with a public reason."),
)


def _add(apps, schema_editor):
    for name, terms in (("FindingState", FINDING), ("RecommendationState", RECOMMENDATION)):
        model = apps.get_model("findings", name)
        model.objects.bulk_create(model(slug=s, name=n, description=d, order=i) for i, (s, n, d) in enumerate(terms, 1))


class Migration(migrations.Migration):
    dependencies = [("findings", "0001_initial")]
    operations = [migrations.RunPython(_add, migrations.RunPython.noop)]
