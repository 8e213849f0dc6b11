"use strict";
/* Reads out the values under the pointer in all charts of a group at once; the page is whole without it. */
const groups = JSON.parse(document.getElementById("readings").textContent);

const written = (value, { decimals, unit }) => {
  if (value === null) return "–";
  const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  return value.toLocaleString("en-US", digits).replace("-", "−") + (unit ? " " + unit : "");
};

const follow = (name, group) => {
  const members = [...document.querySelectorAll(`[data-group="${name}"]`)].map((figure) => ({
    svg: figure.querySelector("svg"),
    cross: figure.querySelector(".cross"),
    reading: figure.querySelector(".reading"),
    columns: group.figures[figure.dataset.figure].map((column) => ({
      ...column,
      /* as wide as its longest value: nothing moves when the numbers change */
      width: Math.max(...column.values.map((value) => written(value, column).length)) + "ch",
    })),
  }));
  let at = -1;

  const show = (position) => {
    at = position;
    for (const { cross, reading, columns } of members) {
      cross.classList.toggle("on", at >= 0);
      reading.textContent = at < 0 ? "" : group.labels[at];
      if (at < 0) continue;
      cross.setAttribute("x1", group.x[at]);
      cross.setAttribute("x2", group.x[at]);
      for (const column of columns) {
        const value = document.createElement("b");
        value.style.minWidth = column.width;
        value.textContent = written(column.values[at], column);
        reading.append(" · " + column.name + " ", value);
      }
    }
  };

  const nearest = (x) => {
    const after = group.x.findIndex((each) => each >= x);
    if (after <= 0) return after < 0 ? group.x.length - 1 : 0;
    return x - group.x[after - 1] <= group.x[after] - x ? after - 1 : after;
  };

  for (const { svg } of members) {
    svg.tabIndex = 0;
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      show(nearest(((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width));
    });
    svg.addEventListener("pointerleave", () => show(-1));
    svg.addEventListener("blur", () => show(-1));
    svg.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const start = step > 0 ? -1 : group.x.length;
      show(Math.min(group.x.length - 1, Math.max(0, (at < 0 ? start : at) + step)));
    });
  }
};

Object.entries(groups).forEach(([name, group]) => follow(name, group));
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((each) => (each.open = true)));
