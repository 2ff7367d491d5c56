"""What the server loads: the workspace of the directory that GNOMON_DATA names."""

import os
from contextlib import suppress
from pathlib import Path

from django.core.wsgi import get_wsgi_application

from gnomon.base import InputError
from gnomon.review.instance import configure

configure(Path(os.environ["GNOMON_DATA"]))
application = get_wsgi_application()

from gnomon.review.zones.queries import current_run, measurements_of, rules  # noqa: E402 - needs Django configured

# The first reader does not wait for the checks to be read and the run to be opened.
rules()
with suppress(InputError):
    if (run := current_run()) is not None:
        measurements_of(run)
