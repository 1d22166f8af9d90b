#!/usr/bin/env node
// The compiler for forge: speaks as much of solc's command line as forge uses, over the npm package solc.
import { readFileSync } from 'node:fs';
import solc from 'solc';

if (process.argv.includes('--version')) {
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`);
} else {
  // forge puts every source into the standard JSON input, so no import callback is needed
  process.stdout.write(solc.compile(readFileSync(0, 'utf8')));
}
