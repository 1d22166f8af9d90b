/** Starts the CLI. Where install scripts were switched off there is no dist yet: it is compiled now, once. */
import { compile, isCompiled } from './compile.mjs';

// Ink and React keep a record of every render otherwise; it must be set before anything of theirs is loaded.
process.env.NODE_ENV ||= 'production';

if (!isCompiled()) {
  console.error('First use: compiling the TypeScript sources.');
  const problem = compile();
  if (problem !== null) {
    console.error(`${problem}\nnext: npm ci`);
    process.exit(4);
  }
}
await import('../dist/cli/main.js');
