from django.db import migrations

from registry import sql


class Migration(migrations.Migration):
    dependencies = [("registry", "0001_initial")]

    operations = [
        migrations.RunSQL(sql.CREATE_FUNCTIONS, sql.DROP_FUNCTIONS),
        migrations.RunSQL(sql.AUDIT_TRIGGERS, sql.DROP_AUDIT_TRIGGERS),
    ]
