import { execa } from 'execa';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Channel } from '../../src/kernel/channel.ts';
import { NetlinkReplyError } from '../../src/kernel/error.ts';
import { openRulesetChannel } from '../../src/kernel/nftables.ts';
import { portsIn } from '../../src/kernel/port-set.ts';

const SET = { family: 'inet', table: 'ours', name: 'asked' } as const;
const nft = (script: string) => execa('nft', ['-f', '-'], { input: script });

let channel: Channel;
beforeEach(() => {
  channel = openRulesetChannel();
});
afterEach(async () => {
  channel.close();
  await nft('flush ruleset');
});

it('are those that it has, without those whose timeout has ended', async () => {
  await nft(
    'table inet ours { set asked { type inet_service; flags dynamic,timeout; timeout 1h; elements = { 1194, 65535, 7 timeout 10ms } ; }\n }',
  );
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect([...(await portsIn(channel, SET))].sort()).toEqual([1194, 65535]);
});

it('are none of a set that isn’t there', async () => {
  expect([...(await portsIn(channel, SET))]).toEqual([]);
});

it('are refused of a set of something else', async () => {
  await nft('table inet ours { set asked { type ipv4_addr; elements = { 192.0.2.1 } ; }\n }');
  await expect(portsIn(channel, SET)).rejects.toThrow(NetlinkReplyError);
});
