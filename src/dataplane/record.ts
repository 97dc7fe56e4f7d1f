import { readFileSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { ClusterConfig } from '../config/types.ts';
import { writeAtomically } from '../system/atomic-file.ts';
import type { Hooked } from './hooked.ts';
import type { DevicePart } from './parts.ts';

/** What the data plane changes on the machine beside its tables, written down before it does. */
export interface LoadRecord {
  /** Another one for every load that began with the tables closed. */
  readonly id: string;
  /** ISO 8601. */
  readonly since: string;
  /** The kernel's boot id: a record of an earlier boot tells nothing. */
  readonly boot: string;
  /** Whether the load came to its end. */
  readonly complete: boolean;
  /** Digest of the rules that were loaded. */
  readonly rules: string;
  /** What each of our tables was like after the load, by `family name` (kernel/ruleset.ts). */
  readonly tables: Readonly<Record<string, string>>;
  /** The interfaces that the rules were loaded for. */
  readonly hooked: Hooked;
  /** Seed and number of buckets: with others, the elements of the owned set mean something else. */
  readonly hashing: string;
  /** Which packet filter they are in. */
  readonly firewall: ClusterConfig['firewall'];
  /** Values before the load. */
  readonly sysctls: Readonly<Record<string, string>>;
  /** What wasn't there before the load. */
  readonly parts: readonly DevicePart[];
}

/** The record is there and can't be used: what was before the load is not known. */
export class RecordError extends Error {
  override readonly name = 'RecordError';
}

/** The record of the present load, or undefined if there is none of this boot. Throws RecordError. */
export const readRecord = async (config: ClusterConfig): Promise<LoadRecord | undefined> => {
  const path = pathOf(config);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new RecordError(`${path}: can't be read`, { cause });
  }
  const record = parse(path, text);
  return record.boot === bootId() ? record : undefined;
};

/** The packet filter that is loaded, which may not be the one that the configuration names by now. Throws RecordError. */
export const loadedFirewall = async (config: ClusterConfig): Promise<ClusterConfig['firewall']> =>
  (await readRecord(config))?.firewall ?? config.firewall;

/** Throws what writing a file may throw, naming the path. */
export const writeRecord = async (config: ClusterConfig, record: LoadRecord): Promise<void> => {
  await mkdir(config.paths.run, { recursive: true, mode: 0o755 });
  writeAtomically(pathOf(config), `${JSON.stringify(record, undefined, 2)}\n`, 0o600);
};

export const removeRecord = (config: ClusterConfig): Promise<void> => rm(pathOf(config), { force: true });

export const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

const PART = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('group'), device: z.string(), mac: z.string() }),
  z.object({
    kind: z.literal('address'),
    device: z.string(),
    address: z.string(),
    broadcast: z.string().optional(),
  }),
  z.object({ kind: z.literal('way'), device: z.string(), network: z.string(), source: z.string() }),
]);

const SCHEMA = z.object({
  id: z.string(),
  since: z.string(),
  boot: z.string(),
  complete: z.boolean(),
  rules: z.string(),
  // One that an earlier version wrote has none: the tables are loaded again.
  tables: z.record(z.string(), z.string()).default({}),
  hooked: z.record(z.string(), z.object({ index: z.number(), mac: z.string() })).default({}),
  hashing: z.string(),
  firewall: z.enum(['nftables', 'xtables']).default('nftables'),
  sysctls: z.record(z.string(), z.string()),
  parts: z.array(PART),
});

const parse = (path: string, text: string): LoadRecord => {
  try {
    return SCHEMA.parse(JSON.parse(text));
  } catch (cause) {
    const advice = 'remove it; shared addresses and sysctls that are set stay then, and "stop" leaves them';
    throw new RecordError(`${path}: is not a record of the data plane: ${advice}`, { cause });
  }
};

const pathOf = (config: ClusterConfig): string => join(config.paths.run, 'dataplane.json');
