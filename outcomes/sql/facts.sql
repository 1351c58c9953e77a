-- The derived facts of the cases in %(cases)s: one row a case, voided rows left out.
-- Used alike for one case, for an import and for the full rebuild. What stands in braces
-- is put in by outcomes/facts.py: the columns with their expressions from
-- outcomes/models/fact_columns.py, the visit windows from outcomes/windows.py.
-- %(cutoff)s is the data cut-off: what depends on the calendar is told as of that day.
WITH operation AS (
  SELECT o.*
  FROM cases_operation o
  WHERE o.case_id = ANY(%(cases)s) AND o.index_operation AND o.voided_at IS NULL
),

stage AS (
  -- The index operation and its planned stages are one resection, a biopsy before the
  -- definitive operation included. What stands at its end counts; a stage to which an
  -- extent does not apply leaves it as it was. Case.final_extent says the same.
  SELECT o.case_id, count(*) AS n,
    max(o.surgery_date) AS last_date,
    (array_agg(o.eor_mri ORDER BY
        coalesce(o.surgery_date, 'infinity') DESC, o.index_operation, o.id DESC)
      FILTER (WHERE o.missing ->> 'eor_mri' IS DISTINCT FROM 'not_applicable')
    )[1] AS extent,
    (array_agg(o.missing ->> 'eor_mri' ORDER BY
        coalesce(o.surgery_date, 'infinity') DESC, o.index_operation, o.id DESC)
      FILTER (WHERE o.missing ->> 'eor_mri' IS DISTINCT FROM 'not_applicable')
    )[1] AS extent_missing,
    (array_agg(o.eor_surgeon ORDER BY
        coalesce(o.surgery_date, 'infinity') DESC, o.index_operation, o.id DESC)
      FILTER (WHERE o.missing ->> 'eor_surgeon' IS DISTINCT FROM 'not_applicable')
    )[1] AS surgeons_extent
  FROM cases_operation o
  JOIN operation ON operation.case_id = o.case_id
  WHERE o.case_id = ANY(%(cases)s) AND o.voided_at IS NULL
    AND (o.index_operation OR o.relation_to_index = 'planned_stage')
  GROUP BY o.case_id
),

again AS (
  -- Re-operations: whatever follows and was not planned as a stage. An adverse event or
  -- a recurrence may say that there was one, without its day.
  SELECT operation.case_id, count(o.id) AS n,
    min(o.surgery_date - operation.surgery_date) AS day
  FROM operation
  JOIN cases_operation o ON o.case_id = operation.case_id
  WHERE o.voided_at IS NULL AND NOT o.index_operation
    AND o.relation_to_index IS DISTINCT FROM 'planned_stage'
    AND coalesce(o.surgery_date >= operation.surgery_date, true)
  GROUP BY operation.case_id
),

study AS (
  -- The pre-operative studies, the latest first, undated ones last.
  SELECT m.*, m.mri_date - operation.surgery_date AS day,
    CASE WHEN NOT m.oedema_present THEN 0
      ELSE m.oedema_cranial_seg + m.oedema_caudal_seg
    END::float8 AS oedema_total_seg,
    row_number() OVER (
      PARTITION BY m.case_id ORDER BY m.mri_date DESC NULLS LAST, m.id DESC
    )::int AS place
  FROM cases_mristudy m
  LEFT JOIN operation ON operation.case_id = m.case_id
  WHERE m.case_id = ANY(%(cases)s) AND m.voided_at IS NULL AND m.purpose = 'preop'
    AND (m.mri_date <= operation.surgery_date
         OR m.mri_date IS NULL OR operation.surgery_date IS NULL)
),

preop_mri AS (
  -- Each feature has an array of its values and the place of the study that gives it:
  -- the latest that could be read, else the latest that says it could not.
  SELECT case_id, count(*) AS n,
    array_agg(day ORDER BY place) AS days,
    {features}
  FROM study
  GROUP BY case_id
),

unread AS (
  -- Why features are missing, by the latest study that gives a reason.
  SELECT case_id, jsonb_object_agg(reason.key, reason.value ORDER BY place DESC) AS reasons
  FROM study, jsonb_each(study.missing) AS reason
  GROUP BY case_id
),

complication AS (
  SELECT operation.case_id, count(*) AS n, bool_or(a.reoperation) AS reoperation,
    max(a.clavien_dindo COLLATE "C") AS worst  -- I < II < IIIa < … < V also as text
  FROM cases_complication a
  JOIN operation ON operation.id = a.operation_id
  WHERE a.voided_at IS NULL
  GROUP BY operation.case_id
),

