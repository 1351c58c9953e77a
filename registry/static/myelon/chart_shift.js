// Improved, unchanged, worse as shares of those assessed: dots for few, a bar for many.

import { NAMES_ROW, inkOn, markOf, percent, rowsOfNames, widestText } from "./chart_palette.js";

const MOST_DOTS = 20;
const LEAST_LABEL_WIDTH = 24;

function assessed(row) {
  return row.counts.reduce((sum, count) => sum + count, 0);
}

function rowLabel(row, words) {
  const known = assessed(row);
  const sentence = row.missing ? words.assessedOf : words.assessed;
  const denominator = (sentence ?? "{n}").replace("{n}", known).replace("{m}", known + (row.missing ?? 0));
  return `{name|${row.name}}\n{n|${denominator}}`;
}

function isFew(row) {
  return assessed(row) <= MOST_DOTS;
}

function textOn(text, x, y, fill, align = "center") {
  return { type: "text", style: { text, x, y, fill, textAlign: align, textVerticalAlign: "middle", fontSize: 12 } };
}

function barSeries(chart, marks, index, plotWidth) {
  const mark = marks[index];
  const shares = chart.rows.map((row) => (isFew(row) ? null : row.counts[index] / assessed(row)));
  const label = ({ dataIndex: place }) => {
    const width = shares[place] * plotWidth;
    const count = chart.rows[place].counts[index];
    if (!count || width < LEAST_LABEL_WIDTH) return "";
    return width > 84 ? `${count}  ·  ${percent(shares[place], 0)}` : String(count);
  };
  return {
    type: "bar", name: chart.categories[index].name, stack: "shares", data: shares, silent: true, barMaxWidth: 30, barCategoryGap: "36%",
    itemStyle: { color: mark.colour, decal: mark.decal, borderColor: mark.surface, borderWidth: 0.5 },
    label: { show: true, formatter: label, color: inkOn(mark.colour), fontSize: 12,
      textBorderColor: mark.colour, textBorderWidth: mark.decal.symbol === "none" ? 0 : 3 },
  };
}

function dotShape(symbol, x, y, r, style) {
  if (symbol === "rect") return { type: "rect", shape: { x: x - r, y: y - r, width: 2 * r, height: 2 * r }, style };
  if (symbol === "diamond") return { type: "polygon", shape: { points: [[x, y - r], [x + r, y], [x, y + r], [x - r, y]] }, style };
  if (symbol === "triangle") return { type: "polygon", shape: { points: [[x, y - r], [x + r, y + r], [x - r, y + r]] }, style };
  return { type: "circle", shape: { cx: x, cy: y, r }, style };
}

function dotsOf(row, place, api, marks, height, width) {
  const [left, y] = api.coord([0, place]);
  const total = assessed(row);
  const size = Math.min(height * 0.62, (width - 2 * total) / (total + 2));
  let x = left + size / 2;
  return row.counts.flatMap((count, index) => {
    const mark = marks[index];
    const dots = Array.from({ length: count }, (_, step) => {
      const centre = x + step * (size + 2);
      const style = { fill: mark.colour };
      return dotShape(mark.symbol, centre, y, size / 2, style);
    });
    const from = x;
    x += count * (size + 2) + (count ? size * 0.7 : 0);
    return count ? [...dots, textOn(String(count), from - size / 2, y + height / 2 + 2, mark.quiet, "left")] : dots;
  });
}

function dotSeries(chart, marks) {
  return {
    type: "custom", silent: true, data: chart.rows.map((_, place) => [0, place]),
    renderItem: (parameters, api) => {
      const place = api.value(1);
      const row = chart.rows[place];
      const height = Math.min(34, api.size([0, 1])[1] * 0.56);
      const children = isFew(row) ? dotsOf(row, place, api, marks, height, parameters.coordSys.width) : [];
      return { type: "group", children };
    },
  };
}

function legend(chart, colours, marks) {
  return {
    left: 0, top: 0, itemWidth: 12, itemHeight: 10, itemGap: 18, selectedMode: false,
    textStyle: { color: colours.ink, fontSize: 12 },
    data: chart.categories.map((each, index) => ({ name: each.name, icon: marks[index].symbol,
      itemStyle: { color: marks[index].colour, decal: marks[index].decal } })),
  };
}

function leftMargin(labels, colours, size) {
  const plain = labels.flatMap((label) => label.replace(/\{\w+\||\}/g, "").split("\n"));
  return Math.min(widestText(plain, colours) + 24, size.width * 0.42);
}

export function shiftOption(chart, colours, size) {
  const words = document.getElementById("words")?.dataset ?? {};
  const marks = chart.categories.map((each, index) => (
    { ...markOf(each, index, colours), quiet: colours.quiet, surface: colours.surface }));
  const labels = chart.rows.map((row) => rowLabel(row, words));
  const left = leftMargin(labels, colours, size);
  const hidden = { axisLine: { show: false }, axisTick: { show: false }, splitLine: { show: false } };
  return {
    legend: legend(chart, colours, marks),
    grid: { left, right: 12, top: 16 + NAMES_ROW * rowsOfNames(chart.categories.map((each) => each.name), colours, size.width), bottom: 26 },
    tooltip: { show: false },
    xAxis: { type: "value", min: 0, max: 1, interval: size.width < 480 ? 0.5 : 0.25, ...hidden,
      axisLabel: { show: !chart.rows.every(isFew), color: colours.quiet, fontSize: 12, formatter: (share) => percent(share, 0) } },
    yAxis: { type: "category", inverse: true, data: labels, ...hidden,
      axisLabel: { margin: 14, lineHeight: 16, rich: {
        name: { color: colours.ink, fontSize: 12, align: "right" }, n: { color: colours.quiet, fontSize: 11, align: "right" } } } },
    series: [
      ...chart.categories.map((_, index) => barSeries(chart, marks, index, size.width - left - 12)),
      dotSeries(chart, marks),
    ],
  };
}
