import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { addonStatus, ensureAddon } from '../../src/engine/buildAddon.js';
import { withBuildLock } from '../../src/engine/buildLock.js';
import { findLibtorch, presentLibtorch } from '../../src/engine/libtorch.js';
import { probeAddon, readStamp, requireAddon } from '../../src/engine/loadAddon.js';
import { runCommand } from '../../src/engine/runCommand.js';
import { temporaryFolder } from '../helpers/engine.js';
import { eventually } from '../helpers/processes.js';

const log = () => {};

afterEach(() => vi.unstubAllEnvs());

describe('libtorch', () => {
  it('comes from LIBTORCH before anything else, and a bad one is an error, not passed over', async () => {
    const { libtorch } = await ensureAddon({ log });
    vi.stubEnv('LIBTORCH', libtorch.folder);
    expect(await findLibtorch({ log })).toEqual({ ...libtorch, source: 'LIBTORCH' });
    const empty = temporaryFolder();
    vi.stubEnv('LIBTORCH', empty);
    await expect(findLibtorch({ log })).rejects.toMatchObject({
      family: 'build',
      code: 'libtorch.unusable',
      message: `The libtorch in ${empty} must hold lib/libtorch_cpu.so, and it does not.`,
    });
  });

  it('must be 2.11 or later', async () => {
    const folder = temporaryFolder();
    for (const sub of ['lib', 'include/ATen', 'include/torch/headeronly'])
      await mkdir(join(folder, sub), { recursive: true });
    for (const file of ['lib/libtorch_cpu.so', 'lib/libc10.so', 'include/ATen/Context.h']) {
      await writeFile(join(folder, file), '');
    }
    const version = (minor: number) =>
      `#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR ${minor}\n#define TORCH_VERSION_PATCH 1\n`;
    vi.stubEnv('LIBTORCH', folder);
    await writeFile(join(folder, 'include/torch/headeronly/version.h'), version(10));
    await expect(presentLibtorch({ log })).rejects.toThrow(`must be 2.11 or later; ${folder} is 2.10.1`);
    await writeFile(join(folder, 'include/torch/headeronly/version.h'), version(11));
    expect(await presentLibtorch({ log })).toMatchObject({ version: '2.11.1' });
  });

  it('is asked of pip only when python3 has it, in one sentence', async () => {
    vi.stubEnv('LIBTORCH', undefined);
    vi.stubEnv('PATH', temporaryFolder());
    vi.stubEnv('XDG_CACHE_HOME', temporaryFolder());
    await expect(findLibtorch({ log })).rejects.toMatchObject({
      family: 'build',
      code: 'libtorch.no_pip',
      next: expect.stringContaining('install python3 and pip'),
    });
  });

  it('leaves nothing in the cache when no index has it, and names each place and its reason', async () => {
    const bin = temporaryFolder();
    const cache = temporaryFolder();
    // A pip without a network: it runs, but finds nothing to download.
    const script =
      '#!/bin/sh\n[ "$3" = download ] && { echo "ERROR: No matching distribution" >&2; exit 1; }\nexit 0\n';
    await writeFile(join(bin, 'python3'), script, { mode: 0o755 });
    vi.stubEnv('LIBTORCH', undefined);
    vi.stubEnv('PATH', `${bin}:/bin`);
    vi.stubEnv('XDG_CACHE_HOME', cache);
    const places = [
      /https:\/\/download\.pytorch\.org\/whl\/cpu: ERROR: No matching/,
      /pip's own index: ERROR: No/,
    ];
    for (const place of places) {
      await expect(findLibtorch({ log })).rejects.toMatchObject({
        code: 'libtorch.download_failed',
        message: expect.stringMatching(place),
      });
    }
    expect(await readdir(join(cache, 'panthalia'))).toEqual([]);
  });

  it('is not looked for again while a build stands', async () => {
    const first = await ensureAddon({ log });
    const lines: string[] = [];
    expect(await ensureAddon({ log: (line) => lines.push(line) })).toEqual(first);
    expect(lines).toEqual([]);
  });

  it('wins over any other: the addon finds it by an absolute DT_RPATH', async () => {
    const { path, libtorch } = await ensureAddon({ log });
    const { stdout } = await runCommand('ldd', [path]);
    expect(stdout).toMatch(new RegExp(`libtorch_cpu\\.so => ${libtorch.folder}/lib/libtorch_cpu\\.so`));
    const decoy = temporaryFolder();
    await writeFile(join(decoy, 'libtorch_cpu.so'), 'not a library');
    vi.stubEnv('LD_LIBRARY_PATH', decoy);
    expect(await probeAddon(path)).toMatchObject({ info: { torchVersion: libtorch.version } });
  });
});

describe('the build', () => {
  it('tells doctor what there is', async () => {
    const { path } = await ensureAddon({ log });
    const status = await addonStatus();
    expect(status.libtorch).toMatchObject({ version: expect.stringMatching(/^2\.\d+\.\d+$/) });
    expect(status.addon).toMatchObject({
      path,
      stale: false,
      problem: null,
      cpuCapability: expect.any(String),
    });
  });

  it('reports an addon that does not load without loading it here', async () => {
    const broken = join(temporaryFolder(), 'broken.node');
    await writeFile(broken, 'not a library');
    expect(await probeAddon(broken)).toMatchObject({ problem: expect.stringContaining('file too short') });
  });

  it('is not loaded into a process whose libtorch is another one than it was compiled against', async () => {
    await ensureAddon({ log });
    const stamp = await readStamp();
    if (stamp === null) throw new Error('there is a build');
    await expect(requireAddon({ ...stamp, torchVersion: '2.12.1' })).rejects.toMatchObject({
      family: 'build',
      code: 'engine.other_libtorch',
      message: `The engine is built for libtorch 2.12.1, and in ${stamp.libtorch} there is ${stamp.torchVersion}.`,
      next: 'npm run build',
    });
    await expect(requireAddon({ ...stamp, libtorch: '/nowhere' })).rejects.toMatchObject({
      code: 'engine.other_libtorch',
      details: { expected: stamp.torchVersion, received: 'none' },
    });
  });

  it('lets one builder in at a time, and the next when the first is done or failed', async () => {
    const name = `test-${process.pid}`;
    const order: string[] = [];
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const enter = (who: string, work: () => Promise<void>) =>
      withBuildLock(name, { onWait: () => order.push(`${who} waits`) }, async () => {
        order.push(`${who} in`);
        await work();
      });
    const first = enter('first', () => held);
    await eventually('the first is in', () => order.includes('first in'));
    const second = enter('second', () => Promise.reject(new Error('failed')));
    await eventually('the second waits', () => order.includes('second waits'));
    release();
    await first;
    await expect(second).rejects.toThrow('failed');
    await enter('third', async () => {});
    expect(order).toEqual(['first in', 'second waits', 'second in', 'third in']);
  });

  it('stops waiting when aborted', async () => {
    const name = `test-abort-${process.pid}`;
    const controller = new AbortController();
    await withBuildLock(name, { onWait: () => {} }, async () => {
      const waiting = withBuildLock(
        name,
        { signal: controller.signal, onWait: () => controller.abort(new Error('enough')) },
        async () => {},
      );
      await expect(waiting).rejects.toThrow('enough');
    });
  });
});
