-- The pre-operative MRI, feature by feature.
study AS (
  -- The pre-operative studies, the latest first, undated ones last.
  SELECT m.*, days_between(operation.surgery_date, operation.surgery_known,
      m.mri_date, m.precision ->> 'mri_date', at_most => 0) AS day,
    known_between(operation.surgery_date, operation.surgery_known,
      m.mri_date, m.precision ->> 'mri_date') AS day_known,
    CASE WHEN NOT m.oedema_present THEN 0
      ELSE m.oedema_cranial_seg + m.oedema_caudal_seg
    END::float8 AS oedema_total_seg,
    row_number() OVER (
      PARTITION BY m.case_id ORDER BY m.mri_date DESC NULLS LAST, m.id DESC
    )::int AS place
  FROM cases_mristudy m
  LEFT JOIN operation ON operation.case_id = m.case_id
  WHERE m.case_id = ANY(%(cases)s) AND m.voided_at IS NULL AND m.purpose = 'preop'
    AND (first_day(m.mri_date, m.precision ->> 'mri_date')
           <= last_day(operation.surgery_date, operation.surgery_known)
         OR m.mri_date IS NULL OR operation.surgery_date IS NULL)
),

preop_mri AS (
  -- Each feature has an array of its values and the place of the study that gives it:
  -- the latest that could be read, else the latest that says it could not.
  SELECT case_id, count(*) AS n,
    array_agg(day ORDER BY place) AS days,
    array_agg(day_known ORDER BY place) AS days_known,
    {features}
  FROM study
  GROUP BY case_id
),

unread AS (
  -- Why features are missing, by the latest study that gives a reason.
  SELECT case_id, jsonb_object_agg(reason.key, reason.value ORDER BY place DESC) AS reasons
  FROM study, jsonb_each(study.missing) AS reason
  GROUP BY case_id
)
