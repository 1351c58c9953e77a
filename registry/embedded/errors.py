"""What may go wrong with the embedded services, in words for the person who started."""


class ServiceError(RuntimeError):
    """A service could not be started; the message says why and what to do."""