visit AS (
  SELECT v.id, v.case_id, v.visit_type, v.missing, v.mmcs, v.mmcs_version,
    v.joa_region, v.joa_total::float8 AS joa_total,
    coalesce(v.visit_date - operation.surgery_date, v.reported_day) AS day,
    coalesce(v.assessor, '') = 'patient' AS by_patient,
    coalesce(v.pain_present, v.pain_distribution IS NOT NULL OR NULL) AS pain,
    v.pain_distribution AS sites, v.pain_nrs_kind, v.pain_segmental_nrs,
    greatest(v.pain_local_nrs, v.pain_radicular_nrs, v.pain_segmental_nrs,
      v.pain_below_level_nrs, v.pain_funicular_nrs, v.pain_surgical_nrs
    ) AS attributable_nrs,
    v.pain_other_nrs
  FROM outcomes_visit v
  LEFT JOIN operation ON operation.case_id = v.case_id
  WHERE v.case_id = ANY(%(cases)s) AND v.voided_at IS NULL
),

examined AS (
  -- Pain by site, 0 where the visit found no pain there. Wound, muscle and root pain
  -- count as local, tract pain as below the level; "other" is not put down to the
  -- tumour or its operation, neither as a site nor with its intensity.
  SELECT visit.*,
    CASE WHEN NOT pain THEN false WHEN sites IS NULL THEN NULL
      ELSE 'segmental_at_level' = ANY(sites) END AS segmental,
    CASE WHEN NOT pain THEN 'none' WHEN sites IS NULL THEN NULL
      ELSE CASE
          (sites && ARRAY['local_axial', 'radicular', 'mechanical_surgical_site']::varchar[])::int
          + 2 * (sites && ARRAY['segmental_at_level']::varchar[])::int
          + 4 * (sites && ARRAY['below_level', 'funicular']::varchar[])::int
        WHEN 0 THEN 'none' WHEN 1 THEN 'local' WHEN 2 THEN 'segmental'
        WHEN 4 THEN 'below_level' ELSE 'mixed' END
    END AS pain_class,
    CASE WHEN NOT pain THEN 0
      WHEN sites IS NULL OR 'segmental_at_level' = ANY(sites) THEN pain_segmental_nrs
      ELSE 0 END AS segmental_nrs,
    CASE WHEN NOT pain THEN 0
      WHEN sites = ARRAY['other']::varchar[] THEN 0
      ELSE attributable_nrs END AS residual_nrs,
    CASE WHEN NOT pain THEN 0 ELSE greatest(attributable_nrs, pain_other_nrs)
    END AS worst_nrs
  FROM visit
),

candidate AS (
  -- The visits of each window, the nearest first. A visit without a known day can only
  -- stand in the window that it was entered for, behind every dated one.
  SELECT examined.*, period.place,
    coalesce(examined.day, nominal.target) >= {residual_pain_from_day} AS late,
    row_number() OVER (
      PARTITION BY examined.case_id, period.place
      ORDER BY examined.day IS NULL,
        abs(examined.day - CASE period.name
          WHEN 'discharge' THEN coalesce(
            operation.discharge_date - operation.surgery_date,
            CASE WHEN examined.visit_type = 'discharge' THEN examined.day END)
          ELSE period.target END),
        coalesce(examined.day, nominal.target) DESC NULLS LAST, examined.id DESC
    )::int AS near
  FROM examined
  JOIN (VALUES
      {windows}
    ) AS period (place, name, opens, closes, target)
    ON examined.day BETWEEN period.opens AND period.closes
      AND (examined.day <> 0 OR examined.visit_type = 'preop')
    OR examined.day IS NULL AND examined.visit_type = period.name
    OR examined.day IS NULL AND period.name = 'last'
      AND examined.visit_type NOT IN ('preop', 'unscheduled')
  LEFT JOIN (VALUES
      {windows}
    ) AS nominal (place, name, opens, closes, target)
    ON nominal.name = examined.visit_type
  LEFT JOIN operation ON operation.case_id = examined.case_id
),

heard AS (
  -- The nearest visit that tells of pain, late enough for residual pain if one is, has
  -- the word. Another visit of the window may add the site, but not contradict.
  SELECT candidate.*,
    pain IS NOT NULL AND pain = first_value(pain) OVER nearest
      AND late IS NOT DISTINCT FROM first_value(late) OVER nearest AS agrees
  FROM candidate
  WINDOW nearest AS (
    PARTITION BY case_id, place ORDER BY pain IS NULL, late DESC NULLS LAST, near)
),

