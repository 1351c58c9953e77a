"""Functions of the database that the models use, created by the first migration."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import models
from django.db.models import (
    BooleanField,
    CharField,
    DateField,
    F,
    Func,
    Q,
    SmallIntegerField,
)
from django.db.models.fields.json import KeyTextTransform
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual

from registry.days import first_and_last


class SpinalLevelOrdinal(Func):
    """Place of a level among the cord segments, C0 = 0 to Co = 31."""

    function = "spinal_level_ordinal"
    output_field: models.Field[Any, Any] = SmallIntegerField()


class SpinalLevelSpan(Func):
    """Number of levels from rostral to caudal; arguments rostral, caudal, basis."""

    function = "spinal_level_span"
    output_field: models.Field[Any, Any] = SmallIntegerField()


class SpinalRegion(Func):
    """Region of a range; arguments rostral, caudal, conus or cauda flag."""

    function = "spinal_region"
    output_field: models.Field[Any, Any] = CharField(max_length=20)


class Folded(Func):
    """A text as it is compared with others: for uniqueness and for search.

    Compatibility forms (full width, half-width kana, ligatures), case, the shapes of
    apostrophes and dashes, all white space and all invisible signs make no difference.
    What is stored stays as it was typed.
    """

    function = "folded_text"
    output_field: models.Field[Any, Any] = CharField()


class OnlyKeys(Func):
    """Whether a JSON object has no keys but these; arguments object, keys …"""

    function = "only_keys"
    output_field: models.Field[Any, Any] = BooleanField()


class FirstDay(Func):
    """First day that a date may mean; arguments day, precision."""

    function = "first_day"
    output_field: models.Field[Any, Any] = DateField()


class LastDay(Func):
    """Last day that a date may mean; arguments day, precision."""

    function = "last_day"
    output_field: models.Field[Any, Any] = DateField()


def may_follow(later: str, earlier: str) -> Q:
    """Whether one date of a row may be the other or lie after it; NULL where either is
    not known. ``precision`` of the row says how much is known of each."""
    last = LastDay(F(later), KeyTextTransform(later, "precision"))
    first = FirstDay(F(earlier), KeyTextTransform(earlier, "precision"))
    return Q(GreaterThanOrEqual(last, first))


def may_be(path: str, day: date) -> Q:
    """Rows of which the date at ``path`` may be this day, as far as both are known."""
    *above, name = path.split("__")
    known = KeyTextTransform(name, "__".join([*above, "precision"]))
    first, last = first_and_last(day)
    return Q(LessThanOrEqual(FirstDay(F(path), known), last)) & Q(
        GreaterThanOrEqual(LastDay(F(path), known), first)
    )


CREATE_FUNCTIONS = """
CREATE FUNCTION spinal_level_ordinal(level text) RETURNS smallint
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
  SELECT CASE
    WHEN level = 'Co' THEN 31
    WHEN level LIKE 'C%' THEN substr(level, 2)::int
    WHEN level LIKE 'T%' THEN 8 + substr(level, 2)::int
    WHEN level LIKE 'L%' THEN 20 + substr(level, 2)::int
    WHEN level LIKE 'S%' THEN 25 + substr(level, 2)::int
  END::smallint
$$;

-- Vertebrae have no C8: a range of vertebral bodies across C7/T1 is one shorter.
CREATE FUNCTION spinal_level_span(rostral text, caudal text, basis text)
RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT (public.spinal_level_ordinal(caudal) - public.spinal_level_ordinal(rostral) + 1
    - CASE WHEN coalesce(basis, '') <> 'cord_segment'
            AND public.spinal_level_ordinal(rostral) < 8
            AND public.spinal_level_ordinal(caudal) > 8 THEN 1 ELSE 0 END)::smallint
$$;

CREATE FUNCTION spinal_region(rostral text, caudal text, conus_cauda text)
RETURNS varchar LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN conus_cauda IN ('conus', 'cauda_equina') THEN conus_cauda
    WHEN rostral IS NULL OR caudal IS NULL THEN NULL
    WHEN rostral = 'C0' AND caudal LIKE 'C_' AND caudal <> 'Co' THEN 'craniocervical'
    WHEN rostral = 'Co' THEN 'sacral'
    WHEN rostral LIKE 'C%' AND caudal LIKE 'C_' AND caudal <> 'Co' THEN 'cervical'
    WHEN rostral LIKE 'C%' THEN 'cervicothoracic'
    WHEN rostral LIKE 'T%' AND caudal LIKE 'T%' THEN 'thoracic'
    WHEN rostral LIKE 'T%' THEN 'thoracolumbar'
    WHEN rostral LIKE 'L%' AND caudal LIKE 'L%' THEN 'lumbar'
    WHEN rostral LIKE 'L%' THEN 'lumbosacral'
    ELSE 'sacral'
  END::varchar
