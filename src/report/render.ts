/** Specification -> SVG -> PNG. The libraries are loaded here, when a picture is wanted: they take half a second. */
import { createRequire } from 'node:module';
import type { TopLevelSpec } from 'vega-lite';

/** A whole <svg> element.  id: makes the names inside it its own, since several stand in one page */
export async function renderSvg(spec: TopLevelSpec, id: string): Promise<string> {
  const [{ compile }, vega] = await Promise.all([import('vega-lite'), import('vega')]);
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none' });
  try {
    const svg = await view.toSVG();
    return svg.replace(/\b(clip|gradient)(_?\d+)\b/g, `${id}-$1$2`);
  } finally {
    view.finalize();
  }
}

/** Twice the size of the SVG, on white. The fonts come with us: a server may have none, and resvg then draws no letters. */
export async function renderPng(svg: string): Promise<Buffer> {
  const { Resvg } = await import('@resvg/resvg-js');
  const { resolve } = createRequire(import.meta.url);
  const fontFiles = ['DejaVuSans', 'DejaVuSans-Bold'].map((name) =>
    resolve(`dejavu-fonts-ttf/ttf/${name}.ttf`),
  );
  const picture = new Resvg(svg, {
    background: 'white',
    fitTo: { mode: 'zoom', value: 2 },
    font: {
      fontFiles,
      loadSystemFonts: false,
      defaultFontFamily: 'DejaVu Sans',
      sansSerifFamily: 'DejaVu Sans',
    },
  });
  return Buffer.from(picture.render().asPng());
}
