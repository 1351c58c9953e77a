from django.db import migrations

from registry.sql import CREATE_FOLDED, DROP_FOLDED


class Migration(migrations.Migration):
    dependencies = [("registry", "0002_functions_and_triggers")]

    operations = [migrations.RunSQL(CREATE_FOLDED, DROP_FOLDED)]
