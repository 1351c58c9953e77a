// Figures. Each <div data-chart data-chart-source="ID"> is drawn from the JSON in
// <script type="application/json" id="ID"> (components/figure.html writes both).
//
// Every chart:  {kind, ...}. A series, row or curve may carry
//   name     its direct label
//   meaning  a fixed colour: intramedullary, extramedullary, gtr, less_than_gtr, ntr, str, pr,
//            improved, unchanged, worse, all, other, unknown; without it colours follow the order
//
// kind "bars"         counts by category, e.g. cases by year and compartment
//   x: ["2019", …]  x_label  y_label  stacked: true | false (grouped)
//   series: [{name, meaning, values: [count, …]}]
//   Counts stand in the bars; totals up to 10 are drawn as one dot per case.
//
// kind "survival"     Kaplan-Meier curves; fields as in the statistics' SurvivalCurve
//   curves: [{name, meaning, n, days: […], survival: […], lower: […], upper: […],
//             at_risk: […], censored: [count per day, …]}]   (lower and upper may hold null)
//   x_label  y_label  unit: "years" (default), "months", "days"  until_days: end of the axis
//   Steps, interval bands, ticks for censoring, numbers at risk under the axis.
//
// kind "proportions"  a share with its interval per group
//   rows: [{name, meaning, value, lower, upper, events, n}]   value null: "not estimable"
//   x_label  percent: true (default; axis 0 to 100 %) or false with log, reference
//
// kind "shift"        what became of each group, as shares of those assessed
//   categories: [{name, meaning}, …]   rows: [{name, counts: [count, …], missing: count}]
//   Up to 20 assessed are drawn as one dot per case, more as a bar of 100 %.
//
// Colours come from tokens.css. Drawn as SVG text for print and download, in light colours,
// with hatches so that it also reads in black and white.

import { barsOption } from "./chart_bars.js";
import { palette } from "./chart_palette.js";
import { savePng, saveSvg, saveTable } from "./chart_saving.js";
import { proportionsOption } from "./chart_proportions.js";
import { shiftOption } from "./chart_shift.js";
import { survivalOption } from "./chart_survival.js";

const KINDS = {
  bars: barsOption,
  survival: survivalOption,
  proportions: proportionsOption,
  shift: shiftOption,
};
const PAPER_WIDTH = 720;
const drawn = new Map();
const seen = new WeakSet();
let loading;

function loadECharts() {
  const source = document.querySelector("script[data-echarts]").dataset.echarts;
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = source;
    script.onload = () => resolve(window.echarts);
    script.onerror = () => reject(new Error(`${source} did not load`));
    document.head.append(script);
  });
  return loading;
}

function readChart(place) {
  return JSON.parse(document.getElementById(place.dataset.chartSource).textContent);
}

function optionFor(chart, colours, size) {
  const option = KINDS[chart.kind](chart, colours, size);
  const text = { color: colours.ink, fontFamily: colours.font, fontSize: 12 };
  const calm = { animation: false, backgroundColor: "transparent", textStyle: text };
  const tooltip = {
    renderMode: "richText",
    confine: true,
    backgroundColor: colours.float,
    borderColor: colours.line,
    textStyle: text,
  };
  return { ...calm, ...option, tooltip: { ...tooltip, ...option.tooltip } };
}

function sizeOf(place) {
  return { width: place.clientWidth, height: place.clientHeight };
}

/** The figure as SVG text, in light colours, as wide as asked. */
function svgText(echarts, place, width) {
  const size = { width, height: Math.max(place.clientHeight, 220) };
  const paper = echarts.init(null, null, { renderer: "svg", ssr: true, ...size });
  paper.setOption(optionFor(readChart(place), palette("light"), size));
  const text = paper.renderToSVGString();
  paper.dispose();
  return text;
}

function paperCanvas(echarts, place) {
  const size = { width: PAPER_WIDTH, height: Math.max(place.clientHeight, 220) };
  const paper = echarts.init(document.createElement("canvas"), null, { devicePixelRatio: 3, ...size });
  paper.setOption(optionFor(readChart(place), palette("light"), size));
  const canvas = paper.renderToCanvas({ pixelRatio: 3, backgroundColor: "#ffffff" });
  paper.dispose();
  return canvas;
}

function preparePrint(echarts, place) {
  let image = place.nextElementSibling;
  if (!image?.matches(".figure-print")) {
    image = document.createElement("img");
    image.className = "figure-print";
    image.alt = "";
    place.after(image);
    place.classList.add("has-print");
  }
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svgText(echarts, place, PAPER_WIDTH))}`;
}

function draw(echarts, place) {
  if (!place.clientWidth) return;
  const ratio = Math.max(2, window.devicePixelRatio);
  const instance = drawn.get(place)
    ?? echarts.init(place, null, { renderer: "canvas", devicePixelRatio: ratio });
  drawn.set(place, instance);
  instance.resize();
  instance.setOption(optionFor(readChart(place), palette(), sizeOf(place)), true);
}

function drawAll(echarts) {
  for (const [place, instance] of drawn) {
    if (place.isConnected) draw(echarts, place);
    else { instance.dispose(); drawn.delete(place); }
  }
}

async function setUp(root) {
  const places = [...(root.parentElement ?? root).querySelectorAll("[data-chart]")].filter((place) => !seen.has(place));
  if (!places.length) return;
  places.forEach((place) => seen.add(place));
  const echarts = await loadECharts();
  const observer = new ResizeObserver((entries) => {
    for (const entry of entries) draw(echarts, entry.target);
  });
  for (const place of places) {
    draw(echarts, place);
    preparePrint(echarts, place);
    observer.observe(place);
  }
}

async function saveFigure(button) {
  const figure = button.closest("[data-figure]");
  const kind = button.dataset.figureSave;
  if (kind === "csv") { saveTable(figure, button.dataset.figureFile); return; }
  const echarts = await loadECharts();
  const place = figure.querySelector("[data-chart]");
  if (kind === "svg") saveSvg(figure, svgText(echarts, place, PAPER_WIDTH), PAPER_WIDTH);
  else savePng(figure, paperCanvas(echarts, place));
}

function toggleTable(button) {
  const table = document.getElementById(button.getAttribute("aria-controls"));
  const hidden = table.toggleAttribute("data-hidden-by-script");
  button.setAttribute("aria-pressed", String(!hidden));
}

document.addEventListener("click", (event) => {
  const saving = event.target.closest("[data-figure-save]");
  const toggling = event.target.closest("[data-figure-table]");
  if (saving) saveFigure(saving);
  if (toggling) toggleTable(toggling);
});
document.addEventListener("myelon:theme", () => { if (loading) loadECharts().then(drawAll); });
document.addEventListener("htmx:load", (event) => setUp(event.target));
setUp(document);
