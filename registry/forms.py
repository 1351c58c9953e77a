"""Forms made from the described fields of a model.

A form says which fields stand in which order; label, unit, plausible range, definition
and rules come from the model field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from registry.fields import (
    DayField,
    Described,
    FlagField,
    MeasureField,
    MissingReason,
    MultiChoiceField,
    Need,
    WholeNumberField,
    WordsField,
)
from registry.form_layout import (
    Cell,
    Levels,
    Row,
    RowView,
    Score,
    Section,
    SectionView,
    names_in,
)
from registry.levels import LevelError, parse_level_range
from registry.reading import text_of_value, value_of_text

PARTIAL_HINT = _("Year or month if the day is not known: 2014, 2014-05.")
MOST_CHIPS = 5
LONG_WORDS = 500
YES_NO = [("true", _("Yes")), ("false", _("No"))]
MISSING_CHOICES = [("", _("Value known")), *MissingReason.choices]


class ManyChips(forms.CheckboxSelectMultiple):
    """Several of a list; the empty control beside the boxes is no choice."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        sent = super().value_from_datadict(data, files, name)
        return [code for code in sent or [] if code != ""]


def widget_of(field: Any) -> forms.Widget:
    """Chips for up to five values, a list for more, a plain text input otherwise."""
    if isinstance(field, MultiChoiceField):
        return ManyChips(choices=field.options.choices)
    if isinstance(field, FlagField):
        return forms.RadioSelect(choices=YES_NO)
    if field.choices:
        if len(field.flatchoices) <= MOST_CHIPS:
            return forms.RadioSelect(choices=field.flatchoices)
        return forms.Select(choices=[("", _("Choose")), *field.flatchoices])
    if isinstance(field, WordsField) and (field.max_length or 0) > LONG_WORDS:
        return forms.Textarea(attrs={"rows": 3})
    return forms.TextInput(attrs={"autocomplete": "off"})


class DescribedFormField(forms.Field):
    """The form field of one described model field; reads its text strictly."""

    def __init__(self, model_field: Any, widget: forms.Widget | None = None) -> None:
        super().__init__(
            required=False,
            label=capfirst(str(model_field.verbose_name)),
            widget=widget or widget_of(model_field),
            help_text=PARTIAL_HINT if isinstance(model_field, DayField) else "",
        )
        self.model_field = model_field
        self.must_answer = not model_field.null and not model_field.blank
        self.unit, self.definition = model_field.unit, model_field.definition
        self.plausible = "" if model_field.choices else model_field.plausible

    def clean(self, value: Any) -> Any:
        return value_of_text(self.model_field, value)

    def prepare_value(self, value: Any) -> Any:
        return text_of_value(value)


def missing_name(name: str) -> str:
    """Name of the control that says why a value is missing."""
    return f"missing__{name}"


