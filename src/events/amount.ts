/** Token amounts for people and JSON: the token has 18 decimals, as in contracts/PanthaliaToken.sol. */
const decimals = 18;

/** 12500000000000000000n -> "12.5" */
export function formatTokens(amount: bigint): string {
  const sign = amount < 0n ? '-' : '';
  const digits = (amount < 0n ? -amount : amount).toString().padStart(decimals + 1, '0');
  const fraction = digits.slice(-decimals).replace(/0+$/, '');
  return `${sign}${digits.slice(0, -decimals)}${fraction === '' ? '' : `.${fraction}`}`;
}
