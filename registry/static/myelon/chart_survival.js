// Kaplan-Meier curves: steps, bands, ticks for censoring, direct labels, numbers at risk.

import { NAMES_ROW, axisLook, markOf, percent, rowsOfNames, verticalName, widestText } from "./chart_palette.js";

const DAYS = { days: 1, months: 365.25 / 12, years: 365.25 };
const STEPS = { days: [30, 60, 90, 180, 365], months: [1, 3, 6, 12, 24, 60], years: [0.5, 1, 2, 5, 10] };
const ROW_HEIGHT = 18;
const TICK_WIDTH = 44;
const FIVE_YEARS = 5 * 365.25;
const LABEL_HEIGHT = 32;

function axisEnd(chart, unit) {
  const last = Math.max(0, ...chart.curves.flatMap((curve) => curve.days));
  return (chart.until_days ?? (last || FIVE_YEARS)) / DAYS[unit];
}

function tickStep(end, unit, plotWidth) {
  const most = Math.max(2, plotWidth / TICK_WIDTH);
  return STEPS[unit].find((step) => end / step <= most) ?? Math.ceil(end / most);
}

/**
 * Corners of a step line through (day, value): [[x, y], …], starting at (0, start). The
 * last step goes on to the last day, or to the end of the axis if that comes first.
 */
export function corners(days, values, start, unit, end) {
  const points = [[0, start]];
  let before = start;
  days.forEach((day, place) => {
    const x = day / DAYS[unit];
    if (x > end || values[place] === null || values[place] === undefined) return;
    points.push([x, before], [x, values[place]]);
    before = values[place];
  });
  const last = Math.min(end, (days.at(-1) ?? 0) / DAYS[unit]);
  if (last > points.at(-1)[0]) points.push([last, before]);
  return points;
}

/** Cases still followed just before a time, in days. */
export function atRisk(curve, time) {
  const place = curve.days.findIndex((day) => day >= time - 1e-9);
  return place < 0 ? 0 : curve.at_risk[place];
}

function censorTicks(curve, unit, end) {
  return curve.days.flatMap((day, place) => {
    const x = day / DAYS[unit];
    return curve.censored?.[place] && x <= end ? [[x, curve.survival[place]]] : [];
  });
}

// Greenwood says nothing while survival is 1: there the band has no lower limit to draw.
function bandShape(curve, unit, end) {
  const days = curve.days.filter((_, place) => curve.lower?.[place] != null && curve.upper?.[place] != null);
  if (!days.length) return [];
  const pick = (values) => values.filter((_, place) => curve.lower[place] != null && curve.upper[place] != null);
  const from = days[0] / DAYS[unit];
  const lower = corners(days, pick(curve.lower), pick(curve.lower)[0], unit, end).filter(([x]) => x >= from);
  const upper = corners(days, pick(curve.upper), pick(curve.upper)[0], unit, end).filter(([x]) => x >= from);
  const last = Math.min(end, curve.days.at(-1) / DAYS[unit]);
  if (lower.length) { lower.push([last, lower.at(-1)[1]]); upper.push([last, upper.at(-1)[1]]); }
  return [...lower, ...upper.reverse()];
}

function band(curve, mark, unit, end) {
  const shape = bandShape(curve, unit, end);
  return {
    type: "custom", silent: true, z: 1, data: shape.length ? [[0, 0]] : [], clip: true, tooltip: { show: false },
    renderItem: (_, api) => ({
      type: "polygon",
      shape: { points: shape.map((point) => api.coord(point)) },
      style: { fill: mark.colour, opacity: 0.16 },
    }),
  };
}

function endOf(curve, unit, end) {
  return curve.days.length ? corners(curve.days, curve.survival, 1, unit, end).at(-1) : [0, 1];
}

/** Heights of the labels in pixels from the top, apart from each other, in the plot. */
export function labelPlaces(values, plotHeight) {
  const ends = values.map((value, index) => ({ index, placed: (1 - value) * plotHeight }));
  ends.sort((one, other) => one.placed - other.placed || one.index - other.index);
  let free = -Infinity;
  for (const each of ends) {
    each.placed = Math.max(each.placed, free);
    free = each.placed + LABEL_HEIGHT;
  }
  let floor = plotHeight;
  for (const each of [...ends].reverse()) {
    each.placed = Math.min(each.placed, floor);
    floor = each.placed - LABEL_HEIGHT;
  }
  return ends.sort((one, other) => one.index - other.index).map((each) => each.placed);
}

function labelText(curve, unit, end) {
  return `${curve.name}\n${percent(endOf(curve, unit, end)[1])}`;
}

// All labels stand in the right margin, so that none lies on another curve; a thin line
// leads to each from the end of its curve.
function labels(chart, marks, colours, layout, unit, plotHeight) {
  const ends = chart.curves.map((curve) => endOf(curve, unit, layout.end));
  const places = labelPlaces(ends.map(([, value]) => value), plotHeight);
  return {
    type: "custom", silent: true, z: 5, clip: false, data: ends, encode: { x: 0, y: 1 }, tooltip: { show: false },
    renderItem: (parameters, api) => {
      const index = parameters.dataIndex;
      const [x, y] = api.coord(ends[index]);
      const edge = parameters.coordSys.x + parameters.coordSys.width;
      const middle = parameters.coordSys.y + places[index];
      const style = { stroke: marks[index].colour, lineWidth: 1, opacity: 0.7, lineDash: [1, 2], fill: "none" };
      return { type: "group", children: [
        { type: "polyline", shape: { points: [[x, y], [edge, y], [edge + 8, middle]] }, style },
        { type: "text", style: { text: labelText(chart.curves[index], unit, layout.end), x: edge + 12, y: middle, fill: colours.ink, fontFamily: colours.font, fontSize: 12, lineHeight: 15, textVerticalAlign: "middle" } },
      ] };
    },
  };
}

