"""Settings of the documentation site, which scripts/docs builds."""

import sys
from pathlib import Path
from typing import Any

from pinecone_admin import __version__

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "pinecone-admin"
author = "the authors of pinecone-admin"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "code_width",
    "commands",
    "links",
    "navigation",
    "reference",
    "search",
    "tables",
]
exclude_patterns = ["_extensions"]
nitpicky = True
nitpick_ignore_regex = [
    # other packages have other sites
    ("py:class", r"(collections\.abc|contextlib|datetime|httpx|os|ssl|types)\..*|timedelta"),
    ("py:class", r"T|.*\._T(_co)?"),  # type variables
    ("py:class", r"pinecone_admin\.(emulator\.(api|control|model)|workflows\.desired_state)\..*"),  # private
]
default_role = "code"
smartquotes_action = "D"  # dashes, which Sphinx writes as hyphens after the name of a parameter, and no quotes

html_theme = "furo"
pygments_dark_style = "github-dark"  # that of the theme underlines the names of modules, as links
html_title = f"pinecone-admin {__version__}"
html_last_updated_fmt = "%Y-%m-%d"  # of the build, or of the commit that scripts/docs names
html_favicon = "_static/favicon.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_theme_options: dict[str, Any] = {"top_of_page_buttons": []}
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False

myst_heading_anchors = 4

add_module_names = False
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
napoleon_use_ivar = True
napoleon_use_rtype = False
