from django.db import migrations

from registry import sql


class Migration(migrations.Migration):
    dependencies = [("registry", "0008_seals")]

    operations = [
        migrations.RunSQL(sql.CREATE_KNOWN_BETWEEN, sql.DROP_KNOWN_BETWEEN),
    ]
