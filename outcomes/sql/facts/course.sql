-- What came back, what was seen, and what is known of each operated case.
visited AS (
  SELECT case_id, max(day) FILTER (WHERE day >= 0) AS last_day,
    (array_agg(day_known ORDER BY day DESC) FILTER (WHERE day >= 0))[1] AS last_known
  FROM visit
  GROUP BY case_id
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
    bool_or(treatment = 'reoperation') AS reoperation,
    max(day) FILTER (WHERE day > 0) AS last_day,
    (array_agg(day_known ORDER BY day) FILTER (
      WHERE kind = 'recurrence' AND day > 0))[1] AS recurrence_known,
    (array_agg(day_known ORDER BY day) FILTER (
      WHERE kind = 'regrowth' AND day > 0))[1] AS regrowth_known,
    (array_agg(day_known ORDER BY day) FILTER (
      WHERE kind = 'new_lesion' AND day > 0))[1] AS new_lesion_known,
    (array_agg(day_known ORDER BY day DESC) FILTER (WHERE day > 0))[1] AS last_known,
    max(day) FILTER (WHERE day > 0 AND coalesce(day >= stages_day, true))
      AS last_day_after_stages
  FROM (
    SELECT r.case_id, r.kind, r.treatment,
      stage.last_date - operation.surgery_date AS stages_day,
      coalesce(days_between(operation.surgery_date, operation.surgery_known,
        r.detected_on, r.precision ->> 'detected_on', at_least => 0), r.reported_day
      ) AS day,
      known_between(operation.surgery_date, operation.surgery_known,
        r.detected_on, r.precision ->> 'detected_on') AS day_known
    FROM outcomes_recurrence r
    JOIN operation ON operation.case_id = r.case_id
    JOIN stage ON stage.case_id = r.case_id
    WHERE r.case_id = ANY(%(cases)s) AND r.voided_at IS NULL
  ) AS event
  GROUP BY case_id
),

imaged AS (
  -- The studies after the operation; the last clear ones before an event bound the time
  -- in which it came. What has recurred is told by those after the last planned stage:
  -- before it nothing was gone that could come back.
  SELECT case_id, count(*) AS n, max(day) AS last_day,
    (array_agg(day_known ORDER BY day DESC NULLS LAST))[1] AS last_known,
    count(*) FILTER (WHERE is_after_stages) AS n_after_stages,
    max(day) FILTER (WHERE is_after_stages) AS last_day_after_stages,
    max(day) FILTER (WHERE is_after_stages AND is_clear AND NOT has_residual
      AND coalesce(day < recurrence_day, true)) AS no_recurrence_day,
    max(day) FILTER (WHERE is_clear
      AND coalesce(day < regrowth_day, true)) AS no_regrowth_day
  FROM (
    SELECT m.case_id,
      days_between(operation.surgery_date, operation.surgery_known,
        m.mri_date, m.precision ->> 'mri_date', at_least => 0) AS day,
      known_between(operation.surgery_date, operation.surgery_known,
        m.mri_date, m.precision ->> 'mri_date') AS day_known,
      coalesce(last_day(m.mri_date, m.precision ->> 'mri_date') >= stage.last_date,
        true) AS is_after_stages,
      NOT coalesce(m.new_lesion_same_site, false) AS is_clear,
      coalesce(m.residual_present, false) AS has_residual,
      came_back.recurrence_day, came_back.regrowth_day
    FROM cases_mristudy m
    JOIN operation ON operation.case_id = m.case_id
    JOIN stage ON stage.case_id = m.case_id
    LEFT JOIN came_back ON came_back.case_id = m.case_id
    WHERE m.case_id = ANY(%(cases)s) AND m.voided_at IS NULL AND m.purpose <> 'preop'
      AND coalesce(last_day(m.mri_date, m.precision ->> 'mri_date')
        >= first_day(operation.surgery_date, operation.surgery_known), true)
  ) AS scan
  GROUP BY case_id
),

