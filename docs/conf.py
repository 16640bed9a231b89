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
    "code_width",
    "links",
    "long_names",
    "names",
    "navigation",
    "search",
    "tables",
]
exclude_patterns = ["_extensions"]
nitpicky = True
smartquotes = False

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
html_use_index = False  # of names, which the reference lists by what they are for
html_show_copyright = False
html_show_sphinx = False

myst_heading_anchors = 4
