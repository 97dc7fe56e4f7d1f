import { randomBytes } from 'node:crypto';
import { LEG_ETHER_TYPE } from '../cluster/leg-hearing.ts';
import { type Warning, warningText } from '../cluster/warning.ts';
import { type ClusterConfig, deviceOf, type NodeConfig } from '../config/types.ts';
import { ethernetFrame, isMac } from '../dataplane/announce/ethernet.ts';
import { FrameReceiver, type ReceivedFrame } from '../kernel/frame-receiver.ts';
import type { Link } from '../kernel/links.ts';
import { PacketSocket } from '../kernel/packet-socket.ts';
import type { LegStatus } from '../observe/status.ts';
import { encodeLegPayload, isProven, readLegPayload } from '../peers/leg-payload.ts';
import type { LegsReport } from '../peers/message.ts';
import type { Logger } from '../system/log.ts';
import { HeardLeg } from './heard-leg.ts';
import { PeerReports } from './peer-reports.ts';

/** Looks come twenty times a second. After a longer gap nobody knows when what waits came. */
const GAP_MS = 500;
/** Frames that are taken in at one look. More are a flood: then it isn't known who is heard, for peers' frames may be lost in it. */
const MOST_FRAMES = 64;
/** Whoever has sent nothing for so long doesn't say that it sends. */
const SENT_MS = 1500;
const HEADER_BYTES = 14;

interface Leg {
  readonly name: string;
  readonly device: string;
  readonly mac: string;
  readonly heard: HeardLeg;
  /** When this node last tried to send, and when it last did. */
  triedAt: number;
  sentAt: number;
  warned: boolean;
}

/**
 * Proves each leg by packets: a frame to the shared MAC every second, as clients' packets go, tells the peers that theirs is delivered. What
 * a node hears it tells them over the sync link. The frame comes from the node's own MAC, so no switch learns the shared one; it is
 * authenticated, so nobody can make it seem that a deaf node is heard by others.
 */
export class LegProofs {
  readonly #config: ClusterConfig;
  readonly #node: NodeConfig;
  readonly #key: Buffer;
  readonly #log: Pick<Logger, 'info' | 'warn'>;
  readonly #legs: readonly Leg[];
  readonly #reports = new PeerReports();
  readonly #session = randomBytes(8).toString('hex');
  /** The highest counter of each peer's session, by leg and peer. */
  readonly #counters = new Map<string, { readonly session: string; readonly counter: number }>();
  #counter = 0;
  #sender: PacketSocket | undefined;
  #receiver: FrameReceiver | undefined;
  #lookedAt: number;
  #failure = '';
  #closed = false;

