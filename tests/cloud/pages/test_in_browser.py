"""The cloud's pages in a real browser; with KINEBOX_PICTURES=FOLDER it keeps pictures for the docs."""

from __future__ import annotations

import asyncio
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from typer.testing import CliRunner

from cloud.api.admin import app as admin
from cloud.api.database import Database
from cloud.api.recommend_text import DISCLAIMERS
from cloud.api.texts import texts
from cloud.fleet.warned import refresh_warned
from tests.cloud.pages.site import PASSWORD, Site
from wire.messages import Birth, Health, encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud.ingest.writer import Writer

Visit = "Callable[..., Page]"
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True}
OWNER, TRAINER, MEMBER = "owner@example.org", "trainer@example.org", "member@example.org"


def picture(page: Page, name: str, *, whole: bool = False) -> None:
    """Keep a picture for the documentation, where one is asked for."""
    folder = os.environ.get("KINEBOX_PICTURES")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"cloud-{name}.png", full_page=whole)


def accessible(page: Page) -> None:
    """No violations of what axe can tell."""
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def fits(page: Page) -> None:
    """Nothing is wider than the window."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def sign_in(page: Page, email: str) -> None:
    page.goto("/")
    expect(page).to_have_url(re.compile("/sign-in"))
    page.get_by_label(re.compile("E-mail|이메일")).fill(email)
    page.get_by_label(re.compile("Password|비밀번호")).fill(PASSWORD)
    page.get_by_role("button", name=re.compile("Sign in|로그인")).click()
    expect(page).not_to_have_url(re.compile("sign-in"))


@pytest.fixture
def ann(site: Site, writer: Writer) -> str:
    """A person who squats less deep by and by, and lifts her arms higher."""
    for role, email in (("owner", OWNER), ("trainer", TRAINER), ("member", MEMBER)):
        site.user(role, email)  # type: ignore[arg-type]
    subject = site.enrol(
        OWNER, "people", ("record", "coach"), alias="Ann", birth_year=1968, height_m=1.68, weight_kg=64,
        goal="mobility", conditions=["knee_pain"],
    )  # fmt: skip
    squat = {"knee_rom": (112.0, 103.0), "hip_rom": (96.0, 95.0), "ankle_rom": (31.0, 30.0)}
    raise_ = {"shoulder_rom": (118.0, 139.0), "elbow_rom": (22.0, 22.0)}
    for exercise, ranges in (("squat", squat), ("lateral_raise", raise_)):
        both = {f"{key}_{side}": span for key, span in ranges.items() for side in ("left", "right")}
        site.train(writer, subject, "human", exercise, **both)
    return subject


@pytest.fixture
def rex(site: Site, ann: str, writer: Writer) -> str:
    """The member's dog."""
    subject = site.enrol(
        OWNER, "dogs", alias="Rex", breed="Labrador Retriever", born="2017-04-02", weight_kg=45, goal="mobility",
        conditions=["hip_dysplasia"], email=MEMBER,
    )  # fmt: skip
    site.train(writer, subject, "dog", "sit_to_stand_dog", weeks=3)
    return subject


def test_a_member_sees_their_dog_and_withdraws_consent(
    visit: Callable[..., Page], site: Site, rex: str
) -> None:
    page = visit()
    sign_in(page, MEMBER)
    expect(page).to_have_url(site.url + "/dogs")
    page.get_by_role("link", name="Rex").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Rex")
    for key in DISCLAIMERS:
        expect(page.get_by_test_id("disclaimers")).to_contain_text(texts("en").gettext(f"disclaimer.{key}"))
    advice = page.get_by_test_id("recommendations")
    expect(advice).to_contain_text("Short, slow walks on the leash")
    expect(advice).not_to_contain_text("Sit, then stand")  # hip dysplasia
    expect(page.get_by_text("The weight is well above that of the breed")).to_be_visible()
    accessible(page)
    picture(page, "dog")

    page.get_by_role("link", name="한국어").click()
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    for key in DISCLAIMERS:
        expect(page.get_by_test_id("disclaimers")).to_contain_text(texts("ko").gettext(f"disclaimer.{key}"))
    expect(advice).to_contain_text("짧고 느린 목줄 산책")
    accessible(page)
    page.goto("/dogs")  # the choice stays
    expect(page.get_by_role("heading", level=1)).to_have_text("반려견")
    page.get_by_role("link", name="English").click()
    page.get_by_role("link", name="Rex").click()

    with page.expect_download() as download:
        page.get_by_role("link", name="Export everything").click()
    assert "Labrador" in Path(download.value.path()).read_text()

    page.get_by_role("link", name="Withdraw consent…").click()
    accessible(page)
    picture(page, "revoke")
    page.get_by_role("button", name="Withdraw and delete").click()  # the browser asks for the tick
    expect(page).to_have_url(re.compile("revoke"))
    page.get_by_label("Yes, delete everything for good.").check()
    page.get_by_role("button", name="Withdraw and delete").click()
    expect(page).to_have_url(site.url + "/dogs")
    expect(page.get_by_text("There is no dog here")).to_be_visible()
    assert site.database.value("select count(*) from dogs") == 0
    assert (
        site.database.value("select count(*) from subjects where subject = %s and erased is not null", rex)
        == 1
    )
    page.goto(f"/dogs/{rex}")
    expect(page.get_by_role("heading", level=1)).to_have_text("That did not work")
    accessible(page)


