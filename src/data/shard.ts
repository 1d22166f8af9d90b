/** Token shards in llm.c's layout: 256 x int32 header (magic, version, token count), then uint16 tokens, little endian.
 *  source: karpathy/llm.c dev/data/data_common.py, llmc/dataloader.h */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import { PanthaliaError } from '../errors.js';
import { sha256Hex } from '../protocol/requestAuth.js';
import type { Hex32 } from '../protocol/task.js';

const shardMagic = 20240520;
const shardVersion = 1;
export const shardHeaderBytes = 1024;
/** A window can be proven to lie in a shard with leaves of this size. */
export const shardLeafBytes = 65_536;

/** What a manifest says about one shard. */
export interface ShardEntry {
  id: number;
  tokens: number;
  bytes: number;
  sha256: Hex32;
  /** `merkleRoot` over the whole file, header included */
  merkle: Hex32;
}

/** Bytes of a shard file. tokens: values below 65,536 */
export function encodeShard(tokens: Uint16Array): Buffer {
  const file = Buffer.alloc(shardHeaderBytes + 2 * tokens.length);
  file.writeInt32LE(shardMagic, 0);
  file.writeInt32LE(shardVersion, 4);
  file.writeInt32LE(tokens.length, 8);
  for (const [index, token] of tokens.entries()) file.writeUInt16LE(token, shardHeaderBytes + 2 * index);
  return file;
}

export function shardEntry(id: number, file: Buffer): ShardEntry {
  const tokens = (file.length - shardHeaderBytes) / 2;
  return { id, tokens, bytes: file.length, sha256: sha256Hex(file), merkle: merkleRoot(file) };
}

/** Reads a shard whole and checks everything a manifest says of it.
 *  throws check/shard.magic, shard.version, shard.size, shard.token, shard.hash */
export async function openShard(path: string, entry: ShardEntry, vocabSize: number): Promise<Uint16Array> {
  const file = await readFile(path);
  const refuse = (code: string, what: string, expected: unknown, received: unknown) =>
    new PanthaliaError(
      'check',
      `The shard ${path} has the wrong ${what}: ${expected} expected, ${received} found.`,
      {
        code: `shard.${code}`,
        details: { path, expected, received },
        next: 'panthalia doctor',
      },
    );
  if (file.length !== entry.bytes) throw refuse('size', 'size in bytes', entry.bytes, file.length);
  if (file.length < shardHeaderBytes) throw refuse('size', 'size in bytes', shardHeaderBytes, file.length);
  const [magic, version, count] = [file.readInt32LE(0), file.readInt32LE(4), file.readInt32LE(8)];
  if (magic !== shardMagic) throw refuse('magic', 'magic number', shardMagic, magic);
  if (version !== shardVersion) throw refuse('version', 'version', shardVersion, version);
  if (count !== entry.tokens) throw refuse('size', 'token count', entry.tokens, count);
  const expectedBytes = shardHeaderBytes + 2 * count;
  if (file.length !== expectedBytes) throw refuse('size', 'size in bytes', expectedBytes, file.length);
  const sha256 = sha256Hex(file);
  if (sha256 !== entry.sha256) throw refuse('hash', 'sha-256', entry.sha256, sha256);
  const tokens = tokensOf(file, count);
  // A plain loop: findIndex takes five times as long, and every process of a run opens its dataset.
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as number;
    if (token >= vocabSize) throw refuse('token', `token at ${at}`, `below ${vocabSize}`, token);
  }
  return tokens;
}

/** A copy, because a pooled Buffer need not be aligned to 2 bytes. */
function tokensOf(file: Buffer, count: number): Uint16Array {
  const body = new Uint8Array(2 * count);
  body.set(file.subarray(shardHeaderBytes));
  if (endianness() === 'BE') Buffer.from(body.buffer).swap16();
  return new Uint16Array(body.buffer);
}

/** Whole windows of T tokens; each needs one token more for its last target. */
export function windowsInShard(tokens: number, windowTokens: number): number {
  return Math.max(0, Math.floor((tokens - 1) / windowTokens));
}

/** leaf = sha256(0x00 | 64 KiB of the file), node = sha256(0x01 | left | right), an odd node goes up unchanged. */
export function merkleRoot(file: Buffer): Hex32 {
  let level: Buffer[] = [];
  for (let at = 0; at < file.length; at += shardLeafBytes) {
    level.push(hash(0, file.subarray(at, at + shardLeafBytes)));
  }
  while (level.length > 1) level = parents(level);
  return `0x${(level[0] ?? hash(0)).toString('hex')}`;
}

function parents(level: Buffer[]): Buffer[] {
  const above: Buffer[] = [];
  for (let at = 0; at < level.length; at += 2) {
    const [left, right] = [level[at] as Buffer, level[at + 1]];
    above.push(right ? hash(1, left, right) : left);
  }
  return above;
}

function hash(prefix: number, ...parts: Buffer[]): Buffer {
  const digest = createHash('sha256').update(Uint8Array.of(prefix));
  for (const part of parts) digest.update(part);
  return digest.digest();
}
