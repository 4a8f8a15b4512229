"""Pages hold the engine's numbers, and a real browser steps through all of them."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

import autograd as ag
from autograd.drawing.numbers import summary
from tests.autograd.drawing import graphs

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")


def data_of(page):
    text = str(page)
    start = text.index('id="data">') + len('id="data">')
    return json.loads(text[start : text.index("</script>", start)])


def after_all_steps(data):
    """The table when every update of every step has been made."""
    cells = [{} for _ in data["nodes"]]
    for sweep in data["sweeps"]:
        for step in sweep["steps"]:
            for update in step["updates"]:
                cells[update["node"]][update["column"]] = update["text"]
    return cells


def test_the_steps_of_a_textbook():
    w1, w2, out = graphs.waves()
    data = data_of(ag.draw_html(out, tangents={w1: 1.0}))
    evaluation, forward, reverse = (
        [step["text"] for step in sweep["steps"]] for sweep in data["sweeps"]
    )
    assert evaluation == [
        "w1 = 1",
        "w2 = 2",
        "v2 = w1 * w2 = 2",
        "v3 = sin(v2) = 0.9093",
        "v4 = w1 * w1 = 1",
        "v5 = v3 + v4 = 1.909",
    ]
    assert forward[2:4] == ["dv2 = w2 dw1 = 2 * 1 = 2", "dv3 = cos(v2) dv2 = -0.4161 * 2 = -0.8323"]
    assert reverse[0] == "adj(v5) = 1: the sweep starts here"
    assert reverse[3] == "adj(v2) += cos(v2) adj(v3) = -0.4161 * 1 = -0.4161"
    assert w2 is not None


def test_the_last_step_leaves_the_engines_numbers():
    net, out = graphs.network(2)
    weights = {p: np.ones(p.shape, np.float32) for p in net.parameters()}
    data = data_of(ag.draw_html(out, tangents=weights))
    for node, cell in zip(data["nodes"], after_all_steps(data), strict=True):
        for column in ("value", "tangent"):
            assert cell[column] == node[column]
        assert cell.get("adjoint", "0") == node["adjoint"]
    out.backward()
    shown = {node["adjoint"] for node in data["nodes"] if node["kind"] == "leaf"}
    assert shown == {summary(p.grad.data) for p in net.parameters()}


def test_a_page_is_one_file_without_a_network(tmp_path):
    x = ag.Tensor(1.0, requires_grad=True, name="</script><script>alert(1)</script>")
    page = ag.draw_html(ag.exp(x), name="<title> & more")
    text = str(page)
    assert "alert(1)</script>" not in text
    assert "<h1>&lt;title&gt; &amp; more</h1>" in text
    for address in ("http:", "https:"):
        assert address not in text.replace("http://www.w3.org/2000/svg", "")
    assert page.save(tmp_path / "graph.html") == str(tmp_path / "graph.html")
    with pytest.raises(ValueError, match="html"):
        page.save(tmp_path / "graph.svg")
    ag.draw(ag.exp(x)).save(tmp_path / "same.html")
    assert "alert(1)</script>" not in (tmp_path / "same.html").read_text()


def test_large_graphs_are_cut():
    data = data_of(ag.draw_html(graphs.chain(3000)))
    assert data["hidden"] == 1001
    assert len(data["nodes"]) == 2000
    assert data["nodes"][0]["inputs"][0] == {"node": -1, "text": "an older node"}


@pytest.fixture(scope="module")
def browser():
    webdriver = pytest.importorskip("selenium.webdriver")
    if BROWSER is None or DRIVER is None:
        pytest.skip("Chromium and its driver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in (
        "headless=new",
        "no-sandbox",
        "disable-gpu",
        "disable-quic",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
        "disable-dev-shm-usage",
        "window-size=1300,900",
    ):
        options.add_argument(f"--{flag}")
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


def opened(browser, page, folder):
    browser.get(f"file://{page.save(folder / 'graph.html')}")
    return browser


def table(browser):
    script = """return [...document.querySelectorAll('#numbers tr')].map(
        row => [...row.cells].map(cell => cell.textContent))"""
    return browser.execute_script(script)


def press(browser, key):
    browser.execute_script(
        "document.dispatchEvent(new KeyboardEvent('keydown', {key: arguments[0]}))", key
    )


def test_a_browser_steps_to_the_end_and_every_number_is_the_engines(browser, tmp_path):
    w1, w2, out = graphs.waves()
    page = ag.draw_html(out, tangents={w1: 1.0, w2: -1.0})
    data = data_of(page)
    opened(browser, page, tmp_path)
    press(browser, "Home")
    cells = [dict.fromkeys(("value", "tangent", "adjoint"), "") for _ in data["nodes"]]
    for index, sweep in enumerate(data["sweeps"]):
        assert browser.find_element("id", "rule").text == f"{sweep['name']}: press next to begin"
        for step in sweep["steps"]:
            browser.find_element("id", "next").click()
            for update in step["updates"]:
                cells[update["node"]][update["column"]] = update["text"]
            assert browser.find_element("id", "rule").text == step["text"]
            shown = [row[2:] for row in table(browser)]
            assert shown == [[c["value"], c["tangent"], c["adjoint"]] for c in cells]
        if index + 1 < len(data["sweeps"]):
            press(browser, "ArrowRight")
    expected = [[node["value"], node["tangent"], node["adjoint"]] for node in data["nodes"]]
    assert [row[2:] for row in table(browser)] == expected
    x, y = 1.0, 2.0
    by_hand = {
        "w1": (x, 1.0, y * np.cos(x * y) + 2 * x),
        "w2": (y, -1.0, x * np.cos(x * y)),
        "v5": (np.sin(x * y) + x * x, (y - x) * np.cos(x * y) + 2 * x, 1.0),
    }
    found = {row[0]: row[2:] for row in table(browser)}
    for name, numbers in by_hand.items():
        assert found[name] == [f"{value:.4g}" for value in numbers]
    labels = browser.execute_script(
        "return [...document.querySelectorAll('#view g text')].map(t => t.textContent)"
    )
    for node in data["nodes"]:
        assert any(f"adjoint {node['adjoint']}" in label for label in labels)
    press(browser, "ArrowLeft")
    count = len(data["sweeps"][-1]["steps"])
    position = browser.find_element("id", "position").text
    assert position == f"reverse mode, step {count - 1} of {count}"
    assert not browser.get_log("browser")


def test_a_browser_folds_searches_and_zooms(browser, tmp_path):
    net, out = graphs.network(3)
    opened(browser, ag.draw_html(out, depth=1), tmp_path)

    def keys():
        script = "return [...document.querySelectorAll('#view [data-key]')].map(g => g.dataset.key)"
        return browser.execute_script(script)

    folded = len(keys())
    box = browser.find_element("css selector", ".folded[role=button]")
    browser.execute_script("arguments[0].dispatchEvent(new Event('click'))", box)
    unfolded = len(keys())
    assert unfolded > folded
    opened_module = browser.find_element("css selector", "#modules [aria-expanded=true]")
    opened_module.click()
    assert len(keys()) < unfolded
    browser.find_element("id", "search").send_keys("Linear")
    assert browser.find_elements("css selector", ".found")
    before = browser.find_element("id", "view").get_attribute("transform")
    browser.find_element("id", "larger").click()
    assert browser.find_element("id", "view").get_attribute("transform") != before
    names = browser.execute_script(
        "return [...document.querySelectorAll('button, input, [tabindex]')]"
        ".map(e => e.getAttribute('aria-label') || e.textContent || e.title)"
    )
    assert all(names)
    assert not browser.get_log("browser")
    assert net is not None
