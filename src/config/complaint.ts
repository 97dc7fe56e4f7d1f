/** Keys and list indices from the top of the configuration to a value. */
export type KeyPath = readonly (string | number)[];

/** A mistake before its place in the file is looked up. */
export interface Complaint {
  readonly path: KeyPath;
  /** Whether the key or the value is wrong; the place that is named is that one's. */
  readonly at: 'key' | 'value';
  readonly problem: string;
  readonly mend: string;
}

/** A complaint about a value. */
export const aboutValue = (path: KeyPath, problem: string, mend: string): Complaint => ({
  path,
  at: 'value',
  problem,
  mend,
});

/** A complaint about a key. */
export const aboutKey = (path: KeyPath, problem: string, mend: string): Complaint => ({
  path,
  at: 'key',
  problem,
  mend,
});

/** `interfaces.eth1.addresses[0]` */
export const pathText = (path: KeyPath): string =>
  path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`),
    '',
  );

/** A value of the file as an error shows it: scalars as they are, cut if long; lists and maps by their kind. */
export const show = (value: unknown): string => {
  if (Array.isArray(value)) {
    return 'a list';
  }
  if (typeof value === 'object' && value !== null) {
    return 'a map';
  }
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
};
