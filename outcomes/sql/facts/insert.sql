INSERT INTO outcomes_casefacts AS present ({names})
SELECT
  {columns}
FROM cases_case tumour
JOIN cases_patient patient ON patient.id = tumour.patient_id
JOIN registry_centre centre ON centre.id = tumour.centre_id
LEFT JOIN cases_patientidentity identity ON identity.patient_id = tumour.patient_id
LEFT JOIN operation ON operation.case_id = tumour.id
LEFT JOIN preop_mri ON preop_mri.case_id = tumour.id
LEFT JOIN unread ON unread.case_id = tumour.id
LEFT JOIN complication ON complication.case_id = tumour.id
JOIN seen ON seen.case_id = tumour.id
LEFT JOIN followed ON followed.case_id = tumour.id
WHERE tumour.id = ANY(%(cases)s) AND tumour.voided_at IS NULL
ON CONFLICT (case_id) DO UPDATE SET ({names}) = ROW ({excluded})
WHERE ({compared}) IS DISTINCT FROM ({compared_excluded})
