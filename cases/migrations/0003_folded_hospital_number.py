from django.conf import settings
from django.db import migrations, models

import registry.sql


def refuse_doubles(apps, schema_editor):
    """Name the patients, by their codes, whose numbers differ in spelling only.

    The database would print the number itself.
    """
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT string_agg(patient.code, ' and ' ORDER BY patient.code)
            FROM cases_patientidentity identity
            JOIN cases_patient patient ON patient.id = identity.patient_id
            WHERE identity.hospital_number <> ''
            GROUP BY identity.centre_id, folded_text(identity.hospital_number)
            HAVING count(*) > 1
            """
        )
        doubles = [codes for (codes,) in cursor.fetchall()]
    if doubles:
        raise RuntimeError(
            "These patients have one hospital number but for its spelling. Correct or"
            " void one of each before the upgrade: " + "; ".join(doubles)
        )


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0002_centre_of_case"),
        ("registry", "0003_folded_text"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(refuse_doubles, migrations.RunPython.noop),
        migrations.RemoveConstraint(
            model_name="patientidentity", name="identity_hospital_number_once"
        ),
        migrations.AddConstraint(
            model_name="patientidentity",
            constraint=models.UniqueConstraint(
                models.F("centre"),
                registry.sql.Folded("hospital_number"),
                condition=models.Q(("hospital_number", ""), _negated=True),
                name="identity_hospital_number_once",
                violation_error_message="A patient with this hospital number exists in your centre.",
            ),
        ),
    ]
