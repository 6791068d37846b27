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
    let nearest = null;
    const parts = curves.map(curve => {
      let best = 0;
      curve.columns.forEach((column, i) => {
        if (Math.abs(column - x) < Math.abs(curve.columns[best] - x)) best = i;
      });
      if (Math.abs(curve.columns[best] - x) > 24) return "";
      if (nearest === null) nearest = [curve.columns[best], curve.xs[best]];
      const value = percent ? +(curve.ys[best] * 100).toPrecision(4) + " %" : curve.ys[best];
      const item = document.createElement("span");
      item.textContent = curve.name.trim() + " ";
      item.style.color = curve.color;
      return item.outerHTML + "<b>" + value + "</b>";
    }).filter(part => part);
    if (nearest === null) return hide();
    ruler.setAttribute("x1", nearest[0]);
    ruler.setAttribute("x2", nearest[0]);
    ruler.style.visibility = "visible";
    caption.innerHTML = short(nearest[1]) + " tokens: " + parts.join(", ");
  };
  const hide = () => { ruler.style.visibility = "hidden"; caption.innerHTML = plain; };
  chart.addEventListener("pointermove", show);
  chart.addEventListener("pointerdown", show);
  chart.addEventListener("pointerleave", hide);
}
