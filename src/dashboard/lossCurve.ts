/** The training loss over the whole run in bounded memory: mean loss by position in the run, in buckets that double. */

export interface LossCurve {
  /** inner steps of the run per bucket */
  stepsPerBucket: number;
  /** bucket i holds the positions [i, i + 1) * stepsPerBucket; empty ones have count 0 */
  buckets: readonly { sum: number; count: number }[];
}

const maxBuckets = 1024;

export const emptyCurve: LossCurve = { stepsPerBucket: 1, buckets: [] };

/** position: round * innerSteps + step, from 0: workers that train at the same time fall on the same place.
 *  loss: nats per token; one that is no number is left out */
export function addLoss(curve: LossCurve, position: number, loss: number): LossCurve {
  if (!Number.isFinite(loss) || position < 0) return curve;
  const index = Math.floor(position / curve.stepsPerBucket);
  if (index >= maxBuckets) return addLoss(halved(curve), position, loss);
  const buckets = [...curve.buckets];
  while (buckets.length <= index) buckets.push(none);
  const { sum, count } = buckets[index] ?? none;
  buckets[index] = { sum: sum + loss, count: count + 1 };
  return { ...curve, buckets };
}

const none = { sum: 0, count: 0 };

function halved({ stepsPerBucket, buckets }: LossCurve): LossCurve {
  const merged = Array.from({ length: Math.ceil(buckets.length / 2) }, (_, i) => {
    const [a = none, b = none] = buckets.slice(2 * i, 2 * i + 2);
    return { sum: a.sum + b.sum, count: a.count + b.count };
  });
  return { stepsPerBucket: 2 * stepsPerBucket, buckets: merged };
}

/** [position, mean loss], by position. */
export function pointsOf({ stepsPerBucket, buckets }: LossCurve): [number, number][] {
  return buckets.flatMap(({ sum, count }, i): [number, number][] =>
    count === 0 ? [] : [[i * stepsPerBucket, sum / count]],
  );
}
