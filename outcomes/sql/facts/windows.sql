-- The windows of each case: values, why they are missing, changes.
slot AS (
  -- Each window of each case: what was seen, and why not. Where no visit lies in the
  -- window, the end of observation says why, if it came before the window closed.
  SELECT tumour.id AS case_id, period.place, picked.days[1] AS day,
    picked.day_known,
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
    picked.local[site_at] AS local, picked.segmental[site_at] AS segmental,
    picked.below_level[site_at] AS below_level, picked.days[site_at] AS site_day,
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
    CASE WHEN segmental IS NULL
      THEN coalesce(unseen, unasked, reasons ->> 'pain_distribution', 'not_recorded')
    END AS site_why,
    CASE local::int + 2 * segmental::int + 4 * below_level::int
      WHEN 0 THEN 'none' WHEN 1 THEN 'local' WHEN 2 THEN 'segmental'
      WHEN 4 THEN 'below_level' WHEN 3 THEN 'mixed' WHEN 5 THEN 'mixed'
      WHEN 6 THEN 'mixed' WHEN 7 THEN 'mixed' END AS pain_class,
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
    CASE WHEN late THEN local END AS residual_local,
    CASE WHEN late THEN segmental END AS residual_segmental,
    CASE WHEN late THEN below_level END AS residual_below_level,
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
    {pivot},
    {score_pivot}
  FROM compared
  LEFT JOIN scored USING (case_id, place)
  GROUP BY case_id
)
