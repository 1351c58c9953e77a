-- The index operation with its stages, later operations, adverse events.
operation AS (
  SELECT o.*, o.precision ->> 'surgery_date' AS surgery_known
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
    min(days_between(operation.surgery_date, operation.surgery_known,
      o.surgery_date, o.precision ->> 'surgery_date', at_least => 0)) AS day,
    (array_agg(known_between(operation.surgery_date, operation.surgery_known,
      o.surgery_date, o.precision ->> 'surgery_date')
      ORDER BY o.surgery_date, o.id))[1] AS day_known,
    max(days_between(operation.surgery_date, operation.surgery_known,
      o.surgery_date, o.precision ->> 'surgery_date', at_least => 0)) AS last_day,
    (array_agg(known_between(operation.surgery_date, operation.surgery_known,
      o.surgery_date, o.precision ->> 'surgery_date')
      ORDER BY o.surgery_date DESC NULLS LAST, o.id DESC))[1] AS last_known
  FROM operation
  JOIN cases_operation o ON o.case_id = operation.case_id
  WHERE o.voided_at IS NULL AND NOT o.index_operation
    AND o.relation_to_index IS DISTINCT FROM 'planned_stage'
    AND coalesce(last_day(o.surgery_date, o.precision ->> 'surgery_date')
      >= first_day(operation.surgery_date, operation.surgery_known), true)
  GROUP BY operation.case_id
),

complication AS (
  SELECT operation.case_id, count(*) AS n, bool_or(a.reoperation) AS reoperation,
    max(a.clavien_dindo COLLATE "C") AS worst  -- I < II < IIIa < … < V also as text
  FROM cases_complication a
  JOIN operation ON operation.id = a.operation_id
  WHERE a.voided_at IS NULL
  GROUP BY operation.case_id
)