  constructor(config: ClusterConfig, node: NodeConfig, key: Buffer, log: Pick<Logger, 'info' | 'warn'>) {
    const now = performance.now();
    this.#config = config;
    this.#node = node;
    this.#key = key;
    this.#log = log;
    this.#lookedAt = now;
    this.#legs = config.interfaces.map(({ name, mac }) => ({
      name,
      device: deviceOf(node, name),
      mac,
      heard: new HeardLeg(node.name, now),
      triedAt: Number.NEGATIVE_INFINITY,
      sentAt: Number.NEGATIVE_INFINITY,
      warned: false,
    }));
  }

  /** Opens the sockets. What can't be is logged, and a warning; nothing is sent or heard then. */
  async begin(): Promise<void> {
    try {
      const [receiver, sender] = [await FrameReceiver.open(LEG_ETHER_TYPE), await PacketSocket.open()];
      this.#receiver = receiver;
      this.#sender = sender;
      if (this.#closed) {
        this.#closeSockets();
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Takes in what has come, sends what is due, and judges. To be called twenty times a second. Throws nothing. */
  look(links: readonly Link[]): void {
    const now = performance.now();
    const late = now - this.#lookedAt >= GAP_MS;
    this.#lookedAt = now;
    if (this.#sender === undefined || this.#receiver === undefined || this.#closed) {
      return;
    }
    const taken = this.#takeIn(this.#receiver, links, now);
    for (const leg of this.#legs) {
      const link = links.find(({ name }) => name === leg.device);
      const peers = this.#reports.of(leg.name, now);
      if (late || !taken || link === undefined || !link.up || !link.carrier) {
        leg.heard.interrupted(now);
      }
      if (link !== undefined && now - leg.triedAt >= leg.heard.pause(peers, now)) {
        this.#send(this.#sender, leg, link, now);
      }
      leg.heard.judge(peers, now);
      this.#sayUnheard(leg, now);
    }
  }

  /** Why a leg counts as lost though its link is up: how the sentence `eth1 ...` goes on. Undefined: it doesn't. */
  problem(name: string): string | undefined {
    const leg = this.#legs.find((one) => one.name === name);
    return leg?.heard.deaf
      ? `hears no peer, though they hear this node or each other: the switch doesn't give it the frames to ${leg.mac}`
      : undefined;
  }

  /** What a peer's status says. */
  told(peer: string, report: LegsReport | undefined, lost: readonly string[], now: number): void {
    this.#reports.told(peer, report, lost, now);
  }

  /** What this node's own status says; undefined: it can't listen. */
  report(): LegsReport | undefined {
    if (this.#receiver === undefined || this.#failure !== '') {
      return undefined;
    }
    const now = performance.now();
    const sending = this.#legs.filter(({ sentAt }) => now - sentAt < SENT_MS);
    const heard = sending.map(({ name, heard }) => {
      const ages = [...heard.ages(now)].map(([peer, age]) => [peer, Math.round(age)] as const);
      return [name, Object.fromEntries(ages)] as const;
    });
    return { session: this.#session, heard: Object.fromEntries(heard) };
  }

  get status(): readonly LegStatus[] {
    const now = performance.now();
    return this.#legs.map(({ name, heard }) => {
      const ages = heard.ages(now);
      const peers = this.#config.nodes.filter((peer) => peer.id !== this.#node.id);
      const rounded = (peer: string): number | null => {
        const age = ages.get(peer);
        return age === undefined ? null : Math.round(age);
      };
      return {
        name,
        hearing: heard.verdict,
        heard: Object.fromEntries(peers.map((peer) => [peer.name, rounded(peer.name)])),
      };
    });
  }

  get warnings(): readonly Warning[] {
    return [
      ...(this.#failure === '' ? [] : [this.#failureWarning]),
      ...this.#legs.filter(({ warned }) => warned).map(unheardWarning),
    ];
  }

  close(): void {
    this.#closed = true;
    this.#closeSockets();
  }

  /** Returns whether that was all that waited. */
  #takeIn(receiver: FrameReceiver, links: readonly Link[], now: number): boolean {
    try {
      for (let taken = 0; taken < MOST_FRAMES; taken += 1) {
        const frame = receiver.receive();
        if (frame === undefined) {
          this.#unfail();
          return true;
        }
        this.#take(frame, links, now);
      }
    } catch (error) {
      this.#fail(error);
    }
    return false;
  }

  #take({ index, bytes }: ReceivedFrame, links: readonly Link[], now: number): void {
    const device = links.find((link) => link.index === index)?.name;
    const leg = this.#legs.find((one) => one.device === device);
    if (leg === undefined || macText(bytes) !== leg.mac) {
      return;
    }
    const payload = bytes.subarray(HEADER_BYTES);
    const said = readLegPayload(payload);
    const peer = this.#config.nodes.find(({ id }) => id === said?.id);
    if (said === undefined || peer === undefined || peer.id === this.#node.id) {
      return;
    }
    const { session, counter } = said;
    const place = `${leg.name} ${peer.name}`;
    const last = this.#counters.get(place);
    const isOld = last?.session === session && counter <= last.counter;
    // Of another session it is old, or its agent has just begun: it says so within a tenth of a second.
    if (session !== this.#reports.session(peer.name) || isOld) {
      return;
    }
    if (isProven(this.#key, { cluster: this.#config.cluster, mac: leg.mac }, payload)) {
      this.#counters.set(place, { session, counter });
      leg.heard.heard(peer.name, now);
    }
  }

  #send(sender: PacketSocket, leg: Leg, link: Link, now: number): void {
    if (!link.up || !link.carrier || !isMac(link.mac)) {
      return;
    }
    leg.triedAt = now;
    this.#counter += 1;
    const said = { id: this.#node.id, session: this.#session, counter: this.#counter };
    const payload = encodeLegPayload(this.#key, { cluster: this.#config.cluster, mac: leg.mac }, said);
    try {
      sender.send(ethernetFrame(leg.mac, link.mac, LEG_ETHER_TYPE, payload), link);
      leg.sentAt = now;
    } catch {
      // It has gone down, or somebody's rules drop it: peers aren't told that this node sends there.
    }
  }

  #sayUnheard(leg: Leg, now: number): void {
    const unheard = leg.heard.unheard(now);
    if (unheard && !leg.warned) {
      this.#log.warn(warningText(unheardWarning(leg)));
    }
    if (!unheard && leg.warned) {
      this.#log.info(`${leg.name}: it is no longer so that no node hears another there`);
    }
    leg.warned = unheard;
  }

  #fail(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    if (reason !== this.#failure) {
      this.#failure = reason;
      this.#log.warn(warningText(this.#failureWarning));
    }
  }

  #unfail(): void {
    if (this.#failure !== '') {
      this.#log.info(`no longer so: ${warningText(this.#failureWarning)}`);
      this.#failure = '';
    }
  }

  get #failureWarning(): Warning {
    return {
      code: 'leg-unproven',
      object: this.#node.name,
      text: `whether frames to the shared MACs come in isn't known, so a switch that stops delivering them isn't noticed: ${this.#failure}; start the agent again when that is mended`,
    };
  }

  #closeSockets(): void {
    this.#receiver?.close();
    this.#sender?.close();
    this.#receiver = undefined;
    this.#sender = undefined;
  }
}

const unheardWarning = ({ name, mac }: Leg): Warning => ({
  code: 'leg-unheard',
  object: name,
  text: `${name}: no node hears another there, so it isn't known whether clients' packets to ${mac} come in anywhere, and nothing is moved; see that the switch floods frames to that MAC, those of EtherType 0x88b5 too`,
});

const macText = (frame: Uint8Array): string =>
  Buffer.from(frame.subarray(0, 6))
    .toString('hex')
    .replace(/(..)(?!$)/g, '$1:');
