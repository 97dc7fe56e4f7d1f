import { setTimeout as sleep } from 'node:timers/promises';
import { type Break, bringUp } from '../cluster.ts';
import { untilNoWarning } from '../no-warning.ts';
import { untilPlaced } from '../placement.ts';
import type { Lab } from '../rig/lab.ts';
import type { FirewallNode } from '../rig/node.ts';
import { untilAnswered } from '../traffic/answered.ts';
import { Traffic } from '../traffic/traffic.ts';
import { SETTLING, summarize, type Transition } from '../verdict/summary.ts';
import { act, tractable } from './act.ts';
import { chooseStep, mending } from './choose.ts';
import { afterwards, allWell, isConnected, isWhole, type NodeCondition } from './condition.ts';
import { ALL_NODES, type CampaignEvent, eventText, type Step } from './event.ts';
import { campaignFlows } from './flows.ts';
import { untilHeldElsewhere } from './held-elsewhere.ts';
import { untilOneOwnerEach } from './owners.ts';
import { Random } from './random.ts';
import type { RowName, Tally } from './tally.ts';

/** Events from one moment in which all is well to the next. */
export const EPISODE = 10;

export interface CampaignOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly broken?: Break | undefined;
}

/** A promise was broken in a campaign, with all that led to it. */
export class CampaignFailure extends Error {
  override readonly name = 'CampaignFailure';
}

/** A lab in which one thing after another happens, and after each of them the promises are checked from outside. */
export class Campaign {
  readonly #options: CampaignOptions;
  readonly #lab: Lab;
  readonly #traffic: Traffic;
  readonly #tally: Tally;
  readonly #say: (line: string) => void;
  #nodes: readonly NodeCondition[];
  #timeline: string[] = [];
  #began = Date.now();
  /** When owners changed, or may have. */
  readonly #windows: Transition[] = [];
  #twice = 0;
  #young = 0;

  private constructor(
    options: CampaignOptions,
    lab: Lab,
    traffic: Traffic,
    tally: Tally,
    say: (line: string) => void,
  ) {
    this.#options = options;
    this.#lab = lab;
    this.#traffic = traffic;
    this.#tally = tally;
    this.#say = say;
    this.#nodes = lab.nodes.map(({ name }) => allWell(name));
  }

  /** Brings all nodes up and starts the flows. `say` is told every event. */
  static async begin(
    lab: Lab,
    options: CampaignOptions,
    tally: Tally,
    say: (line: string) => void,
  ): Promise<Campaign> {
    const { broken } = options;
    await Promise.all(lab.nodes.map((node) => bringUp(node, 'keepalived', { rewrite: tractable, broken })));
    await untilPlaced(
      lab,
      lab.nodes.map(({ name }) => name),
    );
    const traffic = await Traffic.start(lab);
    traffic.add(campaignFlows(lab));
    await traffic.ready();
    return new Campaign(options, lab, traffic, tally, say);
  }

  /**
   * Plays one episode: `events` events, after which all is made well again.
   *
   * @throws {CampaignFailure} if a promise is broken
   */
  async episode(number: number, events: number): Promise<void> {
    const random = new Random(this.#options.seed * 1000 + number);
    this.#timeline = [];
    this.#began = Date.now();
    try {
      let pending: RowName[] = [];
      let from = 0;
      for (let step = chooseStep(this.#nodes, random), left = events; left > 0; left -= 1) {
        from = pending.length === 0 ? Date.now() : from;
        await this.#take(step);
        pending.push(step.event.kind);
        step = chooseStep(this.#nodes, random);
        if (!step.unsettled || left === 1) {
          await this.#settle(pending, from);
          pending = [];
        }
      }
      await this.#mend();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new CampaignFailure(`${reason}\n${this.#timeline.join('\n')}\n${this.#state()}`, {
        cause: error,
      });
    }
  }

  /** Ends the flows; every one must have had an answer to the last. */
  async end(): Promise<void> {
    this.#check(await this.#traffic.stop());
  }

  async #take({ event, after }: Step): Promise<void> {
    await sleep(after);
    if (TAKES_AWAY.has(event.kind)) {
      await Promise.all(this.#affected(event).map((node) => this.#untilHeldElsewhere(node)));
    }
    await this.#happen(event);
  }

  async #untilHeldElsewhere(node: FirewallNode): Promise<void> {
    const others = this.#nodes.filter((other) => other.name !== node.name && isWhole(other));
    await untilHeldElsewhere(
      node,
      others.map(({ name }) => this.#lab.node(name)),
    );
  }

  #affected({ node }: CampaignEvent): readonly FirewallNode[] {
    return node === ALL_NODES ? this.#lab.nodes : [this.#lab.node(node)];
  }

