"""Links of the README, as a package index shows them."""

from __future__ import annotations

import pytest

from package_readme import resolve_links

SITE = "https://docs.example/latest/"


@pytest.mark.parametrize(
    ("link", "on_site", "without_site"),
    [
        ("[a page](docs/errors.md)", "[a page](https://docs.example/latest/errors.html)", "a page"),
        ("[a job](docs/how-to/x.md)", "[a job](https://docs.example/latest/how-to/x.html)", "a job"),
        ("[a part](docs/errors.md#codes)", "[a part](https://docs.example/latest/errors.html#codes)", "a part"),
        ("![a page](docs/access.png)", "![a page](https://docs.example/latest/_images/access.png)", "a page"),
        ("[changes](CHANGELOG.md)", "[changes](https://docs.example/latest/changelog.html)", "changes"),
        ("[license](LICENSE)", "license", "license"),
        ("[httpx](https://httpx.example)", "[httpx](https://httpx.example)", "[httpx](https://httpx.example)"),
        ("[below](#install)", "[below](#install)", "[below](#install)"),
        ("`admin.users` (all)", "`admin.users` (all)", "`admin.users` (all)"),
    ],
)
def test_relative_links_lead_to_the_site(link: str, on_site: str, without_site: str) -> None:
    """A link to a page or a picture leads to the site; without a site, and to other files, only its text is kept."""
    assert resolve_links(f"See {link}.", SITE) == f"See {on_site}."
    assert resolve_links(f"See {link}.", None) == f"See {without_site}."
