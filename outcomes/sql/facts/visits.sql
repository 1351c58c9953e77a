-- Which visit gives each value of a window.
visit AS (
  SELECT v.id, v.case_id, v.visit_type, v.missing, v.mmcs, v.mmcs_version,
    v.joa_region, v.joa_total::float8 AS joa_total,
    coalesce(days_between(operation.surgery_date, operation.surgery_known,
      v.visit_date, v.precision ->> 'visit_date',
      at_least => CASE WHEN v.visit_type NOT IN ('preop', 'unscheduled') THEN 0 END,
      at_most => CASE v.visit_type WHEN 'preop' THEN 0 END), v.reported_day) AS day,
    known_between(operation.surgery_date, operation.surgery_known,
      v.visit_date, v.precision ->> 'visit_date') AS day_known,
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
  -- Pain by site, each by itself, and 0 where the visit found none there. "Other" is not
  -- put down to the tumour or its operation, neither as a site nor with its intensity.
  SELECT visit.*,
    {pain_sites},
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
            days_between(operation.surgery_date, operation.surgery_known,
              operation.discharge_date, operation.precision ->> 'discharge_date', 0),
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
    agrees AND (local, segmental, below_level) IS NOT DISTINCT FROM (
        first_value(local) OVER nearest, first_value(segmental) OVER nearest,
        first_value(below_level) OVER nearest)
      AS agrees_on_site
  FROM heard
  WINDOW nearest AS (
    PARTITION BY case_id, place
    ORDER BY agrees DESC, segmental IS NULL, near)
),

picked AS (
  -- For each value the place of the visit that gives it. Scores of an examiner come
  -- before those that patients gave themselves; pain is the patient's own to tell.
  SELECT case_id, place,
    array_agg(day ORDER BY near) AS days,
    (array_agg(day_known ORDER BY near))[1] AS day_known,
    array_agg(mmcs ORDER BY near) AS mmcs,
    array_agg(mmcs_version ORDER BY near) AS mmcs_version,
    array_agg(joa_total ORDER BY near) AS joa_total,
    array_agg(joa_region ORDER BY near) AS joa_region,
    array_agg(pain ORDER BY near) AS pain,
    array_agg(late ORDER BY near) AS late,
    array_agg(local ORDER BY near) AS local,
    array_agg(segmental ORDER BY near) AS segmental,
    array_agg(below_level ORDER BY near) AS below_level,
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
    min(near) FILTER (WHERE agrees AND segmental IS NOT NULL) AS site_at,
    coalesce(
      min(near) FILTER (WHERE agrees_on_site AND worst_nrs IS NOT NULL
        AND segmental_nrs IS NOT NULL),
      min(near) FILTER (WHERE agrees_on_site AND worst_nrs IS NOT NULL)) AS nrs_at
  FROM sited
  GROUP BY case_id, place
),

scored AS (
  -- The other scores and findings, each by itself.
  SELECT candidate.case_id, place,
    {scores}
  FROM candidate
  JOIN outcomes_visit v ON v.id = candidate.id
  GROUP BY candidate.case_id, place
),

excused AS (
  -- Why values are missing, by the nearest visit that gives a reason.
  SELECT case_id, place,
    jsonb_object_agg(reason.key, reason.value ORDER BY near DESC) AS reasons
  FROM candidate, jsonb_each(candidate.missing) AS reason
  GROUP BY case_id, place
)
