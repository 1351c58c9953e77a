from django.db import migrations

# The centre stands on the case too, so that every scoped list needs no join; a foreign
# key over both columns keeps it equal to the patient's, and likewise for the identity.
FORWARD = """
ALTER TABLE cases_case ADD CONSTRAINT case_centre_is_the_patients
  FOREIGN KEY (patient_id, centre_id) REFERENCES cases_patient (id, centre_id)
  DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE cases_patientidentity ADD CONSTRAINT identity_centre_is_the_patients
  FOREIGN KEY (patient_id, centre_id) REFERENCES cases_patient (id, centre_id)
  DEFERRABLE INITIALLY DEFERRED;
"""
BACKWARD = """
ALTER TABLE cases_patientidentity DROP CONSTRAINT identity_centre_is_the_patients;
ALTER TABLE cases_case DROP CONSTRAINT case_centre_is_the_patients;
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
