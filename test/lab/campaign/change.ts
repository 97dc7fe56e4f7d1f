import { setTimeout as sleep } from 'node:timers/promises';
import { type Break, loseMechanism } from '../cluster.ts';
import { speakForeignVrrp } from '../foreign-vrrp.ts';
import { TAKEN } from '../others.ts';
import type { FirewallNode } from '../rig/node.ts';
import type { CoreSide } from '../rig/plan.ts';
import type { ChangeEvent, LinkChange } from './event.ts';

/** Changes something under a node as another program would. Returns when it has: not when it is mended. */
export const change = async (node: FirewallNode, event: ChangeEvent, broken?: Break): Promise<void> => {
  switch (event.kind) {
    case 'take away':
      return takeAway(node, event.what);
    case 'flush rules':
      await node.run(['nft', 'flush', 'ruleset']);
      return loseMechanism(node, broken);
    case 'restart conntrackd':
      // Its lock stays, as after the kernel's OOM killer; what starts it removes that, as Debian's unit with our drop-in does.
      await node.daemon('conntrackd').kill('SIGKILL');
      await node.startConntrackd();
      return;
    case 'foreign VRRP':
      return speakForeignVrrp(node, VRID);
    case 'reset timers':
      await node.run(['conntrackd', '-C', '/etc/conntrackd/conntrackd.conf', '-t']);
      return;
    case 'change MAC inside':
    case 'change MAC outside':
      await node.run(['ip', 'link', 'set', deviceOf(node, event.side), 'address', event.mac]);
      return;
    default:
      return changeLink(node, event);
  }
};

/** Of the first group (rig/cluster-config.ts). */
const VRID = 50;

/** It may not be there: what was before may not be mended yet. */
const takeAway = async (node: FirewallNode, what: string): Promise<void> => {
  const taken = TAKEN.find((each) => each.what === what);
  if (taken === undefined) {
    throw new RangeError(`nothing is called ${what} that could be taken away`);
  }
  if (await taken.isThere(node)) {
    await taken.take(node);
  }
};

const changeLink = async (node: FirewallNode, { kind, side, gone }: LinkChange): Promise<void> => {
  const device = deviceOf(node, side);
  switch (kind) {
    case 'remake inside':
    case 'remake outside':
    case 'remake sync':
      await node.removeLink(side);
      await sleep(gone);
      return node.makeLink(side);
    case 'rename inside':
    case 'rename outside':
    case 'rename sync':
      await rename(node, device, OTHER_NAME);
      await sleep(gone);
      await rename(node, OTHER_NAME, device);
      return giveOwn6(node, side);
    default:
      await node.run(['ip', 'link', 'set', device, 'down']);
      await sleep(gone);
      await node.run(['ip', 'link', 'set', device, 'up']);
      return giveOwn6(node, side);
  }
};

const OTHER_NAME = 'lan9';

const rename = async (node: FirewallNode, from: string, to: string): Promise<void> => {
  await node.run(['ip', 'link', 'set', from, 'down']);
  await node.run(['ip', 'link', 'set', from, 'name', to]);
  await node.run(['ip', 'link', 'set', to, 'up']);
};

/** As ifup does: the kernel has taken the node's own addresses of IPv6 with the link. */
const giveOwn6 = async (node: FirewallNode, side: CoreSide): Promise<void> => {
  await node.machine.ip(node.ownAddresses(side).map((address) => `addr replace ${address}`));
};

const deviceOf = ({ plan }: FirewallNode, side: CoreSide): string => plan.links[side].device;