$$;
"""

DROP_FUNCTIONS = """
DROP FUNCTION spinal_region(text, text, text);
DROP FUNCTION spinal_level_span(text, text, text);
DROP FUNCTION spinal_level_ordinal(text);
"""

# White space, soft hyphen, joiners, direction marks, variation selectors (with those of
# Japanese glyphs), byte order mark.
_UNSEEN = (
    r"[\s\u00ad\u034f\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u2064"
    r"\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]"
)
_APOSTROPHES = "\u2018\u2019\u201b\u02bc\u02b9\u2032\u0060"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u30fc\ufe58\ufe63"
CREATE_FOLDED = f"""
CREATE FUNCTION folded_text(words text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
  SELECT normalize(casefold(
    translate(
      regexp_replace(normalize(words, NFKC), '{_UNSEEN}', '', 'g'),
      '{_APOSTROPHES}{_DASHES}', '{"''" * len(_APOSTROPHES)}{"-" * len(_DASHES)}')
    COLLATE pg_catalog.pg_unicode_fast), NFKC)
$$;
"""

# A date of which only the month or year is known stands in the middle of it.
# ``days_between``: the middle of the numbers of days that are possible, from the first
# date to the second; between whole days just the difference. What else is known bounds
# it: ``at_least`` 0 for what cannot have come before, ``at_most`` 0 for the contrary;
# never to a day that the dates rule out.
CREATE_PARTIAL_DAYS = """
CREATE FUNCTION first_day(day date, known text) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE known
    WHEN 'year' THEN date_trunc('year', day::timestamp)::date
    WHEN 'month' THEN date_trunc('month', day::timestamp)::date
    ELSE day END
$$;

CREATE FUNCTION last_day(day date, known text) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE known
    WHEN 'year' THEN (date_trunc('year', day::timestamp)
      + interval '1 year' - interval '1 day')::date
    WHEN 'month' THEN (date_trunc('month', day::timestamp)
      + interval '1 month' - interval '1 day')::date
    ELSE day END
$$;

CREATE FUNCTION days_between(
  from_day date, from_known text, to_day date, to_known text,
  at_least int DEFAULT NULL, at_most int DEFAULT NULL
) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN from_day IS NULL OR to_day IS NULL THEN NULL
    WHEN from_known IS NULL AND to_known IS NULL THEN to_day - from_day
    ELSE ceil((
      least(greatest(public.first_day(to_day, to_known)
          - public.last_day(from_day, from_known), at_least),
        public.last_day(to_day, to_known) - public.first_day(from_day, from_known))
      + greatest(least(public.last_day(to_day, to_known)
          - public.first_day(from_day, from_known), at_most),
        public.first_day(to_day, to_known) - public.last_day(from_day, from_known))
    ) / 2.0)::int END
$$;

CREATE FUNCTION only_keys(object jsonb, VARIADIC names text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT object - names = '{}'::jsonb
$$;
"""
# How well a number of days is known: as the vaguer of its two dates.
CREATE_KNOWN_BETWEEN = """
CREATE FUNCTION known_between(
  from_day date, from_known text, to_day date, to_known text
) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN from_day IS NOT NULL AND to_day IS NOT NULL THEN
    CASE WHEN 'year' IN (from_known, to_known) THEN 'year'
      WHEN 'month' IN (from_known, to_known) THEN 'month' ELSE 'day' END END
$$;
"""
DROP_KNOWN_BETWEEN = "DROP FUNCTION known_between(date, text, date, text);"
DROP_PARTIAL_DAYS = """
DROP FUNCTION only_keys(jsonb, text[]);
DROP FUNCTION days_between(date, text, date, text, int, int);
DROP FUNCTION last_day(date, text);
DROP FUNCTION first_day(date, text);
"""
DROP_FOLDED = "DROP FUNCTION folded_text(text);"

AUDIT_TRIGGERS = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit trail is append-only';
END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON registry_auditevent
  FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON registry_auditevent
  FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
"""

DROP_AUDIT_TRIGGERS = """
DROP TRIGGER audit_no_truncate ON registry_auditevent;
DROP TRIGGER audit_append_only ON registry_auditevent;
DROP FUNCTION audit_refuse();
"""

# Under the seals its rows are counted by a number; the key is a UUID.
CONTEXT_NUMBER = """
ALTER TABLE pghistory_context
  ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY UNIQUE;
"""
DROP_CONTEXT_NUMBER = "ALTER TABLE pghistory_context DROP COLUMN number;"

# In place of pghistory's function, which changes the row of a context that learns more:
# other metadata are another row. Only so can nobody rewrite who did something.
ATTACH_CONTEXT = """
CREATE OR REPLACE FUNCTION _pgh_attach_context() RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
  given uuid := nullif(current_setting('pghistory.context_id', true), '');
  said jsonb := nullif(current_setting('pghistory.context_metadata', true), '');
  attached uuid;
BEGIN
  IF given IS NULL OR said IS NULL THEN
    RETURN NULL;
  END IF;
  attached := encode(substr(
    sha256(convert_to(given::text || said::text, 'UTF8')), 1, 16), 'hex')::uuid;
  -- Looking first leaves no unused number for each further statement.
  IF NOT EXISTS (SELECT FROM public.pghistory_context WHERE id = attached) THEN
    INSERT INTO public.pghistory_context (id, metadata, created_at, updated_at)
    VALUES (attached, said, now(), now()) ON CONFLICT (id) DO NOTHING;
  END IF;
  RETURN attached;
END $$;
"""

APPEND_ONLY = """
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON {table}
  FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
"""
DROP_APPEND_ONLY = """
DROP TRIGGER audit_no_truncate ON {table};
DROP TRIGGER audit_append_only ON {table};
"""
