import { warningText } from '../cluster/warning.ts';
import type { CommitStatus, ComparisonStatus, GroupStatus, LegStatus, Status } from './status.ts';

/** A status for people: groups, peers, conntrackd, and what is wrong, if anything is. */
export const statusText = (status: Status): string => {
  const { manager, peers, verified } = status;
  const lines = [
    `${status.node}: manager ${manager.kind}${manager.alive ? '' : ' (not running)'}, conntrackd ${status.conntrackd}`,
    '',
    ...table([
      ['group', 'owner', 'here', 'synced', 'buckets', 'since', 'why'],
      ...status.groups.map(groupRow),
    ]),
    '',
    ...peers.map((peer) => {
      const seen = verified.find((result) => result.peer === peer.name);
      const compared = seen ? `; ${seen.flows} flows compared at ${seen.at}, ${seen.missing} missing` : '';
      const comparing = status.comparing?.peer === peer.name ? comparisonText(status.comparing) : '';
      return `peer ${peer.name}: ${peer.reachable ? 'reachable' : "doesn't answer"}${compared}${comparing}`;
    }),
    ...status.legs.map(legText),
    ...(status.commit === null ? [] : [commitText(status.commit)]),
    ...status.warnings.map((warning) => `warning: ${warningText(warning)}`),
  ];
  return lines.join('\n');
};

const comparisonText = ({ round, percent, flows, missing }: ComparisonStatus): string => {
  const of = flows === null ? '' : ` of ${flows} flows`;
  return `; comparing, round ${round}: ${percent} %${of}${missing === null ? '' : `, ${missing} were missing`}`;
};

const legText = ({ name, heard }: LegStatus): string => {
  const peers = Object.entries(heard).map(([peer, age]) =>
    age === null ? `${peer} never heard` : `${peer} heard ${(age / 1000).toFixed(1)} s ago`,
  );
  return `leg ${name}: ${peers.join(', ')}`;
};

const commitText = ({ at, groups, committed, refused, ms, failure }: CommitStatus): string => {
  const done =
    failure === null
      ? `committed ${committed ?? 'unknown'}, refused ${refused ?? 'unknown'} in ${ms} ms`
      : `not committed: ${failure}`;
  return `last commit ${at} for ${groups.join(', ')}: ${done}`;
};

const groupRow = (group: GroupStatus): readonly string[] => [
  group.name,
  group.owner ?? 'none',
  group.role,
  group.synced ? 'yes' : 'no',
  String(group.buckets),
  group.since ?? '-',
  group.reason,
];

/** Columns as wide as their widest cell. */
const table = (rows: readonly (readonly string[])[]): readonly string[] => {
  const widths = rows.reduce<readonly number[]>(
    (known, row) => row.map((cell, column) => Math.max(cell.length, known[column] ?? 0)),
    [],
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
};
