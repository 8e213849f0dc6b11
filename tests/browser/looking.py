"""What a look at a page finds wrong: each function returns what it found, nothing when all is well."""

from typing import Any

TEXTS = """
() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (!node.data.trim() || parent.closest("script, style, title")) continue;
    if (!parent.checkVisibility({ visibilityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects())
      if (box.width > 0.5 && box.height > 0.5)
        found.push({
          words: node.data.trim().slice(0, 60), id: found.length,
          left: box.left, right: box.right, top: box.top + scrollY, bottom: box.bottom + scrollY,
          group: parent.closest("details:not([open])") ? "closed" : "",
        });
  }
  return found.filter((each) => !each.group);
}
"""

CUT = """
(scrolls) => {
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    if (element.closest("script, style, details:not([open]) > :not(summary)")) continue;
    const style = getComputedStyle(element);
    const clips = ["hidden", "clip"].includes(style.overflowX) || (!scrolls && style.overflowX === "auto");
    if (clips && !(element instanceof SVGElement) && element.scrollWidth > element.clientWidth + 1)
      found.push(`${element.className}: ${element.textContent.trim().slice(0, 60)}`);
  }
  for (const text of document.querySelectorAll("svg text")) {
    const box = text.getBoundingClientRect();
    const around = text.closest("svg").getBoundingClientRect();
    if (!box.width) continue;
    if (box.left < around.left - 1 || box.right > around.right + 1 || box.top < around.top - 2 || box.bottom > around.bottom + 2)
      found.push(`svg: ${text.textContent} in ${text.closest("svg").getAttribute("aria-label")}`);
  }
  for (const cell of document.querySelectorAll("th, td, dd, dt, h1, h2, h3, p, li, summary")) {
    if (cell.checkVisibility() && cell.scrollWidth > cell.clientWidth + 1 && getComputedStyle(cell).display !== "inline")
      found.push(`${cell.tagName}: ${cell.textContent.trim().slice(0, 60)}`);
  }
  return found;
}
"""

UNNAMED = """
() => {
  const found = [];
  for (const picture of document.querySelectorAll("img, svg")) {
    if (picture.parentElement.closest("svg")) continue;
    const hidden = picture.getAttribute("aria-hidden") === "true";
    const named = picture.getAttribute("role") === "img" && (picture.getAttribute("aria-label") || "").trim();
    if (!hidden && !named) found.push(picture.outerHTML.slice(0, 80));
  }
  for (const figure of document.querySelectorAll("figure")) {
    const title = figure.querySelector("h3");
    const name = title ? title.textContent.trim() : "";
    if (!name) found.push(`no title: ${figure.outerHTML.slice(0, 80)}`);
    for (const chart of figure.querySelectorAll("svg.chart")) {
      if (!chart.querySelector(".tick")) found.push(`no axis: ${name}`);
      // the line of time has years below it, which need no name
      if (!chart.querySelector(".axis-title, .panel-title") && !chart.querySelector(".span"))
        found.push(`axes without a name: ${name}`);
    }
  }
  return found;
}
"""

PRINTED = """
(page) => {
  const found = [];
  for (const element of document.querySelectorAll("figure, tr, .keys, .held")) {
    if (element.closest("details:not([open])")) continue;
    const name = (element.querySelector("h3") || element).textContent.trim().slice(0, 60);
    if (!element.matches(".held") && getComputedStyle(element).breakInside !== "avoid") found.push(`may be split: ${name}`);
    const box = element.getBoundingClientRect();
    if (!element.matches(".held") && box.height > page.height) found.push(`taller than a page: ${name} ${box.height}`);
    if (box.right > page.width + 1) found.push(`wider than a page: ${name} ${box.right}`);
  }
  return found;
}
"""


def overlaps(page: Any, tolerance: float = 1.0) -> list[str]:
    """Pieces of text that lie on each other, by their boxes."""
    texts = sorted(page.evaluate(TEXTS), key=lambda each: each["top"])
    found = []
    for index, one in enumerate(texts):
        for other in texts[index + 1 :]:
            if other["top"] >= one["bottom"] - tolerance:
                break
            across = min(one["right"], other["right"]) - max(one["left"], other["left"])
            down = min(one["bottom"], other["bottom"]) - max(one["top"], other["top"])
            if across > tolerance and down > tolerance:
                found.append(f"{one['words']!r} and {other['words']!r}")
    return found


def cut(page: Any, scrolls: bool = False) -> list[str]:
    """Text that does not fit its box; what can be scrolled is fine where `scrolls`."""
    return list(page.evaluate(CUT, scrolls))


def unnamed(page: Any) -> list[str]:
    """Pictures without an accessible name, figures without a title, charts without named axes."""
    return list(page.evaluate(UNNAMED))


def overflow(page: Any) -> int:
    """Pixels by which the page is wider than the screen."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def split(page: Any, width: float, height: float) -> list[str]:
    """What a printed page of so many pixels would break in two, or cut off."""
    return list(page.evaluate(PRINTED, {"width": width, "height": height}))
