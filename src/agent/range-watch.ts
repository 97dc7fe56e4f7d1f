import { type FullRange, RangeCount } from '../cluster/full-ranges.ts';
import { groupsOf } from '../cluster/groups.ts';
import { type Share, sharesOfFamilies } from '../cluster/ranges.ts';
import { reflectingShares } from '../cluster/reflection.ts';
import { type Warning, warningText } from '../cluster/warning.ts';
import type { ClusterConfig } from '../config/types.ts';
import type { Logger } from '../system/log.ts';
import type { FlowTable, Sorting } from '../transitions/edges.ts';

const LOOK_MS = 1000;
/** Between two countings of the whole table, in milliseconds, and how long `status` remembers what was found. */
const COUNT_MS = 60_000;

export interface RangeHost {
  /** Packets of flows that could not be entered, so far; undefined: not known. */
  readonly drops: () => Promise<number | undefined>;
  readonly table: Pick<FlowTable, 'dump'>;
  readonly sorting: () => Sorting;
  readonly log: Pick<Logger, 'warn'>;
}

/**
 * Notices that SNAT finds no port for new connections, which the kernel drops without a word: when it has dropped any, the
 * table is counted to say whose ports are all in use.
 */
export class RangeWatch {
  readonly #host: RangeHost;
  readonly #shares: readonly Share[];
  readonly #timer: NodeJS.Timeout | undefined;
  #before: number | undefined;
  #refused = 0;
  #countedAt = Number.NEGATIVE_INFINITY;
  #found: readonly Warning[] = [];
  readonly #ended = new AbortController();

  constructor(config: ClusterConfig, host: RangeHost) {
    this.#host = host;
    const groups = groupsOf(config);
    this.#shares = config.interfaces.flatMap((one) => [
      ...sharesOfFamilies(one.snat, groups, config.buckets),
      ...reflectingShares(config, one),
    ]);
    if (this.#shares.length > 0) {
      this.#timer = setInterval(() => void this.look(), LOOK_MS);
      this.#timer.unref();
    }
  }

  /** Packets that conntrack dropped since the watch began because their flow could not be entered. */
  get refused(): number {
    return this.#refused;
  }

  /** For `status`, until a minute after the last time. */
  get warnings(): readonly Warning[] {
    return performance.now() - this.#countedAt < COUNT_MS ? this.#found : [];
  }

  async look(): Promise<void> {
    const drops = await this.#host.drops();
    const risen = drops !== undefined && this.#before !== undefined ? drops - this.#before : 0;
    this.#before = drops;
    if (risen <= 0) return;
    this.#refused += risen;
    const now = performance.now();
    if (now - this.#countedAt < COUNT_MS) return;
    this.#countedAt = now;
    this.#found = await this.#count().catch(() => []);
    for (const warning of this.#found) this.#host.log.warn(warningText(warning));
  }

  close(): void {
    clearInterval(this.#timer);
    this.#ended.abort();
  }

  async #count(): Promise<readonly Warning[]> {
    const count = new RangeCount(this.#host.sorting().hashing, this.#shares);
    for await (const flows of this.#host.table.dump(this.#ended.signal)) {
      for (const flow of flows) count.add(flow);
    }
    return count.full.map(said);
  }
}

const PROTOCOLS: Readonly<Record<number, string>> = { 1: 'ICMP', 6: 'TCP', 17: 'UDP', 58: 'ICMPv6' };

const said = ({ bucket, protocol, destination, flows, ports }: FullRange): Warning => ({
  code: 'ports-used-up',
  object: `bucket ${bucket}, ${PROTOCOLS[protocol] ?? `protocol ${protocol}`} to ${destination}`,
  text: `bucket ${bucket} has no port left for ${PROTOCOLS[protocol] ?? `protocol ${protocol}`} to ${destination} (${flows} connections, ${ports} ports): new ones of its clients are dropped; add an address to snat, or use fewer buckets`,
});
