from django.db import migrations

# Rows of the facts are wider than a quarter of a page, so PostgreSQL would put their
# longest texts elsewhere: the compartment and the extent by which everybody groups.
# Each would cost six further pages a row.
WHOLE = "ALTER TABLE {} SET (toast_tuple_target = 8160)"
AS_BEFORE = "ALTER TABLE {} RESET (toast_tuple_target)"


class Migration(migrations.Migration):
    dependencies = [("outcomes", "0012_precision_of_days")]

    operations = [
        migrations.RunSQL(WHOLE.format(table), AS_BEFORE.format(table))
        for table in ("outcomes_casefacts", "outcomes_poolfacts")
    ]
