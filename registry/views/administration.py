"""People, roles and centres; for administrators."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.decorators import reauthentication_required
from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db.models import Count, Prefetch, Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.decorators import method_decorator
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from django.views.decorators.http import require_POST

from registry import actions
from registry.link_tokens import INVITATION_DAYS
from registry.local_time import zone_names
from registry.models import Centre, Membership, User
from registry.permissions import Permission, Role, check

ViewFunction = Callable[..., HttpResponseBase]


def for_administrators(view: ViewFunction) -> ViewFunction:
    """403 for everybody else."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        check(request.user, Permission.ADMINISTER)  # type: ignore[arg-type]
        return view(request, *args, **kwargs)

    return checked


administers = method_decorator(for_administrators, name="dispatch")
reauthenticated = method_decorator(reauthentication_required, name="dispatch")


class PersonForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=150)
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        help_text=gettext_lazy("The person signs in with it."),
    )


class RoleForm(forms.Form):
    role = forms.ChoiceField(
        label=gettext_lazy("Role"), choices=Role.choices, widget=forms.RadioSelect
    )
    centre = forms.ModelChoiceField(
        Centre.objects.filter(is_active=True),
        label=gettext_lazy("Centre"),
        required=False,
        empty_label=gettext_lazy("Choose"),
        help_text=gettext_lazy("For surgeons and coordinators."),
    )


class TimeZoneField(forms.ChoiceField):
    """The clock of a centre; none is proposed, because it must not be overlooked."""

    def __init__(self) -> None:
        super().__init__(
            label=capfirst(gettext_lazy("time zone")),
            choices=[
                ("", gettext_lazy("Choose")),
                *((name, name.replace("_", " ")) for name in zone_names()),
            ],
            help_text=gettext_lazy("Decides which day is today there."),
        )


class CentreForm(forms.ModelForm):
    time_zone = TimeZoneField()

    class Meta:
        model = Centre
        fields = ["name", "code", "time_zone", "is_synthetic"]
        help_texts = {
            "code": gettext_lazy(
                "2 to 12 capital letters, digits or hyphens; it never changes."
            )
        }


class CentreChangeForm(forms.ModelForm):
    time_zone = TimeZoneField()

    class Meta:
        model = Centre
        fields = ["name", "time_zone", "is_active"]
        help_texts = {
            "is_active": gettext_lazy(
                "A closed centre keeps its cases; none are added."
            )
        }


def add_errors(form: forms.BaseForm, error: ValidationError) -> None:
    """Errors of an action at the fields of its form, the rest on top."""
    by_field = error.error_dict if hasattr(error, "error_dict") else {None: error}
    for name, errors in by_field.items():
        form.add_error(name if name in form.fields else None, errors)


@administers
class People(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        in_force = Membership.objects.filter(ended_at__isnull=True)
        people = User.objects.prefetch_related(
            Prefetch("memberships", in_force.select_related("centre"), "roles_in_force")
        )
        return render(request, "registry/people.html", {"people": people})


@administers
@reauthenticated
class PersonCreate(View):
    template = "registry/person_form.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, self.template, {"form": PersonForm()})

    def post(self, request: HttpRequest) -> HttpResponse:
        form = PersonForm(request.POST)
        if form.is_valid():
            try:
                person = actions.create_person(by=request.user, **form.cleaned_data)  # type: ignore[arg-type]
            except ValidationError as error:
                add_errors(form, error)
            else:
                messages.success(request, _("Added. Give a role, then send the link."))
                return redirect("administration:person", pk=person.pk)
        return render(request, self.template, {"form": form}, status=422)


@administers
@reauthenticated
class Person(View):
    """One person: roles in force and past, a link to set a password."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.page(request, pk, RoleForm())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = RoleForm(request.POST)
        person = get_object_or_404(User, pk=pk)
        if form.is_valid():
            try:
                actions.grant_role(by=request.user, person=person, **form.cleaned_data)  # type: ignore[arg-type]
            except ValidationError as error:
                add_errors(form, error)
            else:
                messages.success(request, _("The role was given."))
                return redirect("administration:person", pk=pk)
        return self.page(request, pk, form, status=422)

    def page(
        self, request: HttpRequest, pk: int, form: RoleForm, status: int = 200
    ) -> HttpResponse:
        person = get_object_or_404(User, pk=pk)
        memberships = person.memberships.select_related("centre", "ended_by")
        context = {
            "person": person,
            "form": form,
            "current": memberships.filter(ended_at__isnull=True),
            "past": memberships.filter(ended_at__isnull=False).order_by("-ended_at"),
        }
        return render(request, "registry/person.html", context, status=status)


@for_administrators
@require_POST
@reauthentication_required
def role_end(request: HttpRequest, pk: int) -> HttpResponse:
    membership = get_object_or_404(Membership, pk=pk)
    try:
        actions.end_role(by=request.user, membership=membership)  # type: ignore[arg-type]
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The role was ended."))
    return redirect("administration:person", pk=membership.user_id)


@for_administrators
@require_POST
@reauthentication_required
def person_active(request: HttpRequest, pk: int) -> HttpResponse:
    """Allow or stop sign-in."""
    person = get_object_or_404(User, pk=pk)
    is_active = request.POST.get("is_active") == "true"
    try:
        actions.set_active(by=request.user, person=person, is_active=is_active)  # type: ignore[arg-type]
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Saved."))
    return redirect("administration:person", pk=pk)


@for_administrators
@require_POST
@reauthentication_required
def person_invite(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the link with which a person sets a password; also shown once here."""
    person = get_object_or_404(User, pk=pk)
    try:
        path = actions.invite(by=request.user, person=person)  # type: ignore[arg-type]
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("administration:person", pk=pk)
    link = request.build_absolute_uri(path)
    sent = send_mail(
        _("Your access to the registry"),
        _("Set your password here, within %s days:") % INVITATION_DAYS + f"\n{link}\n",
        None,
        [person.email],
        fail_silently=True,
    )
    context = {"person": person, "link": link, "sent": bool(sent)}
    return render(request, "registry/person_invited.html", context)


@administers
class Centres(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(request, CentreForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = CentreForm(request.POST)
        if form.is_valid():
            try:
                actions.create_centre(by=request.user, **form.cleaned_data)  # type: ignore[arg-type]
            except ValidationError as error:
                add_errors(form, error)
            else:
                messages.success(request, _("The centre was added."))
                return redirect("administration:centres")
        return self.page(request, form, status=422)

    def page(
        self, request: HttpRequest, form: CentreForm, status: int = 200
    ) -> HttpResponse:
        in_force = Q(memberships__ended_at__isnull=True)
        people = Count("memberships__user", filter=in_force, distinct=True)
        context = {"centres": Centre.objects.annotate(people=people), "form": form}
        return render(request, "registry/centres.html", context, status=status)


@administers
class CentreChange(View):
    template = "registry/centre_form.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        centre = get_object_or_404(Centre, pk=pk)
        zone = {"time_zone": centre.time_zone or settings.TIME_ZONE}
        form = CentreChangeForm(instance=centre, initial=zone)
        return render(request, self.template, {"centre": centre, "form": form})

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        centre = get_object_or_404(Centre, pk=pk)
        form = CentreChangeForm(request.POST, instance=centre)
        if form.is_valid():
            actions.update_centre(by=request.user, centre=centre, **form.cleaned_data)  # type: ignore[arg-type]
            messages.success(request, _("Saved."))
            return redirect("administration:centres")
        context = {"centre": centre, "form": form}
        return render(request, self.template, context, status=422)
