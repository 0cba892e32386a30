"""A real browser for tests: every error, every request to another host and every grave barrier fails the test."""

import shutil
import subprocess
from contextlib import contextmanager

import pytest
from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]  # it says no types
from django.test import Client
from django.urls import reverse
from playwright.sync_api import sync_playwright

from accounts.models import User
from tests.builders import PASSWORD

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

# Once a page has loaded, axe-core looks at it, and what it finds goes where the errors go; so do descriptions of which
# nothing is there.
LOOK = """
addEventListener("load", async () => {
  const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const found = await axe.run(document, {runOnly: rules, resultTypes: ["violations"]});
  for (const {id, impact, help, nodes} of found.violations)
    if (impact === "serious" || impact === "critical") {
      const where = nodes.slice(0, 5).map(node => node.html.slice(0, 200)).join(" ");
      console.error(`${location.pathname}: ${impact} ${id}: ${help}: ${where}`);
    }
  for (const part of document.querySelectorAll("[aria-describedby]:not([id*=__prefix__])"))
    for (const id of part.getAttribute("aria-describedby").split(" "))
      if (!document.getElementById(id))
        console.error(`${location.pathname}: none is #${id}, which describes a part`);
  window.looked = true;
});
"""


def pytest_collection_modifyitems(items):
    """Chromium is a program of the system, so it may be missing."""
    if BROWSER is None:
        for item in items:
            if "browse" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.skip(reason="no Chromium on this machine"))


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Where the one browser of these tests is reached: starting it costs more than most of them."""
    command = [str(BROWSER), "--headless=new", "--no-sandbox", "--remote-debugging-port=0", "--no-first-run"]
    command += [
        f"--disable-{part}" for part in ("gpu", "background-networking", "component-update", "extensions", "sync")
    ]
    command += ["--force-prefers-reduced-motion", f"--user-data-dir={tmp_path_factory.mktemp('browser')}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            said = process.stderr or ()
            yield next(line.split()[-1] for line in said if line.startswith("DevTools listening on"))
        finally:
            process.terminate()


@pytest.fixture
def browse(browser, live_server):
    """Open a page where the user is logged in, in a session of its own: an empty one, or home where `by_form` is said.

    Some walks are in the dark, which costs nothing: each kind of page is seen in both.

    Ask the database before and after, not within: the browser's event loop runs in this thread meanwhile.
    """

    @contextmanager
    def browse(username, colours="light", *, by_form=False, scripts=True):
        errors = []
        client = Client()
        if not by_form:
            client.force_login(User.objects.get(username=username))

        def check(request):
            if not request.url.startswith((live_server.url, "data:", "blob:", "about:")):
                errors.append(f"another host: {request.url}")

        with sync_playwright() as playwright:
            session = playwright.chromium.connect_over_cdp(browser).new_context(
                viewport={"width": 1400, "height": 900}, color_scheme=colours, java_script_enabled=scripts
            )
            session.add_init_script(script=AXE_SCRIPT + LOOK)
            session.add_cookies(
                [
                    {"name": name, "value": morsel.value, "url": live_server.url}
                    for name, morsel in client.cookies.items()
                ]
            )
            page = session.new_page()
            page.on("request", check)
            page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("response", lambda response: errors.append(response.url) if response.status >= 400 else None)
            if by_form:
                log_in(page, live_server, username)
            yield page
            if scripts:
                page.wait_for_function("window.looked")
            session.close()
        assert not errors, "\n".join(errors)

    return browse


def log_in(page, live_server, username):
    page.goto(live_server.url + reverse("admin:index"))
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector("text=Connections")
