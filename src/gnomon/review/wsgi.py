"""What the server loads: the workspace of the directory that GNOMON_DATA names."""

import os
from pathlib import Path

from django.core.wsgi import get_wsgi_application

from gnomon.review.instance import configure

configure(Path(os.environ["GNOMON_DATA"]))
application = get_wsgi_application()
