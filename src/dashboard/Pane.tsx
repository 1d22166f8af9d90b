import { Box, Transform } from 'ink';
import { paint, type Row } from './text.js';

export interface PaneProps {
  rows: readonly Row[];
  columns: number;
  hasColors: boolean;
}

/** Rows at their place. Ink keeps the measure of every text it has ever laid out, for ever (measure-text.js, wrap-text.js in
 *  6.8): a log that runs for days would fill the memory. So it lays out empty lines, and their text comes in on the way out. */
export function Pane({ rows, columns, hasColors }: PaneProps) {
  if (rows.length === 0) return null;
  return (
    <Box width={columns} height={rows.length} flexShrink={0}>
      <Transform transform={(_, line) => paint(rows[line] ?? [], hasColors)}>
        {'\n'.repeat(rows.length - 1) || ' '}
      </Transform>
    </Box>
  );
}
