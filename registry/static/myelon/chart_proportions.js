// One share per group as a dot with its interval, and "3 of 19" beside it.

import { axisLook, markOf, percent, widestText } from "./chart_palette.js";

function number(value) {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(2);
}

function inWords(row, inPercent) {
  if (row.value === null || row.value === undefined) return "not estimable";
  const show = inPercent ? (value) => percent(value) : number;
  const interval = row.lower == null || row.upper == null ? ""
    : `  (${show(row.lower).replace(" %", "")}–${show(row.upper).replace(" %", "")})`;
  return `${show(row.value)}${interval}`;
}

function counts(row) {
  return row.n == null ? "" : `${row.events ?? ""}${row.events == null ? "n = " : " of "}${row.n}`;
}

function intervals(chart, colours) {
  return {
    type: "custom", silent: true, z: 2, encode: { x: [0, 1], y: 2 },
    data: chart.rows.map((row, place) => [row.lower, row.upper, place]).filter(([low, high]) => low != null && high != null),
    renderItem: (_, api) => {
      const place = api.value(2);
      const [from, y] = api.coord([api.value(0), place]);
      const [to] = api.coord([api.value(1), place]);
      const stroke = markOf(chart.rows[place], place, colours).colour;
      const bar = (x1, y1, x2, y2) => ({ type: "line", shape: { x1, y1, x2, y2 }, style: { stroke, lineWidth: 2 } });
      return { type: "group", children: [bar(from, y, to, y), bar(from, y - 4, from, y + 4), bar(to, y - 4, to, y + 4)] };
    },
  };
}

function dots(chart, colours) {
  return {
    type: "scatter", silent: true, z: 3, symbolSize: 11,
    data: chart.rows.flatMap((row, place) => {
      if (row.value == null) return [];
      const mark = markOf(row, place, colours);
      return [{ value: [row.value, place], symbol: mark.symbol,
        itemStyle: { color: mark.colour, borderColor: colours.surface, borderWidth: 1.5 } }];
    }),
    markLine: chart.reference == null ? undefined : {
      silent: true, symbol: "none", label: { show: false }, data: [{ xAxis: chart.reference }],
      lineStyle: { color: colours.axis, type: "dashed" },
    },
  };
}

function sideAxis(labels, colours, position, quiet) {
  return {
    type: "category", inverse: true, position, data: labels,
    axisLine: { show: false }, axisTick: { show: false }, splitLine: { show: false },
    axisLabel: { color: quiet ? colours.quiet : colours.ink, fontSize: 12, lineHeight: 15, margin: 12 },
  };
}

export function proportionsOption(chart, colours, size) {
  const look = axisLook(colours);
  const inPercent = chart.percent !== false;
  const narrow = size.width < 480;
  const left = chart.rows.map((row) => `${row.name}${narrow && row.n != null ? `\n${counts(row)}` : ""}`);
  const right = chart.rows.map((row) => (narrow ? inWords(row, inPercent).replace("  ", "\n") : `${inWords(row, inPercent)}    ${counts(row)}`));
  const widest = (texts) => widestText(texts.flatMap((text) => text.split("\n")), colours) + 20;
  return {
    grid: { left: Math.min(widest(left), size.width * 0.4), right: widest(right), top: 8, bottom: chart.x_label ? 44 : 24 },
    tooltip: { show: false },
    xAxis: { ...look, type: chart.log ? "log" : "value", min: inPercent ? 0 : undefined, max: inPercent ? 1 : undefined,
      interval: inPercent ? (narrow ? 0.5 : 0.25) : undefined, name: chart.x_label, nameLocation: "middle", nameGap: 26,
      splitLine: { show: true, lineStyle: { color: colours.line } },
      axisLabel: { ...look.axisLabel, formatter: inPercent ? (share) => percent(share, 0) : undefined } },
    yAxis: [sideAxis(left, colours, "left"), sideAxis(right, colours, "right")],
    series: [intervals(chart, colours), dots(chart, colours),
      { type: "scatter", yAxisIndex: 1, data: [], silent: true }],
  };
}