sited AS (
  -- Likewise the intensity: of the nearest visit that found the same sites.
  SELECT heard.*,
    agrees AND pain_class IS NOT DISTINCT FROM first_value(pain_class) OVER nearest
      AND segmental IS NOT DISTINCT FROM first_value(segmental) OVER nearest
      AS agrees_on_site
  FROM heard
  WINDOW nearest AS (
    PARTITION BY case_id, place
    ORDER BY agrees DESC, pain_class IS NULL, near)
),

picked AS (
  -- For each value the place of the visit that gives it. Scores of an examiner come
  -- before those that patients gave themselves; pain is the patient's own to tell.
  SELECT case_id, place,
    array_agg(day ORDER BY near) AS days,
    array_agg(mmcs ORDER BY near) AS mmcs,
    array_agg(mmcs_version ORDER BY near) AS mmcs_version,
    array_agg(joa_total ORDER BY near) AS joa_total,
    array_agg(joa_region ORDER BY near) AS joa_region,
    array_agg(pain ORDER BY near) AS pain,
    array_agg(late ORDER BY near) AS late,
    array_agg(segmental ORDER BY near) AS segmental,
    array_agg(pain_class ORDER BY near) AS pain_class,
    array_agg(pain_nrs_kind ORDER BY near) AS pain_nrs_kind,
    array_agg(segmental_nrs ORDER BY near) AS segmental_nrs,
    array_agg(residual_nrs ORDER BY near) AS residual_nrs,
    array_agg(worst_nrs ORDER BY near) AS worst_nrs,
    coalesce(
      min(near) FILTER (WHERE mmcs IS NOT NULL AND NOT by_patient),
      min(near) FILTER (WHERE mmcs IS NOT NULL)) AS mmcs_at,
    coalesce(
      min(near) FILTER (WHERE joa_total IS NOT NULL AND NOT by_patient),
      min(near) FILTER (WHERE joa_total IS NOT NULL)) AS joa_at,
    min(near) FILTER (WHERE agrees) AS pain_at,
    min(near) FILTER (WHERE agrees AND pain_class IS NOT NULL) AS site_at,
    coalesce(
      min(near) FILTER (WHERE agrees_on_site AND worst_nrs IS NOT NULL
        AND segmental_nrs IS NOT NULL),
      min(near) FILTER (WHERE agrees_on_site AND worst_nrs IS NOT NULL)) AS nrs_at
  FROM sited
  GROUP BY case_id, place
),

excused AS (
  -- Why values are missing, by the nearest visit that gives a reason.
  SELECT case_id, place,
    jsonb_object_agg(reason.key, reason.value ORDER BY near DESC) AS reasons
  FROM candidate, jsonb_each(candidate.missing) AS reason
  GROUP BY case_id, place
),

visited AS (
  SELECT case_id, max(day) FILTER (WHERE day >= 0) AS last_day
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
    max(day) FILTER (WHERE day > 0) AS last_day
  FROM (
    SELECT r.case_id, r.kind, r.treatment,
      coalesce(r.detected_on - operation.surgery_date, r.reported_day) AS day
    FROM outcomes_recurrence r
    JOIN operation ON operation.case_id = r.case_id
    WHERE r.case_id = ANY(%(cases)s) AND r.voided_at IS NULL
  ) AS event
  GROUP BY case_id
),

