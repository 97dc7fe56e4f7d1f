import type { Status } from './status.ts';

/** What matters of a status in one line, as `systemctl status` shows it. */
export const statusLine = ({ groups, manager, drained, peers, warnings }: Status): string => {
  const owned = groups.filter(({ role }) => role === 'owner');
  const all = sum(groups.map(({ buckets }) => buckets));
  const names = owned.map(({ name }) => name).join(', ');
  const silent = peers.filter(({ reachable }) => !reachable).map(({ name }) => name);
  return [
    owned.length === 0
      ? 'owns nothing'
      : `owns ${sum(owned.map(({ buckets }) => buckets))} of ${all} buckets (${names})`,
    ...(manager.alive || manager.kind === 'none' ? [] : [`${manager.kind} doesn't run`]),
    ...(silent.length === 0 ? [] : [`no word of ${silent.join(', ')}`]),
    ...(drained ? ['drained'] : []),
    ...(warnings.length === 0
      ? []
      : [`${warnings.length} ${warnings.length === 1 ? 'warning' : 'warnings'}: conntrack-ha status`]),
  ].join('; ');
};

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
