import type { Rewrite } from './cluster.ts';

/** Nobody tells keepalived whether the agent is well. */
export const withoutCheck: Rewrite = (keepalived) =>
  keepalived.replaceAll(/^ {2}track_script \{\n.*\n {2}\}\n/gm, '');

/** Nobody hears that keepalived ends where no agent reads its FIFO. */
export const withoutStop: Rewrite = (keepalived) => keepalived.replace(/^ *notify_stop .*\n/m, '');

/** keepalived writes its states nowhere: only hooks tell them. */
export const withoutFifo: Rewrite = (keepalived) =>
  keepalived.replaceAll(/^ *(vrrp_notify_fifo|fifo_write_vrrp_states_on_reload).*\n/gm, '');

/** Every instance calls these, and nobody else says what state it is in. */
export const withHooks =
  (lines: (group: string) => readonly string[]): Rewrite =>
  (keepalived) =>
    withoutFifo(keepalived).replaceAll(/^vrrp_instance (\S+) \{\n/gm, (head, group: string) =>
      [head, ...lines(group).map((line) => `  ${line}\n`)].join(''),
    );

/** Realtime and without CAP_SYS_RESOURCE, keepalived loses its limit of CPU time in a reload and is killed soon after. */
export const withoutRealtime: Rewrite = (keepalived) =>
  // On a node that there isn't: the agent, which warns of a keepalived without, takes such a line as if it counted.
  keepalived.replace(/^ *(?=vrrp_rt_priority )/m, '@nowhere ');

/** A file that has every instance in FAULT while it holds 1. */
export const FLAP = '/run/flap';

export const withFlap: Rewrite = (keepalived) => {
  const file = `track_file flap {\n  file "${FLAP}"\n  weight 0\n  init_file 0 overwrite\n}\n\n`;
  return keepalived
    .replaceAll(/^ {4}ready_.*$/gm, '$&\n    flap')
    .replace(/^vrrp_instance/m, `${file}vrrp_instance`);
};
