"""What the pages' answers are made of: cookies, redirects, headers and languages. Browsers: tests/cloud/pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from cloud.api.app import create_app
from cloud.api.who import ACCESS_COOKIE
from tests.cloud.api.conftest import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud.api.settings import Settings
    from tests.cloud.api.conftest import Cloud

REFRESH_COOKIE = "kinebox_refresh"
ORIGIN = {"origin": "http://testserver"}


@pytest.fixture
def browser(cloud: Cloud) -> TestClient:
    """Somebody's browser: keeps cookies, follows nothing by itself."""
    return TestClient(cloud.app, follow_redirects=False, headers={"accept-language": "en"})


@pytest.fixture
def email(cloud: Cloud) -> str:
    """The address of an owner with PASSWORD."""
    made = cloud.user().ask("POST", "/api/users", 201, json={"email": "ann@example.org", "role": "owner"})
    token = made["link"].partition("#")[2]
    cloud.nobody.post("/api/auth/accept", json={"token": token, "password": PASSWORD})
    return "ann@example.org"


def enter(browser: TestClient, email: str, **more: str) -> Any:
    return browser.post("/sign-in", data={"email": email, "password": PASSWORD} | more, headers=ORIGIN)


def test_nobody_is_asked_to_sign_in_and_comes_back(browser: TestClient, email: str) -> None:
    asked = browser.get("/people/0d0f0000-0000-0000-0000-000000000000")
    assert (asked.status_code, asked.headers["location"]) == (
        303, "/sign-in?next=%2Fpeople%2F0d0f0000-0000-0000-0000-000000000000"
    )  # fmt: skip
    page = browser.get(asked.headers["location"])
    assert 'name="next" value="/people/0d0f0000-0000-0000-0000-000000000000"' in page.text
    assert enter(browser, email, next="/fleet").headers["location"] == "/fleet"


@pytest.mark.parametrize(
    "where",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/a/../b",
        "javascript:x",
        "/x\r\nset-cookie:a=b",
    ],
)
def test_a_link_leads_nowhere_else(browser: TestClient, email: str, where: str) -> None:
    assert enter(browser, email, next=where).headers["location"] == "/"
    assert browser.get("/sign-in", params={"next": where}).headers["location"] == "/"


def test_no_script_reads_the_cookies(
    settings: Callable[..., Settings], cloud: Cloud, browser: TestClient, email: str
) -> None:
    cookies = enter(browser, email).headers.get_list("set-cookie")
    assert len(cookies) == 2
    assert all("HttpOnly" in one and "SameSite=strict" in one and "Secure" not in one for one in cookies)
    app = create_app(settings(public_url="https://cloud.example.org"))
    with TestClient(app, base_url="https://cloud.example.org", follow_redirects=False) as secure:
        answer = secure.post("/sign-in", data={"email": email, "password": PASSWORD})
    assert all("Secure" in one for one in answer.headers.get_list("set-cookie"))


def test_an_ended_access_token_is_exchanged_unseen(browser: TestClient, email: str) -> None:
    enter(browser, email)
    first = browser.cookies[REFRESH_COOKIE]
    browser.cookies.delete(ACCESS_COOKIE)
    assert browser.get("/account").status_code == 200
    assert browser.cookies[REFRESH_COOKIE] != first
    assert browser.cookies[ACCESS_COOKIE]
    assert browser.get("/account").headers.get("set-cookie") is None


def test_signing_out_ends_both(cloud: Cloud, browser: TestClient, email: str) -> None:
    enter(browser, email)
    refresh = browser.cookies[REFRESH_COOKIE]
    assert browser.post("/sign-out", headers=ORIGIN).headers["location"] == "/sign-in"
    assert dict(browser.cookies) == {}
    assert cloud.nobody.post("/api/auth/refresh", json={"refresh_token": refresh}).status_code == 401
    browser.cookies.set(REFRESH_COOKIE, refresh)
    answer = browser.get("/people")
    assert answer.status_code == 303
    assert f'{REFRESH_COOKIE}=""' in str(answer.headers.get_list("set-cookie")), (
        "what is no good is taken back"
    )


def test_another_password_signs_out_here_too(browser: TestClient, email: str) -> None:
    enter(browser, email)
    browser.cookies.delete(ACCESS_COOKIE)  # the answer would also bring the next tokens
    change = {"old": PASSWORD, "new": "another long password"}
    assert browser.post("/account/password", data=change, headers=ORIGIN).headers["location"] == "/sign-in"
    assert dict(browser.cookies) == {}
    short = browser.post("/account/password", data=change, headers=ORIGIN)
    assert short.headers["location"].startswith("/sign-in")


