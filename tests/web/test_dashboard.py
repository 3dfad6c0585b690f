"""The built dashboard and the page in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web.box import Box

SCRIPT = "console.log('kinebox');" * 200


def build(box: Box) -> Path:
    static = box.store.path.parent / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<!doctype html><title>Kinebox</title>")
    (static / "assets" / "index-B1x2.js").write_text(SCRIPT)
    (static.parent / "secret.txt").write_text("secret")
    return static


def test_it_can_be_built_while_the_box_runs(box: Box) -> None:
    with box.client() as http:
        before = http.get("/")
        assert (before.status_code, before.headers["cache-control"]) == (503, "no-store")
        assert "make setup" in before.text
        build(box)
        after = http.get("/")
    assert (after.status_code, "<title>Kinebox</title>" in after.text) == (200, True)


def test_caching(box: Box) -> None:
    build(box)
    with box.client() as http:
        page, script = http.get("/"), http.get("/assets/index-B1x2.js")
        again = http.get("/", headers={"if-none-match": page.headers["etag"]})
        head = http.head("/")
    assert page.headers["cache-control"] == "no-cache"
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["content-encoding"] == "gzip"
    assert script.text == SCRIPT
    assert (again.status_code, again.headers["cache-control"]) == (304, "no-cache")
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/nothing.js",
        "/assets/nothing.js",
        "/assets",
        "/%00",
        "/" + "x" * 300,
        "/api",
        "/api/v1/nothing",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/..%5csecret.txt",
        "//etc/passwd",
    ],
)
def test_what_is_not_there(box: Box, path: str) -> None:
    build(box)
    with box.client() as http:
        response = http.get(box.url + path)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_a_link_out_of_the_folder_is_not_followed(box: Box) -> None:
    static = build(box)
    (static / "leak.txt").symlink_to(static.parent / "secret.txt")
    with box.client() as http:
        assert http.get("/leak.txt").status_code == 404
