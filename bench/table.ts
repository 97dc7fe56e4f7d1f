import type { Environment } from './environment.ts';

/** A table in Markdown. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] => {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (row[column] ?? '').padStart(width)).join(' | ')} |`;
  const rule = `|${widths.map((width) => `${'-'.repeat(width + 1)}:`).join('|')}|`;
  return [line(head), rule, ...rows.map(line)];
};

/** Milliseconds, with as many digits as one can use. */
export const milliseconds = (value: number): string =>
  value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : count(Math.round(value));

/** With spaces between thousands. */
export const count = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ' ');

export const environmentLine = (environment: Environment): string =>
  Object.entries(environment)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
