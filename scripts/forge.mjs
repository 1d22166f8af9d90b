/** The forge binary of the platform package, started directly: `npx` would put two processes in between. */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

export function forgeBinary() {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const name = `@foundry-rs/forge-${process.platform}-${architecture}/bin/forge${process.platform === 'win32' ? '.exe' : ''}`;
  return createRequire(require.resolve('@foundry-rs/forge/package.json')).resolve(name);
}
