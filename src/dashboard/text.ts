/** Rows of styled text: what panes are made of, and how they become what a terminal understands. */

export type Color = 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan' | 'gray';

export interface Style {
  color?: Color;
  bold?: boolean;
  dim?: boolean;
  inverse?: boolean;
}

export interface Span extends Style {
  text: string;
}

export type Row = readonly Span[];

/** A row of one style, or of spans. */
export function row(...parts: (string | Span)[]): Row {
  return parts.map((part) => (typeof part === 'string' ? { text: part } : part));
}

export function span(text: string, style: Style = {}): Span {
  return { text, ...style };
}

/** Characters that every terminal draws in one column: ASCII, Latin, Greek, Cyrillic, and what our own screens are drawn with. */
const isNarrow =
  /^[\x20-\x7e\u00a1-\u00ac\u00ae-\u02ff\u0370-\u03ff\u0400-\u0482\u048a-\u052f\u2500-\u259f\u2800-\u28ff…·↑↓←→≥–]*$/;

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Columns that a text takes at most: terminals disagree about characters beyond those above, so they count as two. */
export function width(text: string): number {
  if (isNarrow.test(text)) return text.length;
  return [...graphemes.segment(text)].reduce((sum, { segment }) => sum + (isNarrow.test(segment) ? 1 : 2), 0);
}

/** The first columns of a text. One that is too long ends in `…`. */
export function clip(text: string, columns: number): string {
  if (columns <= 0) return '';
  if (isNarrow.test(text)) return text.length <= columns ? text : `${text.slice(0, columns - 1)}…`;
  if (width(text) <= columns) return text;
  let kept = '';
  let free = columns - 1;
  for (const { segment } of graphemes.segment(text)) {
    free -= width(segment);
    if (free < 0) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** Clipped or padded on the right. For text of one column a character, such as names and numbers. */
export function left(text: string, columns: number): string {
  return clip(text, columns).padEnd(columns);
}

/** Clipped or padded on the left. */
export function right(text: string, columns: number): string {
  return clip(text, columns).padStart(columns);
}

/** The row in at most so many columns. Spans after the first that has to be cut are left out. */
export function clipRow(line: Row, columns: number): Row {
  const kept: Span[] = [];
  let free = columns;
  for (const part of line) {
    const text = clip(part.text, free);
    kept.push({ ...part, text });
    if (text !== part.text) break;
    free -= width(text);
  }
  return kept;
}

/** The row with spaces behind it, for bars. */
export function padRow(line: Row, columns: number, style: Style = {}): Row {
  const used = line.reduce((sum, { text }) => sum + width(text), 0);
  return [...line, span(' '.repeat(Math.max(0, columns - used)), style)];
}

const colorCodes: Record<Color, number> = {
  red: 31,
  green: 32,
  yellow: 33,
  blue: 34,
  magenta: 35,
  cyan: 36,
  gray: 90,
};

/** With SGR codes (ECMA-48). Without colours bold, dim and inverse stay: NO_COLOR is about colours (no-color.org). */
export function paint(line: Row, hasColors: boolean): string {
  return line.map((part) => paintSpan(part, hasColors)).join('');
}

function paintSpan({ text, color, bold, dim, inverse }: Span, hasColors: boolean): string {
  const codes = [
    ...(bold ? [1] : []),
    ...(dim ? [2] : []),
    ...(inverse ? [7] : []),
    ...(color !== undefined && hasColors ? [colorCodes[color]] : []),
  ];
  return codes.length === 0 || text === ''
    ? text
    : `${codes.map((code) => `\x1b[${code}m`).join('')}${text}\x1b[0m`;
}
