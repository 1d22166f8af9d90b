/** Rules about our Solidity that no linter has. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const folder = 'contracts';

interface Rule {
  what: string;
  forbidden: RegExp;
  /** the files that may */
  except?: (path: string) => boolean;
}

const rules: readonly Rule[] = [
  {
    // Whoever reads them elsewhere lets a caller or a proposer choose the outcome.
    what: 'chance comes from the beacon alone',
    forbidden: /\b(prevrandao|difficulty|blockhash|blobhash|BlockHeader|Blockhash|BlockHashLib)\b/,
    except: (path) => path.startsWith('randomness/'),
  },
  { what: 'errors are custom errors', forbidden: /\brevert\s*\(|\brequire\s*\([^;]*,\s*"|\bassert\s*\(/ },
  { what: 'no strings', forbidden: /\bstring\b/ },
  // A list that grows with its users ends above the gas limit of a block. Checkpoints, pushed as key and value, are searched in
  // O(log n) and never walked.
  {
    what: 'no arrays in storage',
    forbidden: /(?<!\bnew \w+)\[\s*\](?!\s*(calldata|memory)\b)|\.push\s*\((?!\w+, )/,
    // they store nothing: their structs may be arguments
    except: (path) => path.startsWith('interfaces/'),
  },
  { what: 'the sender is whoever called', forbidden: /\btx\.origin\b/ },
  {
    what: 'no code of somebody else runs in our name, and none of ours disappears',
    forbidden: /\b(delegatecall|callcode|selfdestruct)\b|\.call\s*[({]/,
  },
  { what: 'ether stays out', forbidden: /\bpayable\b|\bmsg\.value\b/ },
];

/** Comments out, and events, which store nothing. */
function codeOf(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\/|\/\/.*$|\bevent [^;]*;/gm, '');
}

function findings(path: string, source: string): string[] {
  const code = codeOf(source);
  const broken = rules.filter(({ forbidden, except }) => !except?.(path) && forbidden.test(code));
  const unexplained = source.match(/unchecked \{(?!\n.*\/\/)/g) ?? [];
  return [
    ...broken.map(({ what, forbidden }) => `${path}: ${what} (${forbidden.exec(code)?.[0]})`),
    ...unexplained.map(() => `${path}: every unchecked says in its first line why it may`),
  ];
}

function sources(): string[] {
  return (readdirSync(folder, { recursive: true }) as string[]).filter((path) => path.endsWith('.sol'));
}

test('our contracts keep them', () => {
  expect(sources().length).toBeGreaterThan(20);
  expect(sources().flatMap((path) => findings(path, readFileSync(join(folder, path), 'utf8')))).toEqual([]);
});

test('what is deployed is compiled by one compiler', () => {
  const deployed = sources().filter((path) => !/^(interfaces|libraries)\//.test(path));
  const others = deployed.filter(
    (path) => !/^pragma solidity 0\.8\.37;$/m.test(readFileSync(join(folder, path), 'utf8')),
  );
  expect(others).toEqual([]);
});

test.each([
  ['Court.sol', 'uint256 x = block.prevrandao;'],
  ['Court.sol', 'bytes32 h = blockhash(block.number - 1);'],
  ['Court.sol', 'require(a > b, "too small");'],
  ['Court.sol', 'if (a) revert("no");'],
  ['Court.sol', 'function name() external returns (string memory);'],
  ['Court.sol', 'address[] private _voters;'],
  ['Court.sol', 'mapping(uint256 => bytes32[]) private _cases;'],
  ['Court.sol', 'voters.push(msg.sender);'],
  ['Court.sol', 'require(tx.origin == owner, NotOwner());'],
  ['Court.sol', 'buyer.call{gas: 5000}("");'],
  ['Court.sol', 'function fund() external payable {}'],
  ['Court.sol', 'unchecked {\n  a += 1;\n}'],
])('%s with `%s` is found', (path, source) => {
  expect(findings(path, source)).toHaveLength(1);
});

test.each([
  ['randomness/RandomnessBeacon.sol', 'bytes32 h = blockhash(block.number - 1);'],
  ['Court.sol', '// block.prevrandao would be chosen by the proposer'],
  ['Court.sol', 'function many(bytes32[] calldata ids) external returns (uint256[] memory done);'],
  ['Court.sol', 'unchecked {\n  a += 1; // just compared\n}'],
  ['Court.sol', 'leaves.push(version, leaf);'],
])('%s with `%s` is not', (path, source) => {
  expect(findings(path, source)).toEqual([]);
});
