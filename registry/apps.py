from django.apps import AppConfig


class RegistryConfig(AppConfig):
    name = "registry"
    verbose_name = "Registry"

    def ready(self) -> None:
        # Receivers of sign-ins; the models must be loaded first.
        from registry import accounts, checks  # noqa: F401, PLC0415