class RecordForm(forms.Form):
    """Entry or correction of one row of ``model``.

    ``values()`` and ``missing()`` go to the action; what the action refuses comes back
    by ``add_refusal``. ``show_if`` maps a field to the rule of conditions.js that shows
    it. A correction changes what was sent and nothing else: a control that the browser
    did not send leaves its field as it is.
    """

    model: ClassVar[Any]
    sections: tuple[Section, ...] = ()
    show_if: ClassVar[Mapping[str, str]] = {}
    widths: ClassVar[Mapping[str, str]] = {}
    # Needed in some rows only, which other answers of the form decide.
    sometimes: ClassVar[frozenset[str]] = frozenset()
    # Fields of the model to which an error may refer although they are not asked here.
    error_places: ClassVar[Mapping[str, str]] = {}

    def __init__(
        self,
        data: Any = None,
        *,
        record: Any = None,
        initial: Mapping[str, Any] | None = None,
        prefix: str | None = None,
    ) -> None:
        self.record = record
        super().__init__(
            data=None if data is None else self.spread_levels(data),
            initial={**self.initial_values(), **(initial or {})},
            prefix=prefix,
        )
        self.add_fields()

    # --- making the fields

    def model_fields(self) -> dict[str, Any]:
        """The described model fields asked here, by name."""
        names = [
            name
            for section in self.sections
            for name in (*names_in(section.rows), *names_in(section.more))
        ]
        return {name: self.model._meta.get_field(name) for name in names}

    def add_fields(self) -> None:
        for name, model_field in self.model_fields().items():
            widget = self.roomy_widget(name)
            self.fields[name] = DescribedFormField(model_field, widget)
            if asks_reason(model_field):
                self.fields[missing_name(name)] = reason_field()

    def roomy_widget(self, name: str) -> forms.Widget | None:
        """Several lines for a text that came in with line breaks: a browser drops them
        from a single line."""
        held = getattr(self.record, name, None)
        return forms.Textarea(attrs={"rows": 3}) if "\n" in str(held) else None

    def initial_values(self) -> dict[str, Any]:
        if self.record is None:
            return {
                name: field.get_default()
                for name, field in self.model_fields().items()
                if field.has_default()
            }
        shown = {name: getattr(self.record, name) for name in self.model_fields()}
        reasons = getattr(self.record, "missing", {})
        return shown | {missing_name(name): why for name, why in reasons.items()}

    def spread_levels(self, data: Any) -> Any:
        """``Th5-7`` in the first level input fills both; one level alone counts twice."""
        spread = data.copy()
        for row in self.level_rows():
            alone = not str(data.get(row.bottom, "")).strip()
            typed = data.get(row.top, "")
            if alone and typed != getattr(self.record, row.top, None):
                spread[row.top], spread[row.bottom] = read_levels(str(typed))
        return spread

    # --- what was entered

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name in self.model_fields():
            companion = missing_name(name)
            if companion in self.errors:
                self.add_error(name, self.errors.pop(companion).as_data())
        return cleaned

    def values(self) -> dict[str, Any]:
        """Clean values by field name; without those that stay as they are: not sent,
        or as the other person saved them (``keep_<name>=theirs`` on the conflict page).
        """
        return {
            name: self.cleaned_data.get(name)
            for name in self.model_fields()
            if self.was_asked(name) and not self.keeps_theirs(name)
        }

    def was_asked(self, control: str) -> bool:
        """Whether the browser sent the control; a new row takes blank for not sent."""
        return self.record is None or control in self.data

    def missing(self) -> dict[str, str | None]:
        """Reason by field name; None where there is none."""
        reasons = {
            name: self.cleaned_data[missing_name(name)] or None
            for name in self.model_fields()
            if missing_name(name) in self.fields
            and self.was_asked(missing_name(name))
            and not self.keeps_theirs(name)
        }
        for row in self.level_rows():
            reasons.pop(row.bottom, None)
            if row.top in reasons and reasons[row.top] != self.reason_before(row.top):
                reasons[row.bottom] = reasons[row.top]
        return reasons

    def level_rows(self) -> Iterator[Levels]:
        for section in self.sections:
            for row in (*section.rows, *section.more):
                if isinstance(row, Levels):
                    yield row

    def reason_before(self, name: str) -> str | None:
        """The reason that the row had when the form was opened."""
        return self.initial.get(missing_name(name)) or None

    def keeps_theirs(self, name: str) -> bool:
        return self.data.get(f"keep_{name}") == "theirs"

    def place_of(self, name: str) -> str | None:
        """Where an error of the model's field stands; None is the top of the form."""
        place = self.error_places.get(name, name)
        return place if place in self.fields else None

    def add_refusal(self, error: ValidationError) -> None:
        """Put what an action refused at the fields it speaks of."""
        by_field = getattr(error, "error_dict", None) or {NON_FIELD_ERRORS: [error]}
        for name, errors in by_field.items():
            for item in errors:
                item.code = item.code or "invalid"  # as the API calls it
                self.add_error(self.place_of(name), item)

    # --- how it is drawn

    @property
    def section_views(self) -> list[SectionView]:
        return [self._section_view(section) for section in self.sections]

    def _section_view(self, section: Section) -> SectionView:
        names = [*names_in(section.rows), *names_in(section.more)]
        folded = [name for name in names_in(section.more) if name in self.fields]
        return SectionView(
            spec=section,
            rows=[self._row_view(row) for row in section.rows],
            more=[self._row_view(row) for row in section.more],
            more_open=any(
                name in self.errors
                or self[name].value() not in usual(self.fields[name])
                for name in folded
            ),
            errors=sum(name in self.errors for name in names),
        )

    def _row_view(self, row: Row) -> RowView:
        if isinstance(row, Levels):
            top = self._cell(row.top)
            cells = (top, self._cell(row.bottom))
            return RowView("levels", cells, row, top.missing, top.show_if)
        if isinstance(row, Score):
            items = tuple(self._cell(name) for name in row.items)
            return RowView("score", items, row, show_if=row.show_if)
        names = (row,) if isinstance(row, str) else row
        return RowView("cells", tuple(self._cell(name) for name in names))

    def _cell(self, name: str) -> Cell:
        field = self.fields[name]
        model_field = field.model_field  # type: ignore[attr-defined]
        companion = missing_name(name)
        return Cell(
            kind="date" if isinstance(model_field, DayField) else "field",
            field=self[name],
            missing=self[companion] if companion in self.fields else None,
            optional=model_field.need == Need.OPTIONAL or name in self.sometimes,
            show_if=self.show_if.get(name, ""),
            width=self.widths.get(name, default_width(field)),
        )


def read_levels(typed: str) -> tuple[str, str]:
    """Both levels of what was typed into the first input; unread text stays there."""
    try:
        return parse_level_range(typed[:80])
    except LevelError:
        return typed, ""


def asks_reason(model_field: Described) -> bool:
    """Needed fields ask why a value is missing; optional ones may just stay empty."""
    return bool(model_field.null) and model_field.need != Need.OPTIONAL  # type: ignore[attr-defined]


def reason_field() -> forms.ChoiceField:
    return forms.ChoiceField(choices=MISSING_CHOICES, required=False)


def usual(field: forms.Field) -> tuple[Any, ...]:
    """What a control holds that nobody touched."""
    model_field = getattr(field, "model_field", None)
    return (None, "", [], model_field.get_default() if model_field else None)


def default_width(field: forms.Field) -> str:
    """Numbers are short, lists middling, words long."""
    if isinstance(field.widget, forms.Select) and not isinstance(
        field.widget, forms.RadioSelect
    ):
        return "m"
    model_field = getattr(field, "model_field", None)
    return "s" if isinstance(model_field, MeasureField | WholeNumberField) else ""
