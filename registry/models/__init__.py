from registry.models.audit import AuditEvent, Seal
from registry.models.centre import Centre, Membership
from registry.models.clinical import ClinicalQuerySet, ClinicalRecord
from registry.models.grant import DetailGrant
from registry.models.heartbeat import WorkerHeartbeat
from registry.models.mail import AskedMail
from registry.models.partly_known import PartlyKnownDays, partial_days
from registry.models.submission import Submission
from registry.models.token import ApiToken
from registry.models.user import User

__all__ = [
    "PartlyKnownDays",
    "partial_days",
    "ApiToken",
    "AskedMail",
    "AuditEvent",
    "Centre",
    "ClinicalQuerySet",
    "ClinicalRecord",
    "DetailGrant",
    "Membership",
    "Seal",
    "Submission",
    "User",
    "WorkerHeartbeat",
]
