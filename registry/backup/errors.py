"""What may go wrong with a backup, in words for the person who keeps it."""


class BackupError(RuntimeError):
    """The backup was not made or not restored; the message says why and what to do."""
