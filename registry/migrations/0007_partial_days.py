from django.db import migrations

from registry import sql


class Migration(migrations.Migration):
    dependencies = [("registry", "0006_user_preferences")]

    operations = [
        migrations.RunSQL(sql.CREATE_PARTIAL_DAYS, sql.DROP_PARTIAL_DAYS),
    ]
