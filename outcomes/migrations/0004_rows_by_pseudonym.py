from typing import Any

from django.db import migrations, models

from outcomes.models.pseudonym import Pseudonym


def fill(apps: Any, schema_editor: Any) -> None:
    facts = apps.get_model("outcomes", "CaseFacts")
    facts.objects.update(pseudonym=Pseudonym(models.F("case_code")))


class Migration(migrations.Migration):
    dependencies = [("outcomes", "0003_withdrawn_leave_the_numbers")]

    operations = [
        migrations.AddField(
            model_name="casefacts",
            name="pseudonym",
            field=models.CharField(db_collation="C", default="", max_length=16),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="casefacts",
            index=models.Index(fields=["pseudonym", "case"], name="facts_pseudonym"),
        ),
    ]