imaged AS (
  -- The studies after the operation; the last clear ones before an event bound the time
  -- in which it came.
  SELECT case_id, count(*) AS n, max(day) AS last_day,
    count(*) FILTER (WHERE coalesce(mri_date >= last_date, true)) AS n_after_stages,
    max(day) FILTER (WHERE is_clear AND NOT has_residual
      AND coalesce(day < recurrence_day, true)) AS no_recurrence_day,
    max(day) FILTER (WHERE is_clear
      AND coalesce(day < regrowth_day, true)) AS no_regrowth_day
  FROM (
    SELECT m.case_id, m.mri_date, m.mri_date - operation.surgery_date AS day,
      NOT coalesce(m.new_lesion_same_site, false) AS is_clear,
      coalesce(m.residual_present, false) AS has_residual,
      stage.last_date, came_back.recurrence_day, came_back.regrowth_day
    FROM cases_mristudy m
    JOIN operation ON operation.case_id = m.case_id
    JOIN stage ON stage.case_id = m.case_id
    LEFT JOIN came_back ON came_back.case_id = m.case_id
    WHERE m.case_id = ANY(%(cases)s) AND m.voided_at IS NULL AND m.purpose <> 'preop'
      AND coalesce(m.mri_date >= operation.surgery_date, true)
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
    least(greatest(imaged.last_day, came_back.last_day), death.day) AS image_day,
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
    greatest(visited.last_day, imaged.last_day, came_back.last_day, again.day,
      CASE WHEN vital.last_contact_date >= operation.surgery_date
        THEN vital.last_contact_date - operation.surgery_date END) AS contact_day
  FROM operation
  JOIN stage ON stage.case_id = operation.case_id
  JOIN cases_case tumour ON tumour.id = operation.case_id
  LEFT JOIN outcomes_vitalstatus vital
    ON vital.patient_id = tumour.patient_id AND vital.voided_at IS NULL
  LEFT JOIN LATERAL (
    SELECT CASE WHEN vital.death_date >= operation.surgery_date
      THEN vital.death_date - operation.surgery_date END AS day
  ) AS death ON true
  LEFT JOIN imaged ON imaged.case_id = operation.case_id
  LEFT JOIN came_back ON came_back.case_id = operation.case_id
  LEFT JOIN again ON again.case_id = operation.case_id
  LEFT JOIN complication ON complication.case_id = operation.case_id
  LEFT JOIN visited ON visited.case_id = operation.case_id
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
      WHEN n_images = 0 THEN 'no_postoperative_mri'
      WHEN surgery_date IS NULL THEN 'surgery_date_unknown'
      WHEN image_day IS NULL THEN 'mri_day_unknown'
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
),

slot AS (
  -- Each window of each case: what was seen, and why not. Where no visit lies in the
  -- window, the end of observation says why, if it came before the window closed.
  SELECT tumour.id AS case_id, period.place, picked.days[1] AS day,
    CASE
      WHEN coalesce(picked.mmcs_at, picked.joa_at) IS NOT NULL THEN 'seen'
      WHEN picked.case_id IS NOT NULL THEN 'visit_without_score'
      WHEN followed.case_id IS NULL THEN 'not_operated'
      WHEN period.name = 'preop' THEN 'no_visit'
      WHEN followed.surgery_date IS NULL THEN 'surgery_date_unknown'
      WHEN followed.contact_day >= period.closes THEN 'no_visit'
      WHEN followed.died AND coalesce(followed.death_day <= period.closes, true)
        THEN 'died'
      WHEN patient.consent_research = 'withdrawn' THEN 'withdrawn'
      WHEN period.name <> 'last' AND followed.cutoff_day <= period.closes
        THEN 'not_due'
      WHEN followed.lost THEN 'lost'
      ELSE 'no_visit'
    END AS status,
    picked.mmcs[mmcs_at] AS mmcs, picked.mmcs_version[mmcs_at] AS mmcs_version,
    picked.days[mmcs_at] AS mmcs_day,
    picked.joa_total[joa_at] AS joa_total, picked.joa_region[joa_at] AS joa_region,
    picked.days[joa_at] AS joa_day,
    picked.pain[pain_at] AS pain, picked.days[pain_at] AS pain_day,
    picked.late[pain_at] AS late,
    picked.segmental[site_at] AS segmental, picked.pain_class[site_at] AS pain_class,
    picked.days[site_at] AS site_day,
    picked.pain_nrs_kind[nrs_at] AS pain_nrs_kind,
    picked.segmental_nrs[nrs_at] AS segmental_nrs,
    picked.residual_nrs[nrs_at] AS residual_nrs,
    picked.worst_nrs[nrs_at] AS worst_nrs, picked.days[nrs_at] AS nrs_day,
    CASE WHEN picked.case_id IS NOT NULL
      THEN coalesce(excused.reasons, '{{}}'::jsonb) END AS reasons
  FROM cases_case tumour
  JOIN cases_patient patient ON patient.id = tumour.patient_id
  CROSS JOIN (VALUES
      {windows}
    ) AS period (place, name, opens, closes, target)
  LEFT JOIN followed ON followed.case_id = tumour.id
  LEFT JOIN picked ON picked.case_id = tumour.id AND picked.place = period.place
  LEFT JOIN excused ON excused.case_id = tumour.id AND excused.place = period.place
  WHERE tumour.id = ANY(%(cases)s)
),

excusing AS (
  -- Why there is no value: the state of a window without a visit, else the reason that
  -- a visit gives. Without an answer on pain there is none on its site either.
  SELECT slot.*,
    CASE WHEN reasons IS NULL THEN status END AS unseen,
    CASE WHEN pain IS NULL THEN reasons ->> 'pain_present' END AS unasked
  FROM slot
),

answered AS (
  SELECT excusing.*,
    CASE WHEN mmcs IS NULL
      THEN coalesce(unseen, reasons ->> 'mmcs', 'not_recorded') END AS mmcs_why,
    CASE WHEN joa_total IS NULL
      THEN coalesce(unseen, {joa_reasons}, 'not_recorded') END AS joa_why,
    CASE WHEN pain IS NULL
      THEN coalesce(unseen, unasked, 'not_recorded') END AS pain_why,
    CASE WHEN pain_class IS NULL
      THEN coalesce(unseen, unasked, reasons ->> 'pain_distribution', 'not_recorded')
    END AS site_why,
    CASE WHEN segmental_nrs IS NULL
      THEN coalesce(unseen, unasked, reasons ->> 'pain_segmental_nrs', 'not_recorded')
    END AS segmental_nrs_why,
    coalesce(unseen, unasked, {nrs_reasons}, 'not_recorded') AS nrs_why
  FROM excusing
),

baselined AS (
  SELECT answered.*,
    first_value(mmcs) OVER preop AS mmcs_before,
    first_value(mmcs_version) OVER preop AS version_before,
    first_value(mmcs_why) OVER preop AS mmcs_why_before,
    first_value(joa_total) OVER preop AS joa_before,
    first_value(joa_region) OVER preop AS form_before,
    first_value(joa_why) OVER preop AS joa_why_before,
    first_value(segmental) OVER preop AS segmental_before,
    CASE first_value(joa_region) OVER preop {joa_maximum} END AS joa_maximum
  FROM answered
  WINDOW preop AS (PARTITION BY case_id ORDER BY place)
),

compared AS (
  -- Scores against those before the operation, of one version and one form only; what
  -- is residual pain needs a visit that is late enough.
  SELECT baselined.*,
    CASE WHEN mmcs_version = version_before THEN
      CASE sign(mmcs - mmcs_before)
        WHEN -1 THEN 'improved' WHEN 0 THEN 'unchanged' WHEN 1 THEN 'worse' END
    END AS mmcs_change,
    coalesce(mmcs_why, mmcs_why_before,
      CASE WHEN mmcs_version <> version_before THEN 'different_version' END
    ) AS mmcs_change_why,
    CASE WHEN joa_region = form_before AND joa_before < joa_maximum
      THEN 100.0::float8 * (joa_total - joa_before) / (joa_maximum - joa_before)
    END AS recovery_rate,
    coalesce(joa_why, joa_why_before, CASE
      WHEN joa_region <> form_before THEN 'different_version'
      WHEN joa_before >= joa_maximum THEN 'at_ceiling' END) AS recovery_rate_why,
    CASE WHEN late THEN segmental END AS residual_segmental,
    CASE WHEN late THEN pain_class END AS residual_class,
    CASE WHEN NOT late THEN 'too_early' ELSE site_why END AS residual_why,
    CASE WHEN late THEN residual_nrs END AS residual_pain_nrs,
    CASE WHEN NOT late THEN 'too_early'
      WHEN residual_nrs IS NULL THEN nrs_why END AS residual_nrs_why,
    CASE WHEN worst_nrs IS NULL THEN nrs_why END AS worst_nrs_why,
    CASE WHEN NOT late OR segmental IS NULL THEN NULL
      WHEN segmental_before IS NULL THEN 'before_unknown'
      WHEN segmental AND segmental_before THEN 'persistent'
      WHEN segmental THEN 'new' WHEN segmental_before THEN 'resolved'
      ELSE 'never' END AS segmental_course
  FROM baselined
),

seen AS (
  -- The windows of a case in arrays, in the order of outcomes/windows.py.
  SELECT case_id,
    {pivot}
  FROM compared
  GROUP BY case_id
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
LEFT JOIN unread ON unread.case_id = tumour.id
LEFT JOIN complication ON complication.case_id = tumour.id
JOIN seen ON seen.case_id = tumour.id
LEFT JOIN followed ON followed.case_id = tumour.id
WHERE tumour.id = ANY(%(cases)s) AND tumour.voided_at IS NULL
ON CONFLICT (case_id) DO UPDATE SET ({names}) = ROW ({excluded})
WHERE ({compared}) IS DISTINCT FROM ({compared_excluded})
