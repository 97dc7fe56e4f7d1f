import { judgeRoom, type Room, roomFor, type Share, type TableUse } from '../cluster/room.ts';
import type { Snapshot } from '../cluster/snapshot.ts';
import type { Warning } from '../cluster/warning.ts';
import type { ClusterConfig, NodeConfig } from '../config/types.ts';
import type { TableSize } from '../kernel/table-size.ts';
import type { Logger } from '../system/log.ts';
import { WarningLog } from './warning-log.ts';

const LOOK_MS = 1000;
const SETTING = 'net.netfilter.nf_conntrack_max';

export interface RoomHost {
  /** This node's table now; undefined: not known. */
  readonly size: () => TableSize | undefined;
  /** Packets that it had no room for, so far; undefined: not known. */
  readonly drops: () => Promise<number | undefined>;
  /** Other tables fill, or lack room, than before. */
  readonly changed: (tables: Snapshot['tables']) => void;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

/** Watches whether the connection tables of the nodes have room: this node's, and the peers' by what they tell. */
export class RoomWatch {
  readonly #node: string;
  readonly #replicas: 'kernel' | 'cache';
  /** After so many milliseconds a peer's table is no longer known. */
  readonly #bound: number;
  readonly #host: RoomHost;
  readonly #log: WarningLog;
  #timer: NodeJS.Timeout | undefined;
  #own: TableUse | undefined;
  #flows: number | undefined;
  readonly #peers = new Map<string, { readonly table: TableUse; readonly at: number }>();
  /** At the last look. */
  #found: ReadonlyMap<string, Room> = new Map();
  /** Found at two looks in a row: it counts. */
  #rooms: ReadonlyMap<string, Room> = new Map();
  #drops: number | undefined;
  #dropped = 0;
  #warnings: readonly Warning[] = [];

  constructor(
    { sync, timeouts }: Pick<ClusterConfig, 'sync' | 'timeouts'>,
    node: NodeConfig,
    host: RoomHost,
  ) {
    this.#node = node.name;
    this.#replicas = sync.replicas;
    this.#bound = timeouts.peer;
    this.#host = host;
    this.#log = new WarningLog(host.log);
  }

  /**
   * Looks at once, and then once a second. What fills this node's table at the first look has filled it before: else an agent that
   * is started again would make the node ready for a moment.
   */
  begin(): void {
    this.#found = judgeRoom(this.#tables(performance.now()), this.#rooms, this.#replicas);
    void this.look(performance.now());
    this.#timer = setInterval(() => void this.look(performance.now()), LOOK_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** This node's table, for its peers, as the last look found it. */
  get own(): TableUse | undefined {
    return this.#own;
  }

  /** A peer has told of its table; undefined: nothing of it. */
  heard(peer: string, table: TableUse | undefined): void {
    if (table !== undefined) {
      this.#peers.set(peer, { table, at: performance.now() });
    }
  }

  /** So many flows of this node's own there are: it has walked its table. */
  counted(flows: number): void {
    this.#flows = flows;
  }

  /** It has given some up: how many there are is not known before the next walk. */
  gaveUp(): void {
    this.#flows = undefined;
  }

  /** For `status`. */
  get warnings(): readonly Warning[] {
    return this.#warnings;
  }

  /** @param now milliseconds of a monotonic clock */
  async look(now: number): Promise<void> {
    const found = judgeRoom(this.#tables(now), this.#rooms, this.#replicas);
    const twice = new Map([...found].map(([node, room]) => [node, this.#both(this.#found.get(node), room)]));
    this.#found = found;
    await this.#count(found.get(this.#node));
    this.#take(twice);
  }

  /** This node's table as it is now, and those of the peers that have told of theirs a moment ago. */
  #tables(now: number): ReadonlyMap<string, TableUse> {
    const size = this.#host.size();
    this.#own = size && { ...size, own: this.#flows };
    const peers = [...this.#peers].filter(([, { at }]) => now - at < this.#bound);
    return new Map([
      ...(this.#own === undefined ? [] : [[this.#node, this.#own] as const]),
      ...peers.map(([peer, { table }]) => [peer, table] as const),
    ]);
  }

  #both(before: Room | undefined, now: Room): Room {
    return {
      fills: before?.fills && now.fills,
      lacks: before?.lacks && now.lacks,
    };
  }

  /** What is dropped while the table has room is dropped for another reason. */
  async #count(room: Room | undefined): Promise<void> {
    const drops = await this.#host.drops();
    if (room?.fills !== undefined && drops !== undefined && this.#drops !== undefined) {
      this.#dropped += drops - this.#drops;
    }
    this.#drops = drops;
  }

  #take(rooms: ReadonlyMap<string, Room>): void {
    const [before, after] = [tablesOf(this.#rooms), tablesOf(rooms)];
    this.#rooms = rooms;
    this.#warnings = this.#said(rooms);
    this.#log.tell(this.#warnings);
    if (!isSame(before.fill, after.fill) || !isSame(before.lack, after.lack)) {
      this.#host.changed(after);
    }
  }

  #said(rooms: ReadonlyMap<string, Room>): readonly Warning[] {
    const fills = rooms.get(this.#node)?.fills;
    return [
      ...(fills === undefined ? [] : [filling(fills, this.#dropped)]),
      ...[...rooms].flatMap(([node, { lacks }]) =>
        lacks === undefined ? [] : [lacking(node, node === this.#node, lacks)],
      ),
    ];
  }
}

const filling = (share: Share, dropped: number): Warning => {
  const { entries, max } = share;
  const what =
    entries >= max
      ? `this node's connection table is full (${max} entries): new connections are dropped here, and peers' states refused`
      : `${entries} of the ${max} entries that this node's connection table may have are in use: when it is full, new connections are dropped here, and peers' states refused`;
  const lost = dropped > 0 ? `; ${dropped} packets were dropped for that since the agent began` : '';
  return { code: 'table-fills', object: SETTING, text: `${what}${lost}; ${mend(share, 'here')}` };
};

const lacking = (node: string, own: boolean, share: Share): Warning => {
  const { entries, max } = share;
  const whose = own ? "this node's" : `${node}'s`;
  return {
    code: 'no-room',
    object: node,
    text: `${whose} connection table has no room for what the nodes hold, ${entries} entries of at most ${max}: states are refused there, and connections without one are lost in a takeover; it isn't ready while another node has the room; ${mend(share, own ? 'here' : `on ${node}`)}`,
  };
};

const mend = (share: Share, where: string): string =>
  `allow more ${where} with "sysctl -w ${SETTING}=${roomFor(share)}"`;

const tablesOf = (rooms: ReadonlyMap<string, Room>): Snapshot['tables'] => ({
  fill: new Set([...rooms].filter(([, { fills }]) => fills !== undefined).map(([node]) => node)),
  lack: new Set([...rooms].filter(([, { lacks }]) => lacks !== undefined).map(([node]) => node)),
});

const isSame = (one: ReadonlySet<string>, other: ReadonlySet<string>): boolean =>
  one.size === other.size && [...one].every((node) => other.has(node));
