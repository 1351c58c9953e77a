-- The derived facts of the cases in %(cases)s: one row a case, voided rows left out.
-- Used alike for one case, for an import and for the full rebuild. What stands in braces
-- is put in by outcomes/facts.py: the columns with their expressions from
-- outcomes/models/fact_columns.py, the visit windows from outcomes/windows.py.
WITH operation AS (
  SELECT o.*
  FROM cases_operation o
  WHERE o.case_id = ANY(%(cases)s) AND o.index_operation AND o.voided_at IS NULL
),

preop_mri AS (
  -- The latest pre-operative study on or before the operation; undated ones come last.
  SELECT DISTINCT ON (m.case_id) m.*, m.mri_date - operation.surgery_date AS mri_day
  FROM cases_mristudy m
  LEFT JOIN operation ON operation.case_id = m.case_id
  WHERE m.case_id = ANY(%(cases)s) AND m.voided_at IS NULL AND m.purpose = 'preop'
    AND (m.mri_date <= operation.surgery_date
         OR m.mri_date IS NULL OR operation.surgery_date IS NULL)
  ORDER BY m.case_id, m.mri_date DESC NULLS LAST, m.id DESC
),

complication AS (
  SELECT operation.case_id, count(*) AS n,
    max(a.clavien_dindo COLLATE "C") AS worst  -- I < II < IIIa < … < V also as text
  FROM cases_complication a
  JOIN operation ON operation.id = a.operation_id
  WHERE a.voided_at IS NULL
  GROUP BY operation.case_id
),

visit AS (
  SELECT v.id, v.case_id, v.visit_type, v.mmcs, v.mmcs_version, v.joa_region,
    v.joa_total::float8 AS joa_total, v.pain_nrs_kind,
    coalesce(v.visit_date - operation.surgery_date, v.reported_day) AS day,
    coalesce(v.assessor, '') <> 'patient'
      AND (v.mmcs IS NOT NULL OR v.joa_total IS NOT NULL) AS scored,
    coalesce(v.pain_present, v.pain_distribution IS NOT NULL OR NULL) AS pain,
    v.pain_distribution AS sites,
    v.pain_segmental_nrs AS segmental_nrs,
    greatest(v.pain_local_nrs, v.pain_radicular_nrs, v.pain_segmental_nrs,
      v.pain_below_level_nrs, v.pain_funicular_nrs, v.pain_surgical_nrs,
      v.pain_other_nrs) AS worst_nrs
  FROM outcomes_visit v
  LEFT JOIN operation ON operation.case_id = v.case_id
  WHERE v.case_id = ANY(%(cases)s) AND v.voided_at IS NULL
),

chosen AS (
  -- One visit for each window. A visit without a known day can only fill the window
  -- that it was entered for, and only if no dated visit does.
  SELECT DISTINCT ON (visit.case_id, period.name) visit.*, period.name AS period,
    coalesce(visit.day, nominal.target) >= {residual_pain_from_day} AS late_enough
  FROM visit
  JOIN (VALUES
      {windows}
    ) AS period (name, opens, closes, target)
    ON visit.day BETWEEN period.opens AND period.closes
      AND (visit.day <> 0 OR visit.visit_type = 'preop')
    OR visit.day IS NULL AND visit.visit_type = period.name
    OR visit.day IS NULL AND period.name = 'last'
      AND visit.visit_type NOT IN ('preop', 'unscheduled')
  LEFT JOIN (VALUES
      {windows}
    ) AS nominal (name, opens, closes, target) ON nominal.name = visit.visit_type
  LEFT JOIN operation ON operation.case_id = visit.case_id
  ORDER BY visit.case_id, period.name,
    period.name = 'last' AND NOT visit.scored,
    visit.day IS NULL,
    abs(visit.day - CASE period.name
      WHEN 'discharge' THEN operation.discharge_date - operation.surgery_date
      ELSE period.target END),
    coalesce(visit.day, nominal.target) DESC NULLS LAST, visit.id DESC
),

assessed AS (
  -- Pain by site, 0 where the visit found no pain there. Wound, muscle and root pain
  -- count as local, tract pain as below the level; "other" is not put down to the
  -- tumour or its operation.
  SELECT chosen.*,
    CASE WHEN NOT pain THEN 0 WHEN sites IS NULL THEN segmental_nrs
      WHEN 'segmental_at_level' = ANY(sites) THEN segmental_nrs ELSE 0
    END AS pain_segmental_nrs,
    CASE WHEN NOT pain THEN 0 ELSE worst_nrs END AS pain_worst_nrs,
    CASE WHEN NOT pain THEN false WHEN sites IS NULL THEN NULL
      ELSE 'segmental_at_level' = ANY(sites) END AS segmental,
    CASE WHEN NOT pain THEN 'none' WHEN sites IS NULL THEN NULL
      ELSE CASE
          (sites && ARRAY['local_axial', 'radicular', 'mechanical_surgical_site']::varchar[])::int
          + 2 * (sites && ARRAY['segmental_at_level']::varchar[])::int
          + 4 * (sites && ARRAY['below_level', 'funicular']::varchar[])::int
        WHEN 0 THEN 'none' WHEN 1 THEN 'local' WHEN 2 THEN 'segmental'
        WHEN 4 THEN 'below_level' ELSE 'mixed' END
    END AS pain_class
  FROM chosen
),

seen AS (
  SELECT case_id,
    {pivot}
  FROM assessed
  GROUP BY case_id
),

visited AS (
  SELECT case_id, max(day) FILTER (WHERE day >= 0) AS last_day
  FROM visit
  GROUP BY case_id
),

