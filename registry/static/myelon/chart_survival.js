// Kaplan-Meier curves: steps, bands, ticks for censoring, direct labels, numbers at risk.

import { axisLook, markOf, percent, verticalName, widestText } from "./chart_palette.js";

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

/** Corners of a step line through (day, value): [[x, y], …], starting at (0, start). */
function corners(days, values, start, unit, end) {
  const points = [[0, start]];
  let before = start;
  days.forEach((day, place) => {
    const x = day / DAYS[unit];
    if (x > end || values[place] === null || values[place] === undefined) return;
    points.push([x, before], [x, values[place]]);
    before = values[place];
  });
  return points;
}

function atRisk(curve, time) {
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

/** Vertical shifts that keep the labels at the curves' ends apart, in pixels. */
function labelShifts(curves, plotHeight, unit, end) {
  const drawn = (curve) => corners(curve.days, curve.survival, 1, unit, end).at(-1)?.[1] ?? 1;
  const ends = curves.map((curve, index) => ({ index, wanted: (1 - (curve.days.length ? drawn(curve) : 1)) * plotHeight }));
  ends.sort((one, other) => one.wanted - other.wanted);
  let free = -Infinity;
  for (const end of ends) {
    end.placed = Math.max(end.wanted, free);
    free = end.placed + LABEL_HEIGHT;
  }
  let floor = plotHeight;
  for (const end of [...ends].reverse()) {
    end.placed = Math.min(end.placed, floor);
    floor = end.placed - LABEL_HEIGHT;
  }
  return curves.map((_, index) => {
    const end = ends.find((each) => each.index === index);
    return end.placed - end.wanted;
  });
}

function line(curve, mark, colours, unit, end, shift, room) {
  const points = curve.days.length ? corners(curve.days, curve.survival, 1, unit, end) : [];
  const last = points.at(-1) ?? [0, 1];
  return {
    type: "line", name: curve.name, data: points, showSymbol: false, z: 3, silent: true,
    lineStyle: { color: mark.colour, width: 2.25, type: mark.dash }, itemStyle: { color: mark.colour },
    endLabel: { show: true, formatter: `${curve.name}\n${percent(last[1])}`, color: colours.ink, fontSize: 12, lineHeight: 15, distance: 8, offset: [0, shift],
      width: room, overflow: "break" },
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

function layoutOf(chart, colours, size, unit) {
  const names = chart.curves.map((curve) => curve.name);
  const end = axisEnd(chart, unit);
  const label = widestText(names, colours);
  const narrow = size.width < 480;
  const left = Math.max(56, Math.min(label + 24, narrow ? 104 : size.width * 0.27));
  const right = narrow ? 16 : Math.min(label + 28, size.width * 0.27);
  return {
    end, left, right, step: tickStep(end, unit, size.width - left - right),
    top: narrow ? 52 : 34,
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
  const shifts = labelShifts(chart.curves, size.height - layout.top - under - 62, unit, layout.end);
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
      ...chart.curves.map((curve, index) => ({ ...line(curve, marks[index], colours, unit, layout.end, shifts[index], layout.right - 16),
        ...(layout.narrow ? { endLabel: { show: false } } : {}) })),
      ...chart.curves.map((curve, index) => ticks(curve, marks[index], unit, layout.end)),
      riskTable(chart, colours, times, unit),
    ],
    ...(layout.narrow ? { legend: { left: 0, top: 0, itemWidth: 18, icon: "rect", itemHeight: 4, selectedMode: false, textStyle: { color: colours.ink, fontSize: 12 },
      data: chart.curves.map((curve) => curve.name) } } : {}),
  };
}
