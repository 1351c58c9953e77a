// Colours by meaning and the shared look of axes; the values live in tokens.css.

const MEANINGS = ["intramedullary", "extramedullary", "gtr", "less-than-gtr", "ntr", "str", "pr", "improved", "unchanged", "worse", "all", "other", "unknown"];
const IN_ORDER = ["all", "other", "intramedullary", "extramedullary", "gtr", "less-than-gtr", "improved", "worse"];
// What tells series apart without colour: the slant and distance of a hatch, the dashes of
// a line, the shape of a mark. Series that stand side by side never share all of them.
const PLAIN = { dash: "solid", symbol: "circle" };
const STYLES = {
  extramedullary: { hatch: [0.8, 6], dash: [7, 3], symbol: "rect" },
  "less-than-gtr": { hatch: [-0.8, 6], dash: [7, 3], symbol: "rect" },
  ntr: { hatch: [-0.8, 8], dash: [12, 4], symbol: "rect" },
  str: { hatch: [0, 5], dash: [6, 3], symbol: "triangle" },
  pr: { hatch: [1.57, 4], dash: [2, 3], symbol: "diamond" },
  worse: { hatch: [0.8, 6], dash: [7, 3], symbol: "rect" },
  other: { hatch: [1.57, 6], dash: [2, 3], symbol: "diamond" },
  unknown: { dash: [1, 4], symbol: "emptyCircle" },
};

/** Tokens as colours; theme "light" reads the light ones whatever the page shows. */
export function palette(theme) {
  const probe = document.createElement("div");
  if (theme) probe.dataset.bsTheme = theme;
  document.body.append(probe);
  const style = window.getComputedStyle(probe);
  const token = (name) => style.getPropertyValue(`--${name}`).trim();
  const colours = {
    ink: token("ink"), quiet: token("ink-2"), faint: token("ink-3"), line: token("line"),
    axis: token("line-control"), surface: token("surface"), float: token("surface-float"), // Single quotes: the chart library writes the name into an SVG attribute as it is.
    font: style.fontFamily.replaceAll('"', "'"),
    mean: Object.fromEntries(MEANINGS.map((meaning) => [meaning, token(`mean-${meaning}`)])),
  };
  probe.remove();
  return colours;
}

/** Colour, hatch and line of the series at a place in the order. */
export function markOf(series, index, colours) {
  const meaning = (series.meaning ?? IN_ORDER[index % IN_ORDER.length]).replaceAll("_", "-");
  const colour = colours.mean[meaning] ?? colours.mean.other;
  const { hatch, dash, symbol } = STYLES[meaning] ?? PLAIN;
  const decal = hatch
    ? { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [1.5, hatch[1]], rotation: hatch[0], color: "rgba(0,0,0,0.28)" }
    : { symbol: "none" };
  return { colour, decal, dash, symbol };
}

function channel(part) {
  const share = parseInt(part, 16) / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
}

/** Black or white, whichever reads better on a #rrggbb colour. */
export function inkOn(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => channel(colour.slice(at, at + 2)));
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return luminance > 0.18 ? "#0d161c" : "#ffffff";
}

/** Share 0..1 as the clinic writes it: 0 %, 17.6 %, 100 %. */
export function percent(share, digits = 1) {
  const rounded = (share * 100).toFixed(digits);
  return `${rounded.replace(/\.0+$/, "")} %`;
}

export function axisLook(colours) {
  return {
    axisLine: { show: true, lineStyle: { color: colours.axis } },
    axisTick: { show: true, length: 4, lineStyle: { color: colours.axis } },
    axisLabel: { color: colours.quiet, fontSize: 12 },
    splitLine: { show: false },
    nameTextStyle: { color: colours.quiet, fontSize: 12 },
  };
}

/** The name of the vertical axis, above the plot at the left edge. */
export function verticalName(text, colours, top) {
  return { text: text ?? "", left: 0, top, padding: 0, textStyle: { color: colours.quiet, fontSize: 12, fontWeight: 400 } };
}

/** Width in pixels that the longest of the texts needs at 12 px. */
export function widestText(texts, colours) {
  const context = document.createElement("canvas").getContext("2d");
  context.font = `12px ${colours.font}`;
  return Math.ceil(Math.max(0, ...texts.map((text) => context.measureText(text).width)));
}

/** Rows that a line of names needs when it wraps, each with a mark before it. */
export function rowsOfNames(names, colours, width) {
  let rows = 1;
  let used = 0;
  for (const name of names) {
    const wide = widestText([name], colours) + 38;
    if (used && used + wide > width) { rows += 1; used = 0; }
    used += wide;
  }
  return rows;
}

export const NAMES_ROW = 20;
