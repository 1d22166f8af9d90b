/** Where everything stands for a size of the terminal and a run. Pure. */

export interface Size {
  columns: number;
  rows: number;
}

export interface Layout {
  /** small: only a notice; classic: the paper's screen; wide: with header, events and tables */
  kind: 'small' | 'classic' | 'wide';
  /** Rows used: one less than there are, because Ink clears the whole terminal on every frame of a screen that fills it. */
  rows: number;
  left: { columns: number; header: number; body: number; events: number; footer: number };
  /** columns 0: hidden by zoom */
  right: {
    columns: number;
    list: number;
    why: number;
    chart: number;
    tasks: number;
    stakes: number;
    bottom: number;
  };
}

export const smallest: Size = { columns: 80, rows: 20 };
const wideFrom = 120;
/** below this the event pane goes first */
const tallFrom = 36;
const classicRight = 24;
const wideRight = 50;
const smallestChart = 3;
const mostChartRows = 20;

/** processes, workers: how many entries their blocks have */
export function layoutOf(
  size: Size,
  { processes, workers, isZoomed }: { processes: number; workers: number; isZoomed: boolean },
): Layout {
  const rows = Math.max(1, size.rows - 1);
  if (size.columns < smallest.columns || size.rows < smallest.rows) {
    return {
      ...{ kind: 'small', rows },
      left: { columns: size.columns, header: 0, body: rows, events: 0, footer: 0 },
      right: { ...nothing },
    };
  }
  const isWide = size.columns >= wideFrom;
  const rightColumns = isZoomed ? 0 : isWide ? wideRight : classicRight;
  const header = isWide ? 2 : 0;
  const events = isWide && size.rows >= tallFrom ? Math.min(12, Math.floor(rows / 4)) : 0;
  return {
    kind: isWide ? 'wide' : 'classic',
    rows,
    left: {
      columns: size.columns - rightColumns,
      header,
      events,
      footer: 1,
      body: rows - header - events - 1,
    },
    right: isZoomed
      ? { ...nothing }
      : { columns: rightColumns, ...rightBlocks({ rows, isWide, processes, workers }) },
  };
}

const nothing = { columns: 0, list: 0, why: 0, chart: 0, tasks: 0, stakes: 0, bottom: 0 };

/** From the bottom up, as in the paper: banner, two blank rows, counts, a blank row, the loss. What is left over goes to the
 *  list first, then to the tables, then to the chart. */
function rightBlocks({
  rows,
  isWide,
  processes,
  workers,
}: {
  rows: number;
  isWide: boolean;
  processes: number;
  workers: number;
}): Omit<Layout['right'], 'columns'> {
  const bottom = isWide ? 8 : 9;
  const why = isWide ? 1 : 2;
  const list = Math.max(1, Math.min(processes, rows - bottom - why));
  let free = rows - bottom - why - list;
  const take = (wanted: number, spare: number) => {
    const given = free - wanted >= spare ? wanted : 0;
    free -= given;
    return given;
  };
  const tasks = isWide ? take(5, smallestChart + 2) : 0;
  const stakes = isWide ? take(workers + 2, smallestChart + 2) : 0;
  const chart = free >= smallestChart ? Math.min(free, mostChartRows) : 0;
  // Rows that nobody wants stand between the blocks and the bottom.
  return { list, why: why + (free - chart), chart, tasks, stakes, bottom };
}
