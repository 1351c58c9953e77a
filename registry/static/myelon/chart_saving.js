// Saved figures carry their question, answer and date, so that they stand alone on a slide.

import { palette } from "./chart_palette.js";

const LINE = 19;
const PAPER_SCALE = 3;
const FONT = "system-ui, 'Noto Sans', sans-serif";

function save(url, name) {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
}

function saveBlob(blob, name) {
  const url = URL.createObjectURL(blob);
  save(url, name);
  window.setTimeout(() => URL.revokeObjectURL(url), 10000);
}

function wrapped(text, font, width) {
  const context = document.createElement("canvas").getContext("2d");
  context.font = font;
  const lines = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && context.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** Lines above the figure: {text, size, weight, fill}. */
function captionLines(figure, width) {
  const colours = palette("light");
  const styles = [[".figure-title", 15, 600, colours.ink], [".figure-answer", 13, 400, colours.ink], [".figure-asof", 11, 400, colours.faint]];
  return styles.flatMap(([selector, size, weight, fill]) => {
    const text = figure.querySelector(selector)?.textContent ?? "";
    return wrapped(text, `${weight} ${size}px ${FONT}`, width).map((line) => ({ text: line, size, weight, fill }));
  });
}

function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

export function saveSvg(figure, chart, width) {
  const lines = captionLines(figure, width);
  const top = lines.length * LINE + 8;
  const height = Number(/height="(\d+)"/.exec(chart)[1]) + top;
  const words = lines.map((line, place) => `<text x="0" y="${(place + 1) * LINE - 4}" font-family="${FONT}" font-size="${line.size}" font-weight="${line.weight}" fill="${line.fill}">${escaped(line.text)}</text>`);
  const inner = chart.replace("<svg ", `<svg y="${top}" `);
  const text = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><rect width="100%" height="100%" fill="#ffffff"/>${words.join("")}${inner}</svg>`;
  saveBlob(new Blob([text], { type: "image/svg+xml" }), `${figure.id}.svg`);
}

export function savePng(figure, chart) {
  const lines = captionLines(figure, chart.width / PAPER_SCALE);
  const top = (lines.length * LINE + 8) * PAPER_SCALE;
  const canvas = document.createElement("canvas");
  canvas.width = chart.width;
  canvas.height = chart.height + top;
  const context = canvas.getContext("2d");
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  lines.forEach((line, place) => {
    context.font = `${line.weight} ${line.size * PAPER_SCALE}px ${FONT}`;
    context.fillStyle = line.fill;
    context.fillText(line.text, 0, ((place + 1) * LINE - 4) * PAPER_SCALE);
  });
  context.drawImage(chart, 0, top);
  canvas.toBlob((blob) => saveBlob(blob, `${figure.id}.png`), "image/png");
}

// Numbers stand as numbers. A text that a spreadsheet would run as a formula is led by an
// apostrophe; an empty cell is no number.
function csvCell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A table {columns, rows} as the text of a CSV file. */
export function csvText(table) {
  const lines = [table.columns, ...table.rows].map((row) => row.map(csvCell).join(","));
  return `${lines.join("\r\n")}\r\n`;
}

/** Save one of the figure's tables, with the mark that spreadsheets need for UTF-8. */
export function saveTable(figure, source) {
  const table = JSON.parse(document.getElementById(source).textContent);
  saveBlob(new Blob([`\uFEFF${csvText(table)}`], { type: "text/csv;charset=utf-8" }), `${source}.csv`);
}
