import { show } from './complaint.ts';
import { leaf, Refusal } from './leaf.ts';
import type { Ports } from './types.ts';

/** A port, or a range of them: 443 or "50000-50100". */
export const ports = leaf(
  'use a port such as 443, or a range such as "50000-50100"',
  (input): Ports | Refusal => {
    const text = typeof input === 'number' || typeof input === 'string' ? String(input) : '';
    const [, first, last = first] = /^([1-9]\d{0,4})(?:-([1-9]\d{0,4}))?$/.exec(text) ?? [];
    const range = { first: Number(first), last: Number(last) };
    if (!(range.first <= LAST_PORT && range.last <= LAST_PORT)) {
      return new Refusal(`${show(input)} is not a port`);
    }
    return range.first <= range.last ? range : new Refusal(`${show(input)} ends before it begins`);
  },
);

const LAST_PORT = 65_535;

/** `443` or `50000-50100` */
export const portsText = ({ first, last }: Ports): string =>
  first === last ? String(first) : `${first}-${last}`;

/** Whether two ranges have a port in common. */
export const portsMeet = (one: Ports, other: Ports): boolean =>
  one.first <= other.last && other.first <= one.last;
