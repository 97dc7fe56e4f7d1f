import type { ClusterConfig, NodeConfig } from '../config/types.ts';
import { announcementOf, sharedAddresses } from '../dataplane/announce/shared-addresses.ts';
import { isNotLoaded } from '../dataplane/rules.ts';
import { KernelError } from '../kernel/error.ts';
import { type Link, listLinks } from '../kernel/links.ts';
import { PacketSocket } from '../kernel/packet-socket.ts';
import type { Logger } from '../system/log.ts';
import type { OwnedSet } from '../transitions/edges.ts';

/**
 * Between two times, in milliseconds; three times in all, as RFC 4861 allows of advertisements (MAX_NEIGHBOR_ADVERTISEMENT).
 * Linux takes no second answer about a neighbour within a second (locktime in arp(7)), and may just have taken another's. A
 * switch that has to find out that a port leads to no other switch forwards nothing there for 3 s (RSTP's Migrate Time).
 */
const PAUSES_MS: readonly number[] = [1_200, 2_800];
/** Never more often: RFC 4861, 7.2.6 (RetransTimer, 10). */
const APART_MS = 1_000;
/** The interface has gone down, or away, since it was looked at. */
const WITHOUT_LINK: ReadonlySet<string> = new Set(['ENETDOWN', 'ENXIO', 'ENODEV']);

/**
 * Tells the neighbours that the shared addresses are at the shared MACs, whatever they knew before: another router's, or this
 * node's own from a moment when its rules were gone. All nodes say the same, each only while it serves something. Nothing waits for it.
 */
export class SharedAddressesAnnouncer {
  readonly #addresses: ReturnType<typeof sharedAddresses>;
  readonly #owned: Pick<OwnedSet, 'read'>;
  readonly #log: Pick<Logger, 'debug' | 'warn'>;
  readonly #socket = PacketSocket.open();
  /** What has been complained of. */
  readonly #failures = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #begunAt = Number.NEGATIVE_INFINITY;
  /** What is under way. */
  #telling: Promise<void> = Promise.resolve();
  #closed = false;

  /** @param owned what this node serves, read from the kernel each time: it may have been taken out meanwhile */
  constructor(
    config: Pick<ClusterConfig, 'interfaces'>,
    node: NodeConfig,
    owned: Pick<OwnedSet, 'read'>,
    log: Pick<Logger, 'debug' | 'warn'>,
  ) {
    this.#addresses = sharedAddresses(config, node);
    this.#owned = owned;
    this.#log = log;
    // It is complained of when it is needed.
    this.#socket.catch(() => {});
  }

  /** Begins anew to tell them: now, or as soon as a second has passed since the last time, and twice more. Throws nothing. */
  announce(reason: string): void {
    if (!this.#closed) {
      this.#log.debug(`announcing the shared addresses: ${reason}`);
      this.#plan(this.#begunAt + APART_MS - performance.now(), PAUSES_MS);
    }
  }

  /** Ends it; what is being said now is said. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#telling;
    await this.#socket.then(
      (socket) => socket.close(),
      () => {},
    );
  }

  #plan(milliseconds: number, pauses: readonly number[]): void {
    clearTimeout(this.#timer);
    if (milliseconds > 0) {
      this.#timer = setTimeout(() => this.#plan(0, pauses), milliseconds);
      this.#timer.unref();
      return;
    }
    this.#begunAt = performance.now();
    this.#telling = this.#telling.then(() => this.#tell()).catch((error: unknown) => this.#complain(error));
    const [next, ...later] = pauses;
    if (next !== undefined) {
      this.#plan(next, later);
    }
  }

  async #tell(): Promise<void> {
    const links = await listLinks();
    const socket = await this.#socket;
    if (!(await this.#serves())) {
      return;
    }
    for (const address of this.#addresses) {
      const link = links.find(({ name }) => name === address.device);
      const frame = announcementOf(address, link);
      if (link !== undefined && frame !== undefined) {
        this.#send(socket, frame, link);
      }
    }
  }

  #send(socket: PacketSocket, frame: Uint8Array, link: Link): void {
    try {
      socket.send(frame, link);
    } catch (error) {
      // Who watches the interfaces says so, and announces when it carries again.
      if (!(error instanceof KernelError && WITHOUT_LINK.has(error.code))) {
        this.#complain(error);
      }
    }
  }

  /** Last of all, so that nothing lies between it and the frames. */
  async #serves(): Promise<boolean> {
    try {
      return (await this.#owned.read()).size > 0;
    } catch (error) {
      if (isNotLoaded(error)) {
        return false;
      }
      throw error;
    }
  }

  /** Once for each reason. */
  #complain(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    if (!this.#failures.has(reason)) {
      this.#failures.add(reason);
      this.#log.warn(
        `neighbours that know another MAC for a shared address can't be told the shared one, and may take a minute to ask for it: ${reason}`,
      );
    }
  }
}
