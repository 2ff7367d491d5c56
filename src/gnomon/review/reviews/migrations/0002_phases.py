"""The phases of a review to begin with."""

from django.db import migrations

PHASES = (
    ("preparing", "Preparing", "The team is being named; terms and plan are not adopted yet."),
    ("scoping", "Scoping", "The team settles what it will look at, and how."),
    ("fact-finding", "Fact-finding", "Evidence is gathered and measured."),
    ("drafting", "Drafting", "Findings are brought together and recommendations written."),
    ("consulting", "Consulting", "The draft is out for comment."),
    ("final", "Final", "The final report is delivered."),
    ("follow-up", "Follow-up", "What was recommended is being carried out and measured."),
    ("archived", "Archived", "Closed; everything stays readable."),
    ("paused", "Paused", "Stopped for a time, with a public reason."),
)


def _add(apps, schema_editor):
    phase = apps.get_model("reviews", "Phase")
    phase.objects.bulk_create(phase(slug=s, name=n, description=d, order=i) for i, (s, n, d) in enumerate(PHASES, 1))


class Migration(migrations.Migration):
    dependencies = [("reviews", "0001_initial")]
    operations = [migrations.RunPython(_add, migrations.RunPython.noop)]
