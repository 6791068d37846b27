/// How a report looks, on paper white or in the dark, from a phone's width on; and the few lines of
/// script that read values off its curves.
enum ReportStyle {
  static let css = """
    :root {
      --paper: #fcfbf8; --ink: #1c1b19; --quiet: #6f6b63; --rule: #dcd8ce; --grid: #ebe8e0;
      --accent: #1f5fa8; --warn: #a8501f;
      --run-0: #1f5fa8; --run-1: #c2651c; --run-2: #2f7d5b; --run-3: #8a4f9e; --run-4: #a63d4f;
      --run-5: #5b6b7a;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --paper: #161719; --ink: #e8e6e1; --quiet: #9a978f; --rule: #36373a; --grid: #26282b;
        --accent: #7fb2ec; --warn: #e39a6b;
        --run-0: #7fb2ec; --run-1: #eda265; --run-2: #74c4a0; --run-3: #c79ad6; --run-4: #ea8d9c;
        --run-5: #a9b7c4;
      }
    }
    * { box-sizing: border-box; }
    html { -webkit-text-size-adjust: 100%; }
    body {
      margin: 0 auto; max-width: 1240px; padding: 28px 16px 48px; background: var(--paper);
      color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif;
    }
    h1, h2 { font-family: "Iowan Old Style", Palatino, Georgia, serif; font-weight: 600; }
    h1 { font-size: clamp(26px, 5vw, 40px); line-height: 1.15; margin: 0; overflow-wrap: anywhere; }
    h2 { font-size: 21px; margin: 0 0 12px; }
    .kicker {
      margin: 0 0 4px; color: var(--accent); font-size: 12px; letter-spacing: .09em;
      text-transform: uppercase;
    }
    section { border-top: 1px solid var(--rule); margin-top: 32px; padding-top: 18px; }
    .quiet, footer { color: var(--quiet); }
    footer {
      border-top: 1px solid var(--rule); margin-top: 40px; padding-top: 14px; font-size: 13px;
      max-width: 72ch;
    }
    .scroll { overflow-x: auto; }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
    th, td {
      padding: 6px 20px 6px 0; text-align: right; vertical-align: top;
      border-bottom: 1px solid var(--grid);
    }
    th { font-weight: 600; border-bottom-color: var(--rule); }
    th:first-child, td:first-child, .text { text-align: left; }
    td:first-child { color: var(--quiet); }
    th:first-child, td:first-child { position: sticky; left: 0; background: var(--paper); }
    td.text { min-width: 11ch; }
    td.best { font-weight: 650; color: var(--accent); }
    td small, th small { display: block; color: var(--quiet); font-size: 12px; font-weight: 400; }
    .verdicts { margin: 0; padding: 0; list-style: none; max-width: 76ch; }
    .verdicts li { margin: 0 0 12px; padding-left: 12px; border-left: 3px solid var(--rule); }
    .verdicts li.grave { border-left-color: var(--warn); }
    .verdicts small { color: var(--quiet); }
    .figures {
      display: grid; gap: 22px 26px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 340px), 1fr));
    }
    figure { margin: 0; }
    .chart { display: block; width: 100%; height: auto; font: 11px system-ui, sans-serif; touch-action: pan-y; }
    figcaption { min-height: 2.8em; padding-left: 13%; color: var(--quiet); font-size: 12.5px; line-height: 1.4; }
    figcaption b { color: var(--ink); font-weight: 600; font-variant-numeric: tabular-nums; }
    .ruler { stroke: var(--quiet); stroke-width: 1; visibility: hidden; }
    .legend { display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 0 0 16px; padding: 0; list-style: none; font-size: 14px; }
    .legend i { display: inline-block; width: 12px; height: 12px; margin-right: 7px; border-radius: 2px; vertical-align: -1px; }
    .legend svg { margin-right: 7px; vertical-align: 2px; color: var(--quiet); }
    """

  /// A pointer over a chart draws a ruler, and the caption tells what curves have there.
  static let script = """
    for (const chart of document.querySelectorAll(".chart")) {
      const caption = chart.nextElementSibling, plain = caption.innerHTML;
      const ruler = chart.querySelector(".ruler"), percent = chart.dataset.unit === "%";
      const curves = [...chart.querySelectorAll("[data-x]")].map(line => ({
        name: line.dataset.name, color: line.getAttribute("stroke"),
        xs: line.dataset.x.split(" ").map(Number), ys: line.dataset.y.split(" ").map(Number),
        columns: line.getAttribute("points").split(" ").map(point => parseFloat(point)),
      }));
      const short = value => {
        for (const [power, letter] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]])
          if (value >= power) return +(value / power).toPrecision(3) + " " + letter;
        return String(value);
      };
      const show = event => {
        const box = chart.getBoundingClientRect();
        const x = (event.clientX - box.left) * 360 / box.width;
        let place = null;
        const parts = curves.map(curve => {
          let best = 0;
          curve.columns.forEach((column, i) => {
            if (Math.abs(column - x) < Math.abs(curve.columns[best] - x)) best = i;
          });
          if (Math.abs(curve.columns[best] - x) > 24) return "";
          if (place === null) place = [curve.columns[best], curve.xs[best]];
          const value = percent ? +(curve.ys[best] * 100).toPrecision(4) + " %" : curve.ys[best];
          const item = document.createElement("span");
          item.textContent = curve.name.trim() + " ";
          item.style.color = curve.color;
          return item.outerHTML + "<b>" + value + "</b>";
        }).filter(part => part);
        if (place === null) return hide();
        ruler.setAttribute("x1", place[0]);
        ruler.setAttribute("x2", place[0]);
        ruler.style.visibility = "visible";
        caption.innerHTML = short(place[1]) + " tokens: " + parts.join(", ");
      };
      const hide = () => { ruler.style.visibility = "hidden"; caption.innerHTML = plain; };
      chart.addEventListener("pointermove", show);
      chart.addEventListener("pointerdown", show);
      chart.addEventListener("pointerleave", hide);
    }
    """
}
