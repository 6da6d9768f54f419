"""The documentation site: `make docs` builds it into docs/_build/html, warnings are errors."""

import sys
from pathlib import Path

from price_physics import __version__

sys.path.insert(0, str(Path(__file__).parent))
from pages import write_pages

project = "price_physics"
release = __version__
extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build", "_templates"]
templates_path = ["_templates"]
html_theme = "furo"
html_title = "price_physics"
html_copy_source = False
html_show_copyright = False
myst_heading_anchors = 3
# Types stand in the docstrings; signatures name those of libraries that are not documented here.
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False


write_pages(Path(__file__).parent / "generated")
