import type { Statement } from './syntax.ts';

/**
 * The statement of that name. conntrackd assigns as it reads: of several directives the last one counts, of several
 * sections all that stands in any of them.
 */
export const find = (statements: readonly Statement[], name: string): Statement | undefined => {
  const found = statements.filter((statement) => statement.name === name);
  const last = found.at(-1);
  if (last?.block === undefined) return last;
  return { ...last, block: found.flatMap(({ block }) => block ?? []) };
};

export const findDeep = (statement: Statement, name: string): Statement | undefined =>
  find(statement.block ?? [], name) ??
  (statement.block ?? []).map((child) => findDeep(child, name)).find((found) => found !== undefined);

export const lineOf = (statement: Statement | undefined, section: Statement | undefined): number =>
  (statement ?? section)?.line ?? 0;

export const numberIn = (statement: Statement | undefined): number =>
  Number(statement?.values[0] ?? Number.NaN);

export const isOn = (statement: Statement | undefined): boolean =>
  /^(on|yes)$/i.test(statement?.values[0] ?? '');

export const isOff = (statement: Statement | undefined): boolean =>
  /^(off|no)$/i.test(statement?.values[0] ?? '');

export const isLogged = (statement: Statement | undefined): boolean =>
  statement !== undefined && !isOff(statement);