  async #happen(event: CampaignEvent): Promise<void> {
    this.#note(eventText(event));
    await Promise.all(this.#affected(event).map((node) => act(node, event, this.#options.broken)));
    this.#nodes = this.#nodes.map((node) => (node.name === event.node ? afterwards(node, event) : node));
  }

  /** Waits until every bucket has its one owner and every flow is answered, and takes down what was seen until then. */
  async #settle(pending: readonly RowName[], from: number): Promise<void> {
    const forsaken = this.#nodes.some((node) => isConnected(node) && !node.agent && !node.keepalived);
    await untilOneOwnerEach(this.#connected(), forsaken);
    const failed = await this.#forgiving(() => untilAnswered(this.#traffic));
    const to = Date.now();
    this.#windows.push({ from, to });
    this.#note(`  settled in ${to - from} ms`);
    const verdicts = this.#traffic.snapshot();
    this.#check(verdicts);
    const { twice } = summarize(verdicts);
    const young = verdicts.reduce((sum, verdict) => sum + verdict.young, 0);
    const [kind = 'overlapping'] = pending;
    this.#tally.note(pending.length === 1 ? kind : 'overlapping', {
      events: pending.length,
      twice: twice - this.#twice,
      failed,
      young: young - this.#young,
      worstStall: this.#traffic.takeStall(),
      worstSettling: to - from,
    });
    this.#twice = twice;
    this.#young = young;
  }

  /**
   * A connection that fails as it begins had not been replicated for a second: it is counted and not forbidden, until the
   * flows are answered again. Returns how many failed.
   */
  async #forgiving(act: () => Promise<void>): Promise<number> {
    let failed = 0;
    const forgive = (): void => {
      failed += this.#traffic.forgiveConnections();
    };
    const timer = setInterval(forgive, 50);
    try {
      await sleep(REPORTED_MS);
      forgive();
      await act();
    } finally {
      clearInterval(timer);
    }
    return failed;
  }

  /** Makes all well again, waits until every node has its home back, and has a look at a moment of calm. */
  async #mend(): Promise<void> {
    const from = Date.now();
    await Promise.all(
      this.#nodes.map(async (node) => {
        for (const event of mending(node)) {
          await this.#happen(event);
        }
      }),
    );
    await untilPlaced(
      this.#lab,
      this.#nodes.map(({ name }) => name),
      HOME_MS,
    );
    await this.#forgiving(() => untilAnswered(this.#traffic));
    await untilNoWarning(this.#lab.nodes);
    this.#windows.push({ from, to: Date.now() });
    this.#note('  all is well');
    await sleep(SETTLING + CALM_MS);
    await untilNoWarning(this.#lab.nodes);
    await this.#traffic.useIdle();
    const verdicts = this.#traffic.snapshot();
    this.#check(verdicts);
    const { twiceSteady, twice } = summarize(verdicts, this.#windows);
    this.#twice = twice;
    this.#traffic.takeStall();
    if (twiceSteady > 0) {
      throw new CampaignFailure(`${twiceSteady} packets came twice while all was well`);
    }
  }

  #check(verdicts: ReturnType<Traffic['snapshot']>): void {
    const lost = verdicts.filter(({ lost }) => lost).map(({ id, reason }) => `${id}: ${reason}`);
    if (lost.length > 0) {
      throw new CampaignFailure(`lost: ${lost.join('; ')}`);
    }
  }

  #connected(): readonly FirewallNode[] {
    return this.#nodes.filter(isConnected).map(({ name }) => this.#lab.node(name));
  }

  #note(text: string): void {
    const line = `${((Date.now() - this.#began) / 1000).toFixed(3).padStart(8)} ${text}`;
    this.#timeline.push(line);
    this.#say(text);
  }

  #state(): string {
    return this.#nodes.map((node) => JSON.stringify(node)).join('\n');
  }
}

/** After these nobody but another can serve, or so it may be: what isn't mended within half a second is taken over. */
const TAKES_AWAY: ReadonlySet<CampaignEvent['kind']> = new Set([
  'power cut',
  'freeze',
  'cut inside',
  'cut outside',
  'withhold inside',
  'withhold outside',
  'remake inside',
  'remake outside',
  'bounce inside',
  'bounce outside',
  'bounce all inside',
  'bounce all outside',
  'rename inside',
  'rename outside',
  'change MAC inside',
  'change MAC outside',
  'take away',
  'flush rules',
]);

/** A node that has just booted must rejoin first; one whose agent was away, compare. */
const HOME_MS = 60_000;
const CALM_MS = 1000;
/** What has happened is in the clients' reports, which come every 100 ms. */
const REPORTED_MS = 300;
