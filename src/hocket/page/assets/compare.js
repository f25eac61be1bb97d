// Runs: the same run lights up in table and charts; headings sort; dragging along an axis keeps the runs in that range.
"use strict";
(() => {
  const all = (root, selector) => [...root.querySelectorAll(selector)];

  const light = (event) => {
    const run = event.target.closest && event.target.closest("[data-run]");
    all(document, ".lit").forEach((element) => element.classList.remove("lit"));
    if (run) all(document, `[data-run="${run.dataset.run}"]`).forEach((element) => element.classList.add("lit"));
  };
  document.addEventListener("pointerover", light);

  const value = (row, column) => {
    const text = row.cells[column].dataset.value, number = Number(text);
    return text === "" ? null : Number.isNaN(number) ? text : number;
  };

  const sort = (table, column, heading) => {
    const down = heading.getAttribute("aria-sort") === "ascending", body = table.tBodies[0];
    all(table, "th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = [...body.rows].sort((a, b) => {
      const left = value(a, column), right = value(b, column);
      if (left === null || right === null) return (left === null) - (right === null);
      const order = left < right ? -1 : left > right ? 1 : 0;
      return down ? -order : order;
    });
    body.append(...rows);
  };
  all(document, ".runs").forEach((table) => all(table, "thead th").forEach((heading, column) =>
    heading.querySelector("button").addEventListener("click", () => sort(table, column, heading))));

  const choose = (chart) => {
    const ranges = all(chart, ".brush").map((brush) => brush.range), section = chart.closest("section");
    all(chart, ".line").forEach((line) => {
      const places = line.dataset.places.split(" ").map((place) => (place === "-" ? NaN : Number(place)));
      const out = ranges.some((range, axis) => range && !(places[axis] >= range[0] && places[axis] <= range[1]));
      all(section, `[data-run="${line.dataset.run}"]`).forEach((element) => element.classList.toggle("out", out));
    });
  };

  all(document, "svg.parallel").forEach((chart) => all(chart, ".brush").forEach((brush) => {
    const kept = brush.previousElementSibling, top = Number(brush.getAttribute("y")) + 4;
    const height = Number(brush.getAttribute("height")) - 8;
    const place = (event) => {
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(chart.getScreenCTM().inverse());
      return Math.min(1, Math.max(0, 1 - (point.y - top) / height));
    };
    const show = () => {
      kept.setAttribute("y", brush.range ? top + (1 - brush.range[1]) * height : 0);
      kept.setAttribute("height", brush.range ? (brush.range[1] - brush.range[0]) * height : 0);
      choose(chart);
    };
    let from = null;
    brush.addEventListener("pointerdown", (event) => { from = place(event); brush.setPointerCapture(event.pointerId); });
    brush.addEventListener("pointermove", (event) => {
      if (from === null) return;
      brush.range = [Math.min(from, place(event)), Math.max(from, place(event))];
      show();
    });
    brush.addEventListener("pointerup", () => {
      if (!brush.range || brush.range[1] - brush.range[0] < 0.02) brush.range = null;
      from = null;
      show();
    });
    brush.addEventListener("keydown", (event) => {
      if (!["ArrowUp", "ArrowDown", "Escape"].includes(event.key)) return;
      event.preventDefault();
      const [low, high] = brush.range || [0, 1];
      if (event.key === "Escape") brush.range = null;
      else brush.range = event.key === "ArrowUp" ? [Math.min(0.9, low + 0.1), high] : [low, Math.max(low, high - 0.1)];
      show();
    });
  }));
})();