imaged AS (
  SELECT m.case_id, count(*) AS n,
    max(m.mri_date - operation.surgery_date) AS last_day
  FROM cases_mristudy m
  JOIN operation ON operation.case_id = m.case_id
  WHERE m.case_id = ANY(%(cases)s) AND m.voided_at IS NULL AND m.purpose <> 'preop'
    AND coalesce(m.mri_date >= operation.surgery_date, true)
  GROUP BY m.case_id
),

came_back AS (
  -- Days of 0 or less contradict the operation's date and count as unknown.
  SELECT case_id,
    count(*) FILTER (WHERE kind = 'recurrence') AS recurrences,
    count(*) FILTER (WHERE kind = 'regrowth') AS regrowths,
    count(*) FILTER (WHERE kind = 'new_lesion') AS new_lesions,
    min(day) FILTER (WHERE kind = 'recurrence' AND day > 0) AS recurrence_day,
    min(day) FILTER (WHERE kind = 'regrowth' AND day > 0) AS regrowth_day,
    min(day) FILTER (WHERE kind = 'new_lesion' AND day > 0) AS new_lesion_day,
    max(day) FILTER (WHERE day > 0) AS last_day
  FROM (
    SELECT r.case_id, r.kind,
      coalesce(r.detected_on - operation.surgery_date, r.reported_day) AS day
    FROM outcomes_recurrence r
    JOIN operation ON operation.case_id = r.case_id
    WHERE r.case_id = ANY(%(cases)s) AND r.voided_at IS NULL
  ) AS event
  GROUP BY case_id
),

course AS (
  -- What is known of each operated case, in days from its operation. A recurrence
  -- needs a tumour that was gone (GTR on MRI), a regrowth needs a known residual.
  SELECT operation.case_id, operation.surgery_date,
    coalesce(operation.eor_mri = 'gtr', false) OR coalesce(recurrences, 0) > 0
      AS was_free,
    coalesce(operation.eor_mri IN ('ntr', 'str', 'pr', 'biopsy'), false)
      OR coalesce(regrowths, 0) > 0 AS had_residual,
    coalesce(recurrences, 0) AS recurrences,
    coalesce(regrowths, 0) AS regrowths,
    coalesce(new_lesions, 0) AS new_lesions,
    recurrence_day, regrowth_day, new_lesion_day,
    coalesce(imaged.n, 0) AS n_images,
    least(greatest(imaged.last_day, came_back.last_day), death.day) AS image_day,
    imaged.last_day AS last_mri_day,
    coalesce(vital.vital_status = 'dead', false) AS died,
    death.day AS death_day,
    greatest(visited.last_day, imaged.last_day, came_back.last_day,
      CASE WHEN vital.last_contact_date >= operation.surgery_date
        THEN vital.last_contact_date - operation.surgery_date END) AS contact_day
  FROM operation
  JOIN cases_case tumour ON tumour.id = operation.case_id
  LEFT JOIN outcomes_vitalstatus vital
    ON vital.patient_id = tumour.patient_id AND vital.voided_at IS NULL
  LEFT JOIN LATERAL (
    SELECT CASE WHEN vital.death_date >= operation.surgery_date
      THEN vital.death_date - operation.surgery_date END AS day
  ) AS death ON true
  LEFT JOIN imaged ON imaged.case_id = operation.case_id
  LEFT JOIN came_back ON came_back.case_id = operation.case_id
  LEFT JOIN visited ON visited.case_id = operation.case_id
),

followed AS (
  -- Why a case cannot enter an endpoint; NULL where it can.
  SELECT course.*,
    least(recurrence_day, regrowth_day) AS progression_day,
    CASE
      WHEN NOT was_free AND had_residual THEN 'residual_tumour'
      WHEN NOT was_free THEN 'extent_unknown'
      WHEN recurrences > 0 AND recurrence_day IS NULL THEN 'event_day_unknown'
      WHEN recurrence_day IS NOT NULL THEN NULL
      WHEN n_images = 0 THEN 'no_postoperative_mri'
      WHEN surgery_date IS NULL THEN 'surgery_date_unknown'
      WHEN image_day IS NULL THEN 'mri_day_unknown'
      WHEN died AND death_day IS NULL THEN 'death_day_unknown'
    END AS rfs_exclusion,
    CASE
      WHEN NOT was_free AND NOT had_residual THEN 'extent_unknown'
      WHEN recurrences + regrowths > 0
        AND least(recurrence_day, regrowth_day) IS NULL THEN 'event_day_unknown'
      WHEN recurrences + regrowths > 0 THEN NULL
      WHEN n_images = 0 THEN 'no_postoperative_mri'
      WHEN surgery_date IS NULL THEN 'surgery_date_unknown'
      WHEN image_day IS NULL THEN 'mri_day_unknown'
      WHEN died AND death_day IS NULL THEN 'death_day_unknown'
    END AS pfs_exclusion
  FROM course
)

INSERT INTO outcomes_casefacts AS present ({names})
SELECT
  {columns}
FROM cases_case tumour
JOIN cases_patient patient ON patient.id = tumour.patient_id
JOIN registry_centre centre ON centre.id = tumour.centre_id
LEFT JOIN cases_patientidentity identity ON identity.patient_id = tumour.patient_id
LEFT JOIN operation ON operation.case_id = tumour.id
LEFT JOIN preop_mri ON preop_mri.case_id = tumour.id
LEFT JOIN complication ON complication.case_id = tumour.id
LEFT JOIN seen ON seen.case_id = tumour.id
LEFT JOIN followed ON followed.case_id = tumour.id
WHERE tumour.id = ANY(%(cases)s) AND tumour.voided_at IS NULL
ON CONFLICT (case_id) DO UPDATE SET ({names}) = ROW ({excluded})
WHERE ({compared}) IS DISTINCT FROM ({compared_excluded})
