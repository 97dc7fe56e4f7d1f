import { execa } from 'execa';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Counters } from '../../src/kernel/counters.ts';

const nft = (script: string) => execa('nft', ['-f', '-'], { input: script });

let counters: Counters;

beforeEach(async () => {
  await nft(`
    table netdev ours {
      counter pings { packets 4294967297 bytes 9 }
      counter others { }
      quota much { 10 mbytes }
      chain in { type filter hook ingress device lo priority 0; icmp type echo-request counter name pings; }
    }
    table netdev theirs {
      counter pings { }
    }
    table inet ours {
      counter pings { }
    }`);
  counters = new Counters();
});

afterEach(async () => {
  counters.close();
  await nft('flush ruleset');
});

it('reads what the named counters of one table have counted, and nothing else', async () => {
  await execa('ip', ['link', 'set', 'lo', 'up']);
  await execa('ping', ['-c', '3', '-i', '0.01', '127.0.0.1']);
  expect(await counters.packets({ family: 'netdev', table: 'ours' })).toEqual(
    new Map([
      ['pings', 2 ** 32 + 4],
      ['others', 0],
    ]),
  );
});

it('finds none where there is no such table', async () => {
  expect(await counters.packets({ family: 'netdev', table: 'nobodys' })).toEqual(new Map());
});
