// Counts by category: bars with their counts, or one dot per case when there are few.

import { NAMES_ROW, axisLook, inkOn, markOf, rowsOfNames, verticalName } from "./chart_palette.js";

const MOST_DOTS = 10;
const LEAST_LABEL_HEIGHT = 14;
const DIGIT_WIDTH = 7.5;

function totals(chart) {
  return chart.x.map((_, place) => chart.series.reduce((sum, each) => sum + (each.values[place] ?? 0), 0));
}

function highest(chart) {
  const each = chart.stacked === false ? chart.series.flatMap((one) => one.values) : totals(chart);
  return Math.max(1, ...each.map((value) => value ?? 0));
}

function niceTop(value) {
  const step = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((factor) => Math.ceil(factor * step)).find((top) => top >= value) ?? value;
}

/** Height above the plot: the names in as many rows as they need, and the axis' name. */
function headRoom(chart, colours, size) {
  if (chart.series.length < 2) return 44;
  return 24 + NAMES_ROW * rowsOfNames(chart.series.map((each) => each.name), colours, size.width);
}

function axes(chart, colours, size, top) {
  const look = axisLook(colours);
  const narrow = size.width < 480;
  return {
    grid: { left: 8, right: 8, top: headRoom(chart, colours, size), bottom: chart.x_label ? 26 : 6, containLabel: true },
    xAxis: { ...look, type: "category", data: chart.x, name: chart.x_label, nameLocation: "middle", nameGap: 28,
      axisTick: { show: false }, axisLabel: { ...look.axisLabel, hideOverlap: true, interval: narrow ? "auto" : 0 } },
    yAxis: { ...look, type: "value", min: 0, max: top, minInterval: 1, axisLine: { show: false }, axisTick: { show: false },
      splitLine: { show: true, lineStyle: { color: colours.line } } },
  };
}

/** The series' names, each with its mark, above the plot. */
export function namesAbove(chart, colours) {
  return {
    legend: {
      show: chart.series.length > 1, right: 0, top: 0, itemWidth: 12, itemHeight: 10, itemGap: 18, selectedMode: false,
      textStyle: { color: colours.ink, fontSize: 12 },
      data: chart.series.map((each, index) => ({ name: each.name, icon: markOf(each, index, colours).symbol })),
    },
  };
}

/** Whether a count fits into a bar as wide as the plot allows. */
function fits(count, chart, plotWidth) {
  const beside = chart.stacked === false ? chart.series.length : 1;
  const width = Math.min(44, (plotWidth / chart.x.length / beside) * 0.72);
  return String(count).length * DIGIT_WIDTH <= width;
}

function barSeries(chart, colours, plot, top) {
  return chart.series.map((each, index) => {
    const mark = markOf(each, index, colours);
    const label = ({ value }) => (
      (value / top) * plot.height >= LEAST_LABEL_HEIGHT && fits(value, chart, plot.width) ? value : "");
    return {
      type: "bar", name: each.name, data: each.values, stack: chart.stacked === false ? undefined : "cases",
      barMaxWidth: 44, barCategoryGap: "28%",
      itemStyle: { color: mark.colour, decal: mark.decal, borderColor: colours.surface, borderWidth: 0.5 },
      label: { show: true, position: "inside", formatter: label, color: inkOn(mark.colour), fontSize: 11,
        textBorderColor: mark.colour, textBorderWidth: mark.decal.symbol === "none" ? 0 : 3 },
      emphasis: { disabled: true },
    };
  });
}

// A stack's total stands above it, on a bar of no height.
function totalSeries(chart, colours, plot) {
  const room = totals(chart).every((sum) => fits(sum, chart, plot.width));
  if (!room || chart.stacked === false || chart.series.length < 2) return [];
  const sums = totals(chart).map((sum, place) => (chart.series.some((each) => each.values[place] === null) ? "" : sum));
  return [{
    type: "bar", stack: "cases", data: chart.x.map(() => 0), silent: true, itemStyle: { color: "transparent" },
    label: { show: true, position: "top", distance: 3, formatter: (point) => sums[point.dataIndex] || "", color: colours.quiet, fontSize: 11 },
  }];
}

function words() {
  return document.getElementById("words")?.dataset ?? {};
}

function inWords(chart) {
  return ([first]) => {
    const place = first.dataIndex;
    const lines = chart.series.map((each) => `${each.name}: ${each.values[place] ?? words().hidden ?? "–"}`);
    return [chart.x[place], ...lines].join("\n");
  };
}

function dotSeries(chart, colours, plot, top) {
  const below = chart.x.map(() => 0);
  const diameter = Math.min(18, (plot.height / top) * 0.82);
  return chart.series.map((each, index) => {
    const mark = markOf(each, index, colours);
    const points = each.values.flatMap((count, place) => {
      const dots = Array.from({ length: count ?? 0 }, (_, step) => [place, below[place] + step + 0.5]);
      below[place] += count ?? 0;
      return dots;
    });
    return { type: "scatter", name: each.name, data: points, symbol: mark.symbol, symbolSize: diameter,
      itemStyle: { color: mark.colour, borderColor: colours.surface, borderWidth: 1, opacity: 1 }, emphasis: { disabled: true }, silent: true };
  });
}

export function barsOption(chart, colours, size) {
  const most = highest(chart);
  const few = most <= MOST_DOTS && chart.stacked !== false;
  const top = niceTop(most);
  const plot = { width: size.width - 56, height: size.height - headRoom(chart, colours, size) - (chart.x_label ? 50 : 28) };
  return {
    ...axes(chart, colours, size, top),
    ...namesAbove(chart, colours),
    title: verticalName(chart.y_label, colours, headRoom(chart, colours, size) - 20),
    tooltip: few ? { show: false } : { trigger: "axis", axisPointer: { type: "shadow" }, formatter: inWords(chart) },
    series: few ? dotSeries(chart, colours, plot, top)
      : [...barSeries(chart, colours, plot, top), ...totalSeries(chart, colours, plot)],
  };
}
