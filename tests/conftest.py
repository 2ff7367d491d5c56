"""Puts this folder on the path: `worlds` is shared by the tests of several packages."""
