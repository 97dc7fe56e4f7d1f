import type { FlowVerdict } from '../verdict/ledger.ts';
import type { GroupView, Happening, Model, NodeView } from './model.ts';
import { alignLeft, alignRight, type Colour, clock, count, duration, paint } from './text.ts';

export interface Size {
  readonly columns: number;
  readonly rows: number;
  readonly colour: boolean;
}

/** A flow that waits longer than this, in milliseconds, stands still. */
const STANDSTILL = 500;

/**
 * The screen: at most `rows` lines of at most `columns` visible characters. The events get what room the rest leaves,
 * the newest staying; of more flows than alignLeft, the lost and the stalled ones come first.
 */
export const renderScreen = (model: Model, size: Size): string[] => {
  const style = (text: string, colour?: Colour): string => (size.colour ? paint(text, colour) : text);
  const half = Math.floor((size.columns - 1) / 2);
  const cell = (text: string, colour?: Colour): string => style(alignLeft(text, half), colour);
  const title = alignLeft(model.title, size.columns - 8) + alignRight(clock(model.elapsed), 8);
  const nodes = model.nodes.map((node) => cell(nodeText(node), nodeColour(node)));
  const groups = model.groups.map((group) => cell(groupText(group), groupColour(group)));
  const head = [
    style(title, 'bold'),
    '',
    `${cell('NODE      KERNEL OWNS   pkt/s out    in', 'dim')} ${cell('GROUP    BUCKETS  OWNER', 'dim')}`,
    ...sideBySide(nodes, groups, ' '.repeat(half)),
    '',
    `${cell(FLOW_HEADING, 'dim')} ${cell(FLOW_HEADING, 'dim')}`,
  ];
  const room = Math.max(1, size.rows - head.length - 5);
  const flows = flowLines(model.flows, room, ' '.repeat(half), (flow) =>
    cell(flowText(flow), flowColour(flow)),
  );
  const before = [...head, ...flows.map((line) => line.trimEnd()), '', style('TIMELINE', 'dim')];
  const left = Math.max(0, size.rows - before.length);
  const events = left === 0 ? [] : model.events.slice(-left);
  const lines = [
    ...before,
    ...events.map((event) => style(eventText(event, size.columns), TONES[event.tone])),
  ];
  return lines.slice(0, size.rows);
};

const FLOW_HEADING = 'FLOW            STATE  WAITS  WORST  2x';

const TONES: Readonly<Record<Happening['tone'], Colour | undefined>> = {
  plain: undefined,
  good: 'green',
  bad: 'red',
};

const nodeText = ({ name, on, owned, sends, gets }: NodeView): string => {
  if (!on) {
    return `${alignLeft(name, 9)} no power`;
  }
  const buckets = owned === undefined ? 'nothing loaded' : `${owned} buckets`;
  return `${alignLeft(name, 9)} ${alignLeft(buckets, 14)}${alignRight(count(sends), 7)}${alignRight(count(gets), 7)}`;
};

const nodeColour = ({ on, owned }: NodeView): Colour | undefined => {
  if (!on) {
    return 'red';
  }
  return owned === undefined || owned === 0 ? 'yellow' : undefined;
};

const groupText = ({ name, buckets, owners }: GroupView): string => {
  const who = owners.map((owner) =>
    owner.buckets === buckets ? owner.node : `${owner.node}: ${owner.buckets}`,
  );
  return `${alignLeft(name, 10)} ${alignRight(String(buckets), 5)}  ${who.length === 0 ? 'nobody' : who.join(' and ')}`;
};

const groupColour = ({ buckets, owners }: GroupView): Colour | undefined => {
  const [only] = owners;
  return owners.length === 1 && only?.buckets === buckets ? 'green' : 'red';
};

const flowText = (flow: FlowVerdict): string => {
  const twice = flow.twice.reduce((total, each) => total + each.count, 0);
  const waits = flow.waiting > STANDSTILL ? duration(flow.waiting) : '-';
  return [
    alignLeft(flow.id, 16),
    alignLeft(stateOf(flow), 5),
    alignRight(waits, 7),
    alignRight(duration(flow.worstStall), 7),
    alignRight(count(twice), 4),
  ].join('');
};

const stateOf = (flow: FlowVerdict): string => {
  if (flow.lost) {
    return 'LOST';
  }
  if (flow.state === 'starting') {
    return 'new';
  }
  return isStanding(flow) ? 'waits' : 'up';
};

const isStanding = (flow: FlowVerdict): boolean => flow.state === 'up' && flow.waiting > STANDSTILL;

const flowColour = (flow: FlowVerdict): Colour | undefined => {
  if (flow.lost) {
    return 'red';
  }
  return isStanding(flow) ? 'yellow' : undefined;
};

/** Two columns, one for each client's flows. */
const flowLines = (
  flows: readonly FlowVerdict[],
  room: number,
  blank: string,
  render: (flow: FlowVerdict) => string,
): string[] => {
  const clients = [...new Set(flows.map(clientOf))];
  const column = (index: number): FlowVerdict[] => {
    const own = flows.filter((flow) => clients.indexOf(clientOf(flow)) % 2 === index);
    const urgent = (flow: FlowVerdict): number => Number(flow.lost) * 2 + Number(isStanding(flow));
    return own.length > room ? own.sort((one, other) => urgent(other) - urgent(one)).slice(0, room) : own;
  };
  const [left, right] = [column(0), column(1)];
  return sideBySide(left.map(render), right.map(render), blank);
};

const clientOf = ({ id }: FlowVerdict): string => id.split('.')[0] ?? '';

const eventText = ({ at, text }: Happening, columns: number): string =>
  alignLeft(`${clock(at)}  ${text}`, columns).trimEnd();

const sideBySide = (left: readonly string[], right: readonly string[], blank: string): string[] =>
  Array.from({ length: Math.max(left.length, right.length) }, (_, index) =>
    `${left[index] ?? blank} ${right[index] ?? ''}`.trimEnd(),
  );
