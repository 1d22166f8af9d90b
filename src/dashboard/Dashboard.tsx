import { Box, useInput } from 'ink';
import { useEffect, useSyncExternalStore } from 'react';
import { keyNames } from './keys.js';
import { Pane } from './Pane.js';
import { type Scene, sceneOf } from './scene.js';
import type { Session } from './session.js';
import type { Row } from './text.js';

export interface DashboardProps {
  session: Session;
  hasColors: boolean;
  onKey: (name: string) => void;
  /** The terminal's input has been let go. */
  onGone?: () => void;
}

/** The whole screen: the log on the left, everybody else on the right. */
export default function Dashboard({ session, hasColors, onKey, onGone }: DashboardProps) {
  const scene = sceneOf(useSyncExternalStore(session.subscribe, session.scene));
  useInput((input, key) => {
    for (const name of keyNames(input, key)) onKey(name);
  });
  // Cleanups run in order: this one after that of useInput.
  useEffect(() => () => onGone?.(), [onGone]);
  return (
    <Box>
      <LeftColumn scene={scene} hasColors={hasColors} />
      <RightColumn scene={scene} hasColors={hasColors} />
    </Box>
  );
}

interface ColumnProps {
  scene: Scene;
  hasColors: boolean;
}

function LeftColumn({ scene: { layout, left }, hasColors }: ColumnProps) {
  const { columns } = layout.left;
  return (
    <Box flexDirection="column" width={columns} flexShrink={0}>
      {[left.header, left.body, left.events, left.footer].map((rows, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the blocks never change places
        <Pane key={i} rows={rows} columns={columns} hasColors={hasColors} />
      ))}
    </Box>
  );
}

function RightColumn({ scene: { layout, right }, hasColors }: ColumnProps) {
  const { columns } = layout.right;
  if (columns === 0) return null;
  const blocks = [right.list, right.why, right.chart, right.tasks, right.stakes, right.bottom];
  return (
    <Box flexDirection="column" width={columns} flexShrink={0}>
      {blocks.map((rows, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the blocks never change places
        <Pane key={i} rows={rows.map(withSeparator)} columns={columns} hasColors={hasColors} />
      ))}
    </Box>
  );
}

function withSeparator(row: Row): Row {
  return [{ text: '│', dim: true }, ...row];
}
