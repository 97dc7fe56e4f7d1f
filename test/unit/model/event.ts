import fc from 'fast-check';
import type { KeepalivedWord } from '../../../src/managers/keepalived/line.ts';
import { FAIR } from './network.ts';
import type { Words, World } from './world.ts';

/** Something that happens to the cluster. Nodes and groups are numbers, taken modulo how many there are. */
export type Event =
  | { readonly kind: NodeEvent; readonly node: number }
  | {
      readonly kind: 'cut' | 'heal';
      readonly path: 'switch' | 'sync';
      readonly node: number;
      readonly other: number;
      readonly both: boolean;
    }
  | {
      readonly kind: 'weather';
      readonly path: 'switch' | 'sync';
      readonly loss: number;
      readonly delay: number;
    }
  | { readonly kind: 'word'; readonly node: number; readonly group: number; readonly word: KeepalivedWord }
  | {
      readonly kind: 'takeover' | 'release';
      readonly node: number;
      readonly group: number;
      readonly force: boolean;
    };

const NODE_EVENTS = [
  'power cut',
  'boot',
  'kill agent',
  'kill agent before its transaction',
  'kill agent after its transaction',
  'start agent',
  'pause agent',
  'resume agent',
  'kill keepalived',
  'stop keepalived',
  'start keepalived',
  'unplug',
  'plug',
  'restart conntrackd',
  'drain',
  'resume',
] as const;
type NodeEvent = (typeof NODE_EVENTS)[number];
/** These take away neither messages nor agents from a node that lives: no moment may then have two owners. */
const TAME_EVENTS = [
  'power cut',
  'boot',
  'kill keepalived',
  'stop keepalived',
  'start keepalived',
  'unplug',
  'plug',
  'restart conntrackd',
  'drain',
  'resume',
] as const;

/** Events with the milliseconds that pass before each. */
export type Story = readonly { readonly after: number; readonly event: Event }[];

const index = fc.nat({ max: 11 });
const after = fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 400 }), fc.nat({ max: 3000 }));
const path = fc.constantFrom('switch' as const, 'sync' as const);
const cut = fc.record({
  kind: fc.constantFrom('cut' as const, 'heal' as const),
  path,
  node: index,
  other: index,
  both: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.constant(false)),
});
const switchCut = fc.record({
  kind: fc.constantFrom('cut' as const, 'heal' as const),
  path: fc.constant('switch' as const),
  node: index,
  other: index,
  both: fc.boolean(),
});
const weather = fc.record({
  kind: fc.constant('weather' as const),
  path,
  loss: fc.constantFrom(0, 0.02, 0.2, 0.5),
  delay: fc.constantFrom(1, 10, 40, 200),
});
const word = fc.record({
  kind: fc.constant('word' as const),
  node: index,
  group: index,
  word: fc.constantFrom<KeepalivedWord>('MASTER', 'BACKUP', 'BACKUP', 'FAULT', 'MASTER', 'STOP'),
});
const order = fc.record({
  kind: fc.constantFrom('takeover' as const, 'takeover' as const, 'release' as const),
  node: index,
  group: index,
  force: fc.boolean(),
});

const nodeEvent = (kinds: readonly NodeEvent[]): fc.Arbitrary<Event> =>
  fc.record({ kind: fc.constantFrom(...kinds), node: index });

/** @param tame with nothing that takes messages or agents away */
export const storyOf = (words: Words, tame: boolean): fc.Arbitrary<Story> => {
  const said: fc.Arbitrary<Event> =
    words === 'any' ? word : words === 'operator' ? order : nodeEvent(TAME_EVENTS);
  const event = tame
    ? fc.oneof({ weight: 3, arbitrary: said }, { weight: 2, arbitrary: nodeEvent(TAME_EVENTS) }, switchCut)
    : fc.oneof(
        { weight: 3, arbitrary: said },
        { weight: 4, arbitrary: nodeEvent(NODE_EVENTS) },
        { weight: 3, arbitrary: cut },
        weather,
      );
  return fc.array(fc.record({ after, event }), { minLength: 1, maxLength: 12 });
};

/** Makes `event` happen. What can't happen (a boot of a node that runs) doesn't. */
export const happen = (world: World, event: Event): void => {
  const machine = world.machine(nameOf(world, 'node' in event ? event.node : 0));
  world.watch.note(`* ${describe(world, event)}`);
  switch (event.kind) {
    case 'cut':
    case 'heal': {
      const other = nameOf(world, event.node + 1 + (event.other % (world.machines.size - 1)));
      if (event.path === 'sync') {
        world.watch.disturbed();
      }
      world.sever(event.path, event.kind, machine.name, other);
      if (event.both) {
        world.sever(event.path, event.kind, other, machine.name);
      }
      return;
    }
    case 'weather':
      world[event.path].weather =
        event.loss === 0 && event.delay === 1
          ? FAIR
          : { loss: event.loss, doubled: event.loss, delay: event.delay, overtaking: true };
      if (event.path === 'sync') {
        world.watch.disturbed();
      }
      return;
    case 'word':
      machine.word(groupOf(world, event.group), event.word);
      return;
    case 'takeover':
    case 'release':
      machine.order(event.kind, groupOf(world, event.group), event.force);
      return;
    case 'power cut':
      machine.cutPower();
      return;
    case 'boot':
      machine.boot();
      return;
    case 'kill agent':
      machine.killAgent();
      return;
    case 'kill agent before its transaction':
      machine.killAgent('before');
      return;
    case 'kill agent after its transaction':
      machine.killAgent('after');
      return;
    case 'start agent':
      machine.startAgent();
      return;
    case 'pause agent':
      machine.pauseAgent();
      return;
    case 'resume agent':
      machine.resumeAgent();
      return;
    case 'kill keepalived':
      machine.endKeepalived(false);
      return;
    case 'stop keepalived':
      machine.endKeepalived(true);
      return;
    case 'start keepalived':
      machine.startKeepalived();
      return;
    case 'unplug':
      machine.plug(false);
      return;
    case 'plug':
      machine.plug(true);
      return;
    case 'restart conntrackd':
      machine.restartConntrackd();
      return;
    case 'drain':
      machine.drain(true);
      return;
    case 'resume':
      machine.drain(false);
      return;
  }
};

const nameOf = (world: World, node: number): string => `fw${(node % world.machines.size) + 1}`;

const groupOf = (world: World, group: number): string =>
  world.groups[group % world.groups.length]?.name ?? '';

const describe = (world: World, event: Event): string => {
  const { kind, ...fields } = event;
  const parts = Object.entries(fields).map(([name, value]) =>
    name === 'node'
      ? nameOf(world, Number(value))
      : name === 'group'
        ? groupOf(world, Number(value))
        : `${name} ${value}`,
  );
  return [kind, ...parts].join(' ');
};