def test_a_user_who_was_removed_is_asked_to_sign_in(cloud: Cloud, browser: TestClient, email: str) -> None:
    enter(browser, email)
    cloud.database.rows("delete from users where email = %s", email)
    assert browser.get("/account").headers["location"] == "/sign-in?next=%2Faccount"
    assert browser.get("/sign-in?next=/account").status_code == 200


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/accept", "/account/password"])
def test_forms_of_other_sites_are_refused(browser: TestClient, email: str, path: str) -> None:
    enter(browser, email)
    answer = browser.post(
        path, data={"email": email, "password": PASSWORD}, headers={"origin": "https://evil.example"}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")


def test_a_wrong_password_is_told_and_the_address_kept(browser: TestClient, email: str) -> None:
    answer = browser.post("/sign-in", data={"email": email, "password": "wrong"}, headers=ORIGIN)
    assert answer.status_code == 401
    assert "Address or password is wrong." in answer.text
    assert f'value="{email}"' in answer.text
    for _ in range(10):
        answer = browser.post("/sign-in", data={"email": email, "password": "wrong"}, headers=ORIGIN)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    assert "Too many tries" in answer.text


def test_what_people_type_is_text(browser: TestClient) -> None:
    answer = browser.post("/sign-in", data={"email": '"><script>x</script>', "password": "x"}, headers=ORIGIN)
    assert "<script>x" not in answer.text
    assert "&lt;script&gt;" in answer.text


@pytest.mark.parametrize(("method", "path"), [
    ("GET", "/people/nobody"), ("GET", "/dogs/0d0f0000-0000-0000-0000-000000000000"), ("GET", "/people?after=-1"),
    ("GET", "/people/0d0f0000-0000-0000-0000-000000000000/revoke"),
    ("POST", "/people/0d0f0000-0000-0000-0000-000000000000/revoke"),
])  # fmt: skip
def test_what_is_not_there_is_a_page(browser: TestClient, email: str, method: str, path: str) -> None:
    enter(browser, email)
    answer = browser.request(method, path, headers=ORIGIN)
    assert answer.status_code == 404
    assert "There is no such page" in answer.text


def test_revoking_needs_the_tick_and_a_right_to(cloud: Cloud, browser: TestClient, email: str) -> None:
    from cloud.api.profile import catalogue

    enter(browser, email)
    consent = {"version": catalogue().consent.version, "purposes": ["record", "coach"]}
    subject = cloud.user().ask("POST", "/api/people", 201, json={"consent": consent})["subject"]
    path = f"/people/{subject}/revoke"
    answer = browser.post(path, headers=ORIGIN)
    assert (answer.status_code, "Tick the box" in answer.text) == (422, True)
    trainer = cloud.user("trainer", email="tom@example.org")
    cloud.database.rows(
        "update people set user_id = (select id from users where email = %s) "
        "where subject_id = (select id from subjects where subject = %s)", email, subject,
    )  # fmt: skip
    assert "Withdraw consent…" not in trainer.get(f"/people/{subject}").text
    assert trainer.post(path, data={"sure": "yes"}).status_code == 403
    assert browser.post(path, data={"sure": "yes"}, headers=ORIGIN).headers["location"] == "/people"
    assert cloud.database.value("select count(*) from people") == 0


def test_languages(browser: TestClient) -> None:
    def language(**more: Any) -> str:
        answer = browser.get("/sign-in", **more)
        found = re.search('<html lang="(..)">', answer.text)
        assert found
        assert answer.headers["content-language"] == found[1]
        return found[1]

    assert language() == "en"
    assert language(headers={"accept-language": "ko-KR,ko;q=0.9,en;q=0.8"}) == "ko"
    assert language(headers={"accept-language": "fr"}) == "en"
    assert language(params={"lang": "xx"}) == "en"
    assert "kinebox_language" not in browser.cookies
    assert language(params={"lang": "ko"}) == "ko"
    assert language() == "ko", "the choice stays"
    assert language(params={"lang": "en"}) == "en"


def test_pages_load_nothing_from_elsewhere(browser: TestClient, email: str) -> None:
    enter(browser, email)
    for path in ("/people", "/dogs", "/fleet", "/account", "/accept"):
        answer = browser.get(path)
        assert answer.status_code == 200, answer.text
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        for address in re.findall(r'(?:src|href|action)="([^"]+)"', answer.text):
            assert address.startswith(("/", "?", "#")), address
            if address.startswith("/static/"):
                file = browser.get(address)
                assert file.status_code == 200
                assert "immutable" in file.headers["cache-control"]


@pytest.mark.parametrize(
    "name", ["nothing.css", "../render.py", "%2e%2e/render.py", "..%2f..%2fsettings.py", ""]
)
def test_only_files_of_the_folder(browser: TestClient, name: str) -> None:
    assert browser.get(f"/static/{name}").status_code == 404


def test_without_the_database_a_page_says_so(settings: Callable[..., Settings]) -> None:
    from cloud.api import database

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "WAIT_S", 0.3)
        app = create_app(settings(KINEBOX_DATABASE_URL="postgresql://nobody@127.0.0.1:9/none"))
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.post("/sign-in", data={"email": "a@example.org", "password": "x"})
    assert answer.status_code == 503
    assert "The database does not answer" in answer.text
