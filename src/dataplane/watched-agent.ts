import type { ClusterConfig, NodeConfig } from '../config/types.ts';
import { listLinks, openLinkChannel } from '../kernel/links.ts';
import { OwnerTableHandle } from '../kernel/owner-table.ts';
import type { OwnerTable } from '../kernel/owner-table-message.ts';
import { AGENT_TABLE } from './owned.ts';
import { planOf } from './plan.ts';

/** Between two signs of life, in milliseconds. */
const RENEW_MS = 1000;
/** What was seen longer ago is no ground for one; less than it takes to end an agent that hangs. */
const RECENT_MS = 2000;
/** Without one for so long the agent stands still: longer than it takes to end one that hangs (agent/in-the-way.ts). */
const AWAKE_MS = 2500;
/** Without a lease, for how long it counts. */
const WATCHED_MS = 30_000;

/**
 * While this node stands still another may take its buckets over, and its kernel goes on before its agent can see that. So while
 * there is an agent and it shows no sign of life, the kernel begins no translation: a flow that it doesn't know may be served
 * elsewhere, where it has another port. What it knows passes, and where there is no agent everything does: the kernel removes the
 * table with the agent's process, however that ends. After `lease` without a sign of life everything passes too.
 */
export class WatchedAgent {
  readonly #inside: readonly string[];
  readonly #table: OwnerTableHandle | undefined;
  readonly #links = openLinkChannel();
  readonly #lease: number;
  readonly #note: (text: string) => void;
  #shownAt = Number.NEGATIVE_INFINITY;
  #failure = '';
  #closed = false;

  /**
   * @param lease milliseconds that a bucket stays owned without the agent; 0: for ever
   * @param note told what the kernel refuses, once for each reason
   */
  constructor(config: ClusterConfig, node: NodeConfig, lease: number, note: (text: string) => void) {
    const { legs } = planOf(config, node);
    const to = legs.filter(({ snat }) => snat.length > 0).map(({ device }) => device);
    this.#inside = legs.filter(({ side }) => side === 'inside').map(({ device }) => device);
    this.#lease = lease;
    this.#note = note;
    // What ends an agent that hangs within seconds is keepalived's check.
    if (to.length > 0 && config.manager === 'keepalived' && config.firewall === 'nftables') {
      this.#table = new OwnerTableHandle(tableTo(to));
    }
  }

  /**
   * Whether the kernel is to be shown that the agent has decided what it owns, by what it saw at `since` (performance.now()). A
   * decision of a while ago is no sign of life.
   */
  isDue(since: number): boolean {
    const now = performance.now();
    return (
      this.#table !== undefined && !this.#closed && now - this.#shownAt >= RENEW_MS && now - since < RECENT_MS
    );
  }

  /** Returns whether that was one transaction and no more. What fails is noted. */
  async showLife(): Promise<boolean> {
    this.#shownAt = performance.now();
    try {
      const links = await listLinks(this.#links);
      const from = links.filter(({ name }) => this.#inside.includes(name)).map(({ index }) => index);
      const stay = { from, when: this.#lease || WATCHED_MS, unless: AWAKE_MS };
      const once = (await this.#table?.stay(stay)) ?? false;
      this.#failure = '';
      return once;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (text !== this.#failure && !this.#closed) {
        this.#failure = text;
        this.#note(`new connections are translated also while the agent stands still: ${text}`);
      }
      return false;
    }
  }

  close(): void {
    this.#closed = true;
    this.#table?.close();
    this.#links.close();
  }
}

const tableTo = (to: readonly string[]): OwnerTable => {
  const table = { family: 'inet', table: AGENT_TABLE } as const;
  return {
    when: { ...table, name: 'watched' },
    unless: { ...table, name: 'awake' },
    to,
    chain: 'translate',
    // Before ours (`translate` in nftables/translation.ts): what is dropped there has no translation, and no flow.
    priority: 98,
  };
};
