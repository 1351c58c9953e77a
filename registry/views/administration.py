"""People, roles, centres and the audit trail; for administrators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from django.views.decorators.http import require_POST

from registry import actions, audit
from registry.invitations import invitation_link
from registry.models import AuditEvent, Centre, Membership, User
from registry.permissions import Permission, Role, check

ViewFunction = Callable[..., HttpResponse]


def for_administrators(view: ViewFunction) -> ViewFunction:
    """403 for everybody else."""

    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
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
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Role.choices)
    centre = forms.ModelChoiceField(
        Centre.objects.filter(is_active=True),
        label=gettext_lazy("Centre"),
        required=False,
        help_text=gettext_lazy("For surgeons and coordinators."),
    )


class CentreForm(forms.ModelForm):
    class Meta:
        model = Centre
        fields = ["code", "name", "is_synthetic"]


class CentreChangeForm(forms.ModelForm):
    class Meta:
        model = Centre
        fields = ["name", "is_active"]


def add_errors(form: forms.BaseForm, error: ValidationError) -> None:
    """Errors of an action at the fields of its form, the rest on top."""
    by_field = error.error_dict if hasattr(error, "error_dict") else {None: error}
    for name, errors in by_field.items():
        form.add_error(name if name in form.fields else None, errors)


@administers
class People(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        people = User.objects.prefetch_related("memberships__centre")
        return render(request, "registry/people.html", {"people": people})


@reauthenticated
@administers
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
                return redirect("administration:person", pk=person.pk)
        return render(request, self.template, {"form": form}, status=422)


@reauthenticated
@administers
class Person(View):
    """One person: roles in force and past, a link to set a password."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.page(request, pk, RoleForm())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = RoleForm(request.POST)
        if form.is_valid():
            try:
                actions.grant_role(
                    by=request.user,  # type: ignore[arg-type]
                    person=get_object_or_404(User, pk=pk),
                    **form.cleaned_data,
                )
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
            "past": memberships.filter(ended_at__isnull=False),
        }
        return render(request, "registry/person.html", context, status=status)


@require_POST
@reauthentication_required
@for_administrators
def role_end(request: HttpRequest, pk: int) -> HttpResponse:
    membership = get_object_or_404(Membership, pk=pk)
    try:
        actions.end_role(by=request.user, membership=membership)  # type: ignore[arg-type]
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The role was ended."))
    return redirect("administration:person", pk=membership.user_id)


@require_POST
@reauthentication_required
@for_administrators
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


@require_POST
@reauthentication_required
@for_administrators
def person_invite(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the link with which a person sets a password; also shown once here."""
    person = get_object_or_404(User, pk=pk, is_active=True)
    link = request.build_absolute_uri(invitation_link(person))
    send_mail(
        _("Your access to the registry"),
        _("Set your password here, within one hour:") + f"\n{link}\n",
        None,
        [person.email],
        fail_silently=True,
    )
    audit.record("person.invited", actor=request.user, target=f"person:{person.pk}")
    context = {"person": person, "link": link}
    return render(request, "registry/person_invited.html", context)


@administers
class Centres(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(request, CentreForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = CentreForm(request.POST)
        if form.is_valid():
            actions.create_centre(by=request.user, **form.cleaned_data)  # type: ignore[arg-type]
            messages.success(request, _("The centre was added."))
            return redirect("administration:centres")
        return self.page(request, form, status=422)

    def page(
        self, request: HttpRequest, form: CentreForm, status: int = 200
    ) -> HttpResponse:
        centres = Centre.objects.annotate(
            people=Count(
                "memberships__user",
                filter=Q(memberships__ended_at__isnull=True),
                distinct=True,
            )
        )
        context = {"centres": centres, "form": form}
        return render(request, "registry/centres.html", context, status=status)


@administers
class CentreChange(View):
    template = "registry/centre_form.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        centre = get_object_or_404(Centre, pk=pk)
        form = CentreChangeForm(instance=centre)
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


@administers
class AuditTrail(View):
    """The newest events first; an action or a target narrows them."""

    def get(self, request: HttpRequest) -> HttpResponse:
        action = request.GET.get("action", "")[:60].replace("\x00", "")
        target = request.GET.get("target", "")[:120].replace("\x00", "")
        events = AuditEvent.objects.order_by("-pk")
        if action:
            events = events.filter(action=action)
        if target:
            events = events.filter(target=target)
        page = Paginator(events, 50).get_page(request.GET.get("page"))
        people = User.objects.in_bulk({event.actor_id for event in page} - {None})
        rows = [(event, people.get(event.actor_id or 0)) for event in page]
        known = AuditEvent.objects.order_by("action").values_list("action", flat=True)
        context = {
            "page": page,
            "rows": rows,
            "action": action,
            "target": target,
            "actions": known.distinct(),
            "here": reverse("administration:audit"),
        }
        return render(request, "registry/audit.html", context)