known AS (
  -- What is known of each operated case, in days from its operation.
  SELECT operation.case_id, operation.surgery_date,
    %(cutoff)s - operation.surgery_date AS cutoff_day,
    stage.n AS n_stages,
    stage.last_date - operation.surgery_date AS last_stage_day,
    stage.extent, stage.extent_missing, stage.surgeons_extent,
    nullif(stage.extent, 'not_assessed') IS NULL AS extent_unknown,
    coalesce(recurrences, 0) AS recurrences,
    coalesce(regrowths, 0) AS regrowths,
    coalesce(new_lesions, 0) AS new_lesions,
    recurrence_day, regrowth_day, new_lesion_day,
    coalesce(imaged.n, 0) AS n_images,
    coalesce(imaged.n_after_stages, 0) AS n_images_after_stages,
    least(greatest(imaged.last_day, came_back.last_day), death.day) AS image_day,
    CASE
      WHEN death.day < greatest(imaged.last_day, came_back.last_day) THEN death.known
      WHEN came_back.last_day > coalesce(imaged.last_day, -1) THEN came_back.last_known
      ELSE imaged.last_known END AS image_known,
    recurrence_known, regrowth_known, new_lesion_known,
    imaged.last_known AS last_mri_known, again.day_known AS reoperation_known,
    death.known AS death_known, contact.known AS contact_known,
    least(greatest(imaged.last_day_after_stages, came_back.last_day_after_stages),
      death.day) AS free_image_day,
    imaged.last_day AS last_mri_day,
    least(imaged.no_recurrence_day, death.day) AS no_recurrence_day,
    least(imaged.no_regrowth_day, death.day) AS no_regrowth_day,
    coalesce(again.n, 0) AS n_reoperations, again.day AS reoperation_day,
    coalesce(again.n, 0) > 0 OR coalesce(came_back.reoperation, false)
      OR coalesce(complication.reoperation, false) AS reoperated,
    coalesce(vital.vital_status = 'dead', false) AS died,
    death.day AS death_day,
    -- Who dies before an MRI could be made is no less a failure of the treatment; left
    -- out, the worst outcomes would make the curve look better.
    coalesce(death.day <= {early_death_days} + greatest(
        stage.last_date - operation.surgery_date, 0), false)
      AND coalesce(imaged.n_after_stages, 0) = 0 AS died_early,
    contact.day AS contact_day
  FROM operation
  JOIN stage ON stage.case_id = operation.case_id
  JOIN cases_case tumour ON tumour.id = operation.case_id
  LEFT JOIN outcomes_vitalstatus vital
    ON vital.patient_id = tumour.patient_id AND vital.voided_at IS NULL
  LEFT JOIN imaged ON imaged.case_id = operation.case_id
  LEFT JOIN came_back ON came_back.case_id = operation.case_id
  LEFT JOIN again ON again.case_id = operation.case_id
  LEFT JOIN complication ON complication.case_id = operation.case_id
  LEFT JOIN visited ON visited.case_id = operation.case_id
  LEFT JOIN LATERAL (
    SELECT days_between(operation.surgery_date, operation.surgery_known,
      vital.last_contact_date, vital.precision ->> 'last_contact_date', at_least => 0
    ) AS day,
    known_between(operation.surgery_date, operation.surgery_known,
      vital.last_contact_date, vital.precision ->> 'last_contact_date') AS day_known
  ) AS told ON true
  LEFT JOIN LATERAL (
    -- Whatever shows that the patient was seen or heard of, as outcomes/schedule.py has it.
    SELECT heard.day, heard.known FROM (VALUES
      (visited.last_day, visited.last_known), (imaged.last_day, imaged.last_known),
      (came_back.last_day, came_back.last_known), (again.last_day, again.last_known),
      (CASE WHEN stage.last_date > operation.surgery_date
        THEN stage.last_date - operation.surgery_date END, NULL),
      (CASE WHEN told.day >= 0 THEN told.day END, told.day_known)
    ) AS heard (day, known)
    ORDER BY heard.day DESC NULLS LAST, heard.known LIMIT 1
  ) AS contact ON true
  LEFT JOIN LATERAL (
    -- Of a death known to the year only, the part after the last contact is possible.
    SELECT days_between(operation.surgery_date, operation.surgery_known,
      vital.death_date, vital.precision ->> 'death_date',
      at_least => coalesce(contact.day, 0)) AS day
  ) AS ended ON true
  LEFT JOIN LATERAL (
    SELECT CASE WHEN ended.day >= 0 THEN ended.day END AS day,
      CASE WHEN ended.day >= 0 THEN known_between(
        operation.surgery_date, operation.surgery_known,
        vital.death_date, vital.precision ->> 'death_date') END AS known
  ) AS death ON true
),

course AS (
  -- A recurrence needs a tumour that was gone (GTR on MRI), a regrowth needs a known
  -- residual. Where death forestalled the MRI, the surgeon's extent stands in for it.
  SELECT known.*,
    coalesce(extent = 'gtr', false) OR recurrences > 0
      OR coalesce(died_early AND extent_unknown AND surgeons_extent = 'gtr', false)
      AS was_free,
    coalesce(extent IN ('ntr', 'str', 'pr', 'biopsy'), false) OR regrowths > 0
      OR coalesce(died_early AND extent_unknown AND surgeons_extent <> 'gtr', false)
      AS had_residual,
    least(recurrence_day, regrowth_day) AS progression_day,
    NOT died AND cutoff_day - coalesce(contact_day, 0) > {lost_after_days} AS lost
  FROM known
),

followed AS (
  -- Why a case cannot enter an endpoint; NULL where it can.
  SELECT course.*,
    CASE
      WHEN NOT was_free AND had_residual THEN 'residual_tumour'
      WHEN NOT was_free THEN 'extent_unknown'
      WHEN recurrences > 0 AND recurrence_day IS NULL THEN 'event_day_unknown'
      WHEN recurrence_day IS NOT NULL OR died_early THEN NULL
      WHEN n_images_after_stages = 0 THEN 'no_postoperative_mri'
      WHEN surgery_date IS NULL THEN 'surgery_date_unknown'
      WHEN free_image_day IS NULL THEN 'mri_day_unknown'
      WHEN died AND death_day IS NULL THEN 'death_day_unknown'
    END AS rfs_exclusion,
    CASE
      WHEN recurrences + regrowths = 0 AND died_early THEN NULL
      WHEN NOT was_free AND NOT had_residual THEN 'extent_unknown'
      WHEN recurrences + regrowths > 0 AND progression_day IS NULL
        THEN 'event_day_unknown'
      WHEN recurrences + regrowths > 0 THEN NULL
      WHEN n_images = 0 THEN 'no_postoperative_mri'
      WHEN surgery_date IS NULL THEN 'surgery_date_unknown'
      WHEN image_day IS NULL THEN 'mri_day_unknown'
      WHEN died AND death_day IS NULL THEN 'death_day_unknown'
    END AS pfs_exclusion,
    -- The first of growth, re-operation and death; two of one day in this order.
    had_residual AND (regrowths = 0 OR regrowth_day IS NOT NULL)
      AND (NOT died OR death_day IS NOT NULL)
      AND (image_day IS NOT NULL OR died_early
        OR least(regrowth_day, reoperation_day) IS NOT NULL) AS growth_is_known,
    least(regrowth_day, reoperation_day, death_day) AS growth_ended_day
  FROM course
)
