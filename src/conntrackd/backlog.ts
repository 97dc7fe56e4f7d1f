import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** NETLINK_NETFILTER, include/uapi/linux/netlink.h. */
const NETFILTER = 12;
/** The groups of new, changed and ended flows: NFNLGRP_CONNTRACK_NEW, _UPDATE and _DESTROY as bits. */
const CONNTRACK_GROUPS = 0b111;
const INTERVAL_MS = 2;

/**
 * Waits until whoever listens to the kernel's conntrack events has read all that there were, conntrackd among them. False
 * at the bound, in milliseconds, or if the kernel doesn't tell.
 */
export const untilRead = (bound: number): Promise<boolean> =>
  untilEmpty(async () => waitingEvents(await readFile('/proc/net/netlink', 'latin1')), bound);

/** Waits until what has come in on a UDP port was read. As `untilRead`. */
export const untilTaken = (port: number, bound: number): Promise<boolean> =>
  untilEmpty(async () => waitingDatagrams(await readFile('/proc/net/udp', 'latin1'), port), bound);

/** Bytes of conntrack events that wait in the sockets of a `/proc/net/netlink`. */
export const waitingEvents = (text: string): number =>
  rows(text)
    .filter(
      ([, protocol, , groups = '']) =>
        Number(protocol) === NETFILTER && (Number.parseInt(groups, 16) & CONNTRACK_GROUPS) !== 0,
    )
    .reduce((sum, [, , , , waiting]) => sum + Number(waiting), 0);

/** Bytes of datagrams that wait on a port in a `/proc/net/udp`. */
export const waitingDatagrams = (text: string, port: number): number =>
  rows(text)
    .filter(([, local = '']) => Number.parseInt(local.split(':')[1] ?? '', 16) === port)
    .reduce((sum, [, , , , queues = '']) => sum + Number.parseInt(queues.split(':')[1] ?? '', 16), 0);

const rows = (text: string): readonly (readonly string[])[] =>
  text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/));

const untilEmpty = async (waiting: () => Promise<number>, bound: number): Promise<boolean> => {
  const end = performance.now() + bound;
  try {
    while ((await waiting()) > 0) {
      if (performance.now() >= end) {
        return false;
      }
      await sleep(INTERVAL_MS);
    }
    return true;
  } catch {
    return false;
  }
};
