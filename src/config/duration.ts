/**
 * Milliseconds of `500ms`, `2s`, `1.5s`, `10m` or `1h`, and of a bare 0; undefined if `text` is no duration in whole
 * milliseconds.
 */
export const parseDuration = (text: string): number | undefined => {
  if (text === '0') {
    return 0;
  }
  const [, amount, unit] = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h)$/.exec(text) ?? [];
  const factor = unit === undefined ? undefined : MILLISECONDS[unit];
  if (amount === undefined || factor === undefined) {
    return undefined;
  }
  const exact = Number(amount) * factor;
  const whole = Math.round(exact);
  // 2.3 * 1000 is 2299.9999999999995.
  return Math.abs(exact - whole) < 1e-6 * factor ? whole : undefined;
};

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
