/** The pictures of the README: the dashboard as a real terminal shows it in the middle of a dispute (docs/dashboard.png), and the
 *  report of the same run in a real browser (docs/report.png).
 *  usage: node scripts/pictures.mjs [run folder, default runs/latest]     (needs Chromium; a run with a dispute is worth more)
 *  made with: npx panthalia simulate --cheat worker_2:zero-delta && node scripts/pictures.mjs */
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { spawn } from '@lydell/node-pty';
import { Resvg } from '@resvg/resvg-js';
import xterm from '@xterm/headless';
import { chromium } from 'playwright-core';
import { root } from './compile.mjs';

const [columns, rows] = [150, 42];
const cell = { width: 8.43, height: 17, font: 14 };
const background = '#16181d';
const foreground = '#d6d8dc';
/** of the terminal, by number */
const palette = ['#16181d', '#e06c75', '#98c379', '#e5c07b', '#61afef', '#c678dd', '#56b6c2', foreground];
const gray = '#7f848e';

const folder = realpathSync(process.argv[2] ?? join(root, 'runs/latest'));
const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
if (executablePath === undefined) {
  console.error('No picture was made: the report needs Chromium.\nnext: apt install chromium');
  process.exit(3);
}
writeFileSync(join(root, 'docs/dashboard.png'), pngOf(svgOf(await screenOf(folder, momentOf(folder)))));
writeFileSync(join(root, 'docs/report.png'), await reportOf(join(folder, 'report.html')));
console.log('docs/dashboard.png, docs/report.png');

/** Seconds from the start of the run to where there is most to see: votes are open, or else the last quarter. */
function momentOf(run) {
  const lines = readFileSync(join(run, 'journal.jsonl'), 'utf8').trimEnd().split('\n');
  const events = lines.map((line) => JSON.parse(line));
  const timeOf = ({ t }) => (Date.parse(t) - Date.parse(events[0].t)) / 1000;
  const voting = events.find(({ fact }) => fact?.type === 'VoteRevealed');
  return Math.floor(timeOf(voting ?? events[Math.floor(events.length * 0.75)]));
}

/** The cells of `panthalia replay` at this moment. */
async function screenOf(run, seconds) {
  const args = [join(root, 'bin/panthalia.js'), 'replay', run, '--speed', '0.125', '--from', String(seconds)];
  const { CI: _, NO_COLOR: __, NODE_ENV: ___, ...env } = process.env;
  const pty = spawn(process.execPath, args, { cols: columns, rows, name: 'xterm-256color', env });
  const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
  await new Promise((resolve, reject) => {
    pty.onExit(({ exitCode }) => reject(new Error(`panthalia replay ended with ${exitCode}`)));
    pty.onData((data) => terminal.write(data, () => isDrawn(terminal) && resolve()));
  });
  pty.kill();
  return linesOf(terminal);
}

function isDrawn({ buffer: { active } }) {
  const lines = Array.from({ length: rows }, (_, y) => active.getLine(y)?.translateToString(true) ?? '');
  return lines.some((line) => /Latest Loss: \d/.test(line));
}

/** Of each row, its pieces of one style. */
function linesOf({ buffer: { active } }) {
  return Array.from({ length: rows }, (_, y) => {
    const pieces = [];
    for (let x = 0; x < columns; x++) {
      const at = active.getLine(y)?.getCell(x);
      const text = at?.getChars() || ' ';
      const style = at === undefined ? {} : styleOf(at);
      const last = pieces.at(-1);
      const isOfPiece = JSON.stringify(last?.style) === JSON.stringify(style) && !isBraille(last.text + text);
      if (isOfPiece) last.text += text;
      else pieces.push({ x, text, style });
    }
    return pieces;
  });
}

/** The font has none, and those of another one are wider: each is put where it belongs. */
function isBraille(text) {
  return /[\u2800-\u28ff]/.test(text);
}

function styleOf(at) {
  const number = at.getFgColor();
  const color = at.isFgDefault() ? foreground : number === 8 ? gray : palette[number % 8];
  const isInverse = at.isInverse() !== 0;
  return {
    color: isInverse ? background : at.isDim() !== 0 && at.isFgDefault() ? gray : color,
    behind: isInverse ? color : undefined,
    isBold: at.isBold() !== 0,
  };
}

function svgOf(lines) {
  const size = { width: columns * cell.width + 24, height: rows * cell.height + 24 };
  const pieces = lines.flatMap((line, y) => line.map((piece) => svgOfPiece(piece, y)));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}">
<rect width="100%" height="100%" rx="8" fill="${background}"/>
<g font-family="DejaVu Sans Mono" font-size="${cell.font}" transform="translate(12 12)">${pieces.join('\n')}</g></svg>`;
}

function svgOfPiece({ x, text, style: { color, behind, isBold } }, y) {
  const [left, width] = [x * cell.width, text.length * cell.width];
  const box =
    behind === undefined
      ? ''
      : `<rect x="${left}" y="${y * cell.height}" width="${width}" height="${cell.height}" fill="${behind}"/>`;
  if (text.trim() === '') return box;
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const weight = isBold ? ' font-weight="bold"' : '';
  return `${box}<text x="${left}" y="${y * cell.height + cell.font - 1}" fill="${color}"${weight} xml:space="preserve">${escaped}</text>`;
}

function pngOf(svg) {
  const { resolve } = createRequire(import.meta.url);
  const fontFiles = ['DejaVuSansMono', 'DejaVuSansMono-Bold', 'DejaVuSans'].map((name) =>
    resolve(`dejavu-fonts-ttf/ttf/${name}.ttf`),
  );
  return new Resvg(svg, { font: { fontFiles, loadSystemFonts: false } }).render().asPng();
}

async function reportOf(page) {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const tab = await browser.newPage({ viewport: { width: 1000, height: 1300 } });
    await tab.goto(pathToFileURL(page).href);
    return await tab.screenshot();
  } finally {
    await browser.close();
  }
}
