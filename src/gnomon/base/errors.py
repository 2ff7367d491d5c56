"""What can go wrong, by what the caller can do about it.

    GnomonError
    ├── InputError    the caller must change something (a name, a file, an option)
    ├── RetryLater    may succeed later without any change
    ├── Refused       policy says no: opt-out, budget, special-purpose address
    └── Broken        stop: corrupt store or our own bug

What happens on the *network* is never an exception: it is evidence.
"""


class GnomonError(Exception):
    """Root of all errors that Gnomon raises on purpose; the message is one sentence for a person."""


class InputError(GnomonError):
    """Something given by the user cannot be used; says what, where, and what to do."""


class RetryLater(GnomonError):
    """A resource is busy or gone for now; the same call may succeed later."""


class Refused(GnomonError):
    """Policy forbids it: opt-out list, budget, or a special-purpose address."""


class Broken(GnomonError):
    """Stored data contradicts itself, or Gnomon has a bug. Nothing was changed."""
