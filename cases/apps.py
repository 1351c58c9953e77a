from importlib import import_module

from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "cases"
    verbose_name = "Cases"

    def ready(self) -> None:
        # Only now are the models there that the rules speak of.
        rules, declared = import_module("registry.rules"), import_module("cases.rules")
        rules.add_kinds(*declared.KINDS)
        rules.add_rules(*declared.RULES)
