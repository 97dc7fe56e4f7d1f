import { readFileSync } from 'node:fs';

/** The names of all interfaces, without their state, from /proc/net/dev (dev_seq_show() in net/core/net-procfs.c). None where it can't be read. */
export const interfaceNames = (): readonly string[] => {
  try {
    return [...readFileSync('/proc/net/dev', 'utf8').matchAll(/^ *([^:\s]+):/gm)].flatMap(([, name]) =>
      name === undefined ? [] : [name],
    );
  } catch {
    return [];
  }
};
