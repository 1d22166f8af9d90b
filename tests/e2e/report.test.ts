import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import { afterAll, expect, test } from 'vitest';
import { runFolderAt } from '../../src/actions/runFolder.js';
import { writeReport } from '../../src/actions/writeReport.js';
import { demoJournal } from '../helpers/demoRun.js';

/** Where Debian's package puts it. */
const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
const why = executablePath === undefined ? ' (skipped: no Chromium; apt install chromium)' : '';

const folder = mkdtempSync(join(tmpdir(), 'panthalia-report-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.skipIf(executablePath === undefined)(
  `a browser shows the report, light and dark, without a request, an error or an empty figure${why}`,
  async () => {
    const [page = ''] = await writeReport({ ...runFolderAt(folder), journal: demoJournal });
    const browser = await chromium.launch({
      executablePath: executablePath as string,
      args: ['--no-sandbox'],
    });
    try {
      const tab = await browser.newPage({ viewport: { width: 1000, height: 900 } });
      const told: string[] = [];
      const requests: string[] = [];
      tab.on('console', (message) => told.push(message.text()));
      tab.on('pageerror', (error) => told.push(error.message));
      tab.on('request', (request) => requests.push(request.url()));
      await tab.goto(pathToFileURL(page).href);

      const figures = await figuresIn(tab);
      expect(figures).toHaveLength(5);
      for (const { name, width, marks } of figures) {
        expect(name.length).toBeGreaterThan(20);
        expect(width).toBeGreaterThan(400);
        expect(marks).toBeGreaterThan(3);
      }
      expect(await cutTables(tab)).toEqual([]);
      expect(await tab.locator('#books').textContent()).toContain('every column sums to zero');
      const pictures = [];
      for (const colorScheme of ['light', 'dark'] as const) {
        await tab.emulateMedia({ colorScheme });
        pictures.push(await tab.screenshot({ path: join(folder, `${colorScheme}.png`), fullPage: true }));
      }
      for (const picture of pictures) expect(picture.length).toBeGreaterThan(50_000);
      expect(pictures[0]?.equals(pictures[1] as Buffer)).toBe(false);
      expect(told).toEqual([]);
      expect(requests).toEqual([pathToFileURL(page).href]);
    } finally {
      await browser.close();
    }
  },
  60_000,
);

/** Headings of the sections with a table of which a part has to be scrolled to. */
function cutTables(tab: Page): Promise<string[]> {
  return tab.evaluate(`[...document.querySelectorAll('.scroll')]
    .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
    .map((cut) => cut.closest('section')?.querySelector('h2')?.textContent ?? 'a table without a heading')`);
}

/** In the page, whose globals TypeScript does not know here: as text. */
function figuresIn(tab: Page): Promise<{ name: string; width: number; marks: number }[]> {
  return tab.evaluate(`[...document.querySelectorAll('figure')].map((figure) => ({
    name: figure.getAttribute('aria-label') ?? '',
    width: figure.querySelector('svg')?.getBoundingClientRect().width ?? 0,
    marks: [...figure.querySelectorAll('svg path[d]')].filter((path) => path.getAttribute('d') !== '').length,
  }))`);
}
