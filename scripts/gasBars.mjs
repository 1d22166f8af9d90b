/** What transactions and bytecode may cost at most, and which of these bars are missed and accepted: for how much, and why. */

const most = { bytecode: 22_000 };

/** Whole transactions, of the groups of tests/contracts/gas/snapshots.  each: name -> gas among one number of stakers */
const ofStakers = [
  {
    name: 'undisputed task, alone',
    bar: 265_000,
    gas: (each) => sum(each, ['createBatch, 1 task', 'assign', 'submit', 'finalize']),
    accepted: { 10000: [269_855, 'three more levels of the tree than among 200'] },
  },
  {
    name: 'undisputed task, in a batch of 16',
    bar: 170_000,
    gas: (each) =>
      sum(each, ['createBatch, 16 tasks', 'assignMany, 16 tasks', 'finalizeMany, 16 tasks']) / 16 +
      each('submit, in a batch'),
  },
  { name: 'draw of 3 seats', bar: 215_000, gas: (each) => each('drawSeats, 3 seats') },
  { name: 'commit vote', bar: 62_000, gas: (each) => each('commitVote') },
  {
    name: 'commit vote, the last of a panel',
    bar: 62_000,
    gas: (each) => each('commitVote, the last'),
    accepted: bothAt(62_735, 'it opens the reveal: a window out of the parameters and a second log'),
  },
  { name: 'reveal vote', bar: 45_000, gas: (each) => each('revealVote') },
  {
    name: 'reveal vote, the last of a panel',
    bar: 45_000,
    gas: (each) => each('revealVote, the last'),
    accepted: bothAt(48_764, 'it makes the ruling: a window out of the parameters and a second log'),
  },
  {
    name: 'pin over 512 leaves, shortest proof',
    bar: 95_000,
    gas: (each) => each('pin over 512 leaves, shortest proof'),
    accepted: bothAt(110_246, 'transaction, slots, cold contracts and logs are 94k before any arithmetic'),
  },
  {
    name: 'pin over 512 leaves, longest proof',
    bar: 95_000,
    gas: (each) => each('pin over 512 leaves, longest proof'),
    accepted: bothAt(115_816, 'as the shortest, and the calldata of the proof'),
  },
  {
    name: 'whole one-step dispute, 3 verifiers',
    bar: 1_000_000,
    gas: (each) =>
      sum(each, ['commitDispute', 'pin over 512 leaves, shortest proof', 'drawSeats, 3 seats']) +
      2 * sum(each, ['commitVote', 'revealVote']) +
      sum(each, ['commitVote, the last', 'revealVote, the last']) +
      sum(each, ['settle, a conviction', 'closeSeats, 3 seats']),
    accepted: { 10000: [1_006_022, 'three more levels of the tree, for three draws and a conviction'] },
  },
];

/** Of a draw in a transaction of its own: base and calldata. */
const transactionOfADraw = 22_504;

/** Every bar as { name, bar, value, accepted: [value, why] or undefined }.  measured: group -> name -> gas or bytes, as text */
export function barsOf(measured) {
  const among = [200, 10_000].flatMap((stakers) =>
    ofStakers.map(({ name, bar, gas, accepted }) => ({
      ...{ name: `${name}; stakers: ${stakers}`, bar, accepted: accepted?.[stakers] },
      value: Math.round(gas((what) => read(measured.market, `${what}; stakers: ${stakers}`))),
    })),
  );
  const draw = read(measured.staking, 'draw, as a transaction; stakers: 10000') - transactionOfADraw;
  const seed = read(measured.beacon, 'fulfil, a seed per epoch');
  const sizes = Object.entries(measured.bytecode).map(([name, bytes]) => ({
    ...{ name: `bytes of ${name}`, bar: most.bytecode, value: Number(bytes) },
  }));
  return [
    ...among,
    { name: 'seed of an epoch', bar: 125_000, value: seed },
    { name: 'one draw, the call alone; stakers: 10000', bar: 28_000, value: draw },
    ...sizes,
  ];
}

function bothAt(value, why) {
  return { 200: [value, why], 10000: [value, why] };
}

function sum(each, names) {
  return names.reduce((total, name) => total + each(name), 0);
}

/** NaN, which meets no bar, where nothing of that name was measured. */
function read(group, name) {
  return Number(group?.[name]);
}
