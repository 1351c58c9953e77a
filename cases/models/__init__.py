from cases.models.case import Case
from cases.models.draft import Draft
from cases.models.mri import MriStudy
from cases.models.operation import Complication, Operation
from cases.models.patient import Patient, PatientIdentity

__all__ = [
    "Case",
    "Complication",
    "Draft",
    "MriStudy",
    "Operation",
    "Patient",
    "PatientIdentity",
]