def test_a_trainer_sees_whom_consent_lets_them(visit: Callable[..., Page], site: Site, ann: str) -> None:
    bob = site.enrol(OWNER, "people", ("record",), alias="Bob")
    page = visit(TRAINER)
    page.goto("/")
    expect(page).to_have_url(site.url + "/people")
    expect(page.get_by_role("link", name="Ann")).to_be_visible()
    expect(page.get_by_text("Bob")).to_have_count(0)
    expect(page.get_by_role("link", name="Boxes")).to_have_count(0)
    answer = page.goto(f"/people/{bob}")
    assert answer is not None
    assert answer.status == 404
    answer = page.goto("/fleet")
    assert answer is not None
    assert answer.status == 403
    expect(page.get_by_text("This page is for others.")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_person_with_trends(visit: Callable[..., Page], ann: str, language: str) -> None:
    page = visit(OWNER, locale={"en": "en-GB", "ko": "ko-KR"}[language])
    page.goto(f"/people/{ann}")
    words = texts(language)
    expect(page.locator("html[data-drawn='4']")).to_be_attached()
    expect(page.locator(".chart canvas")).to_have_count(4)
    squat = page.get_by_role("figure", name=words.gettext("exercise.squat"), exact=True)
    expect(squat).to_contain_text(words.gettext("direction.declining"))
    expect(page.get_by_test_id("recommendations")).to_contain_text(words.gettext("exercise.knee_extension"))
    accessible(page)
    fits(page)
    picture(page, f"person-{language}", whole=True)
    page.emulate_media(color_scheme="dark")
    accessible(page)
    expect(page.locator(".chart canvas")).to_have_count(4)  # drawn anew
    page.get_by_role("heading", name=words.gettext("trend.title")).evaluate("at => at.scrollIntoView()")
    picture(page, f"trends-{language}")


def test_on_a_phone(visit: Callable[..., Page], ann: str, rex: str) -> None:
    page = visit(OWNER, **PHONE, color_scheme="dark")
    for path in ("/people", f"/people/{ann}", f"/dogs/{rex}", f"/dogs/{rex}/revoke", "/account"):
        page.goto(path)
        fits(page)
        accessible(page)
        if path == f"/people/{ann}":
            expect(page.locator(".chart canvas")).to_have_count(4)
            picture(page, "phone")
    page.goto("/people")
    picture(page, "phone-people")


def test_an_invitation_is_accepted_and_a_password_changed(visit: Callable[..., Page], site: Site) -> None:
    environment = {
        "KINEBOX_DATABASE_URL": site.database.owner_url, "KINEBOX_API_PUBLIC_URL": site.url + "/"
    }  # fmt: skip
    made = CliRunner().invoke(
        admin, ["create-tenant", "acme", "Acme", "--owner", "eve@example.org"], env=environment
    )
    link = made.output.strip().splitlines()[-1]
    page = visit()
    page.goto(link)
    expect(page.get_by_label("Code of the invitation")).to_be_hidden()
    assert "#" not in page.url, "the token is in no history"
    accessible(page)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Accept the invitation").click()
    expect(page).to_have_url(site.url + "/people")
    page.get_by_role("link", name="Account").click()
    expect(page.get_by_text("eve@example.org")).to_be_visible()
    accessible(page)
    picture(page, "account")
    page.get_by_label("Password until now").fill("wrong")
    page.get_by_label("New password").fill("another long password")
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_role("alert")).to_have_text("The old password is wrong.")
    page.get_by_label("Password until now").fill(PASSWORD)
    page.get_by_label("New password").fill("another long password")
    page.get_by_role("button", name="Change it").click()
    expect(page).to_have_url(re.compile("/sign-in"))
    accessible(page)
    picture(page, "sign-in")
    page.goto(link)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Accept the invitation").click()
    expect(page.get_by_role("alert")).to_contain_text("used already")


