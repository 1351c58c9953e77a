from importlib import import_module

from django.apps import AppConfig


class OutcomesConfig(AppConfig):
    name = "outcomes"
    verbose_name = "Outcomes"

    def ready(self) -> None:
        # Only now are the models there that receivers need.
        import_module("outcomes.receivers")
        import_module("outcomes.declared").declare()
