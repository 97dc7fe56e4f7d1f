import { createHash, randomUUID } from 'node:crypto';
import { warningText } from '../cluster/warning.ts';
import type { ClusterConfig, NodeConfig } from '../config/types.ts';
import { run } from '../system/run.ts';
import { readSysctl } from '../system/sysctl.ts';
import { checkMachine, DataPlaneError } from './check.ts';
import { loadHelpers } from './helper-modules.ts';
import { changeOf, hookedNow } from './hooked.ts';
import { isFound, misplacedAddresses, missingParts } from './missing.ts';
import { type DevicePart, isOnDevice, isSame, type Part, partsOf } from './parts.ts';
import { type Plan, planOf } from './plan.ts';
import { removePrefilters } from './prefilter/prefilter.ts';
import { putPart, takePart, takePresent } from './put.ts';
import { bootId, type LoadRecord, readRecord, writeRecord } from './record.ts';
import { isNotLoaded, rulesOf } from './rules.ts';
import { seeParts } from './seen.ts';
import { unloadDataPlane } from './unload.ts';

export interface Loaded {
  /** Stays the same until another load replaces the owned set; then whoever fills it starts anew. */
  readonly id: string;
  /** Whether the owned set holds only what this call put into it. */
  readonly fresh: boolean;
  /** What is odd about the machine, a line each. */
  readonly warnings: readonly string[];
}

/**
 * Has this node carry its part of the cluster, closed: rules, shared MACs, shared addresses. Called again it mends what
 * is missing or changed and leaves the owned buckets as they are; if `owned` is given, or the hash has changed, the set holds `owned`
 * (default: none) from the first packet on. What the set holds, kept or new, stays for a lease
 * from then on, if a manager and not the administrator says what is owned.
 *
 * A failure takes back what was done, unless the data plane was loaded before; calling again is safe in any case. Not
 * while something else changes the owned set: its change may be lost.
 *
 * @throws DataPlaneError, ProgramError, SysctlError, RecordError, LinkListError, KernelError
 */
export const loadDataPlane = async (
  config: ClusterConfig,
  node: NodeConfig,
  { owned }: { readonly owned?: readonly number[] } = {},
): Promise<Loaded> => {
  const warnings = [...(await checkMachine(config, node)), ...(await loadHelpers(config))];
  const plan = planOf(config, node);
  const parts = partsOf(plan);
  const firewall = rulesOf(config.firewall);
  const rules = digestOf(await firewall.text(config, node));
  const hashing = `${config.seed} ${config.buckets}`;
  const previous = await readRecord(config);
  // Asked in any case: without its programs nothing is to be begun.
  const tables = await firewall.loaded(config);
  const running = previous?.complete === true && tables;
  const kept = running && previous.hashing === hashing ? await ownedNow(config) : undefined;
  const fresh = owned !== undefined || previous === undefined || kept === undefined;
  const record: LoadRecord = {
    ...(fresh ? identity() : { id: previous.id, since: previous.since }),
    ...(await foundBefore(parts, previous)),
    boot: bootId(),
    complete: !fresh,
    // These rules are not in the kernel yet: were this to end here, the next load would have to bring them.
    rules: previous?.rules ?? '',
    tables: previous?.tables ?? {},
    hooked: previous?.hooked ?? {},
    hashing,
    // Its rules are there until the others are.
    firewall: previous?.firewall ?? config.firewall,
  };
  try {
    await writeRecord(config, record);
    await putMissing(parts.filter((part) => !isOnDevice(part)));
    // They know the rules of before. No agent runs that would bring them again at once.
    await removePrefilters();
    let { tables: loaded, hooked } = record;
    if (fresh || previous.rules !== rules || (await isDamaged(config, plan, record))) {
      const buckets = fresh ? (owned ?? []) : kept;
      const timeout = config.manager === 'none' ? 0 : config.timeouts.lease;
      // Before the rules: of an interface that comes meanwhile it isn't known whether it has them.
      hooked = await hookedNow(plan);
      loaded = await firewall.load(config, node, { buckets, timeout });
    }
    // Not before: without any rules, conntrack would take what other nodes' flows are sent for flows of this node's own.
    if (record.firewall !== config.firewall) await rulesOf(record.firewall).remove();
    await putMissing(parts);
    // What a load with another configuration had brought.
    const surplus = record.parts.filter((part) => !parts.some((one) => isSame(one, part)));
    await takePresent(surplus);
    await writeRecord(config, {
      ...record,
      complete: true,
      rules,
      tables: loaded,
      hooked,
      firewall: config.firewall,
      parts: record.parts.filter((part) => !surplus.includes(part)),
    });
  } catch (error) {
    if (!running) await takeBack(config, error);
    throw error;
  }
  const rivals = (await firewall.rivals(config)).map(warningText);
  return { id: record.id, fresh, warnings: [...warnings, ...rivals] };
};