def test_without_javascript(visit: Callable[..., Page], site: Site, ann: str) -> None:
    page = visit(java_script_enabled=False)
    sign_in(page, OWNER)
    page.goto(f"/people/{ann}")
    page.get_by_text("As a table").first.click()
    expect(page.get_by_role("columnheader", name="Week from").first).to_be_visible()
    expect(page.get_by_test_id("recommendations")).to_be_visible()
    page.goto("/account")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/sign-in"))
    page.goto("/people")
    expect(page).to_have_url(re.compile("/sign-in"))


def test_by_keyboard(visit: Callable[..., Page], ann: str) -> None:
    page = visit()
    page.goto("/sign-in")
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("E-mail address")).to_be_focused()
    page.keyboard.type(OWNER)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("People")


@pytest.fixture
def fleet(site: Site, writer: Writer) -> None:
    """Two sites: one whose light got worse, and a box that is hot and has a full outbox."""
    site.user("fleet_operator", "ops@example.org")
    database = site.database
    boxes = [("hall", f"hall-{n}") for n in range(3)] + [("pool", f"pool-{n}") for n in range(2)]
    for number, (where, name) in enumerate(boxes):
        address = database.enrol(name, site=where)
        birth = Birth(
            device=address.device,
            boot=address.device,
            software="0.9.1",
            models={"pose": "blazepose-int8"},
            started=None,
        )
        bad = number == 1
        health = Health(
            device=address.device, boot=address.device, at=None, uptime_s=90_000.0, confidence=0.9,
            camera="live" if number < 4 else "black", fps=6.5 if bad else 29.8, dropped=4 + number,
            outbox_rows=5210 if bad else number, outbox_bytes=9_000, outbox_hours=14.5 if bad else 0.1,
            disk_free_mb=20_000.0, cpu_c=86.0 if bad else 58.0 + number,
        )  # fmt: skip
        writer.write([(address.topic("birth"), encode(birth)), (address.topic("health"), encode(health))])
        database.rows(
            "update devices set name = %s, available = 'online' where device = %s", name, address.device
        )
    database.rows(
        """insert into site_confidence_1d (tenant_id, site_id, day, boxes, confidence)
           select s.tenant_id, s.id, (now() at time zone 'UTC')::date - age, 3,
                  case when s.slug = 'pool' and age < 8 then 0.71 else 0.88 end + 0.008 * (age %% 3)
           from sites s, generate_series(1, 35) age where s.slug in ('hall', 'pool')"""
    )
    operator, digest = "ops@example.org", "0123456789abcdef" * 4
    release = {"role": "pose", "name": "blazepose", "version": "2", "sha256": digest}
    site.ask(operator, "POST", "/api/releases", json=release)
    database.rows(
        """insert into rollouts (tenant_id, release_id, state, reason, share, metric, min_gain, min_hours, max_hours)
           select tenant_id, id, 'rolled_back', 'health_worse', 0.1, 'confidence', 0.05, 24, 400 from releases"""
    )
    looking = _look_through(database.api_url, database.value("select id from tenants"))
    with ThreadPoolExecutor(1) as aside:  # the browser has this thread's event loop
        aside.submit(asyncio.run, looking).result()


async def _look_through(url: str, tenant_id: int) -> None:
    """What the API's keeper does once a minute."""
    pool = Database(url, 1)
    await pool.open()
    try:
        async with pool.tenant(tenant_id) as db:
            await refresh_warned(db)
    finally:
        await pool.close()


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_fleet_with_warnings_first(visit: Callable[..., Page], fleet: None, language: str) -> None:
    page = visit("ops@example.org", locale={"en": "en-GB", "ko": "ko-KR"}[language])
    page.goto("/")
    expect(page).to_have_url(re.compile("/fleet"))
    words = texts(language)
    rows = page.get_by_test_id("boxes").locator("tbody tr")
    expect(rows).to_have_count(5 + 1)  # and the first box of the tenant
    warned = [bool(rows.nth(n).locator("ul .chip").count()) for n in range(6)]
    assert warned == sorted(warned, reverse=True)
    expect(rows.filter(has_text="hall-1")).to_contain_text(words.gettext("warning.hot"))
    expect(rows.filter(has_text="pool-1")).to_contain_text(words.gettext("warning.camera_not_live"))
    expect(rows.filter(has_text="hall-0")).to_contain_text("blazepose-int8")
    expect(page.get_by_text(words.gettext("fleet.drifted"), exact=True)).to_have_count(1)
    expect(page.get_by_text(words.gettext("rollout.rolled_back"), exact=True)).to_be_visible()
    expect(page.locator(".chart canvas")).to_have_count(1)
    accessible(page)
    fits(page)
    picture(page, f"fleet-{language}")
    page.set_viewport_size({"width": 390, "height": 844})
    fits(page)
    accessible(page)
