import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { agentUp, type Break, bringUp, type Rewrite } from '../cluster.ts';
import { killKeepalived, reloadKeepalived } from '../keepalived-process.ts';
import { FLAP, withFlap, withoutRealtime } from '../rewrites.ts';
import type { FirewallNode } from '../rig/node.ts';
import { emptyTable, fillTable } from '../table-limit.ts';
import { change } from './change.ts';
import type { CampaignEvent } from './event.ts';

/** keepalived's configuration with a file by which the campaign has it flap, and without what a reload loses here. */
export const tractable: Rewrite = (text) => withFlap(withoutRealtime(text));

/** Makes the event happen to the node. Returns when it has: not when everybody has got over it. */
export const act = async (node: FirewallNode, event: CampaignEvent, broken?: Break): Promise<void> => {
  switch (event.kind) {
    case 'power cut':
      return node.powerCut();
    case 'boot':
      return bringUp(node, 'keepalived', { rewrite: tractable, broken });
    case 'freeze':
      return node.freeze();
    case 'thaw':
      return node.thaw();
    case 'cut inside':
    case 'cut outside':
    case 'cut sync':
      return node.cutLink(event.side);
    case 'heal inside':
    case 'heal outside':
    case 'heal sync':
      return node.healLink(event.side);
    case 'withhold inside':
    case 'withhold outside':
      return node.withholdShared(event.side);
    case 'deliver inside':
    case 'deliver outside':
      return node.deliverShared(event.side);
    case 'fill table':
      return fillTable(node, OTHERS_ENTRIES);
    case 'empty table':
      return emptyTable(node);
    case 'kill agent':
      return node.daemon('agent').kill('SIGKILL');
    case 'start agent':
      await node.startAgent(broken);
      await agentUp(node);
      return;
    case 'kill conntrackd':
      return node.daemon('conntrackd').kill('SIGKILL');
    case 'start conntrackd':
      await node.startConntrackd();
      return;
    case 'kill keepalived':
      return killKeepalived(node);
    case 'stop keepalived':
      return node.daemon('keepalived').kill();
    case 'start keepalived':
      await node.startKeepalived();
      return;
    case 'reload keepalived':
      return reloadKeepalived(node);
    case 'drain':
    case 'resume':
      return order(node, event.kind);
    case 'flap':
      return flap(node);
    default:
      return change(node, event, broken);
  }
};

/** An order may be refused, or take longer than the command waits: what comes of it is seen in the kernels. */
const order = async (node: FirewallNode, command: 'drain' | 'resume'): Promise<void> => {
  await node.product([command]).catch((error: unknown) => {
    const text = error instanceof Error ? error.message : String(error);
    if (!/: (refused|failed): /.test(text)) {
      throw error;
    }
  });
};

/** Of what a campaign's tables may hold: enough to be said, and not so much that states are refused. */
export const TABLE_ENTRIES = 40_000;
const OTHERS_ENTRIES = 34_000;

const TIMES = 8;

const flap = async (node: FirewallNode): Promise<void> => {
  const file = node.machine.path(FLAP);
  for (let time = 0; time < TIMES; time += 1) {
    writeFileSync(file, '1');
    await sleep(60);
    writeFileSync(file, '0');
    await sleep(60);
  }
};
