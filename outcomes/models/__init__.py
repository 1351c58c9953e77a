from outcomes.models.recurrence import Recurrence
from outcomes.models.visit import Visit
from outcomes.models.vital import VitalStatus

__all__ = ["Recurrence", "Visit", "VitalStatus"]