function line(curve, mark, unit, end) {
  return {
    type: "line", name: curve.name, data: curve.days.length ? corners(curve.days, curve.survival, 1, unit, end) : [],
    showSymbol: false, z: 3, silent: true,
    lineStyle: { color: mark.colour, width: 2.25, type: mark.dash }, itemStyle: { color: mark.colour },
  };
}

function ticks(curve, mark, unit, end) {
  return {
    type: "scatter", data: censorTicks(curve, unit, end), symbol: "rect", symbolSize: [1.5, 9], z: 4,
    itemStyle: { color: mark.colour }, silent: true,
  };
}

function riskTable(chart, colours, times, unit) {
  return {
    type: "scatter", xAxisIndex: 1, yAxisIndex: 1, symbolSize: 0.01, silent: true,
    data: chart.curves.flatMap((curve, row) => times.map((time) => [time, row, atRisk(curve, time * DAYS[unit])])),
    label: { show: true, position: "inside", formatter: (point) => String(point.value[2]), color: colours.ink, fontSize: 12 },
  };
}

function axes(chart, colours, layout) {
  const look = axisLook(colours);
  const shared = { type: "value", min: 0, max: layout.end, interval: layout.step };
  return {
    xAxis: [
      { ...look, ...shared, name: chart.x_label, nameLocation: "middle", nameGap: 26,
        axisLabel: { ...look.axisLabel, showMaxLabel: layout.end % layout.step === 0 } },
      { ...shared, gridIndex: 1, show: false },
    ],
    yAxis: [
      { ...look, type: "value", min: 0, max: 1, interval: 0.25,
        axisLabel: { ...look.axisLabel, formatter: (share) => percent(share, 0) },
        splitLine: { show: true, lineStyle: { color: colours.line } } },
      { type: "category", gridIndex: 1, inverse: true, data: chart.curves.map((curve) => curve.name),
        axisLine: { show: false }, axisTick: { show: false }, splitLine: { show: false },
        axisLabel: { color: colours.ink, fontSize: 12, margin: 16, width: layout.left - 18, overflow: "truncate" } },
    ],
  };
}

function namesWithValues(chart, unit, end) {
  return chart.curves.map((curve) => labelText(curve, unit, end).replace("\n", "  "));
}

// Where no margin has room for labels: each name with its line and its last value above.
function namesAbove(chart, marks, colours, layout, unit) {
  const told = namesWithValues(chart, unit, layout.end);
  return { legend: { left: 0, top: 0, itemWidth: 22, itemHeight: 0, itemGap: 12, selectedMode: false, textStyle: { color: colours.ink, fontSize: 12 },
    formatter: (name) => told[chart.curves.findIndex((curve) => curve.name === name)],
    data: chart.curves.map((curve, index) => ({ name: curve.name, lineStyle: { color: marks[index].colour, type: marks[index].dash, width: 2.25 } })) } };
}

function layoutOf(chart, colours, size, unit) {
  const names = chart.curves.map((curve) => curve.name);
  const end = axisEnd(chart, unit);
  const label = widestText(names, colours);
  const beside = widestText(chart.curves.flatMap((curve) => labelText(curve, unit, end).split("\n")), colours);
  const narrow = size.width < 480;
  const left = Math.max(56, Math.min(label + 24, narrow ? 104 : size.width * 0.27));
  const right = narrow ? 16 : beside + 20;
  return {
    end, left, right, step: tickStep(end, unit, size.width - left - right),
    top: narrow ? 32 + NAMES_ROW * rowsOfNames(namesWithValues(chart, unit, end), colours, size.width) : 34,
    table: chart.curves.length * ROW_HEIGHT,
    narrow,
  };
}

export function survivalOption(chart, colours, size) {
  const unit = chart.unit ?? "years";
  const layout = layoutOf(chart, colours, size, unit);
  const words = document.getElementById("words")?.dataset ?? {};
  const marks = chart.curves.map((curve, index) => markOf(curve, index, colours));
  const times = Array.from({ length: Math.floor(layout.end / layout.step + 1e-9) + 1 }, (_, place) => place * layout.step);
  const under = layout.table + 8;
  const plotHeight = size.height - layout.top - under - 62;
  return {
    ...axes(chart, colours, layout),
    grid: [
      { left: layout.left, right: layout.right, top: layout.top, bottom: under + 62 },
      { left: layout.left, right: layout.right, height: layout.table, bottom: 4 },
    ],
    tooltip: { show: false },
    title: [
      verticalName(chart.y_label, colours, layout.top - 22),
      { text: words.atRisk, left: 0, bottom: under, padding: 0, textStyle: { color: colours.quiet, fontSize: 12, fontWeight: 600 } },
      { text: words.censored, right: 0, bottom: under, padding: 0, textStyle: { color: colours.faint, fontSize: 11, fontWeight: 400 } },
    ],
    series: [
      ...chart.curves.map((curve, index) => band(curve, marks[index], unit, layout.end)),
      ...chart.curves.map((curve, index) => line(curve, marks[index], unit, layout.end)),
      ...chart.curves.map((curve, index) => ticks(curve, marks[index], unit, layout.end)),
      riskTable(chart, colours, times, unit),
      ...(layout.narrow ? [] : [labels(chart, marks, colours, layout, unit, plotHeight)]),
    ],
    ...(layout.narrow ? namesAbove(chart, marks, colours, layout, unit) : {}),
  };
}
