"""Sphinx settings; build with `python3 run.py docs`, needs no network."""

import shutil
import sys
import types
import typing
from importlib.metadata import version as installed
from pathlib import Path

import sphinx.util.inspect
import sphinx.util.typing
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS / "_extensions"))
sys.path.insert(0, str(DOCS.parent))  # lists of mutations are read by tests
shutil.rmtree(DOCS / "reference" / "api", ignore_errors=True)  # none stale

project = "kafkasim"
author = "kafkasim contributors"
copyright = "kafkasim contributors, Apache-2.0"
version = release = installed("kafkasim")

extensions = [
    "gallery",
    "lessons",
    "mutations",
    "settings",
    "unmodelled",
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "sphinx_design",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_extensions", "_templates"]
default_role = "literal"  # `name` in a docstring is code

autosummary_generate = True
autosummary_ignore_module_all = False
autosummary_imported_members = True
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
python_maximum_signature_line_length = 80
viewcode_follow_imported_members = True

myst_enable_extensions = ["attrs_block", "colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "force"  # every example is run, at every build
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_execution_excludepatterns = [  # committed with their outputs
    "tutorial/[0-9]*.ipynb",
    "ko/[0-9]*.ipynb",
]
nb_ipywidgets_js: dict[str, typing.Any] = {}  # no script from elsewhere

html_theme = "pydata_sphinx_theme"
html_title = "kafkasim"
html_show_sourcelink = False
html_show_search_summary = False  # a page read from a folder may not fetch others
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_context = {"default_mode": "auto"}
html_theme_options = {
    "header_links_before_dropdown": 6,
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
}


def _without_rules(
    subject: object,
    names: dict[str, typing.Any] | None = None,
    local_names: dict[str, typing.Any] | None = None,
    **_: object,
) -> dict[str, typing.Any]:
    """Return annotations without the rules a field is checked by (`Annotated`)."""
    return typing.get_type_hints(subject, names, local_names)  # type: ignore[arg-type]


_typing = types.SimpleNamespace(**vars(typing) | {"get_type_hints": _without_rules})
for module in (sphinx.util.inspect, sphinx.util.typing):  # Sphinx alone reads them so
    vars(module)["typing"] = _typing


def _builtin_type(_: object, doctree: nodes.document) -> None:
    """Let `type` in a signature be Python's, not that of an exchange or a queue."""
    for reference in doctree.findall(addnodes.pending_xref):
        if reference.get("refdomain") == "py" and reference.get("reftarget") == "type":
            reference.replace_self(reference.children)


def _language_of_page(
    _: Sphinx, page: str, template: str, context: dict[str, typing.Any], *more: object
) -> None:
    """Let a page say its language, by which a screen reader chooses its voice."""
    del template, more
    if page.startswith("ko/"):
        context["language"] = "ko"


def setup(app: Sphinx) -> None:
    """Tell Sphinx what is done with each page that was read."""
    app.connect("doctree-read", _builtin_type)
    app.connect("html-page-context", _language_of_page)
