/** Payments for people: who to whom, how much, and by which rule. */
import type { Explanation } from '../report/explain.js';

/** about: the account whose gains and losses carry a sign; null shows amounts as they moved */
export function paymentLines(payments: readonly Explanation[], about: string | null = null): string[] {
  const rows = payments.map((payment) => {
    const { from, to, amount, reason, formula, block } = payment;
    const task = payment.taskId === null ? '-'.padEnd(10) : payment.taskId.slice(0, 10);
    return {
      task,
      amount: `${signOf(payment, about)}${amount}`,
      reason,
      way: `${from} -> ${to}`,
      formula,
      block,
    };
  });
  const width = (key: 'amount' | 'reason' | 'way') => Math.max(0, ...rows.map((row) => row[key].length));
  const [amounts, reasons, ways] = [width('amount'), width('reason'), width('way')];
  return rows.map(
    ({ task, amount, reason, way, formula, block }) =>
      `block ${String(block).padEnd(5)} ${task}  ${amount.padStart(amounts)}  ${reason.padEnd(reasons)}  ${way.padEnd(ways)}  ${formula}`,
  );
}

function signOf({ fromAccount, toAccount }: Explanation, about: string | null): string {
  if (about === null || fromAccount === toAccount) return '';
  return toAccount === about ? '+' : '-';
}