/** The id of the data plane that is loaded; undefined if none is, or not wholly. Throws ProgramError, RecordError. */
export const dataPlaneId = async (config: ClusterConfig): Promise<string | undefined> => {
  const record = await readRecord(config);
  return record?.complete === true && (await rulesOf(config.firewall).loaded(config)) ? record.id : undefined;
};

/** By which a load knows whether other rules are in the kernel. */
export const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

const identity = () => ({ id: randomUUID(), since: new Date().toISOString() });

/** Of what others have done to the rules, and of interfaces that were made again since. */
const isDamaged = async (
  config: ClusterConfig,
  plan: Plan,
  { tables, hooked }: LoadRecord,
): Promise<boolean> =>
  (await rulesOf(config.firewall).damage(config, tables)) !== undefined ||
  changeOf(hooked, await hookedNow(plan)) !== undefined;

/** In their order. What the interfaces aren't there for yet the agent puts. */
const putMissing = async (parts: readonly Part[]): Promise<void> => {
  const seen = await seeParts(parts);
  for (const part of misplacedAddresses(parts, seen)) await takePart(part);
  for (const part of missingParts(parts, seen)) await putPart(part);
};

type Before = Pick<LoadRecord, 'sysctls' | 'parts'>;

/** What an earlier load found goes on counting, for what is there now is its work. */
const foundBefore = async (parts: readonly Part[], previous: LoadRecord | undefined): Promise<Before> => {
  const earlier: Before = previous ?? { sysctls: {}, parts: [] };
  const seen = await seeParts(parts);
  const known = (part: DevicePart): boolean => earlier.parts.some((one) => isSame(one, part));
  const own = parts.filter(isOnDevice).filter((part) => !known(part) && !isFound(part, seen));
  const names = parts.flatMap((part) => (part.kind === 'setting' ? [part.name] : []));
  const sysctls = await Promise.all(
    names.map(async (name) => [name, earlier.sysctls[name] ?? (await readConntrackSysctl(name))] as const),
  );
  return { sysctls: Object.fromEntries(sysctls), parts: [...earlier.parts, ...own] };
};

/** Conntrack's settings are there once its module is, which else comes with the first rule. */
const readConntrackSysctl = async (name: string): Promise<string> => {
  const value = await readSysctl(name);
  if (value !== undefined) return value;
  await run('modprobe', ['nf_conntrack']);
  const loaded = await readSysctl(name);
  if (loaded === undefined) {
    throw new DataPlaneError(`the kernel has no ${name}: it needs connection tracking (CONFIG_NF_CONNTRACK)`);
  }
  return loaded;
};

/** undefined: somebody has removed the set and not the tables. */
const ownedNow = async (config: ClusterConfig): Promise<readonly number[] | undefined> => {
  const owned = rulesOf(config.firewall).owned(config);
  try {
    return [...(await owned.read())];
  } catch (error) {
    if (isNotLoaded(error)) return undefined;
    throw error;
  } finally {
    owned.close();
  }
};

const takeBack = async (config: ClusterConfig, error: unknown): Promise<void> => {
  try {
    await unloadDataPlane(config);
  } catch (failure) {
    const first = error instanceof Error ? error.message : String(error);
    const second = failure instanceof Error ? failure.message : String(failure);
    const message = `${first}; taking back what was done failed too: ${second}; try "conntrack-ha stop"`;
    throw new DataPlaneError(message, { cause: error });
  }
};
