#!/usr/bin/env node
// The compiler for forge: speaks as much of solc's command line as forge uses, over the npm package solc.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

if (process.argv.includes('--version')) {
  // forge asks before every command, and the compiler takes most of a second to load
  const { version } = createRequire(import.meta.url)('solc/package.json');
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`);
} else {
  const { default: solc } = await import('solc');
  // forge puts every source into the standard JSON input, so no import callback is needed
  process.stdout.write(solc.compile(readFileSync(0, 'utf8')));
}
