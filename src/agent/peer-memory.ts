import type { PeerView } from '../cluster/snapshot.ts';
import type { StatusMessage } from '../peers/message.ts';

/** What one peer last said, and when. */
interface PeerMemory {
  readonly heardAt: number;
  readonly session: string;
  readonly status: StatusMessage | undefined;
  /** This node has stood still since. */
  readonly stale: boolean;
}

const UNHEARD: PeerMemory = {
  heardAt: Number.NEGATIVE_INFINITY,
  session: '',
  status: undefined,
  stale: false,
};

/** What the peers last said. Times in milliseconds of one monotonic clock. */
export class PeerMemories {
  readonly #bound: number;
  readonly #peers: Map<string, PeerMemory>;

  /** @param bound after which a silent peer can't be reached */
  constructor(peers: readonly string[], bound: number) {
    this.#bound = bound;
    this.#peers = new Map(peers.map((peer) => [peer, UNHEARD]));
  }

  /** A peer's status. Returns whether anything changed that a decision looks at. */
  heard(peer: string, session: string, status: StatusMessage, now: number): boolean {
    const known = this.#peers.get(peer);
    if (known === undefined) {
      return false;
    }
    const changed =
      now - known.heardAt >= this.#bound ||
      session !== known.session ||
      JSON.stringify(status) !== JSON.stringify(known.status);
    this.#peers.set(peer, { heardAt: now, session, status, stale: false });
    return changed;
  }

  /** Any message of a reachable peer says that it lives. One that comes back is noticed by its status. */
  spoke(peer: string, now: number): void {
    const known = this.#peers.get(peer);
    if (known !== undefined && now - known.heardAt < this.#bound) {
      this.#peers.set(peer, { ...known, heardAt: now });
    }
  }

  /** Nobody could be heard for so long, so the peers' silence doesn't count. */
  stoodStill(milliseconds: number): void {
    for (const [name, peer] of this.#peers) {
      this.#peers.set(name, { ...peer, heardAt: peer.heardAt + milliseconds, stale: true });
    }
  }

  /** A peer has given a group up. Its next status would say so too, up to 100 ms later. */
  gaveUp(peer: string, group: string): void {
    const known = this.#peers.get(peer);
    if (known?.status !== undefined) {
      const owns = known.status.owns.filter((owned) => owned !== group);
      this.#peers.set(peer, { ...known, status: { ...known.status, owns } });
    }
  }

  /** Whether a peer says that its conntrackd is unfit. */
  unfit(peer: string): boolean {
    return this.#peers.get(peer)?.status?.unfit === true;
  }

  /** The peers as decisions see them. */
  views(now: number): readonly PeerView[] {
    return [...this.#peers].map(([name, { heardAt, status, stale }]) => ({
      name,
      reachable: status !== undefined && now - heardAt < this.#bound,
      silent: now - heardAt,
      stale,
      managerAlive: status?.managerAlive ?? false,
      owns: new Set(status?.owns),
      wants: new Set(status?.wants),
      forced: new Set(status?.forced),
      synced: new Set(status?.synced),
      lost: new Set(status?.lost),
      drained: status?.drained ?? false,
    }));
  }
}
